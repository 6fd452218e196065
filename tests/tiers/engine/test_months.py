"""What a month brings by itself: retainers by membership, floors when a window ends, draws and their recovery over a year, by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.periods import Month
from tests.tiers.engine.facts import STANDARD, percent, plan, pounds, rule, sale, steps
from tiers.engine import Memory, PlanFacts, RuleFacts, Standing, prepare, restore
from tiers.engine.facts import Group, Limits, Window
from tiers.engine.facts import Test as Condition
from tiers.engine.memory import Count, Slot
from tiers.engine.months import MonthSoFar, counts_for, month_lines

NOVEMBER = Month(2026, 11)
RETAINER = rule("retainer", flat=pounds("250.00"))
DRAW = rule("draw", flat=pounds("500.00"))


def close(
    facts: PlanFacts,
    so_far: MonthSoFar,
    *,
    month: Month = NOVEMBER,
    memory: Memory | None = None,
    standing: Standing = STANDARD,
) -> list[tuple[str, int]]:
    lines = month_lines(prepare(facts), standing, month, so_far, memory or Memory())
    for line in lines:
        assert restore(line.because) == line
        assert sum(part["amount_minor"] for part in line.because["parts"]) == line.amount.minor != 0
    return [(line.what, line.amount.minor) for line in lines]


@pytest.mark.parametrize(
    ("joined", "left", "counts"),
    [
        ("2026-11-30T22:59:59", None, True),  # the last second of November in Paris
        ("2026-11-30T23:00:00", None, False),
        ("2026-01-05T00:00:00", "2026-11-30T22:59:59", False),
        ("2026-01-05T00:00:00", "2026-11-30T23:00:00", True),
        ("2026-11-03T00:00:00", "2026-11-04T00:00:00", False),
    ],
)
def test_the_month_of_joining_counts_and_the_month_of_leaving_does_not(
    joined: str, left: str | None, counts: bool
) -> None:
    began = datetime.fromisoformat(joined).replace(tzinfo=UTC)
    ended = datetime.fromisoformat(left).replace(tzinfo=UTC) if left else None
    assert counts_for(NOVEMBER, began, ended, ZoneInfo("Europe/Paris")) is counts


def test_a_retainer_is_paid_for_each_month_of_an_active_member() -> None:
    assert close(plan(RETAINER), MonthSoFar("GBP")) == [("retainer", 25_000)]
    assert close(plan(RETAINER), MonthSoFar("GBP", is_active=False)) == []
    assert close(plan(percent("0.5")), MonthSoFar("GBP", earned=5)) == []


def test_a_retainer_can_be_for_a_tier_or_a_country() -> None:
    gold = rule("retainer", flat=pounds("250.00"), tiers=frozenset({"gold"}))
    assert close(plan(gold), MonthSoFar("GBP")) == []
    french = rule(
        "retainer",
        flat=pounds("250.00"),
        conditions=Group("all", (Condition("partner_country", "=", ("FR",)),)),
    )
    assert close(plan(french), MonthSoFar("GBP")) == []
    assert close(plan(french), MonthSoFar("GBP"), standing=Standing("standard", partner_country="FR")) == [
        ("retainer", 25_000)
    ]


def test_a_draw_over_some_months() -> None:
    """500.00 a month are guaranteed. Earned: 200, 450, 900, 560, 0 and 2,000."""
    outstanding, told = 0, []
    for number, earned in enumerate([20_000, 45_000, 90_000, 51_000, 0, 200_000], start=1):
        so_far = MonthSoFar("GBP", earned=earned, outstanding={"draw": outstanding})
        (line,) = close(plan(DRAW), so_far, month=Month(2026, number)) or [("", 0)]
        told.append(line)
        outstanding += line[1]
    assert told == [
        ("draw", 30_000),
        ("draw", 5_000),  # 350.00 outstanding
        ("recovery", -35_000),  # of 400.00 above the draw
        ("", 0),  # nothing is outstanding
        ("draw", 50_000),
        ("recovery", -50_000),
    ]
    assert outstanding == 0


def test_who_has_left_gets_no_advance_and_pays_back_from_all_it_earns() -> None:
    assert close(plan(DRAW), MonthSoFar("GBP", earned=-100, is_active=False)) == []
    gone = MonthSoFar("GBP", earned=30_000, outstanding={"draw": 40_000}, is_active=False)
    assert close(plan(DRAW), gone) == [("recovery", -30_000)]


@given(st.lists(st.integers(-50_000, 150_000), max_size=12))
def test_a_draw_never_recovers_more_than_it_advanced_and_keeps_its_guarantee(earned: list[int]) -> None:
    outstanding = 0
    for number, minor in enumerate(earned, start=1):
        so_far = MonthSoFar("GBP", earned=minor, outstanding={"draw": outstanding})
        change = sum(amount for _, amount in close(plan(DRAW), so_far, month=Month(2026, number)))
        outstanding += change
        assert outstanding >= 0
        assert minor + change >= 50_000


FLOORED = percent("0.1", limits=Limits(window_min=10_000, window=Window("quarter")))


def test_a_floor_fills_a_window_up_when_it_ends() -> None:
    rater, memory = prepare(plan(FLOORED)), Memory()
    rater(sale("300.00"), STANDARD, memory)
    assert memory.capped == {("base", "2026-Q4"): 3000}
    assert close(plan(FLOORED), MonthSoFar("GBP"), memory=memory) == []
    december = Month(2026, 12)
    assert close(plan(FLOORED), MonthSoFar("GBP"), month=december, memory=memory) == [("floor", 7000)]
    memory.capped["base", "2026-Q4"] = 10_000
    assert close(plan(FLOORED), MonthSoFar("GBP"), month=december, memory=memory) == []


def test_a_floor_of_a_window_model_counts_all_versions_and_towards_a_draw() -> None:
    table: RuleFacts = rule("graduated", steps=steps((0, "0.1")), limits=Limits(window_min=10_000))
    memory = Memory(
        slots={
            Slot("graduated", 6, "2026-11"): Count(0, 4000),
            Slot("graduated", 7, "2026-11"): Count(0, 500),
        }
    )
    so_far = MonthSoFar("GBP", earned=4500)
    assert close(plan(table, DRAW, RETAINER), so_far, memory=memory) == [
        ("retainer", 25_000),  # is not commission: the draw does not look at it
        ("floor", 5500),
        ("draw", 40_000),
    ]


def test_lines_of_a_month_happen_at_its_end() -> None:
    paris = plan(RETAINER, time_zone="Europe/Paris")
    (line,) = month_lines(
        prepare(paris), STANDARD, NOVEMBER, MonthSoFar("GBP"), Memory(zone=ZoneInfo("Europe/Paris"))
    )
    assert line.because["event"] == {"kind": "month", "occurred_at": "2026-11-30T22:59:59.999999+00:00"}
    assert (line.window, line.because["order"]) == ("2026-11", "2026-11")
