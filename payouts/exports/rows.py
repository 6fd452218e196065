"""The rows of a statement, the same for CSV and XLSX: the balance carried in and every line, payments and tax included. The amounts of
all rows add up to the closing balance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from payouts.choices import StatementKind
from payouts.explained import subject
from payouts.explained.listed import why
from payouts.models import Statement, StatementLine
from prm.lib.money import Money, exponent

HEADER = (
    "statement",
    "line",
    "happened_at",
    "order",
    "customer",
    "kind",
    "base",
    "rate_percent",
    "flat",
    "amount",
    "currency",
    "running_total",
    "from_earlier_month",
    "why",
)
# What a credit note takes back are sums, not lines; what statements of the first layout say in sums only.
_TAKEN_BACK = ("earned", "reversed", "adjusted", "vat", "withheld", "paid")
_NOT_LISTED = ("adjusted", "paid")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; texts that are empty say that the column does not apply."""

    line: int | None
    happened_at: datetime | None
    order: str
    customer: str
    kind: str
    base: Decimal | None
    rate_percent: Decimal | None
    flat: Decimal | None
    amount: Decimal
    running_total: Decimal
    from_earlier_month: bool | None
    why: str = ""


def rows_of(statement: Statement) -> Iterator[Row]:
    """Yield the rows of a statement in the order of its bridge, with the reasons in the language that is active."""
    places = exponent(statement.currency)
    running = statement.opening_minor
    yield _balance("opening_balance", statement.opening_minor, running, places)
    zone = ZoneInfo(statement.facts["program"]["time_zone"])
    found = statement.lines.select_related(*(f"commission__{name}" for name in subject.READ_WITH))
    for line in found.order_by("position").iterator(chunk_size=2000):
        running += line.amount_minor
        yield _of_line(line, running, places, zone)
    if statement.kind == StatementKind.CREDIT_NOTE or not statement.lists_everything:
        for kind in _TAKEN_BACK if statement.kind == StatementKind.CREDIT_NOTE else _NOT_LISTED:
            minor = getattr(statement, f"{kind}_minor")
            if minor:
                running += minor
                yield _balance(kind, minor, running, places)


def decimal_of(minor: int, places: int) -> Decimal:
    return Decimal(minor).scaleb(-places)


def plain(money: Money) -> str:
    """Return an amount with a point and exactly the currency's decimals, as files hold it."""
    return format(money.decimal(), "f")


def _balance(kind: str, minor: int, running: int, places: int) -> Row:
    amount, total = decimal_of(minor, places), decimal_of(running, places)
    return Row(None, None, "", "", kind, None, None, None, amount, total, None)


def _of_line(line: StatementLine, running: int, places: int, zone: ZoneInfo) -> Row:
    has_rate = line.commission_id is not None or bool(line.base_minor)
    return Row(
        line=line.position,
        happened_at=line.occurred_at.astimezone(zone),
        order=line.order_id,
        customer=line.customer,
        kind=line.kind,
        base=decimal_of(line.base_minor, places) if has_rate else None,
        rate_percent=Decimal(format(line.rate.normalize(), "f")) if has_rate else None,
        flat=decimal_of(line.flat_minor, places) if has_rate else None,
        amount=decimal_of(line.amount_minor, places),
        running_total=decimal_of(running, places),
        from_earlier_month=line.from_earlier_period,
        why=why(line, zone),
    )
