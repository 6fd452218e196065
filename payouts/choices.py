"""The closed lists of the payouts app: accounts, kinds of transaction, and the states money moves through."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AccountKind(models.TextChoices):
    """Partner accounts (one per membership and currency) carry what the program owes; the rest belong to the program."""

    PENDING = "pending", _("On hold")
    PAYABLE = "payable", _("Ready to pay")
    IN_PAYMENT = "in_payment", _("On its way")
    EXPENSE = "expense", _("Commission expense")
    CASH = "cash", _("Bank")
    ADVANCES = "advances", _("Advances to partners")

    @classmethod
    def of_partner(cls) -> tuple[str, ...]:
        return (cls.PENDING.value, cls.PAYABLE.value, cls.IN_PAYMENT.value)


class TransactionKind(models.TextChoices):
    ACCRUAL = "accrual", _("Commission earned or taken back")
    RELEASE = "release", _("Hold elapsed")
    PAYMENT_INSTRUCTED = "payment_instructed", _("Payment instructed")
    PAYMENT_SETTLED = "payment_settled", _("Payment confirmed")
    PAYMENT_FAILED = "payment_failed", _("Payment failed")
    ADJUSTMENT = "adjustment", _("Adjustment")
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


class StatementState(models.TextChoices):
    ISSUED = "issued", _("Issued")
    CARRIED_OVER = "carried_over", _("Carried over")
    PAID = "paid", _("Paid")


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


class LeftOut(models.TextChoices):
    """Why a pay run does not pay a membership that has a balance."""

    BELOW_MINIMUM = "below_minimum", _("Below the minimum payout")
    NEGATIVE = "negative", _("The balance is negative")
    NO_PAYMENT_METHOD = "no_payment_method", _("No bank account")
    METHOD_COOLING = "method_cooling", _("The bank account was changed too recently")
    MEMBERSHIP_PAUSED = "membership_paused", _("The membership is suspended")
    ALREADY_IN_RUN = "already_in_run", _("Another pay run already pays this statement")


class DryRunKind(models.TextChoices):
    """What is tried on past events."""

    PLAN = "plan", _("A plan version")
    TIER = "tier", _("Partners in another tier")
    SETTING = "setting", _("A setting of the program")
