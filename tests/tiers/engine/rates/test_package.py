"""Packages by hand: each block that has been started pays, whole."""

from __future__ import annotations

import pytest

from tests.tiers.engine.rates.rules import minor, row, rule, slices, total

# 7.00 for each started 500.00.
BLOCKS = rule("package", package=50_000, flat=minor(700))
DOZENS = rule("package", package=12, flat=minor(300), metric="units")


@pytest.mark.parametrize(
    ("volume", "owed"),
    [
        (0, 0),
        (1, 700),
        (49_999, 700),
        (50_000, 700),
        (50_001, 1_400),
        (100_000, 1_400),
        (-1, 0),
        (1_000_000_000_000_000, 14_000_000_000_000),  # 20,000,000,000 blocks
    ],
)
def test_a_started_block_is_paid_whole(volume: int, owed: int) -> None:
    assert total(BLOCKS, volume) == owed


@pytest.mark.parametrize(("volume", "owed"), [(11, 300), (12, 300), (13, 600), (-12, 0)])
def test_pieces_make_blocks_too(volume: int, owed: int) -> None:
    assert total(DOZENS, volume) == owed


@pytest.mark.parametrize(
    ("offset", "volume", "owed"),
    [(50_000, 1, 700), (49_999, 1, 0), (50_001, -1, -700), (1, -1, -700), (-10, 10, 0), (-10, 11, 700)],
)
def test_a_block_somebody_else_started_is_paid(offset: int, volume: int, owed: int) -> None:
    assert total(BLOCKS, volume, offset) == owed


def test_a_change_is_explained_by_the_block_it_ends_in() -> None:
    assert slices(BLOCKS, 0, 120_000) == ({**row(100_000, 150_000, None, 700, 120_000, "2100"), "blocks": 3},)
    assert slices(BLOCKS, 120_000, 130_000) == (
        {**row(100_000, 150_000, None, 700, 10_000, "0"), "blocks": 0},
    )
    assert slices(BLOCKS, 130_000, 50_000) == ({**row(0, 50_000, None, 700, -80_000, "-1400"), "blocks": -2},)
    assert slices(BLOCKS, 10, 0) == ({**row(0, 50_000, None, 700, -10, "-700"), "blocks": -1},)
    assert slices(BLOCKS, 5, 5) == ()
