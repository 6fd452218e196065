"""Many memberships are decided on as one is: the prepared ladder and the verdict with all details never differ."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from tiers.qualify import Ask, Figure, Process, Question, Requirement, Rung, Scheme, evaluate, judge
from tiers.qualify.scheme import COMBINES, FALLS, OPERATORS

KEYS = ("bronze", "silver", "gold", "platinum")
QUESTIONS = [Question(metric) for metric in ("net_revenue", "certified_ratio", "activities")]


def a_scheme(dice: random.Random) -> Scheme:
    return Scheme(
        asks={
            key: Ask(
                tuple(
                    Requirement(
                        str(number),
                        dice.choice(QUESTIONS),
                        dice.choice(OPERATORS),
                        Fraction(dice.randint(-3, 9), dice.randint(1, 3)),
                        weight=dice.randint(0, 3),
                    )
                    for number in range(dice.randrange(4))
                ),
                combine=dice.choice(COMBINES),
                needed=dice.randint(0, 4),
            )
            for key in KEYS
            if dice.random() < 0.9
        },
        process=Process(fall=dice.choice(FALLS)),
    )


def figures_of(dice: random.Random) -> dict[str, Figure]:
    values = [None, *(Fraction(dice.randint(-4, 10), dice.randint(1, 3)) for _value in range(4))]
    return {each.key: Figure(dice.choice(values)) for each in QUESTIONS if dice.random() < 0.9}


@pytest.mark.parametrize("seed", range(20))
def test_the_decision_is_that_of_the_verdict(seed: int) -> None:
    dice = random.Random(seed)
    scheme = a_scheme(dice)
    ladder = [Rung(key, rank) for rank, key in enumerate(KEYS, start=1)]
    decide = judge(scheme, dice.sample(ladder, len(ladder)))
    for _membership in range(40):
        figures, current = figures_of(dice), dice.choice(KEYS)
        verdict = evaluate(scheme, ladder, figures, current=current)
        assert decide(figures, current) == (verdict.measured.key, verdict.target.key, verdict.outcome)


def test_a_tier_that_is_no_rung_is_no_place_to_stand() -> None:
    with pytest.raises(KeyError):
        judge(Scheme(), [Rung("bronze", 1)])({}, "gold")
