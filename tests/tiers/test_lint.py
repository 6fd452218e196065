"""Each thing worth a look is found in a plan that has it and not in one that has not; amounts are worked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from prm.lib.money import Money
from tests.tiers.engine.facts import combined, flat, percent, plan
from tiers.engine import PlanFacts, RuleFacts
from tiers.engine.facts import Group, Limits, Recurring, Step, Window
from tiers.engine.facts import Test as Condition
from tiers.lint import Finding, lint

LADDER = [("gold", "Gold", 2), ("silver", "Silver", 1)]


def found(terms: PlanFacts, *, kinds: Any = ("sale",), tiers: Any = LADDER, **known: Any) -> list[Finding]:
    return lint(terms, tiers=tiers, event_kinds=kinds, currency="GBP", **known)


def codes(terms: PlanFacts, **known: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.code) for finding in found(terms, **known)]


def only(terms: PlanFacts, **known: Any) -> Finding:
    (finding,) = found(terms, **known)
    return finding


def where(*tests: tuple[str, str, str] | Group, join: Any = "all") -> Group:
    return Group(
        join,
        tuple(
            each if isinstance(each, Group) else Condition(each[0], each[1], tuple(each[2].split()))
            for each in tests
        ),
    )


def rule(key: str, rate: str = "0.1", **facts: Any) -> RuleFacts:
    return percent(rate, **{"key": key, "name": key.capitalize(), "position": 9, **facts})


def test_a_plain_plan_has_nothing_worth_a_look() -> None:
    assert codes(plan(rule("base"))) == []
    gold = rule("gold", "0.12", tiers=frozenset({"gold"}))
    assert codes(plan(gold, rule("base", "0.1"))) == []


def test_kinds_of_events_without_a_rule_are_named() -> None:
    terms = plan(rule("base", event_kinds=frozenset({"sale"})))
    finding = only(terms, kinds=("sale", "signup", "refund"))
    assert finding == Finding("warning", "", "no_rule", "No rule is for sign-ups: they may earn nothing.")


def test_a_tier_without_a_rule_is_named() -> None:
    terms = plan(rule("gold", tiers=frozenset({"gold"})))
    finding = only(terms)
    assert finding.code == "no_rule"
    assert finding.message == "No rule is for orders in the Silver tier: they may earn nothing."


def test_a_bonus_alone_covers_no_order() -> None:
    milestone = RuleFacts("m", "M", 1, "milestone", steps=(Step(10, flat=100),), metric="sales")
    retainer = flat("5.00", key="r", kind="retainer")
    assert codes(plan(milestone, retainer)) == [("", "no_rule")]


def test_countries_left_out_are_told_by_an_example() -> None:
    french = rule("french", countries=frozenset({"FR"}))
    spanish = rule("spanish", conditions=where(("country", "in", "ES PT")))
    finding = only(plan(french, spanish))
    assert finding.code == "partly_covered"
    assert finding.message.startswith("Some orders may earn nothing, for example with: ")
    assert "Customer country: another" in finding.message
    others = rule("others", conditions=where(("country", "not_in", "FR ES PT")))
    assert codes(plan(french, spanish, others)) == []


def test_amounts_left_out_are_told_by_an_example() -> None:
    small = rule("small", conditions=where(("amount", "<", "50.00")))
    big = rule("big", "0.12", conditions=where(("amount", ">", "50.00")))
    finding = only(plan(small, big))
    assert (finding.code, "Amount: £50" in finding.message) == ("partly_covered", True)
    assert codes(plan(small, rule("big", "0.12", conditions=where(("amount", ">=", "50.00"))))) == []


@pytest.mark.parametrize(
    "conditions",
    [
        where(("country", "=", "FR"), ("country", "=", "ES")),
        where(("amount", ">", "100"), ("amount", "<", "50")),
        where(("country", "=", "FR"), where(("country", "=", "ES"), ("country", "=", "PT"), join="any")),
        where(("customer_type", "=", "new"), ("customer_age_months", ">", "3")),
        where(("product", "starts_with", "A"), ("product", "=", "Lamp")),
        where(("tag", "=", "top"), ("tag", "!=", "top")),
        where(("date", ">", "2026-05-01"), ("date", "<", "2026-05-01")),
        where(("quantity", ">=", "3"), ("quantity", "in", "1 2")),
        where(("attribute:seats", ">", "5"), ("attribute:seats", "<", "5")),
    ],
)
def test_conditions_that_contradict_each_other_are_found(conditions: Group) -> None:
    terms = plan(rule("odd", conditions=conditions), rule("base"))
    assert codes(terms) == [("odd", "never_met")]


@pytest.mark.parametrize(
    "conditions",
    [
        where(("country", "=", "FR"), ("country", "=", "ES"), join="any"),
        where(("amount", ">", "50"), ("amount", "<", "50.02")),
        where(("product", "contains", "A"), ("product", "ends_with", "B")),
        where(("tag", "=", "top"), ("tag", "=", "new")),
        where(("customer_age_months", ">=", "3"), ("customer_type", "=", "returning")),
        where(("attribute:trial", "=", "yes")),
        where(("attribute:seats", ">=", "5"), ("attribute:seats", "<=", "5")),
        where(("partner", "=", "mem_1"), ("deal", "=", "dea_1"), ("code", "!=", "X")),
        where(("date", "=", "2026-05-01")),
        where(("kind", "=", "renewal")),
    ],
)
def test_conditions_that_can_be_met_are_left_alone(conditions: Group) -> None:
    narrow = rule("narrow", conditions=conditions, position=1)
    assert codes(plan(narrow, rule("base"))) == []


def test_a_rule_behind_a_wider_one_never_gets_a_turn() -> None:
    wide = rule("wide", position=1)
    narrow = rule("narrow", "0.2", countries=frozenset({"FR"}), position=2)
    finding = only(plan(wide, narrow))
    assert (finding.rule, finding.code) == ("narrow", "shadowed")
    assert finding.message == "“Wide” may always come first: this rule may never pay."
    swapped = plan(rule("wide", position=2), rule("narrow", "0.2", countries=frozenset({"FR"}), position=1))
    assert codes(swapped) == []


def test_two_rules_together_can_shadow_a_third() -> None:
    french = rule("french", countries=frozenset({"FR"}), position=1)
    others = rule("others", conditions=where(("country", "!=", "FR")), position=2)
    terms = plan(french, others, rule("last", position=3))
    finding = only(terms)
    assert finding.message == "“French” or “Others” may always come first: this rule may never pay."


def test_a_rule_behind_one_that_ends_has_its_turn() -> None:
    year = rule("year", kind="recurring", recurring=Recurring(12), position=1)
    assert codes(plan(year, rule("after", "0.02", position=2))) == []


def test_the_more_specific_rule_is_tried_first_wherever_it_stands() -> None:
    terms = plan(rule("wide", position=1), rule("gold", "0.2", tiers=frozenset({"gold"}), position=2))
    assert codes(terms) == []


def test_dates_that_are_over_before_the_plan_begins_are_found() -> None:
    old = rule("old", conditions=where(("date", "<", "2026-01-01")))
    assert codes(plan(old, rule("base"))) == [("old", "past_dates")]
    # Midnight in Tokyo on 2 January: the first day is the second.
    known: dict[str, Any] = {
        "effective_at": datetime(2026, 1, 1, 15, tzinfo=UTC),
        "time_zone": "Asia/Tokyo",
    }
    first = rule("first", conditions=where(("date", "<=", "2026-01-01")))
    assert codes(plan(first, rule("base"), **known)) == [("first", "past_dates")]
    assert codes(plan(rule("base"), rule("on", conditions=where(("date", "<=", "2026-01-02"))), **known)) == [
        ("on", "shadowed")
    ]


def test_a_tier_that_does_not_exist_is_an_error() -> None:
    finding, *_ = found(plan(rule("p", tiers=frozenset({"platinum"})), rule("base")))
    assert finding == Finding("error", "p", "unknown_tier", "There is no tier called platinum.")
    asked = plan(rule("p", conditions=where(("tier", "!=", "bronze"))), rule("base", "0.1", position=1))
    assert ("p", "unknown_tier") in codes(asked)


def test_an_empty_list_is_an_error() -> None:
    empty = rule("empty", conditions=Group("all", (Condition("country", "in", ()),)))
    assert codes(plan(empty, rule("base"))) == [("empty", "no_values")]


def test_rules_of_one_family_that_add_up_are_found() -> None:
    base, extra = rule("base", position=1), rule("extra", "0.02", position=2)
    finding = only(plan(base, extra, combine="stack"))
    assert (finding.rule, finding.code) == ("extra", "pays_twice")
    assert finding.message == "It may pay for the same orders as “Base”, and both add up."
    bonus = flat("2.00", key="bonus", position=3)
    assert codes(plan(base, bonus, combine="stack")) == []
    french = rule("french", countries=frozenset({"FR"}))
    others = rule("others", conditions=where(("country", "!=", "FR")))
    assert codes(plan(french, others, combine="stack")) == []


def test_two_retainers_for_one_tier_are_found() -> None:
    one = flat("5.00", key="one", name="One", kind="retainer", tiers=frozenset({"gold"}))
    two = flat("7.00", key="two", kind="retainer")
    silver = flat("7.00", key="three", kind="retainer", tiers=frozenset({"silver"}))
    assert codes(plan(rule("base"), one, two)) == [("two", "pays_twice")]
    assert codes(plan(rule("base"), one, silver)) == []


def test_a_tier_that_earns_less_than_the_one_below_is_found() -> None:
    gold = flat("9.00", key="gold", tiers=frozenset({"gold"}))
    terms = plan(gold, rule("base", "0.1"))
    # 50 earns 5.00 in Silver and 9.00 in Gold; 200 earns 20.00 and 9.00.
    assert only(terms).message == (
        "The Gold tier may earn less than the Silver tier below it: for an order of £200, £9 instead of £20."
    )


def test_a_tier_that_earns_less_only_abroad_is_found() -> None:
    gold = rule("gold", "0.12", tiers=frozenset({"gold"}), countries=frozenset({"GB"}))
    abroad = rule("abroad", "0.05", tiers=frozenset({"gold"}), position=10)
    terms = plan(gold, abroad, rule("base", "0.1"))
    # Outside Britain 50.00 earns 2.50 in Gold and 5.00 in Silver.
    finding = only(terms)
    assert finding.code == "tier_pays_less"
    assert finding.message.endswith("for an order of £50, £2.50 instead of £5.")


def test_a_step_is_part_of_what_a_tier_earns() -> None:
    ladder = (Step(0, Decimal("0.05")), Step(500000, Decimal("0.2")))
    gold = RuleFacts("gold", "Gold", 1, "graduated", steps=ladder, tiers=frozenset({"gold"}))
    # 50.00 earns 2.50 in Gold, 5.00 in Silver.
    assert codes(plan(gold, rule("base", "0.1"))) == [("", "tier_pays_less")]


def test_an_order_that_costs_more_than_it_brings_is_found() -> None:
    terms = plan(rule("one", "0.7"), rule("two", "0.5"), combine="stack")
    assert [finding.code for finding in found(terms)] == ["pays_twice", "pays_more_than_order"]
    # 35.00 + 25.00 for 50.00
    assert found(terms)[1].message == "An order of £50 may earn £60, more than it brings."


def test_a_fixed_amount_above_a_small_order_is_found() -> None:
    assert codes(plan(flat("50.00"))) == []
    assert codes(plan(flat("50.01"))) == [("flat", "flat_above_order"), ("flat", "pays_more_than_order")]
    lead = flat("80.00", event_kinds=frozenset({"qualified_lead"}))
    assert codes(plan(lead, rule("base"))) == []
    assert codes(plan(combined("0.01", "60.00")))[0] == ("base", "flat_above_order")


def test_an_unusual_rate_is_shown_once_more() -> None:
    finding = next(each for each in found(plan(rule("base", "1.5", unusual=True))) if each.rule == "base")
    assert finding.code == "confirmed_rate"
    assert finding.message == "The rate of 150% has been confirmed; please look once more."
    unconfirmed = rule("base", "1")
    object.__setattr__(unconfirmed, "rate", Decimal("-0.1"))
    finding = found(plan(unconfirmed))[0]
    assert (finding.severity, finding.code) == ("error", "unusual_rate")
    assert "\N{MINUS SIGN}10%" in finding.message


def test_steps_are_looked_over() -> None:
    late = RuleFacts("g", "G", 1, "graduated", steps=(Step(100, Decimal("0.1")),))
    assert ("g", "steps_gap") in codes(plan(late))
    falling = RuleFacts("s", "S", 1, "stairstep", steps=(Step(0, flat=200), Step(100, flat=100)))
    assert ("s", "step_pays_less") in codes(plan(falling))
    crossed = RuleFacts("g", "G", 1, "graduated", steps=(Step(0, Decimal("0.1")),))
    object.__setattr__(crossed, "steps", (Step(0, Decimal("0.1")), Step(0, Decimal("0.2"))))
    assert ("g", "steps_overlap") in codes(plan(crossed))


def test_limits_are_looked_over() -> None:
    for_life = rule("base", limits=Limits(budget_max=100000))
    finding = only(plan(for_life))
    assert finding.message == (
        "The budget of £1,000 has no end: once it is used up, this rule pays nothing more."
    )
    by_year = rule("base", limits=Limits(budget_max=100000, budget_window=Window("year")))
    assert codes(plan(by_year)) == []
    assert codes(plan(rule("base", limits=Limits(event_min=500, event_max=400)))) == [
        ("base", "limits_cross")
    ]


def test_codes_without_an_owner_are_named() -> None:
    terms = plan(
        rule("code", "0.2", conditions=where(("code", "in", "spring10 ANA")), position=1), rule("base")
    )
    told = found(terms, codes_without_owner=["SPRING10"])
    assert [(each.rule, each.message) for each in told] == [
        ("", "Nobody owns code SPRING10: orders with it may earn nobody anything."),
        ("code", "It asks for code spring10, which nobody owns."),
    ]


def test_errors_come_first() -> None:
    terms = plan(
        rule("base", position=1),
        rule("second", position=2),
        rule("p", tiers=frozenset({"platinum"}), position=3),
    )
    assert [finding.severity for finding in found(terms)] == ["error", "warning"]


def test_very_many_conditions_are_looked_over_rule_by_rule() -> None:
    rules = [
        rule(
            f"r{number}",
            position=number,
            conditions=where(
                ("product", "=", f"P{number}"),
                ("category", "=", f"C{number}"),
                ("code", "=", f"X{number}"),
                ("link", "=", f"L{number}"),
            ),
        )
        for number in range(12)
    ]
    odd = rule("odd", conditions=where(("product", "=", "A"), ("product", "=", "B")))
    terms = plan(*rules, odd, rule("base", position=99))
    assert [each.rule for each in found(terms) if each.code in ("shadowed", "no_rule")] == []


def test_without_tiers_and_currency_a_plan_can_still_be_looked_over() -> None:
    terms = plan(flat("9.00", event_kinds=frozenset({"sale"})))
    assert lint(terms, tiers=(), event_kinds=()) == []
    assert lint(plan(rule("base", "0.1")), tiers=(), event_kinds={"signup"})[0].code == "no_rule"


def test_a_plan_in_yen_is_tried_with_yen() -> None:
    yen = RuleFacts("flat", "Flat", 1, "flat", flat=Money(60, "JPY"))
    told = lint(plan(yen), tiers=(), event_kinds=("sale",))
    assert [finding.code for finding in told] == ["flat_above_order", "pays_more_than_order"]
    assert "JP¥60" in told[0].message
