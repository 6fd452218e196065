"""Refunds, chargebacks and chargebacks won back of a named sale: flat parts by policy, the claw-back window, caps with room again and
metrics, worked by hand; and that what went back and came again leaves the line as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
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
    original,
    originals,
    percent,
    plan,
    pounds,
    refund,
    rule,
    sale,
    steps,
    whats,
)
from tiers.engine import Event, Memory, Original, RuleFacts, compute, explain, prepare, restore, reverse
from tiers.engine.facts import Limits, Window

NOVEMBER = Month(2026, 11)


@pytest.mark.parametrize(
    ("policy", "taken"),
    [
        # The line is 5.00 and 2.00 flat. A quarter, a half, the last quarter of the sale go back.
        ("pro_rata", ["-1.75", "-3.50", "-1.75"]),
        ("kept", ["-1.25", "-2.50", "-1.25"]),
        ("until_full", ["-1.25", "-2.50", "-3.25"]),
        ("at_first", ["-3.25", "-2.50", "-1.25"]),
    ],
)
def test_a_flat_part_goes_back_as_its_rule_says(policy: str, taken: list[str]) -> None:
    lines = earned(sale("100.00"), combined("0.05", "2.00", flat_on_refund=policy))
    before, found = "0", []
    for amount in ("25.00", "50.00", "25.00"):
        (back,) = reverse(
            originals(lines), sale=pounds("100.00"), refunded_before=pounds(before), refund=pounds(amount)
        )
        found.append(str(back.amount.decimal()))
        before = str((pounds(before) + pounds(amount)).decimal())
        assert restore(back.because) == back
        assert Decimal(back.because["rounding"]["exact"]) == back.amount.minor
        assert sum(part["amount_minor"] for part in back.because["parts"]) == back.amount.minor
    assert found == taken


def test_the_flat_part_says_whether_it_goes_or_stays() -> None:
    lines = earned(sale("100.00"), flat("2.00", flat_on_refund="until_full"))
    first, last = (
        reverse(
            originals(lines), sale=pounds("100.00"), refunded_before=pounds(before), refund=pounds("50.00")
        )
        for before in ("0", "50.00")
    )
    assert first == ()
    assert [part["label_code"] for part in last[0].because["parts"]] == ["reversal", "flat_back"]
    assert (last[0].flat, last[0].amount) == (pounds("-2.00"), pounds("-2.00"))


@pytest.mark.parametrize("policy", ["pro_rata", "kept", "until_full", "at_first"])
def test_a_won_chargeback_gives_back_what_the_chargeback_took(policy: str) -> None:
    lines = earned(sale("99.99"), combined("0.05", "2.00", flat_on_refund=policy))
    named = original("99.99", lines, before="33.33")
    taken = compute(refund("66.66", kind="chargeback", original=named), STANDARD, plan(percent("0.9")))
    won = compute(
        sale("66.66", kind="chargeback_won", original=original("99.99", lines, before="99.99")),
        STANDARD,
        plan(percent("0.9")),
    )
    assert [line.amount for line in won] == [-line.amount for line in taken]
    assert (won[0].what, won[0].reverses, won[0].because["event"]["kind"]) == (
        "reversal",
        "com-1",
        "chargeback_won",
    )
    assert won[0].because["gross"] == 6666


def test_nobody_wins_back_more_than_chargebacks_took() -> None:
    lines = earned(sale("100.00"), percent("0.08"))
    named = original("100.00", lines, before="50.00", charged_back=pounds("20.00"))
    assert amounts(compute(sale("50.00", kind="chargeback_won", original=named), STANDARD, plan())) == [
        ("base", "1.60")
    ]
    assert (
        compute(sale("50.00", kind="chargeback_won", original=original("100.00", lines)), STANDARD, plan())
        == ()
    )


@pytest.mark.parametrize(
    ("days", "seconds", "is_taken"), [(30, 0, True), (30, 1, False), (None, 10**8, True)]
)
def test_outside_the_claw_back_window_nothing_goes_back(
    days: int | None, seconds: int, is_taken: bool
) -> None:
    rules = plan(rule("graduated", steps=steps((0, "0.05"))), clawback_days=days)
    rater, memory = prepare(rules), Memory(keeps_metrics=True)
    lines = rater(sale("100.00"), STANDARD, memory)
    for named in (original("100.00", lines), original("100.00", lines, occurred_at=AT)):
        late = refund("50.00", occurred_at=AT + timedelta(days=30, seconds=seconds), original=named)
        before = repr(memory)
        found = rater(late, STANDARD, memory)
        assert whats(found)[:1] == ([("reversal", "-2.50")] if is_taken else [])
        assert (repr(memory) != before) == is_taken
    told = explain(late, STANDARD, rules)
    assert (told["outcome"], told["amount"]) == (("lines", -250) if is_taken else ("outside_clawback", 0))


def test_a_refund_makes_room_where_its_sale_had_counted() -> None:
    limits = Limits(customer_max=1000, window_max=600, budget_max=1000, budget_window=Window("year"))
    rater, memory = prepare(plan(percent("0.08", limits=limits))), Memory()
    lines = rater(sale("100.00", customer="ann"), STANDARD, memory)
    assert whats(lines) == [("earned", "6.00")]  # of 8.00
    december = AT + timedelta(days=40)
    back = refund("50.00", customer="ann", occurred_at=december, original=original("100.00", lines))
    assert whats(rater(back, STANDARD, memory)) == [("reversal", "-3.00")]
    assert memory.capped == {("base", "2026-11"): 300}
    assert memory.customer("base", "ann").amount == 300
    assert memory.budgets == {("base", "2026"): 300}
    assert whats(rater(sale("100.00", customer="ann"), STANDARD, memory)) == [("earned", "3.00")]


def test_a_refund_counts_in_the_metrics_of_its_own_month_and_a_sale_until_all_of_it_is_gone() -> None:
    looks = plan(rule("prospective", steps=steps((0, "0.05"))))
    rater, memory = prepare(looks), Memory()
    sold = sale("100.00", quantity=3, customer="ann", customer_since=AT)
    lines = rater(sold, STANDARD, memory)
    assert memory.metrics == {
        (name, NOVEMBER): value
        for name, value in [("revenue", 10_000), ("sales", 1), ("new_customers", 1), ("units", 3)]
    }
    december = AT + timedelta(days=40)
    facts: dict[str, Any] = {"occurred_at": december, "customer": "ann", "customer_since": AT}
    named = original("100.00", lines, quantity=3)
    rater(refund("40.00", original=named, **facts), STANDARD, memory)
    rater(
        refund("60.00", original=replace(named, refunded_before=pounds("40.00")), **facts), STANDARD, memory
    )
    assert {name: value for (name, month), value in memory.metrics.items() if month != NOVEMBER} == {
        "revenue": -10_000,
        "units": -3,  # one with the first 40.00, two with the rest
        "sales": -1,
        "new_customers": -1,
    }


def test_a_count_of_sales_falls_when_a_sale_has_gone_back_whole() -> None:
    rater, memory = prepare(plan(rule("graduated", metric="sales", steps=steps((0, "0", 500))))), Memory()
    lines = rater(sale("100.00"), STANDARD, memory)
    half = rater(refund("50.00", original=original("100.00", lines)), STANDARD, memory)
    # Half of the line goes back at its own ratio, but the window still holds one sale: both together are nothing.
    assert whats(half) == [("reversal", "-2.50"), ("true_up", "2.50")]
    rest = rater(refund("50.00", original=original("100.00", lines, before="50.00")), STANDARD, memory)
    assert whats(rest) == [("reversal", "-2.50"), ("true_up", "-2.50")]
    assert [line.volume for line in rest] == [-1, 0]


def test_a_refund_of_a_sale_of_nothing_or_of_one_that_earned_nothing_takes_nothing() -> None:
    leads = earned(sale("0", kind="signup"), flat("5.00", event_kinds=frozenset({"signup"})))
    assert compute(refund("0", original=original("0", leads)), STANDARD, plan()) == ()
    assert compute(refund("9.00", original=original("9.00", ())), STANDARD, plan(percent("0.5"))) == ()


def test_true_ups_of_a_window_are_not_taken_back_by_themselves() -> None:
    rater, memory = prepare(plan(rule("volume", steps=steps((0, "0.05"), (100_000, "0.10"))))), Memory()
    rater(sale("600.00"), STANDARD, memory)
    second = rater(sale("600.00", key="order-2"), STANDARD, memory)
    assert whats(second) == [("earned", "60.00"), ("true_up", "30.00")]
    back = rater(refund("600.00", original=original("600.00", second)), STANDARD, memory)
    assert whats(back) == [("reversal", "-60.00"), ("true_up", "-30.00")]  # 600.00 at 5 % are left
    assert back[0].because["window"]["after"] == 60_000


kinds = st.builds(
    lambda kind, rate, flat_minor, on_refund: RuleFacts(
        "r",
        "Rule",
        1,
        kind,
        rate=rate,
        flat=None if kind == "percent" else Money(flat_minor, "GBP"),
        flat_on_refund=on_refund,
    ),
    st.sampled_from(["percent", "flat", "percent_plus_flat", "per_unit"]),
    st.decimals(min_value=0, max_value=1, places=8),
    st.integers(0, 10**4),
    st.sampled_from(["kept", "pro_rata", "until_full", "at_first"]),
)


@given(kinds, st.lists(st.integers(1, 10**6), min_size=1, max_size=5), st.integers(0, 4))
def test_what_is_refunded_whole_leaves_what_is_kept_and_what_is_won_back_leaves_the_line(
    rule_: RuleFacts, parts: list[int], won: int
) -> None:
    """Every part of a sale is charged back, then the last `won` of them are won."""
    whole, rater = Money(sum(parts), "GBP"), prepare(plan(rule_))
    lines = rater(Event("o", "sale", AT, whole), STANDARD)
    balances, before = [sum(line.amount.minor for line in lines)], 0

    def move(kind: str, minor: int) -> None:
        named = Original("o", whole, Money(before, "GBP"), originals(lines))
        moved = rater(Event("m", kind, AT, Money(minor, "GBP"), original=named), STANDARD)
        balances.append(balances[-1] + sum(line.amount.minor for line in moved))

    for minor in parts:
        move("chargeback", minor)
        before += minor
        assert balances[-1] >= 0
    kept = sum(line.flat.minor for line in lines if line.flat and rule_.flat_on_refund == "kept")
    assert balances[-1] == kept
    for minor in parts[::-1][:won]:
        move("chargeback_won", minor)
        before -= minor
    back = len(parts) - len(parts[::-1][:won])
    assert balances[-1] == balances[back]


EVENT_MODELS = (
    percent("0.0333", key="percent"),
    combined("0.0125", "0.77", key="combined"),
    flat("1.00", key="flat"),
    rule("per_unit", flat=pounds("0.35")),
    rule("prospective", steps=steps((0, "0.07", 25))),
    rule("recurring", rate=Decimal("0.021"), flat=pounds("0.10")),
    rule("participation", rate=Decimal("0.013"), flat=pounds("0.50")),
    rule("override", levels=(Decimal("0.055"),), override_of="sales"),
)


@pytest.mark.parametrize("rule_", EVENT_MODELS, ids=lambda each: each.key)
@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=4), st.integers(0, 1))
def test_a_sale_refunded_whole_leaves_nothing_of_any_line_on_it(
    rule_: RuleFacts, parts: list[int], at: int
) -> None:
    rater, memory = prepare(plan(rule_)), Memory()
    shares = (Decimal("0.4"), Decimal("0.6"))
    event = Event(
        "o",
        "sale",
        AT,
        Money(sum(parts), "GBP"),
        customer="ann",
        role="assisted" if rule_.kind == "participation" else "sourced",
        shares=shares,
        share_at=at,
    )
    standing = replace(STANDARD, depth=int(rule_.kind == "override"))
    lines = rater(event, standing, memory)
    left, before = sum(line.amount.minor for line in lines), 0
    for minor in parts:
        named = Original("o", event.amount, Money(before, "GBP"), originals(lines))
        back = replace(event, key="r", kind="refund", amount=Money(minor, "GBP"), original=named)
        left += sum(line.amount.minor for line in rater(back, standing, memory))
        before += minor
        assert left >= 0
    assert left == 0
