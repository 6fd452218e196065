"""Programs, their tiers and their commission plans: what earns what."""

from tiers.models.operator import LegalEntity
from tiers.models.plan import Plan, PlanCase, PlanVersion, Rule
from tiers.models.program import Program
from tiers.models.tier import Tier

__all__ = ["LegalEntity", "Plan", "PlanCase", "PlanVersion", "Program", "Rule", "Tier"]
