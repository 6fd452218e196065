"""Rates on one event, with what they look up and what limits them: tables worked by hand, and that no order of events breaks a cap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.money import Money
from prm.lib.periods import Month
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
    whats,
)
from tiers.engine import Event, Memory, Original, RuleFacts, Standing, compute, prepare, restore
from tiers.engine.facts import Deduction, Limits, Line, Recurring, Window


def on(month: int, day: int = 2, year: int = 2026) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def told(line: Line, *keys: str) -> dict[str, Any]:
    return {key: line.because[key] for key in keys}


@pytest.mark.parametrize(
    ("deducts", "base"),
    [
        ({"tax", "shipping", "discount", "cost"}, "50.00"),
        ({"tax"}, "100.00"),
        (set(), "120.00"),
        ({"cost"}, "80.00"),
    ],
)
def test_the_plan_says_what_comes_off_the_gross(deducts: set[str], base: str) -> None:
    event = sale(
        "120.00",
        deductions=(
            Deduction("tax", pounds("20.00")),
            Deduction("cost", pounds("40.00")),
            Deduction("discount", pounds("10.00")),
        ),
    )
    (line,) = compute(event, STANDARD, plan(percent("0.10"), deducts=frozenset(deducts)))
    assert line.base == pounds(base)
    assert line.because["base"] == 12_000 + sum(each["amount"] for each in line.because["deductions"])


def test_an_unknown_deduction_always_comes_off_and_a_cost_above_the_price_leaves_nothing() -> None:
    fee = sale("10.00", deductions=(Deduction("fee", pounds("1.00")),))
    assert compute(fee, STANDARD, plan(percent("0.10"), deducts=frozenset()))[0].base == pounds("9.00")
    loss = sale("10.00", deductions=(Deduction("cost", pounds("12.00")),))
    assert earned(loss, percent("0.10")) == ()


@pytest.mark.parametrize(
    ("limits", "amount", "line", "parts"),
    [
        (Limits(event_min=500), "10.00", "5.00", [80, 420]),
        (Limits(event_max=500), "100.00", "5.00", [800, -300]),
        (Limits(event_min=100, event_max=500), "50.00", "4.00", [400]),
        (Limits(customer_max=500), "100.00", "5.00", [800, -300]),
        (Limits(window_max=500), "100.00", "5.00", [800, -300]),
        (Limits(budget_max=500), "100.00", "5.00", [800, -300]),
        (Limits(event_max=600, customer_max=500, window_max=400), "100.00", "4.00", [800, -200, -100, -100]),
    ],
)
def test_a_line_keeps_within_its_limits_and_its_parts_add_up(
    limits: Limits, amount: str, line: str, parts: list[int]
) -> None:
    (found,) = earned(sale(amount, customer="ann"), percent("0.08", limits=limits))
    assert str(found.amount.decimal()) == line
    assert [part["amount_minor"] for part in found.because["parts"]] == parts
    assert restore(found.because) == found


def test_a_line_that_a_cap_has_cut_to_nothing_stays_to_say_so() -> None:
    rater, memory = prepare(plan(percent("0.08", limits=Limits(window_max=500)))), Memory()
    lines = [rater(sale("50.00", key=f"order-{number}"), STANDARD, memory)[0] for number in range(3)]
    assert [line.amount.minor for line in lines] == [400, 100, 0]
    assert lines[2].because["cap"] == {"limit": 500, "scope": "window", "applied": 0, "over": 400}
    assert lines[2].window == "2026-11"
    assert memory.capped == {("base", "2026-11"): 500}


def test_each_customer_and_each_window_has_its_own_cap() -> None:
    limits = Limits(customer_max=500, window_max=900)
    rater, memory = prepare(plan(percent("0.08", limits=limits))), Memory()
    rows = [("ann", 11), ("ann", 11), ("bob", 11), ("cat", 11), ("cat", 12), ("", 12), ("", 12)]
    lines = [
        rater(sale("100.00", key=f"o{n}", customer=who, occurred_at=on(month)), STANDARD, memory)[
            0
        ].amount.minor
        for n, (who, month) in enumerate(rows)
    ]
    # Ann 5.00 and nothing more; Bob 4.00 up to November's 9.00; Cat has 5.00 left in December; an unknown customer
    # is a new one each time: 4.00 up to December's 9.00, then nothing.
    assert lines == [500, 0, 400, 0, 500, 400, 0]


def test_an_event_s_floor_needs_something_that_came_in() -> None:
    rule_ = percent("0.08", limits=Limits(event_min=500), event_kinds=frozenset({"sale"}))
    assert earned(sale("0"), rule_) == ()
    assert amounts(earned(refund("10.00"), rule_)) == [("base", "-0.80")]


def test_a_budget_ends_for_everybody_and_a_refund_opens_it_again() -> None:
    rater = prepare(plan(percent("0.08", limits=Limits(budget_max=1000, budget_window=Window("year")))))
    budgets: dict[tuple[str, str], int] = {}
    ada, bob = Memory(budgets=budgets), Memory(budgets=budgets)
    assert whats(rater(sale("100.00"), STANDARD, ada)) == [("earned", "8.00")]
    assert whats(rater(sale("100.00"), STANDARD, bob)) == [("earned", "2.00")]
    assert whats(rater(refund("50.00"), STANDARD, ada)) == [("refund", "-4.00")]
    assert whats(rater(sale("100.00"), STANDARD, bob)) == [("earned", "4.00")]
    assert budgets == {("base", "2026"): 1000}


def test_shares_split_the_rounded_line_and_its_base_to_the_penny() -> None:
    shares = (Decimal("0.5"), Decimal("0.3"), Decimal("0.2"))
    lines = [
        earned(sale("10.01", shares=shares, share_at=at), combined("0.05", "2.00"))[0] for at in range(3)
    ]
    # 0.5005 rounds to 0.50, with 2.00 that is 2.50: 1.25, 0.75, 0.50; the base is 5.01 (5.005), 3.00, 2.00.
    assert [(line.amount.minor, line.base.minor, line.flat) for line in lines] == [
        (125, 501, pounds("1.00")),
        (75, 300, pounds("0.60")),
        (50, 200, pounds("0.40")),
    ]
    assert told(lines[1], "share", "amount") == {
        "share": {"weights": ["0.5", "0.3", "0.2"], "at": 1, "whole": 250, "base": 1001},
        "amount": 75,
    }
    assert [part["amount_minor"] for part in lines[1].because["parts"]] == [50, 200, -175]


@given(
    st.integers(0, 10**7),
    st.decimals(min_value=0, max_value=1, places=5),
    st.lists(st.decimals(min_value="0.001", max_value=1, places=3), min_size=1, max_size=5),
    st.booleans(),
)
def test_what_the_shares_get_is_what_one_partner_would(
    minor: int, rate: Decimal, weights: list[Decimal], is_refund: bool
) -> None:
    rules = plan(RuleFacts("r", "Rule", 1, "percent_plus_flat", rate=rate, flat=Money(77, "GBP")))
    kind = "refund" if is_refund else "sale"
    alone = compute(Event("o", kind, AT, Money(minor, "GBP")), STANDARD, rules)
    together = [
        line
        for at in range(len(weights))
        for line in compute(
            Event("o", kind, AT, Money(minor, "GBP"), shares=tuple(weights), share_at=at), STANDARD, rules
        )
    ]
    assert sum(line.amount.minor for line in together) == sum(line.amount.minor for line in alone)
    assert all(0 <= abs(line.flat.minor if line.flat else 0) <= abs(line.amount.minor) for line in together)


def test_a_recurring_rate_follows_the_customer_s_months_and_then_another_rule_is_asked() -> None:
    first_year = rule(
        "recurring", recurring=Recurring(months=3, schedule=(Decimal("0.40"), Decimal("0.20"))), position=1
    )
    rater, memory = prepare(plan(first_year, percent("0.05", position=2))), Memory()
    dates = [on(1, 31), on(2, 27), on(2, 28), on(3, 30), on(3, 31), on(4, 30), on(5, 1)]
    lines = [
        rater(sale("100.00", key=f"o{n}", customer="ann", occurred_at=at), STANDARD, memory)[0]
        for n, at in enumerate(dates)
    ]
    # From 31 January: month 2 begins on 28 February, month 3 on 31 March, and 30 April is over.
    assert [(line.rule_key, line.amount.minor) for line in lines] == [
        ("recurring", 4000),
        ("recurring", 4000),
        ("recurring", 2000),
        ("recurring", 2000),
        ("recurring", 2000),
        ("base", 500),
        ("base", 500),
    ]
    assert lines[4].because["recurring"] == {"month": 3, "of": 3, "payment": 5, "payments": None}
    assert lines[5].because["checked_not_applied"][0]["why"]["code"] == "recurring_over"


def test_payments_of_a_customer_are_counted_for_each_customer() -> None:
    twice = rule("recurring", rate=Decimal("0.10"), recurring=Recurring(payments=2))
    rater, memory = prepare(plan(twice)), Memory()
    who = ["ann", "bob", "ann", "ann", "bob", "", "", ""]
    lines = [
        sum(line.amount.minor for line in rater(sale("10.00", key=f"o{n}", customer=name), STANDARD, memory))
        for n, name in enumerate(who)
    ]
    assert lines == [100, 100, 100, 0, 100, 100, 100, 100]  # who is unknown pays for the first time each time
    assert whats(rater(refund("10.00", customer="bob"), STANDARD, memory)) == [("refund", "-1.00")]
    assert memory.customer("recurring", "bob").payments == 2


PROSPECTIVE = rule("prospective", steps=steps((0, "0.05"), (100_000, "0.10")), window=Window("quarter"))


@pytest.mark.parametrize(("crosses", "lines"), [(False, [3000, 3000, 1000]), (True, [3000, 6000, 1000])])
def test_a_prospective_rate_counts_what_came_before_and_says_what_it_found(
    crosses: bool, lines: list[int]
) -> None:
    rater, memory = prepare(plan(replace(PROSPECTIVE, crossing_has_new_rate=crosses))), Memory()
    found = [
        rater(sale(amount, key=f"o{month}", occurred_at=on(month)), STANDARD, memory)[0]
        for month, amount in [(10, "600.00"), (11, "600.00"), (12, "100.00")]
    ]
    assert [line.amount.minor for line in found] == lines
    assert found[2].because["metric"] == {
        "name": "revenue",
        "window": "2026-Q4",
        "value": 130_000 if crosses else 120_000,
    }
    (january,) = rater(sale("1.00", key="o1", occurred_at=on(1, year=2027)), STANDARD, memory)
    assert january.amount.minor == 5


def test_a_prospective_rate_looks_at_all_the_partner_brought() -> None:
    renewals = replace(PROSPECTIVE, event_kinds=frozenset({"renewal"}))
    rater, memory = prepare(plan(renewals)), Memory()
    assert rater(sale("2000.00"), STANDARD, memory) == ()
    rater(sale("900.00", key="up", occurred_at=on(11)), Standing("standard", depth=1), memory)
    rater(sale("900.00", key="as", role="assisted"), STANDARD, memory)
    assert memory.metrics == {
        ("revenue", Month(2026, 11)): 200_000,
        ("sales", Month(2026, 11)): 1,
        ("units", Month(2026, 11)): 1,
    }
    assert amounts(rater(sale("10.00", kind="renewal"), STANDARD, memory)) == [("prospective", "1.00")]
    assert rater(refund("1500.00"), STANDARD, memory) == ()  # no refund of a renewal
    assert memory.metric("revenue", Window("quarter"), Month(2026, 11)) == 51_000


def test_below_its_first_step_a_prospective_rate_leaves_the_sale_to_the_next_rule() -> None:
    rules = (replace(PROSPECTIVE, steps=steps((100_000, "0.10"))), percent("0.01", position=2))
    (line,) = earned(sale("100.00"), *rules)
    assert (line.rule_key, line.because["checked_not_applied"][0]["why"]["code"]) == (
        "base",
        "below_first_step",
    )


def test_pieces_are_paid_by_the_piece() -> None:
    each = rule("per_unit", flat=pounds("0.35"))
    assert amounts(earned(sale("9.00", quantity=7), each)) == [("per_unit", "2.45")]


def test_an_assist_earns_its_participation_whole_and_nothing_else() -> None:
    thanks = rule("participation", flat=pounds("3.00"), position=2)
    shares = (Decimal("0.9"), Decimal("0.1"))
    assist = sale("100.00", role="assisted", shares=shares, share_at=1)
    assert amounts(earned(assist, percent("0.08"), thanks)) == [("participation", "3.00")]
    assert amounts(earned(sale("100.00"), percent("0.08"), thanks)) == [("base", "8.00")]


@pytest.mark.parametrize(
    ("of", "depth", "lines", "base"),
    [
        ("commission", 1, [("override", "0.80")], "8.00"),
        ("commission", 2, [("override", "0.40")], "8.00"),
        ("sales", 1, [("override", "10.00")], "100.00"),
        ("commission", 3, [], None),
    ],
)
def test_a_recruiter_earns_its_level_of_the_recruit_s_sale_or_commission(
    of: str, depth: int, lines: list[tuple[str, str]], base: str | None
) -> None:
    levels = (Decimal("0.10"), Decimal("0.05"))
    rules = (percent("0.08"), rule("override", levels=levels, override_of=of, position=2))
    event = sale("100.00", recruit_amount=pounds("8.00"))
    found = earned(event, *rules, standing=Standing("standard", depth=depth))
    assert whats(found) == lines
    assert [str(line.base.decimal()) for line in found] == ([] if base is None else [base])


def test_nothing_flat_moves_with_a_chargeback_won_that_names_no_sale() -> None:
    rules = (flat("2.00", event_kinds=frozenset({"sale", "chargeback_won"})),)
    assert earned(sale("10.00", kind="chargeback_won"), *rules) == ()


def test_an_excluded_product_matches_no_rule_and_counts_nowhere() -> None:
    rules = plan(rule("graduated", steps=steps((0, "0.05"))), excluded_products=frozenset({"POST"}))
    rater, memory = prepare(rules), Memory()
    assert rater(sale("10.00", product="post"), STANDARD, memory) == ()
    assert memory.slots == {}
    assert whats(rater(sale("10.00", product="MUG"), STANDARD, memory)) == [("earned", "0.50")]
    memory.keeps_metrics = True
    rater(
        refund("10.00", product="POST", original=Original("o", pounds("10.00"), pounds("0"), ())),
        STANDARD,
        memory,
    )
    assert memory.metrics == {}


@given(
    st.integers(0, 3000),
    st.lists(st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 30_000), st.booleans()), max_size=10),
)
def test_no_order_of_sales_and_refunds_earns_more_than_the_caps(
    cap: int, rows: list[tuple[str, int, bool]]
) -> None:
    limits = Limits(customer_max=cap, window_max=cap * 3 // 2, budget_max=cap * 2)
    rater, memory = prepare(plan(percent("0.1", limits=limits))), Memory()
    by_customer, whole = {"ann": 0, "bob": 0}, 0
    for number, (who, minor, is_refund) in enumerate(rows):
        kind = "refund" if is_refund else "sale"
        event = Event(f"o{number}", kind, AT, Money(minor, "GBP"), customer=who)
        for line in rater(event, STANDARD, memory):
            by_customer[who] += line.amount.minor
            whole += line.amount.minor
            assert is_refund or (by_customer[who] <= cap and whole <= cap * 3 // 2) or line.amount.minor == 0
    assert memory.capped.get(("base", "2026-11"), 0) == whole == memory.budgets.get(("base", "life"), 0)
    if not any(is_refund for _, _, is_refund in rows):
        alone = sum(
            min(cap, sum((minor + 5) // 10 for who, minor, _ in rows if who == name)) for name in by_customer
        )
        assert whole == min(cap * 3 // 2, alone)


def test_a_plan_says_what_it_needs_to_know() -> None:
    assert not prepare(plan(percent("0.1", limits=Limits(event_max=5)))).is_stateful
    rich = prepare(
        plan(
            rule("graduated", steps=steps((0, "0.05")), window=Window("year")),
            PROSPECTIVE,
            rule("recurring", limits=Limits(customer_max=1, window_max=2, budget_max=3)),
        )
    )
    assert [sorted(each) for each in (rich.needs.slots, rich.needs.metrics, rich.needs.customers)] == [
        [("graduated", Window("year"), "revenue")],
        [("prospective", Window("quarter"), "revenue")],
        [("recurring", Window("lifetime"), None)],
    ]
    assert [sorted(each) for each in (rich.needs.capped, rich.needs.budgets)] == [
        [("recurring", Window("month"), None)],
        [("recurring", Window("lifetime"), None)],
    ]
    assert rich.is_stateful
    assert rich.is_ordered
    assert not prepare(plan(rule("volume", steps=steps((0, "0.05"))))).is_ordered
