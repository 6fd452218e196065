"""What happened: links and codes, clicks and other touches, customers, conversions and the credit partners have in them."""

from referrals.models.attribution import AttributionRecord, AttributionVersion
from referrals.models.click import Click
from referrals.models.code import Code
from referrals.models.conversion import Conversion, ConversionLine
from referrals.models.credit import Credit
from referrals.models.customer import Customer
from referrals.models.link import Link
from referrals.models.points import PointEntry
from referrals.models.touch import Referral, Touch
from referrals.models.tracking import AddressKey, ImportMapping, Inlet, RollupMark, TrackingSettings

__all__ = [
    "AddressKey",
    "AttributionRecord",
    "AttributionVersion",
    "Click",
    "Code",
    "Conversion",
    "ConversionLine",
    "Credit",
    "Customer",
    "ImportMapping",
    "Inlet",
    "Link",
    "PointEntry",
    "Referral",
    "RollupMark",
    "Touch",
    "TrackingSettings",
]
