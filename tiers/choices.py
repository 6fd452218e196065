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
    CHARGEBACK = "chargeback", _("Chargeback")
    CHARGEBACK_WON = "chargeback_won", _("Chargeback won back")
    INSTALL = "install", _("Install")
    CUSTOM = "custom", _("Custom event")


class RateKind(models.TextChoices):
    """How much a rule pays (docs/algorithms/commission.md has a worked table for each)."""

    PERCENT = "percent", _("Percent of the commissionable amount")
    FLAT = "flat", _("Flat amount for each event")
    PERCENT_PLUS_FLAT = "percent_plus_flat", _("Percent plus a flat amount")
    PER_UNIT = "per_unit", _("Flat amount for each piece")
    GRADUATED = "graduated", _("Graduated: each part at its own step's rate")
    VOLUME = "volume", _("Volume: the step reached prices the whole window")
    PROSPECTIVE = "prospective", _("Prospective: the step reached prices what comes next")
    STAIRSTEP = "stairstep", _("Stairstep: a flat amount for the step reached")
    PACKAGE = "package", _("Package: a flat amount for each started block")
    ACCELERATOR = "accelerator", _("Accelerator: rates by attainment of a target")
    RECURRING = "recurring", _("Recurring: a percentage for some months or payments")
    MILESTONE = "milestone", _("Milestone: a bonus when a threshold is reached")
    LIFETIME_VALUE = "lifetime_value", _("Lifetime value: paid when a customer's revenue passes a threshold")
    PARTICIPATION = "participation", _("Participation bonus for an assist")
    OVERRIDE = "override", _("Override on what recruited partners sell or earn")
    RETAINER = "retainer", _("Retainer: a fixed amount for each month")
    DRAW = "draw", _("Draw: a guaranteed month, recovered from later earnings")


class FlatOnRefund(models.TextChoices):
    KEPT = "kept", _("The partner keeps the flat part")
    PRO_RATA = "pro_rata", _("The flat part is taken back in proportion")
    UNTIL_FULL = "until_full", _("The flat part is kept until everything is refunded")
    AT_FIRST = "at_first", _("The flat part is taken back at the first refund")


class Combine(models.TextChoices):
    FIRST_MATCH = "first_match", _("The first rule that applies wins")
    STACK = "stack", _("All rules that apply add up")


class Deduction(models.TextChoices):
    """What a conversion can say it contains besides the commissionable amount."""

    TAX = "tax", _("Tax")
    SHIPPING = "shipping", _("Shipping")
    DISCOUNT = "discount", _("Discount")
    COST = "cost", _("Cost of goods")


class Grandfather(models.TextChoices):
    """Who keeps the version they came under when a new one takes effect."""

    NOBODY = "nobody", _("Nobody: the new version is for everything from its date on")
    CUSTOMERS = "customers", _("Customers who bought before keep the version of their first sale")
    MEMBERSHIPS = "memberships", _("Partners who joined before keep the version they joined under")


class VersionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PROPOSED = "proposed", _("Proposed to the partner")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


class FxMoment(models.TextChoices):
    """Which day's rate turns a balance into the currency a partner is paid in."""

    STATEMENT = "statement", _("The last day of the statement's month")
    PAYMENT = "payment", _("The day the pay run is prepared")


class BankFile(models.TextChoices):
    """The version of the credit transfer message a bank takes."""

    PAIN_09 = "pain.001.001.09", "pain.001.001.09"
    PAIN_03 = "pain.001.001.03", "pain.001.001.03"


class TierColour(models.TextChoices):
    """Colours of tiers: names of tokens that are readable on the pages' own backgrounds, light and dark."""

    SLATE = "slate", _("Slate")
    BRONZE = "bronze", _("Bronze")
    SILVER = "silver", _("Silver")
    GOLD = "gold", _("Gold")
    TEAL = "teal", _("Teal")
    BLUE = "blue", _("Blue")
    VIOLET = "violet", _("Violet")
    GREEN = "green", _("Green")


class BenefitKind(models.TextChoices):
    """What a tier can give besides a rate. The kind says what a tier's value is: see `BenefitKind.unit`."""

    SUPPORT = "support", _("Support level")
    LOCATOR = "locator", _("Listing in the partner directory")
    CO_MARKETING = "co_marketing", _("Joint marketing")
    LEAD_SHARING = "lead_sharing", _("Leads shared with the partner")
    MDF = "mdf", _("Share of marketing costs")
    PRESS_RELEASE = "press_release", _("Press release")
    SEMINAR = "seminar", _("Invitation to the seminar")
    TRAINING = "training", _("Training")
    OTHER = "other", _("Something else")


class SchemeState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")
