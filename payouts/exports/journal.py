"""The ledger as an accounting journal: for each entry one row that debits and one that credits, under the accounts of the operator's own
books. Debits equal credits in every currency, because both rows of an entry print the same amount."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import override

from payouts.choices import AccountKind, TransactionKind
from payouts.exports.rows import plain
from payouts.models import AccountCode, Entry, Payment
from prm.lib.cells import formula_safe
from prm.lib.money import Money
from prm.lib.periods import Month

if TYPE_CHECKING:
    from tiers.models import LegalEntity

FORMAT = "journal_csv"
CONTENT_TYPE = "text/csv; charset=utf-8"
HEADER = (
    "date",
    "transaction",
    "kind",
    "account",
    "account_name",
    "debit",
    "credit",
    "currency",
    "text",
    "partner",
    "program",
    "payment",
)
_AT_ONCE = 1_000
_OF_A_PAYMENT = ("payment_instructed", "payment_settled", "payment_failed", "payout_fee")
_READ = (
    "transaction__public_id",
    "transaction__kind",
    "transaction__key",
    "transaction__reason",
    "transaction__effective_at",
    "transaction__period__year",
    "transaction__period__month",
    "debit__kind",
    "credit__kind",
    "debit__membership__partner__name",
    "credit__membership__partner__name",
    "debit__program__name",
    "debit__program__time_zone",
    "amount_minor",
    "currency",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One side of one entry."""

    on: date
    transaction: str
    kind: str
    code: str
    name: str
    amount: Money
    is_debit: bool
    text: str
    partner: str
    program: str
    payment: str


def of_run(legal_entity: LegalEntity, payments: Iterable[Payment]) -> Iterator[Row]:
    """Yield what has been booked for payments so far, payment by payment."""
    codes = codes_of(legal_entity)
    ids = [payment.public_id for payment in payments]
    for start in range(0, len(ids), 200):
        keys = [f"{kind}:{each}" for each in ids[start : start + 200] for kind in _OF_A_PAYMENT]
        yield from _rows(Entry.objects.filter(transaction__key__in=keys).order_by("pk"), codes)


def of_month(legal_entity: LegalEntity, month: Month) -> Iterator[Row]:
    """Yield everything booked in the months of all programs of an entity, in the order it was written; nothing is kept in memory."""
    found = Entry.objects.filter(
        debit__program__legal_entity=legal_entity,
        transaction__period__year=month.year,
        transaction__period__month=month.month,
    )
    return _rows(found.order_by("pk"), codes_of(legal_entity))


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the file piece by piece, its header first."""
    yield _text([HEADER])
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        yield _text([_cells(row) for row in some])


def render(rows: Iterable[Row]) -> bytes:
    """Return the file in one piece."""
    return "".join(lines(rows)).encode()


def totals(rows: Iterable[Row]) -> dict[str, tuple[Money, Money]]:
    """Return debits and credits of each currency, which are equal."""
    found: dict[str, tuple[Money, Money]] = {}
    for row in rows:
        zero = Money(0, row.amount.currency)
        debits, credits = found.get(row.amount.currency, (zero, zero))
        found[row.amount.currency] = (
            (debits + row.amount, credits) if row.is_debit else (debits, credits + row.amount)
        )
    return found


def codes_of(legal_entity: LegalEntity) -> dict[str, tuple[str, str]]:
    """Return code and name in the entity's books for each kind of account; one nobody mapped goes by its own name."""
    with override("en"):
        known = {kind.value: (kind.value, str(kind.label)) for kind in AccountKind}
    for row in AccountCode.objects.filter(legal_entity=legal_entity):
        known[row.account_kind] = (row.code, row.name or known[row.account_kind][1])
    return known


def _rows(found: QuerySet[Entry], codes: dict[str, tuple[str, str]]) -> Iterator[Row]:
    with override("en"):
        words = {kind.value: str(kind.label) for kind in TransactionKind}
    for each in found.values(*_READ).iterator(chunk_size=2_000):
        yield _row(each, codes, words, is_debit=True)
        yield _row(each, codes, words, is_debit=False)


def _row(
    each: dict[str, Any], codes: dict[str, tuple[str, str]], words: dict[str, str], *, is_debit: bool
) -> Row:
    side = "debit" if is_debit else "credit"
    code, name = codes[each[f"{side}__kind"]]
    kind, key = each["transaction__kind"], each["transaction__key"]
    return Row(
        on=_day(each),
        transaction=each["transaction__public_id"],
        kind=kind,
        code=code,
        name=name,
        amount=Money(each["amount_minor"], each["currency"]),
        is_debit=is_debit,
        text=each["transaction__reason"] or words[kind],
        partner=each["credit__membership__partner__name"] or each["debit__membership__partner__name"] or "",
        program=each["debit__program__name"],
        payment=key.partition(":")[2] if key.startswith(_OF_A_PAYMENT) else "",
    )


def _day(each: dict[str, Any]) -> date:
    """Return the day to book on: when it happened, moved into the month whose books it is in."""
    month = Month(each["transaction__period__year"], each["transaction__period__month"])
    zone = ZoneInfo(each["debit__program__time_zone"])
    happened: date = each["transaction__effective_at"].astimezone(zone).date()
    last: date = month.next().first_on - timedelta(days=1)
    return min(max(happened, month.first_on), last)


def _cells(row: Row) -> list[str]:
    amount = plain(row.amount)
    return [
        row.on.isoformat(),
        row.transaction,
        row.kind,
        formula_safe(row.code),
        formula_safe(row.name),
        amount if row.is_debit else "",
        "" if row.is_debit else amount,
        row.amount.currency,
        formula_safe(row.text),
        formula_safe(row.partner),
        formula_safe(row.program),
        row.payment,
    ]


def _text(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
