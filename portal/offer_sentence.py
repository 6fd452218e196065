"""What a program pays in one sentence, for pages that show a program and nothing else of its offer. It is read from the plan in force, without
what was agreed with single partners."""

from __future__ import annotations

from datetime import datetime

from portal.offer import sentence
from tiers import trial
from tiers.audience import for_strangers
from tiers.models import Program, Tier


def sentence_of(program: Program, at: datetime) -> str:
    """Return what newcomers earn, in the language in force; empty while no plan is in force."""
    plan = trial.facts_in_force(program, at=at)
    if plan is None:
        return ""
    tiers = list(Tier.objects.filter(program=program).in_use().select_related("program").by_rank())
    return sentence(program, for_strangers(plan), tiers, at=at)
