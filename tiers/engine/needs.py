"""What has to be known of a membership before a plan can rate its events: which rules count, in which windows. A plan that needs
nothing rates each event by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tiers.engine.facts import Limits, Metric, PlanFacts, RuleFacts, Window
from tiers.engine.rule_parts import tests_of

LIFE = Window("lifetime")
_ORDERED = frozenset({"prospective", "recurring"})
_OF_THE_FIRST_SALE = frozenset({"customer_type", "customer_age_months"})


class Wanted(NamedTuple):
    """What a rule counts, and over which window; a metric only where a rule looks at one."""

    rule: str
    window: Window
    metric: Metric | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a plan wants loaded, for each part of a Memory; an empty set is a no.

    `slots` are the counts of windows (for a lifetime value, of each customer), `customers` what rules saw of a
    customer, `metrics` what the partner brought, `capped` and `budgets` what rules have booked.
    """

    slots: frozenset[Wanted]
    customers: frozenset[Wanted]
    metrics: frozenset[Wanted]
    capped: frozenset[Wanted]
    budgets: frozenset[Wanted]

    def __bool__(self) -> bool:
        return any((self.slots, self.customers, self.metrics, self.capped, self.budgets))


def needs_of(plan: PlanFacts) -> Needs:
    """Return what `plan` wants loaded."""
    rules = plan.rules
    return Needs(
        slots=frozenset(
            Wanted(rule.key, slot_window(rule), rule.metric) for rule in rules if rule.is_windowed
        ),
        customers=frozenset(Wanted(rule.key, LIFE) for rule in rules if sees_customers(rule)),
        metrics=frozenset(
            Wanted(rule.key, rule.window, rule.metric) for rule in rules if rule.kind == "prospective"
        ),
        capped=frozenset(
            Wanted(rule.key, limits.window) for rule in rules if (limits := counted_limits(rule)) is not None
        ),
        budgets=frozenset(
            Wanted(rule.key, rule.limits.budget_window)
            for rule in rules
            if rule.limits is not None and rule.limits.budget_max is not None
        ),
    )


def is_ordered(plan: PlanFacts) -> bool:
    """Return whether a late event changes what later ones earn one by one: what a customer's first sale is can change, and with
    it who is new; so can the rate reached before each event."""
    return any(
        rule.kind in _ORDERED
        or (rule.is_windowed and rule.metric == "new_customers")
        or any(test.attribute in _OF_THE_FIRST_SALE for test in tests_of(rule.conditions))
        for rule in plan.rules
    )


def slot_window(rule: RuleFacts) -> Window:
    """Return the window a window model counts over; a customer's value counts for life."""
    return LIFE if rule.kind == "lifetime_value" else rule.window


def sees_customers(rule: RuleFacts) -> bool:
    """Return whether a rule on events remembers each customer."""
    if rule.is_windowed:
        return False
    return rule.kind == "recurring" or (rule.limits is not None and rule.limits.customer_max is not None)


def counted_limits(rule: RuleFacts) -> Limits | None:
    """Return the limits of a rule on events that hold for a window as a whole, nothing when it has none.

    A window model counts what its window booked in its slot.
    """
    limits = rule.limits
    if limits is None or rule.is_windowed or (limits.window_max is None and limits.window_min is None):
        return None
    return limits
