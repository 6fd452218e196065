"""Read plans from the database as the engine wants them, and find the version in force at a moment. The version that was in
force when an event happened rates it, however late the event arrives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from prm.lib.money import Money
from tiers.engine.compute import Rater, prepare
from tiers.engine.facts import PlanFacts, RuleFacts
from tiers.models import PlanVersion, Rule


class Rulebook:
    """The published plans of some programs, read once in two queries and ready to rate."""

    def __init__(self, plans: dict[int, list[PlanFacts]]) -> None:
        self._plans = plans
        self._raters: dict[int | str, Rater] = {}

    @classmethod
    def load(cls, program_ids: Iterable[int]) -> Rulebook:
        """Read every published version of the plans of these programs."""
        versions = (
            PlanVersion.objects.published()
            .filter(plan__program_id__in=program_ids)
            .select_related("plan__program")
            .prefetch_related("rules")
            .order_by("-effective_at", "-number")
        )
        plans: dict[int, list[PlanFacts]] = defaultdict(list)
        for version in versions:
            plans[version.plan.program_id].append(facts(version))
        return cls(plans)

    def plan_for(self, program_id: int, at: datetime) -> PlanFacts | None:
        """Return the plan in force for the program at `at`, None before its first version."""
        return next((plan for plan in self._plans.get(program_id, ()) if plan.effective_at <= at), None)

    def rater_for(self, program_id: int, at: datetime) -> Rater | None:
        """Return the plan in force at `at` made ready to rate many events, None before the first version."""
        plan = self.plan_for(program_id, at)
        if plan is None:
            return None
        if plan.version_id not in self._raters:
            self._raters[plan.version_id] = prepare(plan)
        return self._raters[plan.version_id]


def facts(version: PlanVersion, *, effective_at: datetime | None = None) -> PlanFacts:
    """Return a version as the engine reads it; a draft needs the `effective_at` it is to be tried with."""
    starts_at = version.effective_at or effective_at
    if starts_at is None:
        raise ValueError("A draft has no date of effect; name one to try it with.")
    currency = version.plan.program.currency
    return PlanFacts(
        plan_key=version.plan.public_id,
        version_number=version.number,
        version_id=version.pk,
        effective_at=starts_at,
        combine=version.combine,  # type: ignore[arg-type]  # held to the closed list by the database
        rules=tuple(_rule(rule, currency) for rule in version.rules.all()),
    )


def _rule(rule: Rule, currency: str) -> RuleFacts:
    return RuleFacts(
        key=rule.key,
        name=rule.name,
        position=rule.position,
        kind=rule.kind,  # type: ignore[arg-type]  # held to the closed list by the database
        rate=(rule.rate / Decimal(100)).normalize() if rule.rate else Decimal(0),
        flat=Money(rule.flat_minor, currency) if rule.kind != "percent" else None,
        event_kinds=frozenset(rule.event_kinds),
        tiers=frozenset(rule.tier_keys),
        countries=frozenset(rule.countries),
        flat_on_refund=rule.flat_on_refund,  # type: ignore[arg-type]  # held to the closed list by the database
    )
