"""The commission engine: plain facts in, explained lines out. It imports money and the standard library only, and can be tried in a
bare Python shell."""

from tiers.engine.compute import Rater, compute, explain, prepare
from tiers.engine.explain import restore
from tiers.engine.facts import (
    Deduction,
    Event,
    Line,
    Original,
    OriginalLine,
    PlanFacts,
    RuleFacts,
    Standing,
)
from tiers.engine.fold import fold
from tiers.engine.memory import Memory
from tiers.engine.reversal import reverse

__all__ = [
    "Deduction",
    "Event",
    "Line",
    "Memory",
    "Original",
    "OriginalLine",
    "PlanFacts",
    "Rater",
    "RuleFacts",
    "Standing",
    "compute",
    "explain",
    "fold",
    "prepare",
    "restore",
    "reverse",
]
