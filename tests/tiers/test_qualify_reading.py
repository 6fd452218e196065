"""What is stored is read strictly: whatever makes no sense is refused with the place it stands at."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tiers.qualify import BadScheme, Question, Scheme, Window, dump, evaluate, read
from tiers.qualify.evaluate import Rung
from tiers.qualify.reading import MOST_REQUIREMENTS

REVENUE = {"key": "r", "metric": "net_revenue", "window": "trailing", "months": 12, "threshold": 100}


def asking(**changes: Any) -> dict[str, Any]:
    row = {name: value for name, value in {**REVENUE, **changes}.items() if value is not None}
    return {"tiers": {"gold": {"requirements": [row]}}}


@pytest.mark.parametrize(
    ("stored", "where"),
    [
        ([], "scheme"),
        ({"tiers": []}, "tiers"),
        ({"tiers": {"gold": {"requirements": {}}}}, "tiers/gold/requirements"),
        ({"tiers": {"gold": {"combine": "some"}}}, "tiers/gold/combine"),
        ({"tiers": {"gold": {"needed": -1}}}, "tiers/gold/needed"),
        ({"tiers": {"gold": {"requirements": [REVENUE, REVENUE]}}}, "tiers/gold"),
        (
            {"tiers": {"gold": {"requirements": [{**REVENUE, "key": str(at)} for at in range(MOST_REQUIREMENTS + 1)]}}},
            "tiers/gold",
        ),
        (asking(metric="love"), "tiers/gold/1/metric"),
        (asking(window="now", months=None), "tiers/gold/1/window"),
        (asking(metric="certified_ratio"), "tiers/gold/1/window"),
        (asking(months=0), "tiers/gold/1/months"),
        (asking(months=61), "tiers/gold/1/months"),
        (asking(window="quarter", months=1), "tiers/gold/1/months"),
        (asking(threshold="12,5"), "tiers/gold/1/threshold"),
        (asking(threshold=12.5), "tiers/gold/1/threshold"),
        (asking(threshold=True), "tiers/gold/1/threshold"),
        (asking(threshold="1/0"), "tiers/gold/1/threshold"),
        (asking(threshold=10**15 + 1), "tiers/gold/1/threshold"),
        (asking(operator="about"), "tiers/gold/1/operator"),
        (asking(weight=1001), "tiers/gold/1/weight"),
        (asking(key="a/b"), "tiers/gold/1/key"),
        (asking(params={"role": ["sales"]}), "tiers/gold/1/params/role"),
        (asking(metric="activities", params={"kind": ["a+b"]}), "tiers/gold/1/params/kind"),
        ({"points": [{"source": "luck", "points": 1}]}, "points/1/source"),
        ({"points": [{"source": "sale", "points": 1, "per": 0}]}, "points/1/per"),
        ({"points": [{"source": "sale", "points": 1, "multipliers": {"FR": "x"}}]}, "points/1/multipliers/FR"),
        ({"calendar": {"promotion": {"every": "anniversary"}}}, "calendar/promotion/every"),
        ({"calendar": {"demotion": {"every": "month"}}}, "calendar/demotion/every"),
        ({"calendar": {"demotion": {"every": "year", "day": 29}}}, "calendar/demotion/day"),
        ({"process": {"grace_days": 731}}, "process/grace_days"),
        ({"process": {"up": "dice"}}, "process/up"),
        ({"process": {"customers_keep_months": 121}}, "process/customers_keep_months"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_its_place(stored: Any, where: str) -> None:
    with pytest.raises(BadScheme) as refusal:
        read(stored)
    assert refusal.value.where == where


def test_nothing_stored_asks_for_nothing() -> None:
    assert read({}) == Scheme() == read(dump(Scheme()))
    assert read({"process": {"customers_keep_months": None}}).process.customers_keep_months is None


def test_requirements_that_ask_the_same_share_one_figure() -> None:
    kinds = {"metric": "activities", "window": "year", "months": None, "threshold": "5/2"}
    one = read(asking(**kinds, params={"kind": ["webinar", "event", "webinar"]}))
    other = read(asking(**kinds, params={"kind": ["event", "webinar"]}))
    (question,) = one.questions()
    assert question == Question("activities", Window("year"), (("kind", ("event", "webinar")),))
    assert question.key == "activities/year:0/kind=event+webinar"
    assert one.questions() == other.questions()
    assert one.asks["gold"].requirements[0].threshold == Fraction(5, 2)


def test_a_tier_off_the_ladder_cannot_be_evaluated() -> None:
    with pytest.raises(ValueError, match="'gold' is no tier of this ladder"):
        evaluate(Scheme(), [Rung("silver", 1)], {}, current="gold")
