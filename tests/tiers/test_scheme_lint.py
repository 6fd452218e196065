"""Each fault is found in a scheme that has it and not in one that has not; the figures are worked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tiers.models import Program
from tiers.narrowing import Names
from tiers.qualify import Rung, read
from tiers.scheme_faults import Around, Finding
from tiers.scheme_lint import lint

PROGRAM = Program(currency="GBP", time_zone="Europe/London")
LADDERS = {"": (Rung("basic", 1, "Basic"), Rung("silver", 2, "Silver"), Rung("gold", 3, "Gold"))}
REVIEW = datetime(2026, 6, 14, 23, tzinfo=UTC)  # 15 June begins in London


def revenue(threshold: Any, **more: Any) -> dict[str, Any]:
    return {
        "key": "revenue",
        "metric": "net_revenue",
        "window": "trailing",
        "months": 12,
        "threshold": threshold,
        **more,
    }


def staff(threshold: Any, **more: Any) -> dict[str, Any]:
    return {"key": "staff", "metric": "certified_ratio", "threshold": threshold, **more}


def scheme(silver: Any = None, gold: Any = None, **rest: Any) -> dict[str, Any]:
    asks = {"silver": silver or [revenue(1_000_000)], "gold": gold or [revenue(5_000_000)]}
    told = {tier: ask if isinstance(ask, dict) else {"requirements": ask} for tier, ask in asks.items()}
    usual = {"calendar": {"promotion": {"every": "month"}, "demotion": {"every": "year"}}}
    return {"tiers": told, **usual, **rest}


def found(stored: dict[str, Any], **known: Any) -> list[Finding]:
    around = Around(PROGRAM, LADDERS, Names(PROGRAM), "en_GB", **known)
    return lint(read(stored), around)


def only(stored: dict[str, Any], **known: Any) -> tuple[str, str, str]:
    (finding,) = found(stored, **known)
    return finding.severity, finding.code, finding.where


def test_a_plain_scheme_has_nothing_worth_a_look() -> None:
    gold = {
        "combine": "weights",
        "needed": 30,
        "requirements": [revenue(5_000_000, weight=30), staff(100, weight=20)],
    }
    assert found(scheme(gold=gold)) == []
    assert found(scheme(silver=[staff(80)], gold=[staff(80), revenue(1)])) == []


@pytest.mark.parametrize(
    ("requirement", "code", "where"),
    [
        (staff(101), "never_met", "tiers/silver/staff/threshold"),
        (staff(-1, operator="at_most"), "never_met", "tiers/silver/staff/threshold"),
        (staff(0), "always_met", "tiers/silver/staff/threshold"),
        (staff(100, operator="at_most"), "always_met", "tiers/silver/staff/threshold"),
        (revenue(0), "always_met", "tiers/silver/revenue/threshold"),
        (revenue(-5), "always_met", "tiers/silver/revenue/threshold"),
        (staff(80, params={"role": ["wizard"]}), "unknown_value", "tiers/silver/staff/params/role"),
        (staff(80, params={"country": ["Atlantis"]}), "unknown_value", "tiers/silver/staff/params/country"),
    ],
)
def test_what_nobody_or_everybody_meets_is_an_error(
    requirement: dict[str, Any], code: str, where: str
) -> None:
    assert only(scheme(silver=[requirement])) == ("error", code, where)


def test_the_words_say_what_is_wrong_and_for_whom() -> None:
    (never,) = found(scheme(silver=[staff(101)]))
    assert never.message == "“At least 101% of your staff certified” can never be met: it is 100% at most."
    assert (never.tier, never.requirement) == ("silver", "staff")
    (less,) = found(scheme(silver=[revenue(6_000_000)]))
    assert less.message == (
        "Gold asks for less than Silver below it: “Net revenue of at least £50,000.00 in the last 12 months”,"
        " “Net revenue of at least £60,000.00 in the last 12 months”."
    )


def test_a_metric_nobody_reads_is_an_error() -> None:
    assert found(scheme(), readable={"net_revenue"}) == []
    assert only(scheme(gold=[staff(80)]), readable={"net_revenue"}) == (
        "error",
        "nobody_reads",
        "tiers/gold/staff/metric",
    )


def test_thresholds_never_fall_with_the_rank_and_ceilings_never_rise() -> None:
    assert only(scheme(silver=[revenue(5_000_001)]))[1:] == ("out_of_order", "tiers/gold/revenue/threshold")
    assert found(scheme(silver=[revenue(5_000_000)])) == []
    other_window = [revenue(5_000_001, months=3)]
    assert found(scheme(silver=other_window)) == []  # another figure: nobody can say which is less
    either = {"combine": "any", "requirements": [revenue(5_000_001), staff(80)]}
    assert found(scheme(silver=either)) == []  # Silver may be reached without that revenue
    ceiling = {"operator": "at_most"}
    orders = [revenue(100, key="r", **ceiling)], [revenue(101, key="r", **ceiling)]
    assert only(scheme(silver=orders[0], gold=orders[1]))[1] == "out_of_order"


def test_a_floor_above_a_ceiling_on_the_way_up_can_never_be_reached() -> None:
    silver = [revenue(1_000), revenue(4_999_999, key="most", operator="at_most")]
    assert only(scheme(silver=silver)) == ("error", "excluded", "tiers/gold/revenue/threshold")
    assert found(scheme(silver=[silver[0], {**silver[1], "threshold": 5_000_000}])) == []


def test_weights_have_to_come_to_what_is_needed() -> None:
    pair = [revenue(5_000_000, weight=30), staff(80, weight=20)]
    asks = [{"combine": "weights", "needed": needed, "requirements": pair} for needed in (50, 51, 0)]
    assert found(scheme(gold=asks[0])) == []
    assert only(scheme(gold=asks[1])) == ("error", "weights_unreachable", "tiers/gold/needed")
    assert only(scheme(gold=asks[2])) == ("error", "always_met", "tiers/gold/needed")
    lone = {"combine": "weights", "needed": 30, "requirements": [pair[0], staff(80)]}
    assert only(scheme(gold=lone)) == ("warning", "no_weight", "tiers/gold/staff/weight")


def test_only_tiers_in_use_above_the_lowest_ask_and_each_of_them_does() -> None:
    stored = scheme()
    stored["tiers"]["bronze"] = {"requirements": [staff(80)]}
    assert only(stored) == ("error", "unknown_tier", "tiers/bronze")
    stored = scheme()
    stored["tiers"]["basic"] = {"requirements": [staff(80)]}
    assert only(stored) == ("error", "lowest_asks", "tiers/basic")
    stored = scheme()
    stored["tiers"]["gold"] = {}
    assert only(stored) == ("error", "asks_nothing", "tiers/gold")
    assert only(scheme(gold=[staff(80), staff(90, key="again")]))[1] == "asked_twice"


def test_a_window_longer_than_the_data_is_told_with_both_days() -> None:
    begins = datetime(2025, 6, 15, 11, tzinfo=UTC)  # at noon of the window's first day
    assert found(scheme(), at=REVIEW, begins=lambda _question: begins) == []
    late = datetime(2025, 6, 16, 11, tzinfo=UTC)
    findings = found(scheme(), at=REVIEW, begins=lambda _question: late)
    assert [(each.severity, each.code, each.where) for each in findings] == [
        ("error", "window_before_data", f"tiers/{tier}/revenue/months") for tier in ("silver", "gold")
    ]
    assert "counted from 15 Jun 2025 on, but the data begins on 16 Jun 2025" in findings[0].message
    # Who bought again is asked of those who bought in the window before: two quarters before 1 April.
    again = {"key": "again", "metric": "customer_retention", "window": "quarter", "threshold": 50}
    pair = scheme(silver=[again], gold=[{**again, "threshold": 60}])
    for begins, count in ((datetime(2025, 10, 1, tzinfo=UTC), 0), (datetime(2025, 10, 2, tzinfo=UTC), 2)):
        assert (
            len(found(pair, at=datetime(2026, 4, 15, tzinfo=UTC), begins=lambda _q, at=begins: at)) == count
        )
    # Without facts, and without a date to measure at, there is nothing to compare.
    assert found(scheme(), at=REVIEW) == []
    assert found(scheme(), begins=lambda _question: late) == []


def test_points_need_rates_and_rates_points() -> None:
    points = [{"key": "points", "metric": "points", "window": "trailing", "months": 12, "threshold": 500}]
    rate = {"source": "revenue", "points": 5, "per": 10_000}
    assert only(scheme(gold=points)) == ("error", "no_point_rates", "points")
    assert found(scheme(gold=points, points=[rate])) == []
    assert only(scheme(points=[rate])) == ("warning", "rates_without_points", "points")
    nothing = {**rate, "points": 0}
    assert only(scheme(gold=points, points=[nothing])) == ("error", "no_points", "points/1/points")
    wizards = {**rate, "role": "wizard"}
    assert only(scheme(gold=points, points=[wizards])) == ("error", "unknown_value", "points/1/role")
    frozen = {**rate, "multipliers": {"FR": 0}}
    assert only(scheme(gold=points, points=[frozen]))[1] == "odd_multiplier"


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ({"calendar": {}}, "no_reviews"),
        ({"calendar": {"promotion": {"every": "month"}}}, "never_down"),
        ({"process": {"down": "automatic", "grace_days": 0}}, "no_grace"),
        ({"process": {"down": "automatic", "grace_days": 10, "appeal_days": 11}}, "appeal_after_grace"),
    ],
)
def test_a_process_that_may_not_be_meant_is_a_warning(rest: dict[str, Any], code: str) -> None:
    assert only(scheme(**rest))[:2] == ("warning", code)
