"""Read what moved a membership's payable account in a month, from the ledger alone. What an entry is follows from the account on its
other side, so that every minor unit belongs to exactly one term of the bridge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.functions import Coalesce

from partners.models import Membership
from payouts.choices import AccountKind, MoveKind
from payouts.models import Account, Adjustment, Entry, Period, Transaction
from prm.lib.money import Money

# Which column of the bridge a kind of movement belongs to.
TERM_OF: dict[MoveKind, str] = {
    MoveKind.ADJUSTMENT: "adjusted",
    MoveKind.BONUS: "adjusted",
    MoveKind.SPIFF: "adjusted",
    MoveKind.DRAW: "adjusted",
    MoveKind.MDF: "adjusted",
    MoveKind.WRITE_OFF: "adjusted",
    MoveKind.VAT: "vat",
    MoveKind.WITHHOLDING: "withheld",
    MoveKind.PAYMENT: "paid",
    MoveKind.RETURNED: "paid",
}
_PAYS = frozenset({AccountKind.IN_PAYMENT, AccountKind.CASH, AccountKind.FX_CLEARING})
_TEXT_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Moved:
    """What one transaction moved under one name; `text` says what it is about, in words that need no translation."""

    transaction_id: int
    effective_at: datetime
    kind: MoveKind
    text: str
    amount: Money
    is_taxable: bool = False
    base: Money | None = None
    rate: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Movements:
    """A month of one account: what was released with commission lines, and all else."""

    account: Account | None
    released: Money
    others: tuple[Moved, ...]


def of_month(membership: Membership, period: Period) -> Movements:
    """Return what moved the payable account of `membership` in `period`; two queries, however much there was."""
    currency = membership.program.currency
    account = Account.objects.filter(
        membership=membership, kind=AccountKind.PAYABLE, currency=currency
    ).first()
    if account is None:
        return Movements(None, Money(0, currency), ())
    released = Money(0, currency)
    found: dict[tuple[int, MoveKind], Moved] = {}
    for entry in _entries(account).filter(transaction__period=period):
        comes_in = entry.credit_id == account.pk
        counter = entry.debit if comes_in else entry.credit
        amount = Money(entry.amount_minor if comes_in else -entry.amount_minor, currency)
        if counter.kind == AccountKind.PENDING:
            released += amount
            continue
        moved = _moved(entry.transaction, AccountKind(counter.kind), amount)
        before = found.get((moved.transaction_id, moved.kind))
        found[moved.transaction_id, moved.kind] = moved if before is None else _together(before, moved)
    return Movements(account, released, tuple(found.values()))


def balance_at_end_of(account: Account | None, period: Period, currency: str) -> Money:
    """Return the payable balance of the ledger up to and including the month."""
    if account is None:
        return Money(0, currency)
    until = models.Q(transaction__period__year__lt=period.year) | models.Q(
        transaction__period__year=period.year, transaction__period__month__lte=period.month
    )
    signed = models.Case(
        models.When(credit=account, then=models.F("amount_minor")), default=-models.F("amount_minor")
    )
    mine = Entry.objects.filter(models.Q(debit=account) | models.Q(credit=account))
    total = mine.filter(until).aggregate(minor=Coalesce(models.Sum(signed), 0))["minor"]
    return Money(int(total), currency)


def _entries(account: Account) -> models.QuerySet[Entry]:
    mine = Entry.objects.filter(models.Q(debit=account) | models.Q(credit=account))
    return mine.select_related(
        "transaction__adjustment", "transaction__reverses__adjustment", "debit", "credit"
    ).order_by("transaction__effective_at", "transaction", "pk")


def _moved(written: Transaction, counter: AccountKind, amount: Money) -> Moved:
    adjustment = _adjustment_of(written)
    kind = _kind_of(counter, adjustment, amount)
    return Moved(
        transaction_id=written.pk,
        effective_at=written.effective_at,
        kind=kind,
        text=_text_of(written, kind, adjustment)[:_TEXT_AT_MOST],
        amount=amount,
        is_taxable=adjustment is not None and adjustment.posted_in_id == written.pk and adjustment.is_taxable,
    )


def _kind_of(counter: AccountKind, adjustment: Adjustment | None, amount: Money) -> MoveKind:
    if counter in _PAYS:
        return MoveKind.PAYMENT if amount.minor < 0 else MoveKind.RETURNED
    if counter == AccountKind.TAX_WITHHELD:
        return MoveKind.WITHHOLDING
    if counter == AccountKind.INPUT_VAT:
        return MoveKind.VAT
    if adjustment is not None:
        return MoveKind(adjustment.kind)
    return MoveKind.WRITE_OFF if counter == AccountKind.BAD_DEBT else MoveKind.ADJUSTMENT


def _adjustment_of(written: Transaction) -> Adjustment | None:
    """Return the adjustment a transaction books, or the one it takes back."""
    for each in (written, written.reverses):
        if each is not None:
            try:
                return each.adjustment
            except ObjectDoesNotExist:
                continue
    return None


def _text_of(written: Transaction, kind: MoveKind, adjustment: Adjustment | None) -> str:
    if adjustment is not None:
        return adjustment.note
    if TERM_OF[kind] in ("paid", "withheld"):
        # As the bank writes it, see payouts/pay_runs/common.py.
        return written.key.partition(":")[2].replace("_", "-").upper()
    return written.reason


def _together(one: Moved, other: Moved) -> Moved:
    return replace(one, amount=one.amount + other.amount)
