"""What keeps an adjustment from being put forward or booked. Each refusal names the field that has to change, and the amounts that depend on the
balance are looked at with the membership locked, when it is proposed and again when it is approved."""

from __future__ import annotations

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts.choices import AccountKind, AdjustmentKind, AdjustmentReason, AdjustmentState, PaymentState
from payouts.models import Account, Adjustment, Payment
from prm.lib.errors import Refused
from prm.lib.money import Money

LARGEST = 10**13  # so that no sum of them outgrows its column
_ONLY_ADDS = (AdjustmentKind.BONUS, AdjustmentKind.SPIFF, AdjustmentKind.MDF, AdjustmentKind.WRITE_OFF)


class UnknownKind(Refused):
    message = _("Choose what it is.")
    field = "kind"


class UnknownReason(Refused):
    message = _("Choose the reason.")
    field = "reason"


class NoNote(Refused):
    message = _("Write what the partner reads, in up to 200 characters.")
    field = "note"


class NoteTooLong(Refused):
    message = _("Up to 2,000 characters.")
    field = "internal_note"


class NoAmount(Refused):
    message = _("Write an amount other than zero.")
    field = "amount"


class AmountTooLarge(Refused):
    message = _("This amount is too large.")
    field = "amount"


class AnotherCurrency(Refused):
    message = _("This balance is in %(currency)s.")
    field = "amount"


class OnlyAdds(Refused):
    message = _("This kind only adds. To take money from the balance choose: %(kind)s.")
    field = "amount"


class NoDebt(Refused):
    message = _("The balance is not negative: there is no debt to write off.")
    field = "amount"


class PaymentUnderWay(Refused):
    message = _(
        "A payment to this partner is in a pay run or on its way. What comes back of it pays the debt, so wait for the bank's answer."
    )
    field = "amount"


class MoreThanTheDebt(Refused):
    message = _("The debt is %(debt)s; no more than that can be written off.")
    field = "amount"


class MoreThanAdvanced(Refused):
    message = _("%(outstanding)s was advanced and not paid back; no more than that can be taken back.")
    field = "amount"


class EvidenceMissing(Refused):
    message = _("Marketing costs are reimbursed against a file that shows them.")
    field = "evidence"


class OfAnotherMembership(Refused):
    message = _("This belongs to another membership.")


def check_words(draft: Adjustment) -> None:
    """Look at everything but the balance.

    Raises: UnknownKind, UnknownReason, NoNote, NoteTooLong, NoAmount, AmountTooLarge, AnotherCurrency, OnlyAdds,
    OfAnotherMembership.
    """
    if draft.kind not in AdjustmentKind.values:
        raise UnknownKind
    if draft.reason not in AdjustmentReason.values:
        raise UnknownReason
    if not draft.note or len(draft.note) > 200:
        raise NoNote
    if len(draft.internal_note) > 2000:
        raise NoteTooLong
    if not draft.amount_minor:
        raise NoAmount
    if abs(draft.amount_minor) > LARGEST:
        raise AmountTooLarge
    currency = draft.membership.program.currency
    if draft.currency != currency:
        raise AnotherCurrency(params={"currency": currency})
    if draft.amount_minor < 0 and draft.kind in _ONLY_ADDS:
        raise OnlyAdds(params={"kind": AdjustmentKind.ADJUSTMENT.label})
    for name in ("commission", "dispute"):
        row = getattr(draft, name)
        if row is not None and row.membership_id != draft.membership_id:
            raise OfAnotherMembership(field=name)


def check_evidence(draft: Adjustment, *, is_there: bool) -> None:
    """Ask for the file that reimbursed costs need.

    Raises: EvidenceMissing.
    """
    if draft.kind == AdjustmentKind.MDF and not is_there:
        raise EvidenceMissing


def check_amount(draft: Adjustment, balance: Money) -> None:
    """Look at an amount beside the balance of its membership, which is locked.

    Raises: NoDebt, PaymentUnderWay, MoreThanTheDebt, MoreThanAdvanced.
    """
    if draft.kind == AdjustmentKind.WRITE_OFF:
        if balance.minor >= 0:
            raise NoDebt
        under_way = [PaymentState.QUEUED, PaymentState.SENT]
        if Payment.objects.filter(membership=draft.membership_id, state__in=under_way).exists():
            raise PaymentUnderWay
        if draft.amount > -balance:
            raise MoreThanTheDebt(params={"debt": str(-balance)})
    if draft.kind == AdjustmentKind.DRAW and draft.amount_minor < 0:
        outstanding = advanced_to(draft)
        if -draft.amount > outstanding:
            raise MoreThanAdvanced(params={"outstanding": str(outstanding)})


def advanced_to(draft: Adjustment) -> Money:
    """Return what people advanced the membership and have not taken back."""
    posted = Adjustment.objects.filter(
        membership=draft.membership_id,
        kind=AdjustmentKind.DRAW,
        currency=draft.currency,
        state=AdjustmentState.POSTED,
    )
    return Money(posted.aggregate(minor=Sum("amount_minor"))["minor"] or 0, draft.currency)


def balance_of(membership: Membership) -> Money:
    """Return what the ledger owes the membership ready to pay, negative for a debt; nothing is opened for it."""
    currency = membership.program.currency
    found = Account.objects.filter(membership=membership, kind=AccountKind.PAYABLE, currency=currency)
    minor = found.with_balance().values_list("balance_minor", flat=True).first()  # type: ignore[misc]  # annotated by with_balance
    return Money(minor or 0, currency)
