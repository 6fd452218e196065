"""A plan with its rules at hand: by key, as explanations name them, and with the zone its months are counted in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from tiers.engine.explain import rule_reference
from tiers.engine.facts import PlanFacts, RuleFacts


@dataclass(frozen=True, slots=True)
class Terms:
    """What stays the same for all events a plan rates."""

    plan: PlanFacts
    zone: ZoneInfo
    rules: Mapping[str, RuleFacts]
    references: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, plan: PlanFacts) -> Terms:
        """Return the terms of a plan."""
        rules = {rule.key: rule for rule in plan.rules}
        references = {rule.key: rule_reference(plan, rule) for rule in plan.rules}
        return cls(plan, ZoneInfo(plan.time_zone), rules, references)
