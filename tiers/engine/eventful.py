"""The line a rule earns on one event by itself: rate, floor and cap of the event, this partner's share, then what the caps of customer,
window and budget still have. What it books is remembered, so that the next event finds less room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from prm.lib.money import Money
from tiers.engine import limits as limiting
from tiers.engine import windows
from tiers.engine.case import Case, part_of, shared
from tiers.engine.explain import Rejected, because_earned, counts_of, part_row
from tiers.engine.facts import Limits, Line, LineKind, Part, RuleFacts
from tiers.engine.limits import Limited, Room
from tiers.engine.memory import Memory
from tiers.engine.needs import counted_limits

NO_LIMITS = Limits()
# An assist is thanked by itself, and who recruited a partner earns on that partner's own part.
_UNSHARED = frozenset({"participation", "override"})


def line_of(case: Case, rule: RuleFacts, reference: Mapping[str, Any], rejected: Rejected) -> Line | None:
    """Return the line `rule` gives on an event and remember it; nothing for an amount of zero that no cap has cut."""
    parts = case.parts(rule)
    if not parts:
        return None
    whole = sum(part.amount_minor for part in parts)
    bounded = limiting.of_event(rule.limits or NO_LIMITS, case.base.minor, whole)
    amount, base, sharing = _mine(case, rule, bounded.amount)
    place = Place.of(rule, case.memory, case.event.occurred_at, case.event.customer)
    capped = limiting.within(amount, place.rooms(case.memory)) if amount > 0 else Limited(amount)
    cap = capped.cap or bounded.cap
    _remember_payment(case, rule)
    if capped.amount == 0 and cap is None:
        return None
    place.book(case.memory, capped.amount)
    because = because_earned(
        case.event,
        case.standing,
        rule,
        reference,
        base,
        parts,
        rejected,
        deducted=case.event.deducted(case.plan.deducts),
        what=_what(case, rule),
    )
    because["amount"] = capped.amount
    because["fixed"] = _fixed(because["fixed"], case, rule, capped.amount)
    because["parts"] += [part_row(part) for part in bounded.parts + sharing + capped.parts]
    because["cap"], because["floor"] = cap, bounded.floor
    if sharing:
        because["share"] = shared(case.event, whole=bounded.amount, base=case.base.minor)
    because["counts"] = counts_of(place.window, place.customer)
    _explain_lookup(because, case, rule, parts[0])
    return made(because, rule)


def made(because: dict[str, Any], rule: RuleFacts) -> Line:
    """Return the line an explanation tells of."""
    currency, rate, fixed = because["currency"], because["rate"], because["fixed"]
    counts = because["counts"]
    return Line(
        rule_key=rule.key,
        rule_name=rule.name,
        version_id=because["rule"]["version_id"],
        kind=rule.kind,
        base=Money(because["base"], currency),
        rate=None if rate is None else Decimal(rate),
        flat=None if fixed is None else Money(fixed, currency),
        amount=Money(because["amount"], currency),
        because=because,
        flat_on_refund=rule.flat_on_refund,
        what=because["what"],
        window="" if counts is None else counts["window"],
        customer="" if counts is None else counts["customer"],
        volume=0 if counts is None else counts["volume"],
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where the caps of a rule on events count a line: for which customer, in which windows. Empty names count nowhere."""

    rule: RuleFacts
    window: str
    customer: str
    budget: str

    @classmethod
    def of(cls, rule: RuleFacts, memory: Memory, instant: Any, customer: str) -> Place:
        """Return where a line of an event at `instant` counts."""
        limits = rule.limits
        if limits is None:
            return cls(rule, "", "", "")
        counted = counted_limits(rule)
        who = customer if limits.customer_max is not None else ""
        window = memory.window(counted.window, instant) if counted is not None else ""
        budget = memory.window(limits.budget_window, instant) if limits.budget_max is not None else ""
        return cls(rule, window or (windows.LIFETIME if who else ""), who, budget)

    def rooms(self, memory: Memory) -> Iterator[Room]:
        """Yield the caps of the rule with what they have left; an unknown customer is a new one each time."""
        limits = self.rule.limits
        if limits is None:
            return
        if (most := limits.customer_max) is not None:
            seen = memory.customers.get((self.rule.key, self.customer)) if self.customer else None
            yield Room("customer", most, most - (seen.amount if seen is not None else 0))
        if (most := limits.window_max) is not None:
            yield Room("window", most, most - memory.capped.get((self.rule.key, self.window), 0))
        if (most := limits.budget_max) is not None:
            yield Room("budget", most, most - memory.budgets.get((self.rule.key, self.budget), 0))

    def book(self, memory: Memory, amount: int) -> None:
        """Remember what a line came to; a negative one makes room again."""
        if not amount or self.rule.limits is None:
            return
        key = self.rule.key
        if self.customer:
            memory.customer(key, self.customer).amount += amount
        if counted_limits(self.rule) is not None:
            memory.capped[key, self.window] = memory.capped.get((key, self.window), 0) + amount
        if self.budget:
            memory.budgets[key, self.budget] = memory.budgets.get((key, self.budget), 0) + amount


def _mine(case: Case, rule: RuleFacts, amount: int) -> tuple[int, Money, tuple[Part, ...]]:
    """Return this partner's part of an amount and of the base, and the addend that leaves the rest to the others."""
    recruit = case.event.recruit_amount
    if rule.kind == "override" and rule.override_of == "commission" and recruit is not None:
        return amount, recruit, ()
    if rule.kind in _UNSHARED or len(case.event.shares) < 2:
        return amount, case.base, ()
    mine = part_of(Money(amount, case.base.currency), case.event).minor
    return mine, case.mine, (Part("share", mine - amount, {"whole_minor": amount}),)


def _fixed(fixed: int | None, case: Case, rule: RuleFacts, amount: int) -> int | None:
    """Return the flat amount inside what is left of the line after sharing and caps."""
    if not fixed:
        return fixed
    mine, _, _ = _mine(case, rule, fixed)
    return min(mine, amount) if amount >= 0 else mine


def _what(case: Case, rule: RuleFacts) -> LineKind:
    if case.event.is_refund:
        return "refund"
    return "override" if rule.kind == "override" else "earned"


def _remember_payment(case: Case, rule: RuleFacts) -> None:
    if rule.kind != "recurring" or not case.is_payment or not case.event.customer:
        return
    seen = case.memory.customer(rule.key, case.event.customer)
    seen.payments += 1
    if seen.first_at is None or case.event.occurred_at < seen.first_at:
        seen.first_at = case.event.occurred_at


def _explain_lookup(because: dict[str, Any], case: Case, rule: RuleFacts, part: Part) -> None:
    """Add by what month of a customer, or by what metric, the rate was found."""
    told = part.params
    if rule.kind == "recurring":
        because["recurring"] = {
            "month": told["month"],
            "of": told["months"] or None,
            "payment": told["payment"],
            "payments": told["payments"] or None,
        }
    elif rule.kind == "prospective":
        key = windows.key_of(rule.window, case.month, case.memory.joined)
        because["metric"] = {"name": rule.metric, "window": key, "value": told["metric_value"]}
