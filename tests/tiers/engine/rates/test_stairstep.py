"""Stairsteps by hand: one flat amount for the step reached, the difference at each crossing."""

from __future__ import annotations

import pytest

from tests.tiers.engine.rates.rules import row, rule, slices, step, total

# 50.00 from 1,000.00 on, 300.00 from 5,000.00 on.
STAIRS = rule("stairstep", step(100_000, flat=5_000), step(500_000, flat=30_000))
FROM_ZERO = rule("stairstep", step(0, flat=1_000), step(10, flat=2_500), metric="sales")


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, 0),
        (99_999, 0),
        (100_000, 5_000),
        (100_001, 5_000),
        (499_999, 5_000),
        (500_000, 30_000),
        (1_000_000_000_000_000, 30_000),
        (-1, 0),
    ],
)
def test_the_step_reached_pays_its_amount(volume: int, owed: int) -> None:
    assert total(STAIRS, volume) == owed


@pytest.mark.parametrize(
    ("volume", "owed"), [(0, 0), (1, 1_000), (9, 1_000), (10, 2_500), (11, 2_500), (-3, 0)]
)
def test_a_step_from_zero_is_reached_with_the_first_piece(volume: int, owed: int) -> None:
    assert total(FROM_ZERO, volume) == owed


@pytest.mark.parametrize(
    ("offset", "volume", "owed"),
    [
        (99_999, 1, 5_000),
        (100_000, 0, 0),
        (100_000, 400_000, 25_000),
        (500_000, -1, -25_000),
        (500_000, -500_000, -30_000),
    ],
)
def test_what_the_offset_had_reached_is_not_paid_again(offset: int, volume: int, owed: int) -> None:
    assert total(STAIRS, volume, offset) == owed


def test_a_change_is_explained_by_the_step_reached() -> None:
    assert slices(STAIRS, 0, 99_999) == (row(0, 100_000, None, None, 99_999, "0"),)
    assert slices(STAIRS, 99_999, 120_000) == (row(100_000, 500_000, None, 5_000, 20_001, "5000"),)
    assert slices(STAIRS, 120_000, 130_000) == (row(100_000, 500_000, None, 5_000, 10_000, "0"),)
    assert slices(STAIRS, 130_000, 500_000) == (row(500_000, None, None, 30_000, 370_000, "25000"),)
    assert slices(STAIRS, 500_000, 499_999) == (row(100_000, 500_000, None, 5_000, -1, "-25000"),)
    assert slices(STAIRS, 5, 5) == ()
