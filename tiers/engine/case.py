"""One event on the table: what every rule of a plan is asked about it. What several rules want to know is worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from prm.lib.money import Money
from prm.lib.periods import Month
from tiers.engine import windows
from tiers.engine.facts import (
    GIVES_BACK,
    LEAD,
    SALE,
    SALES,
    Event,
    Metric,
    Part,
    PlanFacts,
    RuleFacts,
    Standing,
)
from tiers.engine.memory import Memory
from tiers.engine.rates import CONTEXT_RATES, RATES
from tiers.engine.rates.context import Context


@dataclass(slots=True)
class Case:
    """An event, who it is for and what is remembered. `base` is what everybody with credit earns on, below zero when the
    event takes something away."""

    plan: PlanFacts
    zone: tzinfo
    event: Event
    standing: Standing
    memory: Memory
    base: Money
    _parts: dict[str, tuple[Part, ...]] = field(default_factory=dict)

    @property
    def takes_nothing_flat(self) -> bool:
        """Whether the event corrects a sale nobody can name: nothing flat moves with it."""
        return self.event.is_refund or self.event.kind == GIVES_BACK

    @property
    def month(self) -> Month:
        return self.memory.month(self.event.occurred_at)

    def parts(self, rule: RuleFacts) -> tuple[Part, ...]:
        """Return what a rule on events pays before limits, as addends; none when it does not pay."""
        found = self._parts.get(rule.key)
        if found is None:
            found = self._parts[rule.key] = self._rated(rule)
        return found

    def _rated(self, rule: RuleFacts) -> tuple[Part, ...]:
        simple = RATES.get(rule.kind)
        if simple is not None:
            return simple(rule, self.base, self.takes_nothing_flat)
        return CONTEXT_RATES[rule.kind](rule, self.base, self.context(rule))

    def context(self, rule: RuleFacts) -> Context:
        """Return what a rule on events is told besides the base."""
        month, payment = self._customer(rule) if rule.kind == "recurring" else (0, 1)
        return Context(
            is_refund=self.takes_nothing_flat,
            quantity=self.event.quantity,
            metric_value=self._metric(rule) if rule.kind == "prospective" else 0,
            month=month,
            payment=payment,
            depth=self.standing.depth,
            recruit_amount=self.event.recruit_amount,
        )

    @property
    def is_payment(self) -> bool:
        """Whether a customer paid something with this event."""
        return self.event.amount.minor > 0 and not self.takes_nothing_flat

    def _customer(self, rule: RuleFacts) -> tuple[int, int]:
        """Return the month of the customer and which payment this is; somebody unknown pays for the first time."""
        seen = self.memory.customers.get((rule.key, self.event.customer)) if self.event.customer else None
        if seen is None or seen.first_at is None:
            return 0, 1
        month = windows.months_since(seen.first_at, self.event.occurred_at, self.zone)
        return month, max(seen.payments + self.is_payment, 1)

    def _metric(self, rule: RuleFacts) -> int:
        value = self.memory.metric(rule.metric, rule.window, self.month)
        if rule.crossing_has_new_rate and not self.takes_nothing_flat:
            value += self.counted(rule.metric)
        return value

    @property
    def mine(self) -> Money:
        """This partner's part of the base."""
        return part_of(self.base, self.event)

    def counted(self, metric: Metric) -> int:
        """Return what the event adds to a metric as far as this partner has credit in it.

        A refund that names no sale takes money and pieces, and leaves the sale itself: nobody can tell whether a
        whole one came back.
        """
        event = self.event
        if metric == "revenue":
            return self.mine.minor
        whole = pieces(event, metric)
        return part_of(Money(whole, event.amount.currency), event).minor


def pieces(event: Event, metric: Metric) -> int:
    """Return how many of a metric that counts pieces an event is."""
    if event.is_refund:
        return -event.quantity if metric == "units" else 0
    match metric:
        case "sales":
            return int(event.kind in SALES)
        case "new_customers":
            return int(event.kind == SALE and event.is_new_customer)
        case "leads":
            return int(event.kind == LEAD)
        case "units":
            return event.quantity if event.kind in SALES else 0
    return 0


def part_of(whole: Money, event: Event) -> Money:
    """Return what of `whole` goes to the partner the event is rated for, by the shares of all."""
    if len(event.shares) < 2:
        return whole
    return whole.allocate(event.shares)[event.share_at]


def shared(event: Event, *, whole: int | None, base: int) -> dict[str, Any] | None:
    """Return how an amount was shared as explanations keep it, nothing when one partner has all.

    `whole` is the amount before sharing, None where only the base is shared.
    """
    if len(event.shares) < 2:
        return None
    return {"weights": _plain(event.shares), "at": event.share_at, "whole": whole, "base": base}


def _plain(weights: Sequence[Decimal]) -> list[str]:
    return [format(weight.normalize(), "f") for weight in weights]
