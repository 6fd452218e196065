"""From an event, a standing and a plan to lines of commission. Pure: the same inputs and the same memory give byte-equal lines, in a
live run, a dry run, the simulator or a recomputation years later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from prm.lib.money import Money
from prm.lib.periods import Month
from tiers.engine import eventful, order_lines, takeback, windowed
from tiers.engine.case import Case
from tiers.engine.conditions import ASSISTED, excluded
from tiers.engine.explain import Rejected, because_earned, not_applied
from tiers.engine.facts import (
    GIVES_BACK,
    Because,
    Event,
    Line,
    LineKind,
    Metric,
    PlanFacts,
    RuleFacts,
    Standing,
)
from tiers.engine.memory import Memory
from tiers.engine.needs import is_ordered, needs_of
from tiers.engine.rates import RATES
from tiers.engine.selection import Chosen, Selection
from tiers.engine.terms import Terms

METRICS: tuple[Metric, ...] = get_args(Metric)


class Rater:
    """A plan made ready to rate many events; `prepare(plan)` returns one and `rater(event, standing, memory)` rates.

    `needs` says what the memory has to hold beforehand. A plan without needs (`is_stateful` is false) works without a
    memory. In an `is_ordered` plan a late event changes what later ones earn one by one, not only their sum.
    """

    __slots__ = (
        "_excludes",
        "_order",
        "_references",
        "_select",
        "is_ordered",
        "is_stateful",
        "needs",
        "plan",
        "terms",
        "zone",
    )

    def __init__(self, plan: PlanFacts) -> None:
        self.plan = plan
        self.terms = Terms.of(plan)
        self.zone = self.terms.zone
        self.needs = needs_of(plan)
        self.is_stateful = bool(self.needs)
        self.is_ordered = is_ordered(plan)
        self._references = self.terms.references
        self._select = Selection(plan, self.zone)
        self._order = {rule.key: place for place, rule in enumerate(plan.rules)}
        self._excludes = bool(plan.excluded_products or plan.excluded_categories)

    def __call__(self, event: Event, standing: Standing, memory: Memory | None = None) -> tuple[Line, ...]:
        """Return the lines `event` earns, and remember what they count.

        A line is zero only when it keeps a count or a cap has cut it. A refund that names its sale is rated by the
        version that rated the sale.
        """
        kept = self.kept(event)
        is_excluded = kept is None
        if kept is None and event.original is None:
            return ()
        event = event if kept is None else kept
        if memory is None and self.is_stateful:
            memory = self.memory(standing)
        if event.original is not None:
            counts = memory is not None and self.keeps_metrics(standing, event, memory)
            return takeback.lines_of(self.terms, event, memory, keeps_metrics=counts and not is_excluded)
        needs_none = memory is None or not (self.is_stateful or memory.keeps_metrics)
        if needs_none and not event.shares and not event.deductions and not event.lines:
            chosen = self._select.plain(event, standing)
            if chosen is not None:
                return self._plainly(event, standing, chosen)
        return self._fully(event, standing, memory)

    def kept(self, event: Event) -> Event | None:
        """Return what of an event the plan pays on at all: an order without the products it excludes, nothing when none is left."""
        if not self._excludes:
            return event
        if event.lines and event.original is None:
            return order_lines.without(event, lambda part: excluded(self.plan, part) is not None)
        return event if excluded(self.plan, event) is None else None

    def base(self, event: Event) -> Money:
        """Return what the plan pays on of an event, of everybody with credit in it."""
        kept = self.kept(event)
        return Money(0, event.amount.currency) if kept is None else kept.base(self.plan.deducts)

    def memory(self, standing: Standing) -> Memory:
        """Return an empty memory for a partner of this standing."""
        joined = standing.joined_at
        return Memory(self.zone, None if joined is None else Month.of(joined, self.zone))

    def select(self, event: Event, standing: Standing, memory: Memory | None = None) -> Chosen:
        """Return the rules that apply, in order, and the others with the reason of each."""
        return self._select.of(self.case(event, standing, memory or self.memory(standing)))

    def case(self, event: Event, standing: Standing, memory: Memory) -> Case:
        """Return an event as the rules of this plan are asked about it."""
        base = event.base(self.plan.deducts)
        return Case(self.plan, self.zone, event, standing, memory, -base if event.is_refund else base)

    def rule(self, key: str) -> RuleFacts | None:
        """Return the rule of this key."""
        return self.terms.rules.get(key)

    def reference(self, key: str) -> Mapping[str, Any]:
        """Return a rule as explanations name it."""
        return self.terms.references[key]

    def keeps_metrics(self, standing: Standing, event: Event, memory: Memory) -> bool:
        """Whether an event counts in the metrics of this partner: its own sale, and somebody looks at them."""
        if standing.depth or event.role == ASSISTED:
            return False
        return bool(self.needs.metrics) or memory.keeps_metrics

    def _plainly(self, event: Event, standing: Standing, chosen: Chosen) -> tuple[Line, ...]:
        """Rate an event that needs nothing but its rules: no share, no limit, no deduction, no memory."""
        applied, rejected = chosen
        what: LineKind = "refund" if event.is_refund else "earned"
        base = event.amount if what == "earned" else -event.amount
        lines = [self._plain_line(event, standing, rule, base, rejected, what) for rule in applied]
        return tuple([line for line in lines if line.amount.minor != 0])

    def _plain_line(
        self,
        event: Event,
        standing: Standing,
        rule: RuleFacts,
        base: Money,
        rejected: Rejected,
        what: LineKind,
    ) -> Line:
        parts = RATES[rule.kind](rule, base, what == "refund" or event.kind == GIVES_BACK)
        because = because_earned(
            event, standing, rule, self._references[rule.key], base, parts, rejected, what=what
        )
        fixed = because["fixed"]
        return Line(
            rule.key,
            rule.name,
            self.plan.version_id,
            rule.kind,
            base,
            None if rule.kind == "flat" else rule.rate,
            None if fixed is None else Money(fixed, base.currency),
            Money(because["amount"], base.currency),
            because,
            rule.flat_on_refund,
            "",
            what,
        )

    def _fully(self, event: Event, standing: Standing, memory: Memory | None) -> tuple[Line, ...]:
        known = memory if memory is not None else self.memory(standing)
        case = self.case(event, standing, known)
        lines: list[Line] = []
        for rule, part, rejected in self._chosen(case):
            reference = self._references[rule.key]
            if rule.is_windowed:
                lines += windowed.lines_of(part, rule, reference, rejected)
            elif (line := eventful.line_of(part, rule, reference, rejected)) is not None:
                lines.append(line)
        if self.keeps_metrics(standing, event, known):
            for metric in METRICS:
                known.count(metric, case.month, case.counted(metric))
        return tuple(lines)

    def _chosen(self, case: Case) -> list[tuple[RuleFacts, Case, Rejected]]:
        """Return the rules that pay for a case in their order, each with the part of it that it pays for."""
        if not case.event.lines:
            applied, rejected = self._select.of(case)
            return [(rule, case, rejected) for rule in applied]
        found: dict[str, tuple[RuleFacts, list[Event], Rejected]] = {}
        for part in order_lines.parts_of(order_lines.with_rest(case.event)):
            applied, rejected = self._select.of(self._asked(part, case))
            for rule in applied:
                found.setdefault(rule.key, (rule, [], rejected))[1].append(part)
        return [
            (rule, self.case(order_lines.together(parts), case.standing, case.memory), rejected)
            for rule, parts, rejected in sorted(found.values(), key=lambda each: self._order[each[0].key])
        ]

    def _asked(self, part: Event, case: Case) -> Case:
        """Return a line of an order as conditions are asked about it: its product, and the amount of the whole order."""
        whole = replace(part, amount=case.event.amount, deductions=case.event.deductions, lines=())
        return self.case(whole, case.standing, case.memory)


def prepare(plan: PlanFacts) -> Rater:
    """Return `plan` ready to rate many events; a long run keeps it."""
    return Rater(plan)


def compute(
    event: Event, standing: Standing, plan: PlanFacts, memory: Memory | None = None
) -> tuple[Line, ...]:
    """Return the lines `event` earns a partner of this standing under `plan`.

    Of the rules that compete the first that applies wins, or all that apply add up, as the plan says.
    """
    return Rater(plan)(event, standing, memory)


def explain(event: Event, standing: Standing, plan: PlanFacts, memory: Memory | None = None) -> Because:
    """Explain what `event` earns even when that is nothing: `outcome` is one of lines, no_rule_applies, nothing_due,
    over_cap, outside_clawback, excluded_product, excluded_category.

    For the simulator and for "why did this order earn nothing?". The memory is rated in: give one to throw away.
    """
    rater = Rater(plan)
    known = memory if memory is not None else rater.memory(standing)
    applied, rejected = rater.select(event, standing, known)
    lines = rater(event, standing, known)
    why = excluded(plan, event) if rater.kept(event) is None else None
    return {
        "order": event.key,
        "outcome": _outcome(rater, event, lines, why.code if why else "", bool(applied)),
        "currency": event.amount.currency,
        "amount": sum(line.amount.minor for line in lines),
        "lines": [line.because for line in lines],
        "applied": [] if why else [{"key": rule.key, "name": rule.name} for rule in applied],
        "checked_not_applied": not_applied(rejected),
    }


def _outcome(rater: Rater, event: Event, lines: tuple[Line, ...], excluded_by: str, applies: bool) -> str:
    if any(line.amount for line in lines):
        return "lines"
    if event.original is not None:
        is_late = takeback.is_outside_clawback(rater.plan, event)
        return "outside_clawback" if is_late else "nothing_due"
    if excluded_by:
        return excluded_by
    if any(line.because["cap"] for line in lines):
        return "over_cap"
    return "nothing_due" if applies else "no_rule_applies"
