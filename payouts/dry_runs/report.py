"""Add up what a dry run found: old against new by partner, tier, product and month, who gains and who loses, and what no rule covers.
All amounts are whole minor units of the program's currency, and every table adds up to the same two totals."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from prm.lib.cells import formula_safe
from prm.lib.money import Money

TABLES = ("partners", "tiers", "products", "months")
MOST_PRODUCTS = 500
MOST_UNCOVERED = 200
OTHERS = "other"


@dataclass(slots=True)
class Pair:
    """What the present terms pay and what the tried ones would, with the events they pay on."""

    old: int = 0
    new: int = 0
    events: int = 0

    @property
    def change(self) -> int:
        return self.new - self.old

    def add(self, old: int, new: int, *, events: int = 1) -> None:
        self.old += old
        self.new += new
        self.events += events


@dataclass(frozen=True, slots=True)
class Rated:
    """One event, or the end of one month, under both terms. `is_covered` tells whether any rule of the tried terms applies."""

    event: str
    kind: str
    month: str
    tier: str
    product: str
    old: int
    new: int
    is_covered: bool = True


@dataclass
class Report:
    """The sums of a dry run while it goes on."""

    currency: str
    total: Pair = field(default_factory=Pair)
    partners: dict[str, Pair] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    tiers: dict[str, Pair] = field(default_factory=dict)
    products: dict[str, Pair] = field(default_factory=dict)
    months: dict[str, Pair] = field(default_factory=dict)
    uncovered: int = 0
    uncovered_examples: list[dict[str, str]] = field(default_factory=list)

    def add(self, membership: str, name: str, rated: Rated) -> None:
        """Count one event of a membership."""
        events = 1 if rated.event else 0
        self.names[membership] = name
        self.total.add(rated.old, rated.new, events=events)
        self.partners.setdefault(membership, Pair()).add(rated.old, rated.new, events=events)
        self.tiers.setdefault(rated.tier, Pair()).add(rated.old, rated.new, events=events)
        self.months.setdefault(rated.month, Pair()).add(rated.old, rated.new, events=events)
        self._product(rated.product).add(rated.old, rated.new, events=events)
        if not rated.is_covered:
            self.uncovered += 1
            if len(self.uncovered_examples) < MOST_UNCOVERED:
                self.uncovered_examples.append(
                    {
                        "event": rated.event,
                        "kind": rated.kind,
                        "month": rated.month,
                        "tier": rated.tier,
                        "partner": name,
                    }
                )

    def _product(self, product: str) -> Pair:
        # A shop may have any number of products; beyond the first ones they are counted together.
        known = product in self.products or len(self.products) < MOST_PRODUCTS
        return self.products.setdefault(product if known else OTHERS, Pair())

    def stored(self) -> dict[str, Any]:
        """Return the report as the database keeps it; partners by how much they gain, the largest change first."""
        changes = [pair.change for pair in self.partners.values()]
        return {
            "currency": self.currency,
            "total": _row(self.total),
            "winners": sum(change > 0 for change in changes),
            "losers": sum(change < 0 for change in changes),
            "unchanged": sum(change == 0 for change in changes),
            "partners": [
                {"key": key, "name": self.names[key], **_row(pair)} for key, pair in _by_change(self.partners)
            ],
            "tiers": [{"name": key, **_row(pair)} for key, pair in _by_change(self.tiers)],
            "products": [{"name": key, **_row(pair)} for key, pair in _by_change(self.products)],
            "months": [{"name": key, **_row(pair)} for key, pair in sorted(self.months.items())],
            "uncovered": self.uncovered,
            "uncovered_examples": self.uncovered_examples,
        }


def csv_text(stored: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tables of a stored report as CSV lines, amounts in major units; no cell can be taken for a formula."""
    yield _line(["table", "key", "name", "events", "old", "new", "change", "currency"])
    for table in TABLES:
        for row in stored[table]:
            yield _line([table, row.get("key", ""), row["name"], row["events"], *_amounts(row, stored)])
    yield _line(["total", "", "", stored["total"]["events"], *_amounts(stored["total"], stored)])


def _amounts(row: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    currency = stored["currency"]
    minor = (row["old"], row["new"], row["change"])
    return [*(str(Money(each, currency).decimal()) for each in minor), currency]


def _line(cells: list[Any]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(
        [formula_safe(cell) if isinstance(cell, str) and not _is_amount(cell) else cell for cell in cells]
    )
    return line.getvalue()


def _is_amount(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal() and cell.isascii()


def _row(pair: Pair) -> dict[str, int]:
    return {"old": pair.old, "new": pair.new, "change": pair.change, "events": pair.events}


def _by_change(pairs: Mapping[str, Pair]) -> list[tuple[str, Pair]]:
    return sorted(pairs.items(), key=lambda item: (-abs(item[1].change), -item[1].new, item[0]))
