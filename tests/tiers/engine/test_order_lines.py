"""An order of several products: each rule earns on the lines it is about, and the parts of an order always add up to it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.money import Money
from tests.tiers.engine.facts import STANDARD, flat, percent, plan, pounds, refund, rule, sale, steps
from tiers.engine import Event, Original, OriginalLine, compute, order_lines
from tiers.engine.compute import Rater, explain
from tiers.engine.facts import Deduction, OrderLine
from tiers.engine.fold import for_recruiter
from tiers.engine.rule_parts import Group
from tiers.engine.rule_parts import Test as Asks

MUGS = Group("all", (Asks("category", "=", ("mugs",)),))
LARGE = Group("all", (Asks("amount", ">=", ("100",)),))


def line(amount: str, product: str = "", category: str = "", quantity: int = 1) -> OrderLine:
    return OrderLine(pounds(amount), product, category, quantity)


# Two mugs at 20.00, tea for 30.00, 5.00 for sending it: 95.00 in all.
ORDER = sale("95.00", lines=(line("40.00", "M1", "mugs", 2), line("50.00", "T1", "tea")))


def amounts(*rules: object, event: Event = ORDER, **facts: object) -> dict[str, int]:
    made = compute(event, STANDARD, plan(*rules, **facts))  # type: ignore[arg-type]
    return {each.rule_key: each.amount.minor for each in made}


def test_each_product_earns_by_the_first_rule_that_is_about_it_and_the_rest_by_the_others() -> None:
    mugs = percent("0.20", key="mugs", conditions=MUGS)
    # 20 % of 40.00; 10 % of 50.00 and of the 5.00 besides.
    assert amounts(mugs, percent("0.10", position=2)) == {"mugs": 800, "base": 550}


def test_rules_that_add_up_each_earn_on_all_they_are_about() -> None:
    mugs = percent("0.20", key="mugs", conditions=MUGS)
    assert amounts(mugs, percent("0.10", position=2), combine="stack") == {"mugs": 800, "base": 950}


def test_a_flat_amount_is_for_the_order_and_a_piece_is_one_of_the_lines_it_is_about() -> None:
    pieces = rule("per_unit", flat=pounds("1.50"), conditions=MUGS)
    assert amounts(pieces, flat("4.00", position=2), combine="stack") == {"per_unit": 300, "flat": 400}


def test_what_is_asked_of_the_amount_is_asked_of_the_whole_order() -> None:
    large = percent("0.20", key="large", conditions=LARGE)
    assert amounts(large) == {}
    assert amounts(large, event=replace(ORDER, amount=pounds("100.00"))) == {"large": 2000}


def test_products_a_plan_excludes_leave_what_is_besides_them() -> None:
    assert amounts(percent("0.10"), excluded_categories=frozenset({"mugs"})) == {"base": 550}
    only = replace(ORDER, amount=pounds("45.00"), lines=ORDER.lines[:1])
    assert amounts(percent("0.10"), event=only, excluded_categories=frozenset({"Mugs"})) == {}


def test_shipping_comes_off_what_is_besides_the_products_and_tax_off_every_line() -> None:
    # Tax 18.00 is spread over 40.00 and 50.00 as 8.00 and 10.00: nothing is left of the 5.00 for sending.
    taken = (Deduction("tax", pounds("18.00")), Deduction("shipping", pounds("5.00")))
    order = replace(ORDER, deductions=taken)
    mugs = percent("0.20", key="mugs", conditions=MUGS)
    # 20 % of 32.00; 10 % of 40.00.
    assert amounts(mugs, percent("0.10", position=2), event=order) == {"mugs": 640, "base": 400}


def test_a_step_table_counts_only_what_its_rule_is_about() -> None:
    table = rule("graduated", steps=steps((0, "0.10"), (30_00, "0.20")), conditions=MUGS)
    # 10 % of the first 30.00 of the mugs, 20 % of the other 10.00.
    assert amounts(table) == {"graduated": 500}


def test_an_order_counts_once_however_many_products_it_has() -> None:
    rater = Rater(plan(rule("stairstep", metric="sales", steps=steps((1, "0", 700), (2, "0", 900)))))
    memory = rater.memory(STANDARD)
    assert [each.amount.minor for each in rater(ORDER, STANDARD, memory)] == [700]


def test_a_refund_takes_each_line_back_at_its_own_ratio() -> None:
    mugs = percent("0.20", key="mugs", conditions=MUGS)
    version = plan(mugs, percent("0.10", position=2))
    booked = compute(ORDER, STANDARD, version)
    original = Original(
        "order-1", ORDER.amount, pounds("0.00"), tuple(OriginalLine(each.rule_key, each) for each in booked)
    )
    # 47.50 of 95.00 is half.
    back = compute(refund("47.50", original=original), STANDARD, version)
    assert {each.rule_key: each.amount.minor for each in back} == {"mugs": -400, "base": -275}


def test_who_recruited_the_partner_earns_on_all_that_earned() -> None:
    mugs = percent("0.20", key="mugs", conditions=MUGS)
    lines = compute(ORDER, STANDARD, plan(mugs, percent("0.10", position=2)))
    seen = for_recruiter(ORDER, lines)
    assert seen is not None and seen.recruit_amount == pounds("13.50") and seen.amount == pounds("95.00")


def test_the_explanation_names_the_products_a_line_is_for() -> None:
    told = explain(ORDER, STANDARD, plan(percent("0.20", key="mugs", conditions=MUGS)))
    (only,) = told["lines"]
    assert only["lines"] == [{"product": "M1", "category": "mugs", "quantity": 2, "amount": 4000}]
    assert (only["gross"], only["base"], only["amount"]) == (4000, 4000, 800)


def test_lines_above_the_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must not exceed its amount"):
        sale("10.00", lines=(line("10.01"),))


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=6),
    st.integers(0, 300),
    st.lists(st.integers(0, 1000), min_size=4, max_size=4),
    st.booleans(),
)
def test_parts_add_up_to_their_order_and_never_to_less_than_nothing(
    sizes: list[int], rest: int, shares: list[int], has_cost: bool
) -> None:
    amount = sum(sizes) + rest
    left, taken = amount, []
    for label, share in zip(("tax", "shipping", "discount"), shares, strict=False):
        minor = left * share // 1000
        left -= minor
        taken.append(Deduction(label, Money(minor, "GBP")))
    if has_cost:
        taken.append(Deduction("cost", Money(amount * shares[3] // 300, "GBP")))
    lines = tuple(OrderLine(Money(size, "GBP"), f"P{place}") for place, size in enumerate(sizes))
    order = sale(str(Decimal(amount) / 100), lines=lines, deductions=tuple(taken))
    parts = order_lines.parts_of(order_lines.with_rest(order))
    whole = order_lines.together(parts)
    assert whole.amount == order.amount
    sums = {each.label_code: each.amount.minor for each in whole.deductions if each.amount}
    assert sums == {each.label_code: each.amount.minor for each in taken if each.amount}
    for part in parts:
        off = sum(each.amount.minor for each in part.deductions if each.label_code != "cost")
        assert 0 <= off <= part.amount.minor
