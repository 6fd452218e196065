"""The lines of a rate on a whole window: what an event changes in what the window is owed, and a true-up where the lines so far no
longer add up to it. The lines of a window always add up to what its net volume is owed, rounded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from prm.lib.money import Money, divide_half_away, round_half_away
from tiers.engine import limits as limiting
from tiers.engine.case import Case, shared
from tiers.engine.eventful import made
from tiers.engine.explain import ROUNDING, Rejected, because_besides, because_earned, counts_of, exact_text
from tiers.engine.facts import Line, LineKind, Part, PlanFacts, RuleFacts
from tiers.engine.limits import Limited, Room
from tiers.engine.memory import Count, Memory, Slot
from tiers.engine.needs import slot_window
from tiers.engine.rates import WINDOWED

_BONUSES = frozenset({"milestone", "lifetime_value"})


@dataclass(frozen=True, slots=True)
class Tally:
    """A rule's window: what it holds, and what that is owed."""

    rule: RuleFacts
    slot: Slot
    count: Count
    offset: int
    cap: Room | None
    budget: str

    @classmethod
    def open(cls, plan: PlanFacts, rule: RuleFacts, memory: Memory, slot: Slot, instant: datetime) -> Tally:
        """Return the tally of a slot; what earlier versions of the plan counted and booked in the window lies under it."""
        memory.began.setdefault(plan.version_id, plan.effective_at)
        count, earlier, limits = memory.slot(slot), memory.elsewhere(slot), rule.limits
        most = None if limits is None else _cap_of(rule)
        cap = None if most is None else Room(most[0], most[1], most[1] - earlier.amount)
        has_budget = limits is not None and limits.budget_max is not None
        budget = memory.window(limits.budget_window, instant) if limits is not None and has_budget else ""
        return cls(rule, slot, count, earlier.volume, cap, budget)

    def owed(self, volume: int) -> Fraction:
        """Return what a volume is owed exactly, its cap not yet applied."""
        return WINDOWED[self.rule.kind].total(self.rule, self.offset, volume)

    def carried(self, before: int, after: int) -> Fraction:
        """Return what the line of an event is counted from."""
        return WINDOWED[self.rule.kind].carried(self.rule, self.offset, before, after)

    def slices(self, before: int, after: int) -> list[dict[str, Any]]:
        return [dict(row) for row in WINDOWED[self.rule.kind].slices(self.rule, self.offset, before, after)]

    def shown(self, before: int) -> dict[str, Any]:
        """Return the window as explanations keep it, having held `before`."""
        return _window(self.rule, self.slot, before, self.count.volume)

    def whole(self, exact: Fraction) -> int:
        """Return what is owed in whole minor units, within the cap."""
        within = exact if self.cap is None else min(exact, Fraction(max(self.cap.left, 0)))
        return divide_half_away(within.numerator, within.denominator)

    def within_budget(self, memory: Memory, change: int) -> Limited:
        """Return how much of a change the budget still pays."""
        limits = self.rule.limits
        if not self.budget or limits is None or limits.budget_max is None or change <= 0:
            return Limited(change)
        spent = memory.budgets.get((self.rule.key, self.budget), 0)
        return limiting.within(change, (Room("budget", limits.budget_max, limits.budget_max - spent),))

    def book(self, memory: Memory, amount: int) -> None:
        """Remember what a line came to."""
        self.count.amount += amount
        if self.budget and amount:
            key = self.rule.key, self.budget
            memory.budgets[key] = memory.budgets.get(key, 0) + amount


class _Change(NamedTuple):
    """What an event does to a window: its own line and what is left to true up, after the cap and the budget."""

    line: int
    true_up: int
    exact: Fraction
    cap: dict[str, Any] | None


def lines_of(case: Case, rule: RuleFacts, reference: Mapping[str, Any], rejected: Rejected) -> list[Line]:
    """Return the line `rule` gives on an event, zero when it only counts, and the true-up it brings; remember both."""
    volume = case.counted(rule.metric)
    if not volume:
        return []
    tally = Tally.open(case.plan, rule, case.memory, slot_of(case, rule), case.event.occurred_at)
    before = tally.count.volume
    after = tally.count.volume = before + volume
    change = _change(tally, case.memory, before, after)
    tally.book(case.memory, change.line)
    lines = [_line(case, tally, reference, rejected, change, before)]
    if change.true_up:
        lines.append(true_up(tally, case.memory, Cause.of(case, rule, reference), change.true_up))
    return lines


def slot_of(case: Case, rule: RuleFacts) -> Slot:
    """Return where an event counts under a rule."""
    name = case.memory.window(slot_window(rule), case.event.occurred_at)
    customer = case.event.customer if rule.kind == "lifetime_value" else ""
    return Slot(rule.key, case.plan.version_id, name, customer)


class Cause(NamedTuple):
    """Why a window is trued up: a code and the order that did it, with all that an explanation names."""

    code: str
    order: str
    kind: str
    occurred_at: datetime | None
    currency: str
    reference: Mapping[str, Any]
    tier: dict[str, str]

    @classmethod
    def of(cls, case: Case, rule: RuleFacts, reference: Mapping[str, Any]) -> Cause:
        """Return an event that counts as the cause: it reached another step, or another version had counted meanwhile."""
        event, standing = case.event, case.standing
        has_budget = rule.limits is not None and rule.limits.budget_max is not None
        code = (
            "step_reached" if rule.kind == "volume" else "budget_freed" if has_budget else "version_changed"
        )
        return cls(
            code, event.key, event.kind, event.occurred_at, event.amount.currency, reference, standing.tier
        )


def settle(tally: Tally, memory: Memory, cause: Cause) -> Line | None:
    """Return the true-up that brings a window's lines to what its volume is owed now, nothing when they add up."""
    change = tally.whole(tally.owed(tally.count.volume)) - tally.count.amount
    allowed = tally.within_budget(memory, change).amount
    return true_up(tally, memory, cause, allowed) if allowed else None


def true_up(tally: Tally, memory: Memory, cause: Cause, amount: int) -> Line:
    """Return the line that changes what a window's lines add up to by `amount`, and remember it."""
    rule, slot, held = tally.rule, tally.slot, tally.count
    exact, booked = tally.owed(held.volume), held.amount
    tally.book(memory, amount)
    params = {"owed_minor": booked + amount, "booked_minor": booked}
    because = because_besides(
        order=cause.order,
        kind=cause.kind,
        occurred_at=cause.occurred_at,
        reference=cause.reference,
        tier=cause.tier,
        amount=Money(amount, cause.currency),
        exact=exact_text(exact - booked),
        part=Part("true_up", amount, params),
        what="true_up",
        counts=counts_of(slot.window, slot.customer),
    )
    because["steps"] = tally.slices(0, held.volume)
    because["window"] = tally.shown(held.volume)
    because["cause"] = {"code": cause.code, "order": cause.order}
    return made(because, rule)


def _cap_of(rule: RuleFacts) -> tuple[str, int] | None:
    limits = rule.limits
    if limits is None:
        return None
    scope, most = (
        ("customer", limits.customer_max) if rule.kind == "lifetime_value" else ("window", limits.window_max)
    )
    return None if most is None else (scope, most)


def _change(tally: Tally, memory: Memory, before: int, after: int) -> _Change:
    """Return what going from `before` to `after` earns, and by what the lines so far are off."""
    owed, carried = tally.owed(after), tally.carried(before, after)
    exact = owed - carried
    line = tally.whole(owed) - tally.whole(carried)
    uncapped = line if tally.cap is None else round_half_away(owed) - round_half_away(carried)
    total = tally.whole(owed) - tally.count.amount
    paid = tally.within_budget(memory, total)
    cap = None
    if uncapped > line and tally.cap is not None:
        cap = limiting.explained(tally.cap, applied=line, over=uncapped - line)
    if paid.cap is not None and min(line, paid.amount) < line:
        line = min(line, paid.amount)
        cap = {**paid.cap, "applied": line, "over": uncapped - line}
    return _Change(line, paid.amount - line, exact, cap)


def _line(
    case: Case,
    tally: Tally,
    reference: Mapping[str, Any],
    rejected: Rejected,
    change: _Change,
    before: int,
) -> Line:
    event, rule, slot = case.event, tally.rule, tally.slot
    after = tally.count.volume
    rows = tally.slices(before, after)
    over = 0 if change.cap is None else change.cap["over"]
    parts = [Part("steps", change.line + over, {"volume": after - before, "before": before, "after": after})]
    if change.cap is not None:
        parts.append(Part("cap", -over, {"scope": change.cap["scope"], "limit_minor": change.cap["limit"]}))
    mine = case.mine
    because = because_earned(
        event,
        case.standing,
        rule,
        reference,
        mine,
        tuple(parts),
        rejected,
        deducted=event.deducted(case.plan.deducts),
        what=_what(case, rule),
    )
    because["rate"] = rows[0]["rate"] if len(rows) == 1 else None
    because["rounding"] = {"mode": ROUNDING, "exact": exact_text(change.exact)}
    because["counts"] = counts_of(slot.window, slot.customer, after - before)
    because["cap"] = change.cap
    because["steps"] = rows
    because["window"] = tally.shown(before)
    because["share"] = shared(event, whole=None, base=case.base.minor)
    return made(because, rule)


def _what(case: Case, rule: RuleFacts) -> LineKind:
    if case.event.is_refund:
        return "refund"
    return "bonus" if rule.kind in _BONUSES else "earned"


def _window(rule: RuleFacts, slot: Slot, before: int, after: int) -> dict[str, Any]:
    window = slot_window(rule)
    return {"kind": window.kind, "key": slot.window, "metric": rule.metric, "before": before, "after": after}
