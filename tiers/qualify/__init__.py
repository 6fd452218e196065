"""What a tier asks for and who reaches it, decided from figures alone. Nothing here knows a database or a clock: the same scheme and the
same figures always give the same verdict."""

from tiers.qualify.evaluate import Figure, Found, Outcome, Rung, RungVerdict, Verdict, evaluate
from tiers.qualify.many import Decision, judge
from tiers.qualify.metrics import METRICS, Metric, Unit
from tiers.qualify.reading import BadScheme, dump, read
from tiers.qualify.scheme import (
    Ask,
    Calendar,
    Cycle,
    PointRate,
    Process,
    Question,
    Requirement,
    Scheme,
    Window,
)

__all__ = [
    "METRICS",
    "Ask",
    "BadScheme",
    "Calendar",
    "Cycle",
    "Decision",
    "Figure",
    "Found",
    "Metric",
    "Outcome",
    "PointRate",
    "Process",
    "Question",
    "Requirement",
    "Rung",
    "RungVerdict",
    "Scheme",
    "Unit",
    "Verdict",
    "Window",
    "dump",
    "evaluate",
    "judge",
    "read",
]
