"""What a scheme asks differently is told in sentences; two schemes that decide the same differ in nothing."""

from __future__ import annotations

from typing import Any

from tiers.models import Program
from tiers.process_sentences import process_sentences
from tiers.qualify import Rung, Scheme, read
from tiers.qualify import scheme as parts
from tiers.scheme_differences import differences

PROGRAM = Program(currency="GBP", time_zone="Europe/London")
LADDERS = {"": (Rung("basic", 1, "Basic"), Rung("silver", 2, "Silver"), Rung("gold", 3, "Gold"))}


def revenue(threshold: int, **more: Any) -> dict[str, Any]:
    return {
        "key": "r",
        "metric": "net_revenue",
        "window": "trailing",
        "months": 12,
        "threshold": threshold,
        **more,
    }


DEALS = {"key": "d", "metric": "deals_won", "window": "quarter", "threshold": 3}


def scheme(*silver: dict[str, Any], **more: Any) -> Scheme:
    rest = {name: more.pop(name) for name in ("points", "calendar", "process") if name in more}
    return read({"tiers": {"silver": {"requirements": list(silver), **more}}, **rest})


def told(before: Scheme, after: Scheme) -> list[tuple[str, str, str, str]]:
    found = differences(before, after, PROGRAM, LADDERS, "en_GB")
    return [(each.kind, each.tier, each.text, each.before) for each in found]


def test_a_threshold_that_changes_is_one_difference_with_both_sentences() -> None:
    assert told(scheme(revenue(1_000_000)), scheme(revenue(2_000_000))) == [
        (
            "changed",
            "Silver",
            "Net revenue of at least £20,000.00 in the last 12 months",
            "Net revenue of at least £10,000.00 in the last 12 months",
        )
    ]


def test_what_comes_and_goes_is_told_for_its_tier() -> None:
    assert told(scheme(revenue(1_000_000)), scheme(DEALS)) == [
        ("removed", "Silver", "Net revenue of at least £10,000.00 in the last 12 months", ""),
        ("added", "Silver", "At least 3 deals won in the last whole quarter", ""),
    ]


def test_order_alone_and_weights_that_nothing_weighs_are_no_difference() -> None:
    pair = revenue(1_000_000), DEALS
    assert told(scheme(*pair), scheme(*reversed(pair))) == []
    assert told(scheme(*pair), scheme(*({**each, "weight": 7} for each in pair), needed=9)) == []
    assert told(scheme(), Scheme()) == []


def test_how_requirements_go_together_is_a_difference_of_its_own() -> None:
    pair = revenue(1_000_000), DEALS
    assert told(scheme(*pair), scheme(*pair, combine="any")) == [
        ("changed", "Silver", "One requirement is enough.", "All requirements have to be met.")
    ]
    heavy = [{**each, "weight": 5} for each in pair]
    weighed = scheme(*heavy, combine="weights", needed=5)
    assert told(weighed, scheme(*heavy, combine="weights", needed=10)) == [
        ("changed", "Silver", "What is met has to count 10 together.", "What is met has to count 5 together.")
    ]
    assert ("changed", "Silver", "At least 3 deals won in the last whole quarter: counts 5") in [
        each[:3] for each in told(scheme(*pair), weighed)
    ]


def test_points_calendar_and_process_are_compared_by_their_sentences() -> None:
    rate = {"source": "activity", "points": "2", "per": 3, "kind": "webinar"}
    before = scheme(process={"customers_keep_months": 6}, calendar={"demotion": {"every": "anniversary"}})
    after = scheme(
        points=[rate],
        process={"customers_keep_months": None},
        calendar={"promotion": {"every": "year", "month": 4}},
    )
    assert [each[2] for each in told(before, after)] == [
        "2 points for 3 confirmed activities (Webinar)",
        "Rises are reviewed once a year, on day 1 of April.",
        "Whether a tier is kept is not reviewed by itself.",
        "After a move down, customers from before keep earning at the former tier's rates for good.",
    ]
    assert told(after, before)[0][:3] == ("removed", "", "2 points for 3 confirmed activities (Webinar)")


def test_every_setting_of_calendar_and_process_has_a_sentence_of_its_own() -> None:
    said = process_sentences(Scheme(), "en_GB")
    assert set(said) == {"promotion", "demotion", *parts.Process.__slots__}
    for every in parts.PROMOTION_CYCLES:
        assert process_sentences(scheme(calendar={"promotion": {"every": every}}), "en_GB")["promotion"]
    for every in parts.DEMOTION_CYCLES:
        assert process_sentences(scheme(calendar={"demotion": {"every": every}}), "en_GB")["demotion"]
    other = {
        "grace_days": 0, "appeal_days": 1, "answer_days": 1, "up": "automatic", "down": "automatic",
        "fall": "measured", "customers_keep_months": 1, "protected_days": 0,
    }  # fmt: skip
    changed = process_sentences(scheme(process=other), "en_GB")
    assert all(changed[name] != said[name] for name in other)
