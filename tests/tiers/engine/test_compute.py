"""What events earn: tables worked by hand, one block per kind of rate, then conditions, combining and refunds without an original."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal, localcontext

import pytest

from prm.lib.money import MixedCurrencies, Money
from tests.tiers.engine.facts import (
    AT,
    STANDARD,
    amounts,
    combined,
    earned,
    flat,
    percent,
    plan,
    pounds,
    refund,
    rule,
    sale,
    steps,
)
from tiers.engine import Deduction, Event, Memory, PlanFacts, RuleFacts, Standing, compute, explain, prepare
from tiers.engine.facts import Group, Limits
from tiers.engine.facts import Test as Condition
from tiers.engine.memory import Count, Slot


@pytest.mark.parametrize(
    ("amount", "rate", "line"),
    [
        ("100.00", "0.08", "8.00"),
        ("10.37", "0.08", "0.83"),  # 0.8296
        ("0.06", "0.08", None),  # 0.0048 is nothing
        ("0.07", "0.08", "0.01"),  # 0.0056
        ("1.25", "0.10", "0.13"),  # 0.125, a half goes up
        ("5.00", "0.029", "0.15"),  # 0.145
        ("68.00", "0.15", "10.20"),
        ("77183.60", "0.08", "6174.69"),  # 6174.688
        ("100.00", "0", None),
        ("100.00", "1", "100.00"),
        ("0", "0.08", None),
        ("3333333333.33", "0.123456789", "411522630.00"),  # 411522629.9995884…
    ],
)
def test_a_percentage_is_of_the_amount_and_rounded_once(amount: str, rate: str, line: str | None) -> None:
    lines = earned(sale(amount), percent(rate))
    assert amounts(lines) == ([] if line is None else [("base", line)])


@pytest.mark.parametrize(
    ("amount", "kind", "line"),
    [("100.00", "sale", "2.00"), ("0.01", "sale", "2.00"), ("0", "signup", "2.00")],
)
def test_a_flat_amount_is_the_same_for_every_event_it_is_for(amount: str, kind: str, line: str) -> None:
    rule = flat("2.00", event_kinds=frozenset({"sale", "signup"}))
    assert amounts(earned(sale(amount, kind=kind), rule)) == [("flat", line)]


@pytest.mark.parametrize(
    ("amount", "line"),
    [
        ("100.00", "7.00"),
        ("0.09", "2.00"),
        ("0.10", "2.01"),
        ("10.10", "2.51"),
    ],  # 5 % is 5.00, 0.0045, 0.005, 0.505
)
def test_percent_plus_flat_rounds_the_percentage_only(amount: str, line: str) -> None:
    assert amounts(earned(sale(amount), combined("0.05", "2.00"))) == [("base", line)]


def test_a_currency_without_decimals_is_rounded_to_whole_units() -> None:
    event = Event("o", "sale", AT, Money(1050, "JPY"))
    assert compute(event, STANDARD, plan(percent("0.05")))[0].amount == Money(53, "JPY")  # 52.5


def test_deductions_come_off_before_the_rate() -> None:
    event = sale(
        "120.00",
        deductions=(Deduction("tax", pounds("20.00")), Deduction("shipping", pounds("5.50"), "base-1")),
    )
    line = earned(event, percent("0.10"))[0]
    assert line.base == pounds("94.50")
    assert line.amount == pounds("9.45")
    assert line.because["gross"] == 12000
    assert line.because["deductions"] == [
        {"label_code": "tax", "amount": -2000, "rule_ref": ""},
        {"label_code": "shipping", "amount": -550, "rule_ref": "base-1"},
    ]


GOLD_FR = percent("0.12", key="gold-fr", tiers=frozenset({"gold"}), countries=frozenset({"FR", "be"}))
GOLD = percent("0.10", key="gold", position=2, tiers=frozenset({"gold"}))
RENEWALS = percent("0.03", key="renewals", position=3, event_kinds=frozenset({"renewal"}))
ANYBODY = percent("0.08", key="anybody", position=4, event_kinds=frozenset({"sale"}))


@pytest.mark.parametrize(
    ("tier", "kind", "country", "first", "stacked"),
    [
        ("gold", "sale", "FR", "gold-fr", ["gold-fr", "gold", "anybody"]),
        ("gold", "sale", "fr", "gold-fr", ["gold-fr", "gold", "anybody"]),
        ("gold", "sale", "BE", "gold-fr", ["gold-fr", "gold", "anybody"]),
        ("gold", "sale", "GB", "gold", ["gold", "anybody"]),
        ("gold", "sale", "", "gold", ["gold", "anybody"]),
        ("gold", "renewal", "GB", "gold", ["gold", "renewals"]),
        ("standard", "sale", "FR", "anybody", ["anybody"]),
        ("standard", "renewal", "FR", "renewals", ["renewals"]),
        ("standard", "install", "FR", None, []),
        ("GOLD", "install", "FR", None, []),  # tier keys are exact names
    ],
)
def test_conditions_choose_and_the_plan_says_whether_one_or_all(
    tier: str, kind: str, country: str, first: str | None, stacked: list[str]
) -> None:
    rules = (ANYBODY, GOLD, RENEWALS, GOLD_FR)  # given out of order: the position counts
    event, standing = sale("100.00", kind=kind, country=country), Standing(tier)
    chosen = earned(event, *rules, standing=standing)
    assert [line.rule_key for line in chosen] == ([] if first is None else [first])
    assert [line.rule_key for line in earned(event, *rules, standing=standing, combine="stack")] == stacked


def test_stacked_rules_each_make_their_own_rounded_line() -> None:
    lines = earned(
        sale("10.37"),
        percent("0.08"),
        flat("0.50", position=2),
        percent("0.015", key="extra", position=3),
        combine="stack",
    )
    assert amounts(lines) == [("base", "0.83"), ("flat", "0.50"), ("extra", "0.16")]  # 0.8296, 0.50, 0.15555


def test_a_rule_for_any_event_needs_an_amount() -> None:
    signup = sale("0", kind="signup")
    assert earned(signup, flat("5.00")) == ()
    assert amounts(earned(signup, flat("5.00", event_kinds=frozenset({"signup"})))) == [("flat", "5.00")]


def test_a_first_match_of_zero_still_wins() -> None:
    nothing_for_gold = percent("0", key="none", tiers=frozenset({"gold"}))
    rules = (nothing_for_gold, percent("0.08", position=2))
    assert earned(sale("100.00"), *rules, standing=Standing("gold")) == ()
    assert amounts(earned(sale("100.00"), *rules)) == [("base", "8.00")]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (percent("0.08"), "-8.00"),
        (percent("0.08", event_kinds=frozenset({"sale"})), "-8.00"),
        (percent("0.08", event_kinds=frozenset({"refund"})), "-8.00"),
        (percent("0.08", event_kinds=frozenset({"renewal"})), None),
        (flat("2.00", flat_on_refund="kept"), None),
        (flat("2.00", flat_on_refund="pro_rata"), None),  # in proportion to what? the sale is not known
        (combined("0.05", "2.00", flat_on_refund="kept"), "-5.00"),
        (combined("0.05", "2.00", flat_on_refund="pro_rata"), "-5.00"),
    ],
)
def test_a_refund_without_an_original_is_its_own_negative_line(rule: RuleFacts, line: str | None) -> None:
    lines = earned(refund("100.00"), rule)
    assert amounts(lines) == ([] if line is None else [(rule.key, line)])
    assert [item.base for item in lines] == ([] if line is None else [-pounds("100.00")])


def test_a_refund_of_a_renewal_follows_the_rule_for_renewals() -> None:
    rules = (RENEWALS, ANYBODY)
    assert amounts(earned(refund("100.00", refunds_kind="renewal"), *rules)) == [("renewals", "-3.00")]
    assert amounts(earned(refund("100.00"), *rules)) == [("anybody", "-8.00")]


def test_a_refund_rounds_as_its_sale_did() -> None:
    for amount in ("1.25", "10.37", "0.07", "5.00"):
        given, taken = earned(sale(amount), percent("0.10")), earned(refund(amount), percent("0.10"))
        assert [-line.amount for line in taken] == [line.amount for line in given]


def test_a_flat_amount_in_another_currency_is_refused() -> None:
    with pytest.raises(MixedCurrencies):
        compute(Event("o", "sale", AT, Money(100, "EUR")), STANDARD, plan(flat("2.00")))


def test_a_prepared_plan_rates_like_a_fresh_one_for_any_number_of_situations() -> None:
    rater, rules = prepare(plan(GOLD_FR, ANYBODY)), plan(GOLD_FR, ANYBODY)
    for number in range(5000):  # more countries than it remembers
        event = sale("10.00", country=f"C{number}")
        assert rater(event, STANDARD) == compute(event, STANDARD, rules)


def test_the_caller_s_decimal_context_changes_nothing() -> None:
    event, rules = sale("77183.61"), (combined("0.123456", "2.00"),)
    expected = earned(event, *rules)
    with localcontext(prec=2):
        assert earned(event, *rules) == expected


@pytest.mark.parametrize(
    "broken",
    [
        lambda: percent("1.01"),
        lambda: percent("-0.01"),
        lambda: percent("NaN"),
        lambda: replace(percent("0.1"), rate=0.1),  # type: ignore[arg-type]
        lambda: replace(percent("0.1"), kind="graduated"),  # type: ignore[arg-type]
        lambda: replace(percent("0.1"), flat_on_refund="perhaps"),  # type: ignore[arg-type]
        lambda: replace(percent("0.1"), kind="flat"),
        lambda: flat("-2.00"),
        lambda: plan(combine="best"),
        lambda: sale("-1.00"),
        lambda: sale("1.00", occurred_at=datetime(2026, 1, 1)),
        lambda: sale("1.00", deductions=(Deduction("tax", pounds("1.01")),)),
    ],
)
def test_senseless_facts_are_refused_when_they_are_made(broken: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        broken()  # type: ignore[operator]


def test_explain_answers_when_nothing_is_earned() -> None:
    rules: PlanFacts = plan(GOLD, percent("0", key="zero", position=5))
    none = explain(sale("100.00", kind="install"), STANDARD, plan(GOLD))
    assert (none["outcome"], none["amount"], none["lines"], none["applied"]) == ("no_rule_applies", 0, [], [])
    assert none["checked_not_applied"] == [
        {
            "rule": {"key": "gold", "name": "Base"},
            "why": {"code": "other_tier", "wanted": ["gold"], "found": "standard"},
        }
    ]
    zero = explain(sale("100.00"), STANDARD, rules)
    assert (zero["outcome"], zero["applied"]) == ("nothing_due", [{"key": "zero", "name": "Base"}])
    some = explain(sale("100.00"), Standing("gold"), rules)
    assert (some["outcome"], some["amount"], len(some["lines"])) == ("lines", 1000, 1)
    assert Decimal(some["lines"][0]["rate"]) == Decimal("0.10")


def test_explain_says_what_stood_in_the_way() -> None:
    rules = plan(percent("0.08", limits=Limits(window_max=0)), excluded_products=frozenset({"POST"}))
    over = explain(sale("100.00"), STANDARD, rules)
    assert (over["outcome"], over["amount"], over["lines"][0]["cap"]["over"]) == ("over_cap", 0, 800)
    post = explain(sale("100.00", product="POST"), STANDARD, rules)
    assert (post["outcome"], post["lines"], post["applied"]) == ("excluded_product", [], [])
    gifts = plan(percent("0.08"), excluded_categories=frozenset({"gifts"}))
    assert explain(sale("1.00", category="gifts"), STANDARD, gifts)["outcome"] == "excluded_category"
    counting = plan(rule("milestone", steps=steps((500_000, "0", 100))))
    assert explain(sale("100.00"), STANDARD, counting)["outcome"] == "nothing_due"


def test_explain_starts_from_what_is_remembered() -> None:
    rules = plan(rule("graduated", steps=steps((0, "0.05"), (100_000, "0.10"))))
    memory = Memory(slots={Slot("graduated", 7, "2026-11"): Count(100_000, 5000)})
    assert explain(sale("100.00"), STANDARD, rules, memory)["amount"] == 1000
    assert explain(sale("100.00"), STANDARD, rules)["amount"] == 500


def test_conditions_in_groups_are_asked_of_each_event() -> None:
    big = percent("0.10", key="big", conditions=Group("all", (Condition("amount", ">=", ("100.00",)),)))
    rater = prepare(plan(big, percent("0.05", position=2)))
    rules = [rater(sale(amount), STANDARD)[0].rule_key for amount in ("100.00", "99.99", "100.00")]
    assert rules == ["big", "base", "big"]


def test_rules_for_a_deal_come_before_rules_for_a_tier_and_those_before_rules_for_all() -> None:
    deal = percent(
        "0.20", key="deal", position=9, conditions=Group("all", (Condition("deal", "=", ("d-1",)),))
    )
    gold = percent("0.10", key="gold", position=5, tiers=frozenset({"gold"}))
    lines = [
        earned(sale("1.00", deal=which), percent("0.05"), gold, deal, standing=Standing(tier))[0].rule_key
        for which, tier in (("d-1", "gold"), ("", "gold"), ("", "standard"))
    ]
    assert lines == ["deal", "gold", "base"]


def test_many_countries_do_not_fill_the_memory() -> None:
    rater = prepare(plan(percent("0.08", countries=frozenset({"C5000"}))))
    found = [len(rater(sale("1.00", country=f"C{number}"), STANDARD)) for number in range(5001)]
    assert (sum(found), found[5000]) == (1, 1)
