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
    FIRST_CLICK = "first_click", _("First click in the cookie window")
    CLICKS = "clicks", _("Clicks that led to it")
    DEAL = "deal", _("A registered deal")
    LEAD = "lead", _("The partner brought the lead")
    INTRODUCED = "introduced", _("The partner made the introduction")
    CUSTOMER = "customer", _("The partner brought the customer")
    VIEW = "view", _("Seen before it was bought")
    ASSISTED = "assisted", _("Helped on the way")
    ORIGINAL = "original", _("Follows the sale it refunds")
    CORRECTED = "corrected", _("Decided by a person")


class CreditRole(models.TextChoices):
    SOURCED = "sourced", _("Sourced")
    INFLUENCED = "influenced", _("Influenced")
    ASSISTED = "assisted", _("Assisted")
    FULFILLED = "fulfilled", _("Fulfilled")


class ClickKind(models.TextChoices):
    """What opened a link. Only a person counts."""

    PERSON = "person", _("A person")
    VIEW = "view", _("Seen, not clicked")
    BOT = "bot", _("A robot")
    PREFETCH = "prefetch", _("Fetched ahead")
    PREVIEW = "preview", _("Preview of a link")
    EMBEDDED = "embedded", _("Fetched as an image or a frame")
    OWN = "own", _("The partner's own test")


class Channel(models.TextChoices):
    """How a conversion came in."""

    API = "api", _("API")
    FILE = "file", _("File")
    POSTBACK = "postback", _("Postback")
    PIXEL = "pixel", _("Pixel in the browser")
    STAFF = "staff", _("Entered by a person")


class TouchKind(models.TextChoices):
    """Contacts that are told rather than clicked."""

    DEAL = "deal", _("Registered deal")
    LEAD = "lead", _("Lead")
    INTRODUCTION = "intro", _("Introduction")


class ReferralCause(models.TextChoices):
    ATTRIBUTED = "attributed", _("Brought the first conversion")
    TRANSFERRED = "transferred", _("Transferred by a person")


class AttributionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("In force")
    SUPERSEDED = "superseded", _("Superseded")


class AttributionCause(models.TextChoices):
    """Why a decision about who is credited was taken."""

    RECORDED = "recorded", _("When it was recorded")
    CORRECTED = "corrected", _("Corrected by a person")


class InletKind(models.TextChoices):
    POSTBACK = "postback", _("Signed postback, from server to server")
    PIXEL = "pixel", _("Pixel in the browser, without a secret")
