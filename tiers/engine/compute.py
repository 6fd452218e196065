"""From an event, a standing and a plan to lines of commission. Pure: the same inputs give byte-equal lines, in a live run, a dry
run, the simulator or a recomputation years later."""

from __future__ import annotations

from prm.lib.money import Money
from tiers.engine.conditions import Situation, WhyNot, situation, why_not
from tiers.engine.explain import Rejected, because_earned, not_applied, rule_reference
from tiers.engine.facts import Because, Event, Line, PlanFacts, RuleFacts, Standing
from tiers.engine.rates import RATES
from tiers.engine.reversal import reverse

# Situations are few (kinds, tiers, countries), but countries come from outside: the memory of them is bounded.
_SITUATIONS_KEPT = 4096


class Rater:
    """A plan made ready to rate many events; `prepare(plan)` returns one and `rater(event, standing)` rates."""

    __slots__ = ("_plan", "_references", "_selected")

    def __init__(self, plan: PlanFacts) -> None:
        self._plan = plan
        self._references = {rule.key: rule_reference(plan, rule) for rule in plan.rules}
        self._selected: dict[Situation, tuple[tuple[RuleFacts, ...], Rejected]] = {}

    def __call__(self, event: Event, standing: Standing) -> tuple[Line, ...]:
        """Return the lines `event` earns, none of them zero; a refund with a named original reverses its lines."""
        if event.original is not None:
            return reverse(
                event.original.lines,
                sale=event.original.sale,
                refunded_before=event.original.refunded_before,
                refund=event.amount,
                event_key=event.key,
                occurred_at=event.occurred_at,
            )
        applied, rejected = self.select(event, standing)
        base = -event.commissionable if event.is_refund else event.commissionable
        lines = [self._line(event, standing, rule, base, rejected) for rule in applied]
        return tuple(line for line in lines if line.amount.minor != 0)

    def select(self, event: Event, standing: Standing) -> tuple[tuple[RuleFacts, ...], Rejected]:
        """Return the rules that apply, in order, and the others with the reason of each."""
        now = situation(event, standing)
        found = self._selected.get(now)
        if found is None:
            if len(self._selected) >= _SITUATIONS_KEPT:
                self._selected.clear()
            found = self._selected[now] = _select(self._plan, now)
        return found

    def _line(
        self, event: Event, standing: Standing, rule: RuleFacts, base: Money, rejected: Rejected
    ) -> Line:
        parts = RATES[rule.kind](rule, base, event.is_refund)
        because = because_earned(event, standing, rule, self._references[rule.key], base, parts, rejected)
        fixed = because["fixed"]
        return Line(
            rule_key=rule.key,
            rule_name=rule.name,
            version_id=self._plan.version_id,
            kind=rule.kind,
            base=base,
            rate=None if rule.kind == "flat" else rule.rate,
            flat=None if fixed is None else Money(fixed, base.currency),
            amount=Money(because["amount"], base.currency),
            because=because,
            flat_on_refund=rule.flat_on_refund,
        )


def prepare(plan: PlanFacts) -> Rater:
    """Return `plan` ready to rate many events; a long run keeps it."""
    return Rater(plan)


def compute(event: Event, standing: Standing, plan: PlanFacts) -> tuple[Line, ...]:
    """Return the lines `event` earns a partner of this standing under `plan`.

    The first rule that applies wins, or all that apply add up, as the plan says. An amount of zero is no line.
    """
    return Rater(plan)(event, standing)


def explain(event: Event, standing: Standing, plan: PlanFacts) -> Because:
    """Explain what `event` earns even when that is nothing: `outcome` is one of lines, no_rule_applies, nothing_due.

    For the simulator and for "why did this order earn nothing?".
    """
    rater = Rater(plan)
    lines = rater(event, standing)
    applied, rejected = rater.select(event, standing)
    if lines:
        outcome = "lines"
    elif applied or event.original is not None:
        outcome = "nothing_due"
    else:
        outcome = "no_rule_applies"
    return {
        "order": event.key,
        "outcome": outcome,
        "currency": event.amount.currency,
        "amount": sum(line.amount.minor for line in lines),
        "lines": [line.because for line in lines],
        "applied": [{"key": rule.key, "name": rule.name} for rule in applied],
        "checked_not_applied": not_applied(rejected),
    }


def _select(plan: PlanFacts, now: Situation) -> tuple[tuple[RuleFacts, ...], Rejected]:
    applied: list[RuleFacts] = []
    rejected: list[tuple[RuleFacts, WhyNot]] = []
    for rule in plan.rules:
        reason = why_not(rule, now)
        if reason is None and applied and plan.combine == "first_match":
            reason = WhyNot("earlier_rule_applied", (), applied[0].key)
        if reason is None:
            applied.append(rule)
        else:
            rejected.append((rule, reason))
    return tuple(applied), tuple(rejected)
