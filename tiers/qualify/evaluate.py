"""Decide which tier figures reach. A tier is reached when what it asks is met and every tier below it that asks for something is reached,
so nobody skips a rung that is not met; the lowest rung is everybody's, and one that asks for nothing is given by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from tiers.qualify.scheme import ALL, ANY, AT_LEAST, ONE_STEP, Ask, Requirement, Scheme


class Outcome(StrEnum):
    """Where a membership should go."""

    UP = "up"
    KEEP = "keep"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and how many rows it was made of; no `value` means nobody can know, such as a share of no staff."""

    value: Fraction | None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """One tier of a ladder."""

    key: str
    rank: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One requirement beside its figure. `gap` is what is missing, in the metric's unit: zero when met, None when unknown."""

    requirement: Requirement
    figure: Figure
    is_met: bool
    gap: Fraction | None


@dataclass(frozen=True, slots=True)
class RungVerdict:
    """One tier: whether what it asks is met (`is_met`), and whether it is reached, with all below it."""

    rung: Rung
    is_met: bool
    is_reached: bool
    found: tuple[Found, ...]
    weight: int = 0
    needed: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole ladder against the figures. `measured` is the highest rung reached, `target` where the process leads."""

    current: Rung
    measured: Rung
    target: Rung
    outcome: Outcome
    rungs: tuple[RungVerdict, ...]

    def of(self, key: str) -> RungVerdict:
        """Return the verdict on one tier."""
        return next(each for each in self.rungs if each.rung.key == key)


UNKNOWN = Figure(None)


def evaluate(
    scheme: Scheme, ladder: Sequence[Rung], figures: Mapping[str, Figure], *, current: str
) -> Verdict:
    """Return the verdict on one membership that stands in the tier `current` of `ladder`, its rungs in any order.

    `figures` are by the key of their question; one that is missing counts as unknown. A rise goes to the highest rung
    reached, a fall there or one rung down, as the scheme says.

    Raises: ValueError when `current` is no rung of the ladder.
    """
    rungs = sorted(ladder, key=lambda rung: rung.rank)
    place = next((at for at, rung in enumerate(rungs) if rung.key == current), None)
    if place is None:
        raise ValueError(f"{current!r} is no tier of this ladder.")
    steps = steps_of(scheme, rungs)
    verdicts: list[RungVerdict] = []
    reached = 0
    climbs = True
    for at, rung in enumerate(rungs):
        ask = scheme.ask_of(rung.key)
        found = tuple(_found(each, figures) for each in ask.requirements)
        is_met = at == 0 or (at in steps and _is_met(ask, found))
        if at in steps:
            climbs = climbs and is_met
            reached = at if climbs else reached
        weight = sum(each.requirement.weight for each in found if each.is_met)
        is_reached = climbs and at in steps
        verdicts.append(RungVerdict(rung, is_met, is_reached, found, weight=weight, needed=ask.needed))
    target, outcome = target_of(place, reached, steps, step_down=scheme.process.fall == ONE_STEP)
    return Verdict(rungs[place], rungs[reached], rungs[target], outcome, tuple(verdicts))


def steps_of(scheme: Scheme, rungs: Sequence[Rung]) -> list[int]:
    """Return the places of a ladder that figures lead to: the lowest, and those that ask for something.

    Nobody climbs to a tier that asks for nothing, which a person gives, and nobody falls from it by figures.
    """
    return [at for at, rung in enumerate(rungs) if at == 0 or scheme.ask_of(rung.key).requirements]


def target_of(place: int, reached: int, steps: Sequence[int], *, step_down: bool) -> tuple[int, Outcome]:
    """Return where who stands at one place and reached another should go, and which way that is."""
    if reached > place:
        return reached, Outcome.UP
    if reached == place or place not in steps:
        return place, Outcome.KEEP
    return (max(step for step in steps if step < place) if step_down else reached), Outcome.DOWN


def _is_met(ask: Ask, found: Sequence[Found]) -> bool:
    if ask.combine == ALL:
        return all(each.is_met for each in found)
    if ask.combine == ANY:
        return any(each.is_met for each in found)
    return sum(each.requirement.weight for each in found if each.is_met) >= ask.needed


def _found(requirement: Requirement, figures: Mapping[str, Figure]) -> Found:
    figure = figures.get(requirement.question.key, UNKNOWN)
    is_met = requirement.is_met_by(figure.value)
    return Found(requirement, figure, is_met, _gap(requirement, figure.value, is_met=is_met))


def _gap(requirement: Requirement, value: Fraction | None, *, is_met: bool) -> Fraction | None:
    if is_met:
        return Fraction(0)
    if value is None:
        return None
    return (
        requirement.threshold - value if requirement.operator == AT_LEAST else value - requirement.threshold
    )
