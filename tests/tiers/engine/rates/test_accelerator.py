"""Accelerators by hand: bands of attainment, each part at its own rate; the bounds are percents of the target, rounded up."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.tiers.engine.rates.rules import row, rule, slices, step, total

# Of a target of 10,000.00: 5 % up to 80 %, 8 % up to the target, 12 % above.
QUOTA = rule("accelerator", step(0, "0.05"), step(80, "0.08"), step(100, "0.12"), target=1_000_000)
# Half of 3.33 is 1.665: the second rate is for what comes after 1.67.
ODD = rule("accelerator", step(0, "0.05"), step(50, "0.08"), target=333)
# Half of fifteen sales is 7.5: the first eight earn 5.00 each.
SALES = rule("accelerator", step(0, flat=500), step(50, flat=800), target=15, metric="sales")


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, "0"),
        (799_999, "39999.95"),
        (800_000, "40000"),
        (800_001, "40000.08"),
        (1_000_000, "56000"),  # 40000 + 8 % of 200000
        (1_000_001, "56000.12"),
        (1_200_000, "80000"),  # 56000 + 12 % of 200000
        (-100, "-5"),
        (1_000_000_000_000_000, "119999999936000"),  # 56000 + 12 % of 999999999000000
    ],
)
def test_each_part_is_priced_by_the_attainment_it_lies_in(volume: int, owed: str) -> None:
    assert total(QUOTA, volume) == Fraction(owed)


@pytest.mark.parametrize(("volume", "owed"), [(166, "8.3"), (167, "8.35"), (168, "8.43")])
def test_a_bound_between_two_pennies_is_the_upper_one(volume: int, owed: str) -> None:
    assert total(ODD, volume) == Fraction(owed)


@pytest.mark.parametrize(("volume", "owed"), [(7, 3_500), (8, 4_000), (9, 4_800), (15, 9_600), (-1, -500)])
def test_pieces_are_paid_flat_each_at_their_attainment(volume: int, owed: int) -> None:
    assert total(SALES, volume) == owed


@pytest.mark.parametrize(
    ("offset", "volume", "owed"), [(799_999, 2, "0.13"), (1_000_000, -200_000, "-16000"), (900_000, 0, "0")]
)
def test_attainment_goes_on_where_an_earlier_version_stopped(offset: int, volume: int, owed: str) -> None:
    assert total(QUOTA, volume, offset) == Fraction(owed)


def test_a_change_is_explained_with_bounds_in_money() -> None:
    assert slices(QUOTA, 790_000, 1_010_000) == (
        row(0, 800_000, "0.05", None, 10_000, "500"),
        row(800_000, 1_000_000, "0.08", None, 200_000, "16000"),
        row(1_000_000, None, "0.12", None, 10_000, "1200"),
    )
    assert slices(SALES, 8, 7) == (row(0, 8, None, 500, -1, "-500"), row(8, None, None, 800, 0, "0"))
