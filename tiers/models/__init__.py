"""Programs, their tiers and their commission plans: what earns what."""

from tiers.models.operator import LegalEntity
from tiers.models.plan import Plan, PlanCase, PlanVersion, Rule
from tiers.models.program import Program
from tiers.models.scheme import TierScheme
from tiers.models.tier import Benefit, Tier, TierBenefit, TierTarget

__all__ = [
    "Benefit",
    "LegalEntity",
    "Plan",
    "PlanCase",
    "PlanVersion",
    "Program",
    "Rule",
    "Tier",
    "TierBenefit",
    "TierScheme",
    "TierTarget",
]
