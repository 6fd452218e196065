"""The earnings chart: round ticks, whole-number geometry worked by hand, and the same figures in words."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.charts import Column, Plot, earnings_chart, nice_ticks
from prm.lib.money import Money
from prm.lib.periods import Month

NOVEMBER = Month(2026, 11)


@pytest.mark.parametrize(
    ("low", "high", "about", "expected"),
    [
        (0, 231_655, 4, [0, 100_000, 200_000, 300_000]),
        (0, 100, 4, [0, 25, 50, 75, 100]),
        (0, 7, 4, [0, 2, 4, 6, 8]),
        (0, 500, 4, [0, 200, 400, 600]),  # 125 is no round step, 200 is the next
        (-30, 90, 4, [-50, 0, 50, 100]),  # 120 wide: steps of 50
        (40, 90, 4, [0, 25, 50, 75, 100]),  # zero is always on the axis
        (0, 0, 4, [0, 1]),
    ],
)
def test_ticks_are_round_and_cover_zero_and_both_ends(
    low: int, high: int, about: int, expected: list[int]
) -> None:
    assert nice_ticks(low, high, about=about) == expected


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.integers(2, 6))
def test_ticks_are_evenly_spaced_and_few_for_any_figures(one: int, other: int, about: int) -> None:
    low, high = min(one, other), max(one, other)
    ticks = nice_ticks(low, high, about=about)
    assert 0 in ticks
    assert ticks[0] <= low or low > 0
    assert ticks[-1] >= high or high < 0
    assert len({after - before for before, after in itertools.pairwise(ticks)}) == 1
    assert len(ticks) <= about + 3


def test_a_column_stands_on_zero_and_is_as_high_as_its_share_of_the_axis() -> None:
    # Ticks 0 … 2,000.00; the wide plot is 176 units high between 32 and 208, so 1,500.00 of 2,000.00 is 132 units.
    plot = _wide([Column(NOVEMBER, {"paid": 150_000}), Column(NOVEMBER.next(), {"paid": 200_000})])
    block = plot.bars[0].blocks[0]
    assert (block.stage, block.y, block.height) == ("paid", 76, 132)
    assert block.y + block.height == plot.bottom == 208


def test_stages_stack_from_settled_to_open_with_a_gap_between_them() -> None:
    # Ticks 0 … 200.00 in fifties: 100.00 is 88 units; the second block gives 2 of its own up for the gap.
    bar = _wide([Column(NOVEMBER, {"hold": 10_000, "paid": 10_000})]).bars[0]
    assert [(block.stage, block.y, block.height) for block in bar.blocks] == [
        ("paid", 120, 88),
        ("hold", 32, 86),
    ]


def test_money_that_may_still_change_is_hatched_and_ids_differ_between_the_drawings() -> None:
    chart = earnings_chart([Column(NOVEMBER, {"hold": 10_000})], "GBP", "en_GB", key="home")
    fills = [plot.bars[0].blocks[0].fill for plot in chart.plots]
    assert fills == ["url(#hatch-home-wide)", "url(#hatch-home-narrow)"]
    assert [plot.hatch_id for plot in chart.plots] == ["hatch-home-wide", "hatch-home-narrow"]


def test_a_month_of_refunds_hangs_below_zero() -> None:
    # Ticks -50.00, 0, 50.00, 100.00: each 50.00 is 176 / 3 units, so zero is at 32 + 2 x 58.67 = 149 and -50.00 at 208.
    plot = _wide([Column(NOVEMBER, {"paid": 10_000}), Column(NOVEMBER.next(), {"ready": -5_000})])
    (block,) = plot.bars[1].blocks
    assert (block.stage, block.y, block.height) == ("down", 149, 59)
    assert [rule.text for rule in plot.rules] == ["\N{MINUS SIGN}50", "0", "50", "100"]


def test_even_one_penny_is_visible() -> None:
    (block,) = _wide([Column(NOVEMBER, {"paid": 1}), Column(NOVEMBER, {"paid": 10**9})]).bars[0].blocks
    assert block.height == 1


def test_phones_get_the_last_six_months() -> None:
    columns = [Column(Month(2025, 12).plus(index), {"paid": 100 * index}) for index in range(12)]
    chart = earnings_chart(columns, "GBP", "en_GB")
    assert [bar.tick for bar in chart.narrow.bars] == ["Jun", "Jul", "Aug", "Sept", "Oct", "Nov"]
    assert len(chart.wide.bars) == 12


def test_every_column_says_its_month_and_amount_in_the_readers_language() -> None:
    columns = [Column(NOVEMBER, {"paid": 200_000, "sent": 31_655}, "/earnings/")]
    assert earnings_chart(columns, "EUR", "en_GB").wide.bars[0].label == "November 2026: €2,316.55"
    polish = earnings_chart(columns, "EUR", "pl").wide.bars[0].label
    assert polish.startswith("listopad 2026: ")
    assert polish.endswith("316,55\N{NO-BREAK SPACE}€")


def test_the_table_twin_holds_the_figures_of_the_drawing() -> None:
    chart = earnings_chart([Column(NOVEMBER, {"hold": 500, "ready": -200}, "/rows/")], "GBP", "en_GB")
    assert [stage for stage, _label in chart.legend] == ["ready", "hold"]
    (row,) = chart.rows
    assert (row.month, row.href) == ("November 2026", "/rows/")
    assert row.cells == (Money(-200, "GBP"), Money(500, "GBP"))
    assert row.total == Money(300, "GBP")


def test_nothing_earned_yet_is_an_empty_drawing_and_no_error() -> None:
    chart = earnings_chart([], "GBP", "en_GB")
    assert chart.rows == ()
    assert chart.wide.bars == ()
    assert chart.summary == ""


def test_a_currency_without_decimals_has_whole_ticks() -> None:
    plot = earnings_chart([Column(NOVEMBER, {"paid": 3_000})], "JPY", "en_GB").wide
    assert [rule.text for rule in plot.rules] == ["0", "1,000", "2,000", "3,000"]


def _wide(columns: list[Column]) -> Plot:
    return earnings_chart(columns, "GBP", "en_GB").wide
