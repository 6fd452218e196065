"""Prospective rates by hand: the step that the metric has reached prices this event and nothing else."""

from __future__ import annotations

import pytest

from tests.tiers.engine.rates.rules import paid, rule, step, sums

# By sales so far: 5 %, from ten on 8 %, from thirty on 10 % and 1.00 for each.
BY_SALES = rule("prospective", step(0, "0.05"), step(10, "0.08"), step(30, "0.1", 100), metric="sales")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (-1, [("prospective", 52)]),  # more came back than was sold: the first step
        (0, [("prospective", 52)]),  # 5 % of 1037 is 51.85
        (9, [("prospective", 52)]),
        (10, [("prospective", 83)]),  # 82.96
        (11, [("prospective", 83)]),
        (29, [("prospective", 83)]),
        (30, [("prospective", 104), ("flat", 100)]),  # 103.7
        (1_000_000_000_000, [("prospective", 104), ("flat", 100)]),
    ],
)
def test_the_step_reached_prices_the_event(value: int, parts: list[tuple[str, int]]) -> None:
    assert sums(paid(BY_SALES, 1_037, metric_value=value)) == parts


def test_the_step_and_the_metric_are_explained() -> None:
    (part,) = paid(BY_SALES, 1_037, metric_value=12)
    assert part.params == {
        "rate": "0.08",
        "base_minor": 1_037,
        "exact_minor": "82.96",
        "metric": "sales",
        "metric_value": 12,
        "from": 10,
        "to": 30,
    }
    assert paid(BY_SALES, 1_037, metric_value=30)[0].params["to"] == ""


def test_a_refund_without_a_sale_is_taken_at_the_step_of_its_own_time() -> None:
    assert sums(paid(BY_SALES, -1_037, metric_value=30, is_refund=True)) == [
        ("prospective", -104),
        ("flat_needs_original", 0),
    ]


def test_below_the_first_step_it_does_not_pay() -> None:
    late = rule("prospective", step(50_000, "0.05"))
    assert paid(late, 1_000, metric_value=49_999) == ()
    assert sums(paid(late, 1_000, metric_value=50_000)) == [("prospective", 50)]
