"""What the engine knows of one membership besides the event at hand: what windows hold, what customers paid, what caps have left.
The caller fills it from the books; rating an event writes what the event adds, so that the next one sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from prm.lib.periods import Month
from tiers.engine import windows
from tiers.engine.facts import Metric, Window


class Slot(NamedTuple):
    """What a total is kept for: a rule, in one version of its plan, in one window, for one customer if it counts per customer."""

    rule: str
    version: int | str
    window: str
    customer: str = ""


@dataclass(slots=True)
class Count:
    """What a slot holds: the net volume its lines counted, in minor units or pieces, and the net amount they booked."""

    volume: int = 0
    amount: int = 0


@dataclass(slots=True)
class CustomerSoFar:
    """What a rule has seen of a customer: the first payment, how many there were, and what they earned net."""

    first_at: datetime | None = None
    payments: int = 0
    amount: int = 0


@dataclass(slots=True)
class Memory:
    """Everything remembered of one membership. Amounts are whole minor units.

    `metrics` are kept by month; `capped` is what a rule has booked in a cap's window; `budgets` is what all
    memberships of the program have booked under a rule in its budget's window, and is shared between their memories.
    """

    zone: tzinfo = UTC
    joined: Month | None = None
    slots: dict[Slot, Count] = field(default_factory=dict)
    customers: dict[tuple[str, str], CustomerSoFar] = field(default_factory=dict)
    metrics: dict[tuple[Metric, Month], int] = field(default_factory=dict)
    capped: dict[tuple[str, str], int] = field(default_factory=dict)
    budgets: dict[tuple[str, str], int] = field(default_factory=dict)

    def slot(self, slot: Slot) -> Count:
        """Return the count of a slot, a fresh one at first."""
        return self.slots.setdefault(slot, Count())

    def volume_elsewhere(self, slot: Slot) -> int:
        """Return what other versions of the plan counted under the same rule in the same window."""
        return sum(count.volume for other, count in self.slots.items() if _is_sibling(other, slot))

    def customer(self, rule: str, customer: str) -> CustomerSoFar:
        """Return what a rule has seen of a customer, nothing at first."""
        return self.customers.setdefault((rule, customer), CustomerSoFar())

    def metric(self, metric: Metric, window: Window, month: Month) -> int:
        """Return what a metric came to in the window `month` lies in, up to now."""
        first, last = windows.months_of(window, month, self.joined)
        return sum(
            value
            for (name, when), value in self.metrics.items()
            if name == metric and (first is None or first <= when) and (last is None or when <= last)
        )

    def count(self, metric: Metric, month: Month, change: int) -> None:
        """Add to a metric."""
        if change:
            self.metrics[metric, month] = self.metrics.get((metric, month), 0) + change

    def window(self, window: Window, instant: datetime) -> str:
        """Return the name of the window an instant lies in."""
        return windows.key_of(window, Month.of(instant, self.zone), self.joined)

    def siblings(self, slot: Slot) -> Iterator[Slot]:
        """Yield the slots of the same rule, window and customer under other versions."""
        return (other for other in self.slots if _is_sibling(other, slot))


def _is_sibling(other: Slot, slot: Slot) -> bool:
    same = (other.rule, other.window, other.customer) == (slot.rule, slot.window, slot.customer)
    return same and other.version != slot.version
