"""The closed lists of the referrals app: states of conversions, reasons of credit."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConversionState(models.TextChoices):
    RECORDED = "recorded", _("Recorded")
    PARTIALLY_REFUNDED = "partially_refunded", _("Partly refunded")
    REFUNDED = "refunded", _("Refunded")
    REJECTED = "rejected", _("Declined")


class CreditReason(models.TextChoices):
    CODE = "code", _("The partner's code was used")
    LAST_CLICK = "last_click", _("Last click in the cookie window")
    ORIGINAL = "original", _("Follows the sale it refunds")
    CORRECTED = "corrected", _("Decided by a person")


class CreditRole(models.TextChoices):
    SOURCED = "sourced", _("Sourced")
    INFLUENCED = "influenced", _("Influenced")
    ASSISTED = "assisted", _("Assisted")
    FULFILLED = "fulfilled", _("Fulfilled")
