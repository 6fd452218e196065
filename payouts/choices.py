"""The closed lists of the payouts app: accounts, kinds of transaction, and the states money moves through."""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class AccountKind(models.TextChoices):
    """Partner accounts (one per membership and currency) carry what the program owes; the rest belong to the program."""

    PENDING = "pending", _("On hold")
    PAYABLE = "payable", _("Ready to pay")
    IN_PAYMENT = "in_payment", _("On its way")
    EXPENSE = "expense", _("Commission expense")
    CASH = "cash", _("Bank")
    ADVANCES = "advances", _("Advances to partners")
    TAX_WITHHELD = "tax_withheld", _("Tax withheld")
    INPUT_VAT = "input_vat", _("Input VAT")
    FX_CLEARING = "fx_clearing", _("Currency clearing")
    PAYOUT_FEES = "payout_fees", _("Bank fees")
    BAD_DEBT = "bad_debt", _("Debts written off")

    @classmethod
    def of_partner(cls) -> tuple[str, ...]:
        return (cls.PENDING.value, cls.PAYABLE.value, cls.IN_PAYMENT.value)

    @classmethod
    def of_program(cls) -> tuple[str, ...]:
        return tuple(kind for kind in cls.values if kind not in cls.of_partner())


class TransactionKind(models.TextChoices):
    ACCRUAL = "accrual", _("Commission earned or taken back")
    RELEASE = "release", _("Hold elapsed")
    PAYMENT_INSTRUCTED = "payment_instructed", _("Payment instructed")
    PAYMENT_SETTLED = "payment_settled", _("Payment confirmed")
    PAYMENT_FAILED = "payment_failed", _("Payment failed")
    ADJUSTMENT = "adjustment", _("Adjustment")
    WRITE_OFF = "write_off", _("Debt written off")
    VAT = "vat", _("VAT on a self-billed invoice")
    PAYOUT_FEE = "payout_fee", _("Bank fee")
    REVERSAL = "reversal", _("Reversal of a transaction")


class CommissionKind(models.TextChoices):
    EARNED = "earned", _("Earned")
    REFUND = "refund", _("Refund")
    REVERSAL = "reversal", _("Reversal of an earlier line")
    TRUE_UP = "true_up", _("Adjusted to the new total")
    BONUS = "bonus", _("Bonus")
    OVERRIDE = "override", _("Override")
    RETAINER = "retainer", _("Retainer")
    FLOOR = "floor", _("Guaranteed minimum")
    DRAW = "draw", _("Advance")
    RECOVERY = "recovery", _("Advance paid back")

    @classmethod
    def of_a_month(cls) -> tuple[str, ...]:
        """The kinds that no event earns."""
        return (cls.RETAINER.value, cls.FLOOR.value, cls.DRAW.value, cls.RECOVERY.value)


class CommissionState(models.TextChoices):
    IN_REVIEW = "in_review", _("In review")
    ON_HOLD = "on_hold", _("On hold")
    PAUSED = "paused", _("Paused")
    PAYABLE = "payable", _("Ready to pay")
    ON_STATEMENT = "on_statement", _("On statement")
    SENT = "sent", _("On its way")
    PAID = "paid", _("Paid")


class PeriodState(models.TextChoices):
    OPEN = "open", _("Open")
    CLOSING = "closing", _("Being closed")
    CLOSED = "closed", _("Closed")


class StatementKind(models.TextChoices):
    STATEMENT = "statement", _("Statement")
    CREDIT_NOTE = "credit_note", _("Credit note")


class StatementState(models.TextChoices):
    ISSUED = "issued", _("Issued")
    CARRIED_OVER = "carried_over", _("Carried over")
    PAID = "paid", _("Paid")
    CREDITED = "credited", _("Corrected by another")
    CREDIT_NOTE = "credit_note", _("Credit note")


class MoveKind(models.TextChoices):
    """What moved a balance without a commission, as statements list it."""

    ADJUSTMENT = "adjustment", _("Adjustment")
    BONUS = "bonus", _("Bonus")
    SPIFF = "spiff", _("SPIFF")
    DRAW = "draw", _("Advance")
    MDF = "mdf", _("Marketing costs reimbursed")
    WRITE_OFF = "write_off", _("Debt written off")
    VAT = "vat", _("VAT")
    WITHHOLDING = "withholding", _("Tax withheld")
    PAYMENT = "payment", _("Payment")
    RETURNED = "returned", _("Payment that came back")


class PayRunState(models.TextChoices):
    DRAFT = "draft", _("Being prepared")
    CHECKED = "checked", _("To approve")
    APPROVED = "approved", _("Approved")
    EXPORTED = "exported", _("Exported")
    SENT = "sent", _("Sent to the bank")
    RECONCILED = "reconciled", _("Reconciled")
    PARTLY_FAILED = "partly_failed", _("Partly failed")
    CANCELLED = "cancelled", _("Cancelled")


class PaymentState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    SETTLED = "settled", _("Paid")
    FAILED = "failed", _("Failed")
    RETURNED = "returned", _("Returned")
    CANCELLED = "cancelled", _("Cancelled")


class PaymentMethodKind(models.TextChoices):
    BANK_IBAN = "bank_iban", _("Bank account with IBAN")
    US_ACCOUNT = "us_account", _("US bank account")
    PAYPAL = "paypal", _("PayPal")
    WISE = "wise", _("Wise")
    OTHER = "other", _("Another way")


class LeftOut(models.TextChoices):
    """Why a pay run does not pay a membership that has a balance."""

    BELOW_MINIMUM = "below_minimum", _("Below the minimum payout")
    NEGATIVE = "negative", _("The balance is negative")
    NO_PAYMENT_METHOD = "no_payment_method", _("No bank account")
    METHOD_COOLING = "method_cooling", _("The bank account was changed too recently")
    MEMBERSHIP_PAUSED = "membership_paused", _("The membership is suspended")
    ALREADY_IN_RUN = "already_in_run", _("Another pay run already pays this statement")
    PAUSED = "paused", _("Payments are paused")
    HELD_BACK = "held_back", _("Taken out of the run by a person")
    NO_TAX_FORM = "no_tax_form", _("A tax form is missing or has expired")
    NO_FX_RATE = "no_fx_rate", _("There is no exchange rate for the payment date")
    NOTHING_AFTER_TAX = "nothing_after_tax", _("Nothing is left after tax")


class DryRunKind(models.TextChoices):
    """What is tried on past events."""

    PLAN = "plan", _("A plan version")
    TIER = "tier", _("Partners in another tier")
    SETTING = "setting", _("A setting of the program")
    MOVES = "moves", _("Each of some partners in another tier")


class CheckKind(models.TextChoices):
    """What a pay run shows before it can be approved; each must be acknowledged by a person."""

    NEW_PAYEE = "new_payee", _("Paid for the first time")
    CHANGED_ACCOUNT = "changed_account", _("Bank details changed in the last 30 days")
    UNUSUAL_AMOUNT = "unusual_amount", _("More than three times the usual amount")
    NEGATIVE = "negative", _("Negative balance carried over")
    MISSING_DATA = "missing_data", _("Something is missing")
    SHARED_ACCOUNT = "shared_account", _("Two partners are paid to one account")
    TOTAL_CHANGED = "total_changed", _("The total differs much from last month")


class PauseCause(models.TextChoices):
    RISK = "risk", _("Under review")
    DISPUTE = "dispute", _("A question is open")
    MISSING_DATA = "missing_data", _("Something is missing")
    TERMS = "terms", _("The terms are not accepted")
    OTHER = "other", _("Other")

    @classmethod
    def by_hand(cls) -> list[tuple[str, Promise | str]]:
        """The causes a person can give; one begins and ends with the terms."""
        return [(value, label) for value, label in cls.choices if value != cls.TERMS]


class AdjustmentKind(models.TextChoices):
    ADJUSTMENT = "adjustment", _("Correction")
    BONUS = "bonus", _("Bonus")
    SPIFF = "spiff", _("SPIFF")
    DRAW = "draw", _("Advance")
    MDF = "mdf", _("Marketing costs reimbursed")
    WRITE_OFF = "write_off", _("Debt written off")


class AdjustmentState(models.TextChoices):
    PROPOSED = "proposed", _("To approve")
    POSTED = "posted", _("Booked")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class AdjustmentReason(models.TextChoices):
    """Why, in a word the partner reads too."""

    ORDER_CORRECTION = "order_correction", _("Order corrected")
    TRACKING_ERROR = "tracking_error", _("Sale not tracked")
    DUPLICATE = "duplicate", _("Counted twice")
    OUTSIDE_TERMS = "outside_terms", _("Outside the terms")
    GOODWILL = "goodwill", _("Goodwill")
    CAMPAIGN = "campaign", _("Campaign")
    MARKETING = "marketing", _("Marketing costs")
    ADVANCE = "advance", _("Advance agreed")
    DISPUTE = "dispute", _("Question accepted")
    LEFT_IN_DEBT = "left_in_debt", _("The partner left with a debt")
    OTHER = "other", _("Other")


class DisputeState(models.TextChoices):
    OPENED = "opened", _("Open")
    ANSWERED = "answered", _("Answered")
    WAITING_PARTNER = "waiting_partner", _("Waiting for you")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class DisputeCause(models.TextChoices):
    RATE = "rate", _("The rate is wrong")
    AMOUNT = "amount", _("The order's amount is wrong")
    REFUND = "refund", _("The refund is wrong")
    CREDIT = "credit", _("Somebody else was credited")
    MISSING = "missing", _("Something is missing")
    LATE = "late", _("It is late")
    OTHER = "other", _("Something else")


class VatMode(models.TextChoices):
    DOMESTIC = "domestic", _("Domestic VAT")
    REVERSE_CHARGE = "reverse_charge", _("Reverse charge")
    EXEMPT = "exempt", _("Exempt small business")
    OUTSIDE_SCOPE = "outside_scope", _("Outside the scope of VAT")


class TaxStatus(models.TextChoices):
    BUSINESS = "business", _("Business registered for VAT")
    SMALL_BUSINESS = "small_business", _("Small business exempt from VAT")
    BUSINESS_ABROAD = "business_abroad", _("Business abroad")
    PRIVATE = "private", _("Private person")


class TaxFormKind(models.TextChoices):
    W9 = "w9", _("Form W-9")
    W8BEN = "w8ben", _("Form W-8BEN")
    W8BENE = "w8bene", _("Form W-8BEN-E")
    RESIDENCE = "residence", _("Certificate of residence")
    OTHER = "other", _("Other")


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", _("Self-billed invoice")
    CREDIT_NOTE = "credit_note", _("Self-billed credit note")


class ResultOutcome(models.TextChoices):
    SETTLED = "settled", _("Paid")
    FAILED = "failed", _("Refused")
    RETURNED = "returned", _("Returned")


class ResultFormat(models.TextChoices):
    CAMT053 = "camt.053", "camt.053"
    CAMT054 = "camt.054", "camt.054"
    PAIN002 = "pain.002", "pain.002"
    CSV = "csv", "CSV"


class RiskKind(models.TextChoices):
    """What the monitor looks for; each is described in docs/algorithms/risk.md."""

    SELF_REFERRAL = "self_referral", _("The partner bought itself")
    CLICK_FLOOD = "click_flood", _("Many clicks from one address")
    VELOCITY = "velocity", _("More conversions than clicks allow")
    TOO_SOON = "too_soon", _("Bought too soon after the click")
    BOT_SHARE = "bot_share", _("Many robots among the visitors")
    SHARED_ACCOUNT = "shared_account", _("Two partners share a bank account")
    SHARED_DEVICE = "shared_device", _("Two partners share a device")
    LEAKED_CODE = "leaked_code", _("A code has got about")
    PAID_SEARCH = "paid_search", _("Paid search where it is forbidden")
    DISPOSABLE_MAIL = "disposable_mail", _("Throw-away e-mail addresses")
    COUNTRY_MISMATCH = "country_mismatch", _("Clicked in one country, bought in another")
    REFUND_RATE = "refund_rate", _("Many refunds")
    PIXEL = "pixel", _("Told by a pixel, which anybody can call")
    CODE_OVERUSED = "code_overused", _("A code was used more often than allowed")


class RiskSeverity(models.TextChoices):
    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")


class RiskCaseState(models.TextChoices):
    OPEN = "open", _("Open")
    INVESTIGATING = "investigating", _("Being looked at")
    CLEARED = "cleared", _("Cleared")
    CONFIRMED = "confirmed", _("Confirmed")


class RiskSanction(models.TextChoices):
    """What follows besides the reversal."""

    NONE = "none", _("None")
    WARNING = "warning", _("A warning")
    SUSPENSION = "suspension", _("Suspended")
    BAN = "ban", _("Banned")


class PostbackEvent(models.TextChoices):
    LEAD = "lead", _("A lead or sign-up is credited to you")
    SALE = "sale", _("A sale or renewal is credited to you")
    COMMISSION = "commission", _("A commission line is written")


class PostbackDeliveryState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    SENT = "sent", _("Delivered")
    GIVEN_UP = "given_up", _("Given up")


class ReportDimension(models.TextChoices):
    ALL = "all", _("Everything")
    LINK = "link", _("Link")
    CODE = "code", _("Code")
    SUB_ID = "sub_id", _("Sub-id")
    CAMPAIGN = "campaign", _("Campaign")
    COUNTRY = "country", _("Country")
    PRODUCT = "product", _("Product")
