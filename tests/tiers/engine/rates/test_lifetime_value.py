"""Lifetime values by hand: nothing below the threshold, then a flat amount and a percentage of everything."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from tests.tiers.engine.rates.rules import minor, row, rule, slices, step, total

# From 1,000.00 on: 20.00 and 5 % of all of it.
VALUE = rule("lifetime_value", step(100_000, "0.05", 2_000))
# The same, said by the rule instead of its step.
SAID_BY_RULE = rule("lifetime_value", step(100_000), rate=Decimal("0.05"), flat=minor(2_000))
THIRD_SALE = rule("lifetime_value", step(3, "0.05", 2_000), metric="sales")


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, "0"),
        (99_999, "0"),
        (100_000, "7000"),
        (100_001, "7000.05"),
        (-1, "0"),
        (1_000_000_000_000_000, "50000000002000"),
    ],
)
def test_everything_is_owed_once_the_threshold_is_reached(volume: int, owed: str) -> None:
    assert total(VALUE, volume) == total(SAID_BY_RULE, volume) == Fraction(owed)


@pytest.mark.parametrize(
    ("offset", "volume", "owed"),
    [
        (60_000, 39_999, "0"),
        (60_000, 40_000, "7000"),  # the earlier version has paid nothing: all of it is due
        (100_000, 10, "0.5"),
        (100_000, -1, "-7000"),
        (100_000, 0, "0"),
    ],
)
def test_the_threshold_counts_what_came_before(offset: int, volume: int, owed: str) -> None:
    assert total(VALUE, volume, offset) == Fraction(owed)


@pytest.mark.parametrize(("volume", "owed"), [(2, 0), (3, 2_000), (4, 2_000)])
def test_a_threshold_of_pieces_earns_the_flat_amount_alone(volume: int, owed: int) -> None:
    assert total(THIRD_SALE, volume) == owed


def test_the_crossing_is_explained_with_everything_so_far() -> None:
    assert slices(VALUE, 0, 60_000) == (row(0, 100_000, None, None, 60_000, "0"),)
    assert slices(VALUE, 60_000, 110_000) == (row(100_000, None, "0.05", 2_000, 110_000, "7500"),)
    assert slices(VALUE, 110_000, 120_000) == (row(100_000, None, "0.05", None, 10_000, "500"),)
    assert slices(VALUE, 120_000, 90_000) == (row(100_000, None, "0.05", -2_000, -120_000, "-8000"),)
    assert slices(VALUE, 90_000, 90_000) == ()


def test_the_first_penny_reaches_a_threshold_of_zero() -> None:
    from_zero = rule("lifetime_value", step(0, "0.05", 2_000))
    assert [total(from_zero, volume) for volume in (-1, 0, 1)] == [0, 0, Fraction("2000.05")]
