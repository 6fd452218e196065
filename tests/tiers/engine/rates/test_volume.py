"""Volume rates by hand: the step reached prices the whole window, a line is what one event adds at that step, and a true-up is left."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.tiers.engine.rates.rules import row, rule, slices, step, total
from tiers.engine.rates import WINDOWED

# 5 % up to 1,000.00, then 8 % of everything, from 5,000.00 on 10 %.
PLAIN = rule("volume", step(0, "0.05"), step(100_000, "0.08"), step(500_000, "0.1"))
WITH_FLATS = rule("volume", step(0, "0.05", 200), step(100_000, "0.08", 5_000))
SALES = rule("volume", step(0, flat=500), step(10, flat=700), metric="sales")


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, "0"),
        (1, "0.05"),
        (99_999, "4999.95"),
        (100_000, "8000"),
        (100_001, "8000.08"),
        (499_999, "39999.92"),
        (500_000, "50000"),
        (-1, "-0.05"),
        (-200_000, "-10000"),
        (1_000_000_000_000_000, "100000000000000"),
    ],
)
def test_the_step_reached_prices_everything(volume: int, owed: str) -> None:
    assert total(PLAIN, volume) == Fraction(owed)


@pytest.mark.parametrize(
    ("offset", "volume", "owed"),
    [
        (60_000, 39_999, "1999.95"),
        (60_000, 40_000, "3200"),  # the offset counts towards the step, and is not paid again
        (500_000, 1, "0.1"),
        (500_000, -400_001, "-20000.05"),  # 99,999 left: the refund is taken at 5 %
        (500_000, 0, "0"),
    ],
)
def test_an_offset_reaches_steps_and_is_not_paid_again(offset: int, volume: int, owed: str) -> None:
    assert total(PLAIN, volume, offset) == Fraction(owed)


@pytest.mark.parametrize(
    ("offset", "volume", "owed"),
    [
        (0, 0, "0"),
        (0, 1, "200.05"),
        (0, 100_000, "13000"),  # 8000 + 5000, the flat amount of the step reached alone
        (0, -1, "-0.05"),
        (50_000, 50_000, "8800"),  # 8 % of 50000, and 5000 instead of the 200 of the earlier version
        (50_000, 0, "0"),
    ],
)
def test_the_flat_amount_is_the_one_of_the_step_reached(offset: int, volume: int, owed: str) -> None:
    assert total(WITH_FLATS, volume, offset) == Fraction(owed)


@pytest.mark.parametrize(("volume", "owed"), [(0, 0), (9, 4_500), (10, 7_000), (11, 7_700), (-1, -500)])
def test_pieces_are_all_paid_at_the_step_reached(volume: int, owed: int) -> None:
    assert total(SALES, volume) == owed


@pytest.mark.parametrize(
    ("before", "after", "line", "true_up"),
    [
        (0, 90_000, "4500", "0"),
        # 20000 at 8 %; the 90000 before gain three points.
        (90_000, 110_000, "1600", "2700"),
        # Back below: 20000 at 5 %; the 90000 left lose three points.
        (110_000, 90_000, "-1000", "-3300"),
        (110_000, 120_000, "800", "0"),
    ],
)
def test_an_event_is_paid_at_the_rate_reached_and_the_rest_is_a_true_up(
    before: int, after: int, line: str, true_up: str
) -> None:
    own = total(PLAIN, after) - WINDOWED["volume"].carried(PLAIN, 0, before, after)
    assert own == Fraction(line)
    assert total(PLAIN, after) - total(PLAIN, before) - own == Fraction(true_up)


def test_a_change_is_explained_by_the_step_reached() -> None:
    assert slices(PLAIN, 90_000, 110_000) == (row(100_000, 500_000, "0.08", None, 20_000, "1600"),)
    assert slices(PLAIN, 110_000, 90_000) == (row(0, 100_000, "0.05", None, -20_000, "-1000"),)
    assert slices(PLAIN, 0, 20_000, offset=490_000) == (row(500_000, None, "0.1", None, 20_000, "2000"),)
    assert slices(PLAIN, 5, 5) == ()


def test_the_flat_amount_is_explained_with_the_first_volume() -> None:
    assert slices(WITH_FLATS, 0, 10) == (row(0, 100_000, "0.05", 200, 10, "200.5"),)
    assert slices(WITH_FLATS, 10, 0) == (row(0, 100_000, "0.05", -200, -10, "-200.5"),)
    assert slices(WITH_FLATS, 0, 100_000) == (row(100_000, None, "0.08", 5_000, 100_000, "13000"),)
    assert slices(SALES, 9, 11) == (row(10, None, None, 700, 2, "1400"),)
