"""What the engine knows of one membership besides the event at hand: what windows hold, what customers paid, what caps have left.
The caller fills it from the books; rating an event writes what the event adds, so that the next one sees it."""

from __future__ import annotations

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

    `metrics` are kept by month, by raters that need them or for all events with `keeps_metrics`; `capped` is what a
    rule has booked in a cap's window; `budgets` is what all memberships of the program have booked under a rule in its
    budget's window, and is shared between their memories. `began` says since when each version of a plan counts; a
    version that is missing there began before all others.
    """

    zone: tzinfo = UTC
    joined: Month | None = None
    slots: dict[Slot, Count] = field(default_factory=dict)
    customers: dict[tuple[str, str], CustomerSoFar] = field(default_factory=dict)
    metrics: dict[tuple[Metric, Month], int] = field(default_factory=dict)
    capped: dict[tuple[str, str], int] = field(default_factory=dict)
    budgets: dict[tuple[str, str], int] = field(default_factory=dict)
    began: dict[int | str, datetime] = field(default_factory=dict)
    keeps_metrics: bool = False
    _versions: dict[tuple[str, str, str], list[Slot]] = field(default_factory=dict, repr=False)
    _indexed: int = field(default=0, repr=False)
    _month: tuple[Month, datetime, datetime] | None = field(default=None, repr=False)

    def slot(self, slot: Slot) -> Count:
        """Return the count of a slot, a fresh one at first."""
        count = self.slots.get(slot)
        if count is None:
            is_indexed = self._indexed == len(self.slots)
            count = self.slots[slot] = Count()
            if is_indexed:
                self._enter(slot)
        return count

    def elsewhere(self, slot: Slot) -> Count:
        """Return what earlier versions of the plan hold under the same rule in the same window."""
        found = Count()
        for other in self.siblings(slot):
            if self._is_earlier(other.version, slot.version):
                found.volume += self.slots[other].volume
                found.amount += self.slots[other].amount
        return found

    def volume_elsewhere(self, slot: Slot) -> int:
        """Return what earlier versions of the plan counted under the same rule in the same window."""
        return self.elsewhere(slot).volume

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

    def month(self, instant: datetime) -> Month:
        """Return the month an instant lies in; events come mostly in order, so the last answer is asked first."""
        known = self._month
        if known is None or not known[1] <= instant < known[2]:
            month = Month.of(instant, self.zone)
            known = self._month = (month, month.starts_at(self.zone), month.ends_at(self.zone))
        return known[0]

    def window(self, window: Window, instant: datetime) -> str:
        """Return the name of the window an instant lies in."""
        return windows.key_of(window, self.month(instant), self.joined)

    def siblings(self, slot: Slot) -> list[Slot]:
        """Return the slots of the same rule, window and customer under other versions."""
        if self._indexed != len(self.slots):  # the caller may fill the slots directly
            self._index()
        same = self._versions.get((slot.rule, slot.window, slot.customer), ())
        return [other for other in same if other.version != slot.version]

    def later(self, slot: Slot) -> list[Slot]:
        """Return the slots that go on from this one, under later versions, in the order those began."""
        found = [
            other
            for other in self.siblings(slot)
            if other.version in self.began and self._is_earlier(slot.version, other.version)
        ]
        return sorted(found, key=lambda other: self.began[other.version])

    def _index(self) -> None:
        self._versions.clear()
        self._indexed = 0
        for slot in self.slots:
            self._enter(slot)

    def _enter(self, slot: Slot) -> None:
        self._versions.setdefault((slot.rule, slot.window, slot.customer), []).append(slot)
        self._indexed += 1

    def _is_earlier(self, version: int | str, than: int | str) -> bool:
        began, other = self.began.get(version), self.began.get(than)
        if began is None or other is None:
            return began is None
        return began < other
