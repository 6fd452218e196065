"""What a month brings whatever happened in it: a retainer, what was missing to a guaranteed amount, an advance and its recovery. An
advance is never recovered beyond what is outstanding, nor out of what the month is guaranteed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from prm.lib.money import Money
from prm.lib.periods import Month
from tiers.engine import windows
from tiers.engine.compute import Rater
from tiers.engine.conditions import compiled
from tiers.engine.eventful import made
from tiers.engine.explain import because_besides, counts_of
from tiers.engine.facts import Event, Line, LineKind, Part, RuleFacts, Standing
from tiers.engine.memory import Memory

MONTH = "month"  # the kind of event a month is


@dataclass(frozen=True, slots=True)
class MonthSoFar:
    """What the books say when a month ends: what its events earned net, without retainers, floors, advances and recoveries,
    and what each draw has advanced and not recovered. `is_active`: the month counts for this partner. `former` are the
    versions that advanced under draws the plan no longer has."""

    currency: str
    earned: int = 0
    outstanding: Mapping[str, int] = field(default_factory=dict)
    is_active: bool = True
    former: Mapping[str, Rater] = field(default_factory=dict)


def counts_for(month: Month, joined_at: datetime, left_at: datetime | None, zone: tzinfo) -> bool:
    """Return whether a month counts for a member: the one it joined in does, the one it left in does not."""
    ends_at = month.ends_at(zone)
    return joined_at < ends_at and (left_at is None or left_at >= ends_at)


def month_lines(
    rater: Rater, standing: Standing, month: Month, so_far: MonthSoFar, memory: Memory
) -> tuple[Line, ...]:
    """Return what a month brings under the plan in force at its end: retainers, floors, then advances or their recovery.

    Floors count towards what a draw guarantees, retainers do not. Who is not active gets nothing, and still pays back.
    """
    close = _Close(rater, standing, month, so_far, memory)
    lines = [line for rule in rater.plan.rules if (line := close.retainer(rule)) is not None]
    floors = [line for rule in rater.plan.rules if (line := close.floor(rule)) is not None]
    earned = so_far.earned + sum(line.amount.minor for line in floors)
    return (*lines, *floors, *close.draws(earned))


@dataclass(frozen=True, slots=True)
class _Close:
    rater: Rater
    standing: Standing
    month: Month
    so_far: MonthSoFar
    memory: Memory

    def retainer(self, rule: RuleFacts) -> Line | None:
        """Return the fixed amount of the month."""
        if rule.kind != "retainer" or rule.flat is None or not self._applies(rule):
            return None
        return self._line(rule, "retainer", rule.flat.minor, {"flat_minor": rule.flat.minor})

    def floor(self, rule: RuleFacts) -> Line | None:
        """Return what is missing to the guaranteed amount of a window that ends with the month."""
        limits = rule.limits
        if limits is None or limits.window_min is None or not self._applies(rule):
            return None
        _, last = windows.months_of(limits.window, self.month, self.memory.joined)
        if last != self.month:
            return None
        key = windows.key_of(limits.window, self.month, self.memory.joined)
        booked = self._booked(rule, key)
        if booked >= limits.window_min:
            return None
        figures = {"limit_minor": limits.window_min, "booked_minor": booked}
        line = self._line(rule, "floor", limits.window_min - booked, figures, window=key)
        line.because["floor"] = {"limit": limits.window_min, "scope": "window", "added": line.amount.minor}
        return line

    def draws(self, earned: int) -> Iterator[Line]:
        """Yield what is advanced up to the guaranteed amount, or recovered of earlier advances from what lies above it."""
        left = earned
        for rater, rule in self._draws():
            is_promised = rater is self.rater and self._applies(rule)
            guaranteed = rule.flat.minor if is_promised and rule.flat is not None else 0
            outstanding = self.so_far.outstanding.get(rule.key, 0)
            figures = {"guaranteed_minor": guaranteed, "earned_minor": left, "outstanding_minor": outstanding}
            if guaranteed and left < guaranteed:
                yield self._line(rule, "draw", guaranteed - left, figures)
            elif (back := min(left - guaranteed, outstanding)) > 0:
                yield self._line(rule, "recovery", -back, figures, rater=rater)
                left -= back

    def _draws(self) -> Iterator[tuple[Rater, RuleFacts]]:
        """Yield the draws of the plan, and those it no longer has of which something is still to be paid back."""
        mine = {rule.key: rule for rule in self.rater.plan.rules if rule.kind == "draw"}
        for rule in mine.values():
            yield self.rater, rule
        for key, minor in sorted(self.so_far.outstanding.items()):
            rater = self.so_far.former.get(key) if minor > 0 and key not in mine else None
            former = rater.rule(key) if rater is not None else None
            if rater is not None and former is not None:
                yield rater, former

    def _applies(self, rule: RuleFacts) -> bool:
        if not self.so_far.is_active or (rule.tiers and self.standing.tier_key not in rule.tiers):
            return False
        if rule.kind not in ("retainer", "draw") or not rule.conditions.tests:
            return True  # a floor's conditions are about events; those that met them are what is booked
        event = Event(str(self.month), MONTH, self._ends_at, Money(0, self.so_far.currency))
        return compiled(rule.conditions, self.rater.zone)(event, self.standing) is None

    @property
    def _ends_at(self) -> datetime:
        return self.month.ends_at(self.memory.zone) - timedelta(microseconds=1)

    def _booked(self, rule: RuleFacts, key: str) -> int:
        if not rule.is_windowed:
            return self.memory.capped.get((rule.key, key), 0)
        held = (
            count for slot, count in self.memory.slots.items() if (slot.rule, slot.window) == (rule.key, key)
        )
        return sum(count.amount for count in held)

    def _line(
        self,
        rule: RuleFacts,
        what: LineKind,
        amount: int,
        figures: Mapping[str, int],
        window: str = "",
        rater: Rater | None = None,
    ) -> Line:
        because = because_besides(
            order=str(self.month),
            kind=MONTH,
            occurred_at=self._ends_at,
            reference=(rater or self.rater).reference(rule.key),
            tier=self.standing.tier,
            amount=Money(amount, self.so_far.currency),
            exact=str(amount),
            part=Part(what, amount, figures),
            what=what,
            counts=counts_of(window or str(self.month)),
        )
        return made(because, rule)
