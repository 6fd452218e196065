"""Try an order against a plan: what would it earn, and why. It is the same call of the engine that books real money, and books none."""

from __future__ import annotations

from datetime import datetime

from prm.lib.money import Money
from tiers import rulebook
from tiers.engine import Event, Standing, explain
from tiers.engine.facts import Because, PlanFacts
from tiers.models import PlanVersion, Program, Tier


def facts_for(version: PlanVersion, *, at: datetime) -> PlanFacts:
    """Return a version as the engine reads it; a draft is tried as if it were in force at `at`."""
    return rulebook.facts(version, effective_at=at)


def facts_in_force(program: Program, *, at: datetime) -> PlanFacts | None:
    """Return what is in force for the program at `at`, None before the first version."""
    return rulebook.Rulebook.load([program.pk]).plan_for(program.pk, at)


def try_order(
    plan: PlanFacts, *, tier: Tier | None, kind: str, amount: Money, at: datetime, country: str = ""
) -> Because:
    """Explain what an event would earn a partner standing in `tier`, even when that is nothing."""
    event = Event(key="trial", kind=kind, occurred_at=at, amount=amount, country=country)
    standing = Standing(tier_key=tier.key, tier_name=tier.name) if tier else Standing(tier_key="")
    return explain(event, standing, plan)
