"""Decide where many memberships of one ladder should go, without the details. It says what `evaluate` says: the ladder is only prepared once
instead of for each of them, and exact numbers are compared as whole ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tiers.qualify.evaluate import UNKNOWN, Figure, Outcome, Rung, steps_of, target_of
from tiers.qualify.scheme import ALL, ANY, AT_LEAST, ONE_STEP, Ask, Requirement, Scheme

Test = Callable[[Mapping[str, Figure]], bool]


class Decision(NamedTuple):
    """The tiers of a verdict by their keys."""

    measured: str
    target: str
    outcome: Outcome


def judge(scheme: Scheme, ladder: Sequence[Rung]) -> Callable[[Mapping[str, Figure], str], Decision]:
    """Return what decides on the figures of a membership and the key of the tier it stands in, a rung of `ladder`."""
    rungs = sorted(ladder, key=lambda rung: rung.rank)
    places = {rung.key: place for place, rung in enumerate(rungs)}
    steps = steps_of(scheme, rungs)
    tests = [(step, _test(scheme.ask_of(rungs[step].key))) for step in steps[1:]]
    is_step = scheme.process.fall == ONE_STEP
    decided = {
        (place, reached): _decision(rungs, place, reached, steps, step_down=is_step)
        for place in range(len(rungs))
        for reached in steps
    }

    def decide(figures: Mapping[str, Figure], current: str) -> Decision:
        reached = 0
        for step, is_met in tests:
            if not is_met(figures):
                break
            reached = step
        return decided[places[current], reached]

    return decide


def _decision(
    rungs: Sequence[Rung], place: int, reached: int, steps: Sequence[int], *, step_down: bool
) -> Decision:
    target, outcome = target_of(place, reached, steps, step_down=step_down)
    return Decision(rungs[reached].key, rungs[target].key, outcome)


def _test(ask: Ask) -> Test:
    """Return what says whether figures meet what one tier asks."""
    tests = [_met(each) for each in ask.requirements]
    if ask.combine == ALL:
        return lambda figures: all(is_met(figures) for is_met in tests)
    if ask.combine == ANY:
        return lambda figures: any(is_met(figures) for is_met in tests)
    weights = [each.weight for each in ask.requirements]
    return lambda figures: (
        sum(weight for weight, is_met in zip(weights, tests, strict=True) if is_met(figures)) >= ask.needed
    )


def _met(requirement: Requirement) -> Test:
    key, is_least = requirement.question.key, requirement.operator == AT_LEAST
    top, bottom = requirement.threshold.as_integer_ratio()

    def is_met(figures: Mapping[str, Figure]) -> bool:
        value = figures.get(key, UNKNOWN).value
        if value is None:
            return False
        over = value.numerator * bottom - top * value.denominator
        return over >= 0 if is_least else over <= 0

    return is_met
