"""Graduated rates by hand: at each bound, one below and one above; with flat amounts, with pieces, after refunds, on an offset."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from tests.tiers.engine.rates.rules import row, rule, slices, step, total
from tiers.engine.rates.tables import Row

# 5 % up to 1,000.00, 8 % up to 5,000.00, 10 % above.
PLAIN = rule("graduated", step(0, "0.05"), step(100_000, "0.08"), step(500_000, "0.1"))
# 5 % and 2.00 with the first penny; from 1,000.00 on 8 %, and 50.00 when it is reached.
WITH_FLATS = rule("graduated", step(0, "0.05", 200), step(100_000, "0.08", 5_000))
# The first ten sales 5.00 each, the next twenty 7.00, then 10.00.
SALES = rule("graduated", step(0, flat=500), step(10, flat=700), step(30, flat=1_000), metric="sales")
# Nothing up to 1,000.00, then 5 %.
LATE = rule("graduated", step(100_000, "0.05"))


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, "0"),
        (1, "0.05"),
        (99_999, "4999.95"),
        (100_000, "5000"),
        (100_001, "5000.08"),
        (500_000, "37000"),  # 5000 + 8 % of 400000
        (500_001, "37000.1"),
        (-1, "-0.05"),  # refunds of other windows' sales: the first step goes on below zero
        (-100_000, "-5000"),
        (1_000_000_000_000_000, "99999999987000"),  # 37000 + a tenth of 999999999500000
    ],
)
def test_each_part_is_priced_by_its_own_step(volume: int, owed: str) -> None:
    assert total(PLAIN, volume) == Fraction(owed)


@pytest.mark.parametrize(
    ("offset", "volume", "owed"),
    [
        (100_000, 1, "0.08"),
        (99_999, 2, "0.13"),  # one penny at 5 %, one at 8 %
        (99_999, 1, "0.05"),
        (50_000, -50_000, "-2500"),
        (600_000, -600_000, "-47000"),  # 37000 + 10 % of 100000
        (-100, 100, "5"),
        (-100, 200, "10"),
        (777_777, 0, "0"),
    ],
)
def test_a_volume_goes_on_where_an_earlier_version_stopped(offset: int, volume: int, owed: str) -> None:
    assert total(PLAIN, volume, offset) == Fraction(owed)


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, "0"),
        (1, "200.05"),
        (99_999, "5199.95"),  # 200 + 4999.95
        (100_000, "10200"),  # 200 + 5000 + 5000: exactly the bound is in the upper step
        (100_001, "10200.08"),
        (-1, "-0.05"),
    ],
)
def test_a_flat_amount_is_owed_once_a_step_is_entered(volume: int, owed: str) -> None:
    assert total(WITH_FLATS, volume) == Fraction(owed)


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, 0),
        (1, 500),
        (9, 4_500),
        (10, 5_000),
        (11, 5_700),
        (30, 19_000),  # 10 x 500 + 20 x 700
        (31, 20_000),
        (-2, -1_000),
    ],
)
def test_pieces_are_paid_flat_each_at_its_own_step(volume: int, owed: int) -> None:
    assert total(SALES, volume) == owed


@pytest.mark.parametrize(
    ("volume", "owed"), [(-5, "0"), (100_000, "0"), (100_001, "0.05"), (200_000, "5000")]
)
def test_below_the_first_start_nothing_is_earned(volume: int, owed: str) -> None:
    assert total(LATE, volume) == Fraction(owed)


@pytest.mark.parametrize(
    ("before", "after", "offset", "rows"),
    [
        (
            90_000,
            510_000,
            0,
            [
                row(0, 100_000, "0.05", None, 10_000, "500"),
                row(100_000, 500_000, "0.08", None, 400_000, "32000"),
                row(500_000, None, "0.1", None, 10_000, "1000"),
            ],
        ),
        (
            0,
            20_000,
            90_000,
            [
                row(0, 100_000, "0.05", None, 10_000, "500"),
                row(100_000, 500_000, "0.08", None, 10_000, "800"),
            ],
        ),
        (
            100_001,
            99_999,
            0,
            [
                row(0, 100_000, "0.05", None, -1, "-0.05"),
                row(100_000, 500_000, "0.08", None, -1, "-0.08"),
            ],
        ),
        (10, -10, 0, [row(0, 100_000, "0.05", None, -20, "-1")]),
        (7, 7, 0, []),
    ],
)
def test_a_change_is_explained_step_by_step(before: int, after: int, offset: int, rows: list[Row]) -> None:
    assert list(slices(PLAIN, before, after, offset)) == rows


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        (0, 10, [row(0, 100_000, "0.05", 200, 10, "200.5")]),
        (10, 20, [row(0, 100_000, "0.05", None, 10, "0.5")]),
        # Reached without a penny inside: its flat amount is due all the same, and taken back with the penny.
        (
            99_990,
            100_000,
            [row(0, 100_000, "0.05", None, 10, "0.5"), row(100_000, None, "0.08", 5_000, 0, "5000")],
        ),
        (
            100_000,
            99_990,
            [row(0, 100_000, "0.05", None, -10, "-0.5"), row(100_000, None, "0.08", -5_000, 0, "-5000")],
        ),
        (10, 0, [row(0, 100_000, "0.05", -200, -10, "-200.5")]),
    ],
)
def test_a_flat_amount_is_in_the_row_of_the_step_entered_or_left(
    before: int, after: int, rows: list[Row]
) -> None:
    assert list(slices(WITH_FLATS, before, after)) == rows


def test_rows_of_pieces_show_the_price_of_each() -> None:
    assert slices(SALES, 9, 12) == (
        row(0, 10, None, 500, 1, "500"),
        row(10, 30, None, 700, 2, "1400"),
    )


def test_rates_of_many_decimals_stay_exact() -> None:
    fine = rule("graduated", step(0, "0.0333333"), step(3, "0.5"))
    assert total(fine, 4) == Fraction("0.5999999")  # 3 x 0.0333333 + 0.5
    assert slices(fine, 0, 4)[0]["exact"] == "0.0999999"


def test_rates_written_differently_are_the_same_rate() -> None:
    padded = rule("graduated", step(0, "0.0500"), step(100_000, "8E-2"), step(500_000, "0.1"))
    assert slices(padded, 0, 600_000) == slices(PLAIN, 0, 600_000)
    assert slices(padded, 0, 600_000)[1]["rate"] == "0.08"


def test_a_table_does_not_begin_below_zero() -> None:
    with pytest.raises(ValueError, match="does not begin below zero"):
        total(rule("graduated", step(-1, "0.05")), 10)


def test_the_rate_of_a_step_may_fall() -> None:
    falling = rule("graduated", step(0, "0.1"), step(100, str(Decimal("0.02"))))
    assert total(falling, 200) == 12  # 10 + 2
