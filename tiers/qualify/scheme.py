"""What the tiers of a program ask, when it is looked at and how a change is gone about, as plain immutable data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

AT_LEAST, AT_MOST = "at_least", "at_most"
OPERATORS = (AT_LEAST, AT_MOST)
ALL, ANY, WEIGHTS = "all", "any", "weights"
COMBINES = (ALL, ANY, WEIGHTS)
PERSON, AUTOMATIC = "person", "automatic"
DECIDERS = (PERSON, AUTOMATIC)
MEASURED, ONE_STEP = "measured", "one_step"
FALLS = (MEASURED, ONE_STEP)
NEVER, MONTHLY, QUARTERLY, HALF_YEARLY, YEARLY, ANNIVERSARY = (
    "never",
    "month",
    "quarter",
    "half_year",
    "year",
    "anniversary",
)
PROMOTION_CYCLES = (NEVER, MONTHLY, QUARTERLY, HALF_YEARLY, YEARLY)
DEMOTION_CYCLES = (NEVER, QUARTERLY, HALF_YEARLY, YEARLY, ANNIVERSARY)
# Trailing windows end with the day before the review; the others are the last whole one before it.
TRAILING, MONTH, QUARTER, HALF_YEAR, YEAR, EVER, NOW = (
    "trailing",
    "month",
    "quarter",
    "half_year",
    "year",
    "ever",
    "now",
)
WINDOWS = (TRAILING, MONTH, QUARTER, HALF_YEAR, YEAR, EVER, NOW)
MONTHS_IN = {MONTH: 1, QUARTER: 3, HALF_YEAR: 6, YEAR: 12}
POINT_SOURCES = ("revenue", "sale", "new_customer", "activity", "credential")


@dataclass(frozen=True, slots=True)
class Window:
    """Over which time a figure is counted; `months` counts for trailing windows only."""

    kind: str = NOW
    months: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """One figure that is needed: requirements that ask the same share it. `params` are sorted pairs; countries go by their English
    name, as people of partners have it."""

    metric: str
    window: Window = Window()
    params: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def key(self) -> str:
        """Return the question in one line, under which its figure is kept: net_revenue/trailing:3/kind=event+webinar."""
        parts = [self.metric, f"{self.window.kind}:{self.window.months}"]
        parts += [f"{name}={'+'.join(values)}" for name, values in self.params]
        return "/".join(parts)

    def values(self, name: str) -> tuple[str, ...]:
        """Return what a parameter is narrowed to, nothing for any."""
        return dict(self.params).get(name, ())


@dataclass(frozen=True, slots=True)
class Requirement:
    """One criterion. `threshold` is in the metric's unit; `weight` counts only where requirements are weighed."""

    key: str
    question: Question
    operator: str
    threshold: Fraction
    weight: int = 0

    def is_met_by(self, value: Fraction | None) -> bool:
        """Say whether a figure meets it; one that nobody knows does not."""
        if value is None:
            return False
        return value >= self.threshold if self.operator == AT_LEAST else value <= self.threshold


@dataclass(frozen=True, slots=True)
class Ask:
    """What one tier asks: all of it, any of it, or a weight of `needed` out of what is met."""

    requirements: tuple[Requirement, ...] = ()
    combine: str = ALL
    needed: int = 0


@dataclass(frozen=True, slots=True)
class Cycle:
    """How often something is looked at: `every` so often, on `day` (1 to 28) of the month, the first time in `month` (1 to 12)."""

    every: str = NEVER
    day: int = 1
    month: int = 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """When partners may rise, and when they may fall."""

    promotion: Cycle = Cycle()
    demotion: Cycle = Cycle()


@dataclass(frozen=True, slots=True)
class Process:
    """How a change is gone about. Days are local days of the program, `answer_days` working days.

    `customers_keep_months`: how long customers from before a demotion keep the former tier's terms; 0 for not at all, None
    for good. `protected_days`: how long after joining nobody falls.
    """

    grace_days: int = 60
    appeal_days: int = 14
    answer_days: int = 5
    up: str = PERSON
    down: str = PERSON
    fall: str = ONE_STEP
    customers_keep_months: int | None = 0
    protected_days: int = 365


@dataclass(frozen=True, slots=True)
class PointRate:
    """What earns points: `points` for each `per` (minor units for revenue, pieces for the rest), times the market's multiplier.

    `role` narrows revenue and sales to credits of one role, `kind` activities to one kind; empty for any. Markets go by
    the code of their country, as `prm.lib.countries.code_of` gives it.
    """

    source: str
    points: Fraction
    per: int = 1
    role: str = ""
    kind: str = ""
    multipliers: tuple[tuple[str, Fraction], ...] = ()

    def multiplier(self, country: str) -> Fraction:
        """Return the multiplier of a market, 1 where none is named."""
        return dict(self.multipliers).get(country, Fraction(1))


@dataclass(frozen=True, slots=True)
class Scheme:
    """What all tiers of a program ask, by tier key; a tier that is not named asks for nothing: a person gives it."""

    asks: Mapping[str, Ask] = field(default_factory=dict)
    points: tuple[PointRate, ...] = ()
    calendar: Calendar = Calendar()
    process: Process = Process()

    def ask_of(self, tier: str) -> Ask:
        """Return what a tier asks."""
        return self.asks.get(tier, Ask())

    def questions(self) -> tuple[Question, ...]:
        """Return every figure that is needed, each once, in a fixed order."""
        return tuple(sorted(set(self._questions()), key=lambda question: question.key))

    def _questions(self) -> Iterator[Question]:
        for ask in self.asks.values():
            for requirement in ask.requirements:
                yield requirement.question
