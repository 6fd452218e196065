"""The closed lists of the tiers app. A value once stored is never renamed; a new one is added beside it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PartnershipType(models.TextChoices):
    AFFILIATE = "affiliate", _("Affiliate")
    REFERRAL = "referral", _("Referral partner")
    INFLUENCER = "influencer", _("Influencer")
    DISTRIBUTOR = "distributor", _("Distributor")
    AGENCY = "agency", _("Agency or reseller")


class EventKind(models.TextChoices):
    """What a recorded business event can be (glossary: Conversion)."""

    SIGNUP = "signup", _("Sign-up")
    QUALIFIED_LEAD = "qualified_lead", _("Qualified lead")
    SALE = "sale", _("Sale")
    RENEWAL = "renewal", _("Renewal")
    REFUND = "refund", _("Refund")
    INSTALL = "install", _("Install")
    CUSTOM = "custom", _("Custom event")


class RateKind(models.TextChoices):
    PERCENT = "percent", _("Percent of the commissionable amount")
    FLAT = "flat", _("Flat amount for each event")
    PERCENT_PLUS_FLAT = "percent_plus_flat", _("Percent plus a flat amount")


class FlatOnRefund(models.TextChoices):
    KEPT = "kept", _("The partner keeps the flat part")
    PRO_RATA = "pro_rata", _("The flat part is taken back in proportion")


class Combine(models.TextChoices):
    FIRST_MATCH = "first_match", _("The first rule that applies wins")
    STACK = "stack", _("All rules that apply add up")


class VersionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")
