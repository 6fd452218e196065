"""Examples say what a plan must earn, and the engine says what it does earn; amounts are worked out beside each line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from prm.lib.money import Money
from tests.factories.tiers import (
    PlanCaseFactory,
    PlanFactory,
    PlanVersionFactory,
    ProgramFactory,
    RuleFactory,
    TierFactory,
)
from tiers import cases, trial
from tiers.models import PlanVersion

pytestmark = pytest.mark.django_db

STEPS = [{"from": 0, "rate": "5"}, {"from": 10_000_00, "rate": "7.5"}, {"from": 50_000_00, "rate": "10"}]


def version_with(**rule: Any) -> PlanVersion:
    program = ProgramFactory.create(partnership_type="agency")
    TierFactory.create(program=program, key="gold", name="Gold")
    version = PlanVersionFactory.create(plan=PlanFactory.create(program=program), number=1)
    RuleFactory.create(version=version, key="rule", **rule)
    return version


def earned(version: PlanVersion, **facts: Any) -> int:
    return int(cases.explain_case(version, facts)["amount"])


def only_when(attribute: str, operator: str, *values: str) -> dict[str, Any]:
    return {"tests": [{"attribute": attribute, "operator": operator, "values": list(values)}]}


def test_examples_come_in_the_order_of_their_names_and_say_what_they_came_to() -> None:
    version = version_with(rate=Decimal(8))
    PlanCaseFactory.create(version=version, name="B: wrong", facts={"amount": "50.00"}, expected_minor=3_00)
    PlanCaseFactory.create(version=version, name="A: right", facts={"amount": "100.00"}, expected_minor=8_00)
    PlanCaseFactory.create(version=version, name="C: mad", facts={"amount": "1.005"}, expected_minor=8)
    right, wrong, mad = cases.run_cases(version)
    assert (right.name, right.got, right.passes) == ("A: right", Money(8_00, "GBP"), True)
    assert right.because is not None and right.because["lines"][0]["rate"] == "0.08"
    assert (wrong.got, wrong.expected, wrong.passes) == (Money(4_00, "GBP"), Money(3_00, "GBP"), False)
    assert (mad.got, mad.because, mad.passes) == (None, None, False)
    assert mad.problem.startswith("amount: ")


# Graduated by quarter: 5 % of the first 10,000, 7.5 % up to 50,000, 10 % above.
@pytest.mark.parametrize(
    ("before", "amount", "pence"),
    [
        (None, "1000.00", 50_00),
        ("9500.00", "1000.00", 25_00 + 37_50),  # 500 at 5 % and 500 at 7.5 %
        ({"revenue": "10000.00"}, "1000.00", 75_00),
        (
            "49999.99",
            "0.02",
            0,
        ),  # a penny at 7.5 % and one at 10 %: from 3,499.99925 to 3,500.001, the same when rounded
        ("9500.00", "60000.00", 25_00 + 3_000_00 + 1_950_00),  # 500, 40,000 and 19,500
    ],
)
def test_graduated_steps_are_proven_with_what_was_counted_before(
    before: object, amount: str, pence: int
) -> None:
    version = version_with(kind="graduated", rate=0, params={"steps": STEPS, "window": {"kind": "quarter"}})
    assert earned(version, amount=amount, before=before) == pence


def test_what_was_counted_before_is_not_trued_up() -> None:
    version = version_with(kind="volume", rate=0, params={"steps": STEPS})
    because = cases.explain_case(version, {"amount": "1000.00", "before": "5000.00"})
    assert [line["amount"] for line in because["lines"]] == [50_00]
    # 9,500 at 5 % were 475; 10,500 at 7.5 % are 787.50: the order and the true-up come to 312.50.
    assert earned(version, amount="1000.00", before="9500.00") == 312_50


def test_a_prospective_rate_looks_at_what_the_partner_brought() -> None:
    params = {"steps": [{"from": 0, "rate": "5"}, {"from": 10, "rate": "6"}], "metric": "sales"}
    version = version_with(kind="prospective", rate=0, params=params)
    assert earned(version, amount="100.00", before={"sales": 9}) == 5_00
    assert earned(version, amount="100.00", before={"sales": 10}) == 6_00


def test_a_milestone_pays_at_the_event_that_reaches_it() -> None:
    params = {"steps": [{"from": 3, "flat": 100_00}], "metric": "new_customers", "window": {"kind": "year"}}
    version = version_with(kind="milestone", rate=0, params=params)
    third = {"amount": "10.00", "customer_type": "new", "before": {"new_customers": 2}}
    assert earned(version, **third) == 100_00
    assert earned(version, **{**third, "before": {"new_customers": 3}}) == 0
    assert earned(version, **{**third, "customer_type": "returning"}) == 0


@pytest.mark.parametrize(
    ("facts", "pence"),
    [
        ({"customer_since": "2026-01-31", "occurred_on": "2026-03-30"}, 10_00),  # month 2 of 2
        ({"customer_since": "2026-01-31", "occurred_on": "2026-03-31"}, 0),  # two whole months have passed
        ({"customer_type": "new", "occurred_on": "2026-03-31"}, 10_00),
        ({"customer_type": "returning", "occurred_on": "2026-03-31"}, 10_00),
    ],
)
def test_recurring_commission_counts_from_the_first_sale(facts: dict[str, Any], pence: int) -> None:
    version = version_with(kind="recurring", rate=10, params={"recurring": {"months": 2}})
    assert earned(version, amount="100.00", **facts) == pence


def test_recurring_commission_counts_payments() -> None:
    version = version_with(kind="recurring", rate=10, params={"recurring": {"payments": 3}})
    facts = {"amount": "100.00", "customer_since": "2026-01-31", "occurred_on": "2026-02-10"}
    assert [earned(version, **facts, payments=paid) for paid in (1, 2, 3)] == [10_00, 10_00, 0]


def test_a_value_for_life_counts_what_the_customer_spent_before() -> None:
    version = version_with(kind="lifetime_value", rate=0, params={"steps": [{"from": 500_00, "flat": 30_00}]})
    facts = {"customer_since": "2026-01-31", "occurred_on": "2026-02-10", "amount": "100.00"}
    assert earned(version, **facts, before="399.99") == 0
    assert earned(version, **facts, before="400.00") == 30_00
    assert earned(version, **facts, before="500.00") == 0


# A condition, facts that meet it, and facts that do not.
@pytest.mark.parametrize(
    ("condition", "met", "missed"),
    [
        (only_when("product", "=", "PEN"), {"product": "pen"}, {"product": "CUP"}),
        (only_when("category", "starts_with", "off"), {"category": "office"}, {"category": "home"}),
        (only_when("quantity", ">=", "3"), {"quantity": 3}, {"quantity": 2}),
        (only_when("customer_type", "=", "new"), {"customer_type": "new"}, {"customer_type": "returning"}),
        (only_when("code", "=", "ANA10"), {"code": "ANA10"}, {}),
        (only_when("link", "=", "home"), {"link": "home"}, {}),
        (only_when("sub_id", "=", "s1"), {"sub_id": "s1"}, {}),
        (only_when("deal", "=", "D-1"), {"deal": "D-1"}, {}),
        (only_when("partner", "=", "mem_1"), {"partner": "mem_1"}, {"partner": "mem_2"}),
        (only_when("partner_country", "=", "FR"), {"partner_country": "FR"}, {"partner_country": "DE"}),
        (only_when("country", "in", "FR", "BE"), {"country": "be"}, {"country": "DE"}),
        (
            only_when("partnership_type", "=", "agency"),
            {},
            {"partnership_type": "affiliate"},
        ),  # else the program's
        (only_when("tag", "=", "vip"), {"tags": ["vip", "new"]}, {"tags": []}),
        (only_when("tier", "=", "gold"), {"tier": "gold"}, {}),
        (only_when("attribute:season", "=", "spring"), {"attributes": {"season": "spring"}}, {}),
        (only_when("date", ">=", "2026-03-01"), {"occurred_on": "2026-03-01"}, {"occurred_on": "2026-02-28"}),
        (only_when("amount", ">", "99.99"), {"amount": "100.00"}, {"amount": "99.99"}),
        (only_when("kind", "=", "renewal"), {"kind": "renewal"}, {"kind": "sale"}),
    ],
)
def test_every_fact_reaches_the_conditions(
    condition: dict[str, Any], met: dict[str, Any], missed: dict[str, Any]
) -> None:
    version = version_with(rate=10, conditions=condition)
    assert earned(version, **{"amount": "100.00", **met}) == 10_00
    assert earned(version, **{"amount": "100.00", **missed}) == 0


def test_deductions_lower_the_base_and_assists_have_their_own_rules() -> None:
    version = version_with(rate=10)
    taken = {
        "tax": "20.00",
        "cost": "50.00",
    }  # a margin is a choice of the plan, and this one takes off tax only
    assert earned(version, amount="120.00", deductions=taken) == 10_00
    RuleFactory.create(version=version, key="assist", kind="participation", rate=0, flat_minor=5_00)
    assert earned(version, amount="120.00", role="assisted") == 5_00


def test_a_refund_without_its_sale_takes_what_a_sale_gives() -> None:
    assert earned(version_with(rate=8), kind="refund", amount="100.00") == -8_00


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"colour": "red"}, "colour: this is not known here"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "ten"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"currency": "EUR"}, "currency: the program's currency is GBP"),
        ({"occurred_on": "22.11.2026"}, "occurred_on: “22.11.2026” is not a day"),
        ({"tier": "tin"}, "tier: there is no tier “tin”"),
        ({"kind": "picnic"}, "kind: “picnic” is not one of"),
        ({"quantity": "-1"}, "quantity: “-1” is not a whole number"),
        ({"quantity": True}, "quantity"),
        ({"quantity": "٣"}, "quantity"),
        ({"customer_type": "old"}, "customer_type"),
        ({"role": "cook"}, "role"),
        ({"product": 7}, "product: this must be a text"),
        ({"tags": "vip"}, "tags: this must be a list"),
        ({"attributes": {"weight": 1.5}}, "attributes.weight"),
        ({"deductions": {"lunch": "1.00"}}, "deductions: “lunch”"),
        ({"deductions": {"tax": "101.00"}, "amount": "100.00"}, "Deductions must not exceed"),
        ({"before": {"likes": 3}}, "before: “likes”"),
        ({"before": "many"}, "before.revenue"),
        (["sale"], "facts: this must be an object"),
    ],
)
def test_facts_that_make_no_sense_are_named(facts: Any, words: str) -> None:
    result = cases.run(version_with(), "Example", facts, Money(0, "GBP"))
    assert words in result.problem
    assert not result.passes


def test_an_order_is_tried_without_a_word_about_its_circumstances() -> None:
    version = version_with(rate=8)
    at = datetime(2026, 6, 1, tzinfo=UTC)
    because = trial.try_order(
        trial.facts_for(version, at=at), tier=None, kind="sale", amount=Money(100_00, "GBP"), at=at
    )
    assert because["amount"] == 8_00
