"""Read the year of real sales the demo is made of, and say what it must add up to. The sums here are made from the file alone,
with exact decimals, and know nothing of the code they are compared with."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parent / "online_retail"
ORDERS = FOLDER / "orders.csv.gz"
PARTNERS = FOLDER / "partners.csv"
LONDON = ZoneInfo("Europe/London")

# What each kind of partner earns: a fraction of the order, and an amount in pounds on each sale.
PLANS: dict[str, tuple[Decimal, Decimal]] = {
    "affiliate": (Decimal("0.08"), Decimal(0)),
    "referral": (Decimal("0.10"), Decimal(0)),
    "agency": (Decimal("0.12"), Decimal(0)),
    "influencer": (Decimal("0.05"), Decimal("2.00")),
    "distributor": (Decimal("0.15"), Decimal(0)),
}


@dataclass(frozen=True)
class PartnerRow:
    code: str
    name: str
    kind: str
    country: str


@cache
def partners() -> tuple[PartnerRow, ...]:
    """Return the 75 partners of the overlay."""
    with PARTNERS.open(newline="", encoding="utf-8") as file:
        return tuple(
            PartnerRow(row["partner_code"], row["name"], row["kind"], row["country"])
            for row in csv.DictReader(file)
        )


def orders() -> Iterator[dict[str, str]]:
    """Yield the rows of the orders file."""
    with gzip.open(ORDERS, "rt", newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def instant(text: str) -> datetime:
    """Read the file's UTC instants: 2010-12-01T08:26:00Z."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


@cache
def span() -> tuple[datetime, datetime]:
    """Return when the first and the last order of the file happened."""
    moments = [row["occurred_at"] for row in orders()]
    return instant(min(moments)), instant(max(moments))


def whole_weeks_to(now: datetime) -> timedelta:
    """Return by how much the file may move so that its last order is the latest one possible before `now`."""
    return timedelta(weeks=(now - span()[1]) // timedelta(weeks=1))


def moment_after(now: datetime, shift: timedelta) -> datetime:
    """Return the moment the demo lives at: `now`, but not long after the last order, so that no empty years are closed."""
    return min(now, span()[1] + shift + timedelta(days=40))


def write_shifted(target: Path, by: timedelta) -> None:
    """Write the orders file with all its dates moved by `by`, rows and columns as they are."""
    rows = orders()
    first = next(rows)
    with gzip.open(target, "wt", newline="", encoding="utf-8", compresslevel=1) as file:
        writer = csv.DictWriter(file, fieldnames=list(first))
        writer.writeheader()
        for row in (first, *rows):
            moved = instant(row["occurred_at"]) + by
            writer.writerow(row | {"occurred_at": f"{moved:%Y-%m-%dT%H:%M:%SZ}"})


def expected(by: timedelta = timedelta(0)) -> dict[tuple[str, str], Decimal]:
    """Return what each partner code earns in each London month, from the file with exact decimals.

    One line per order, rounded half away from zero to the penny; a refund is its own negative line at the same
    percentage and leaves the flat amount alone.
    """
    kind_of = {row.code: row.kind for row in partners()}
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in orders():
        if row["partner_code"]:
            month = (instant(row["occurred_at"]) + by).astimezone(LONDON).strftime("%Y-%m")
            totals[row["partner_code"], month] += earned(kind_of[row["partner_code"]], row)
    return dict(totals)


def earned(kind: str, row: dict[str, str]) -> Decimal:
    """Return what one order earns a partner of this kind, in pounds."""
    rate, flat = PLANS[kind]
    part = (Decimal(row["amount"]) * rate).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return -part if row["kind"] == "refund" else part + flat
