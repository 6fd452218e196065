"""What happened: links and codes, clicks, customers, conversions and the credit partners have in them."""

from referrals.models.click import Click
from referrals.models.code import Code
from referrals.models.conversion import Conversion
from referrals.models.credit import Credit
from referrals.models.customer import Customer
from referrals.models.link import Link
from referrals.models.points import PointEntry

__all__ = ["Click", "Code", "Conversion", "Credit", "Customer", "Link", "PointEntry"]
