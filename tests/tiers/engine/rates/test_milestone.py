"""Milestones by hand: once per threshold, the highest only or each one's own, lost again when refunds undo them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tiers.engine.rates.rules import row, rule, slices, step, total

# 50.00 for ten sales, 200.00 for twenty-five.
HIGHEST = rule("milestone", step(10, flat=5_000), step(25, flat=20_000), metric="sales")
STACKING = replace(HIGHEST, stacking=True)


@pytest.mark.parametrize(
    ("volume", "highest", "stacked"),
    [
        (0, 0, 0),
        (9, 0, 0),
        (10, 5_000, 5_000),
        (11, 5_000, 5_000),
        (24, 5_000, 5_000),
        (25, 20_000, 25_000),
        (1_000_000_000_000, 20_000, 25_000),
        (-10, 0, 0),
    ],
)
def test_a_threshold_pays_once_it_is_reached(volume: int, highest: int, stacked: int) -> None:
    assert total(HIGHEST, volume) == highest
    assert total(STACKING, volume) == stacked


@pytest.mark.parametrize(
    ("offset", "volume", "highest", "stacked"),
    [
        (10, 0, 0, 0),
        (10, 1, 0, 0),  # the earlier version has paid for ten
        (10, 15, 15_000, 20_000),
        (10, -1, -5_000, -5_000),
        (9, 16, 20_000, 25_000),
        (25, -25, -20_000, -25_000),
    ],
)
def test_a_threshold_an_earlier_version_reached_is_not_paid_again(
    offset: int, volume: int, highest: int, stacked: int
) -> None:
    assert total(HIGHEST, volume, offset) == highest
    assert total(STACKING, volume, offset) == stacked


def test_the_highest_is_explained_by_the_one_reached() -> None:
    assert slices(HIGHEST, 9, 10) == (row(10, 25, None, 5_000, 1, "5000"),)
    assert slices(HIGHEST, 10, 25) == (row(25, None, None, 20_000, 15, "15000"),)
    assert slices(HIGHEST, 25, 24) == (row(10, 25, None, 5_000, -1, "-15000"),)
    assert slices(HIGHEST, 10, 9) == (row(0, 10, None, None, -1, "-5000"),)


def test_stacked_ones_are_explained_one_by_one() -> None:
    assert slices(STACKING, 8, 26) == (
        row(0, 10, None, None, 2, "0"),
        row(10, 25, None, 5_000, 15, "5000"),
        row(25, None, None, 20_000, 1, "20000"),
    )
    assert slices(STACKING, 25, 24) == (
        row(10, 25, None, None, -1, "0"),
        row(25, None, None, -20_000, 0, "-20000"),
    )


def test_money_reaches_milestones_too() -> None:
    by_revenue = rule("milestone", step(100_000, flat=1_000), stacking=True)
    assert [total(by_revenue, volume) for volume in (99_999, 100_000, 100_001)] == [0, 1_000, 1_000]
