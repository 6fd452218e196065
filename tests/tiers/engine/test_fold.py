"""A row of events rated one after the other: refunds find their sales, the versions that rated them and what went back before; and the
totals do not depend on how events of one instant are ordered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prm.lib.money import Money
from tests.tiers.engine.facts import (
    AT,
    STANDARD,
    amounts,
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
from tiers.engine import Event, Memory, Original, Rater, fold, prepare
from tiers.engine.facts import Limits, PlanFacts
from tiers.engine.fold import Item, desired, for_recruiter

VOLUME = rule("volume", steps=steps((0, "0.05"), (100_000, "0.10")))


def of(key: str, amount: str = "100.00") -> Original:
    """A sale as a refund names it when the fold knows the rest."""
    return Original(key, pounds(amount), pounds("0"), ())


def items(rater: Rater, *events: Event) -> list[Item]:
    return [(event, STANDARD, rater) for event in events]


def test_refunds_find_the_lines_of_their_sale_and_what_went_back_before() -> None:
    rater = prepare(plan(percent("0.08")))
    rated = fold(
        items(
            rater,
            sale("99.99"),
            refund("33.33", key="r1", original=of("order-1", "99.99")),
            refund("33.33", key="r2", original=of("order-1", "99.99")),
            refund("33.33", key="r3", original=of("order-1", "99.99")),
        ),
        Memory(),
    )
    assert [(key, amounts(lines)) for key, lines in rated] == [
        ("order-1", [("base", "8.00")]),
        ("r1", [("base", "-2.67")]),
        ("r2", [("base", "-2.66")]),
        ("r3", [("base", "-2.67")]),
    ]
    assert rated[1][1][0].reverses == "order-1:1"
    assert desired(rated) == {
        ("event", "order-1", "base"): 800,
        ("event", "r1", "base"): -267,
        ("event", "r2", "base"): -266,
        ("event", "r3", "base"): -267,
    }


def test_a_refund_given_before_its_sale_waits_for_it() -> None:
    rater = prepare(plan(percent("0.08")))
    early = refund("50.00", original=of("order-1"))
    rated = fold(items(rater, early, sale("10.00", key="other"), sale("100.00")), Memory())
    assert [(key, amounts(lines)) for key, lines in rated] == [
        ("other", [("base", "0.80")]),
        ("order-1", [("base", "8.00")]),
        ("refund-1", [("base", "-4.00")]),
    ]


def test_refunds_of_an_older_sale_go_on_where_the_books_stop() -> None:
    rater = prepare(plan(percent("0.08")))
    older = Original("old", pounds("100.00"), pounds("33.33"), originals(rater(sale("100.00"), STANDARD)), AT)
    rated = fold(
        items(rater, refund("33.33", key="r2", original=older), refund("33.34", key="r3", original=older)),
        Memory(),
    )
    # 2.67 (2.6664) had gone back; 5.33 (5.3328) after the second; all 8.00 after the third.
    assert [amounts(lines) for _, lines in rated] == [[("base", "-2.66")], [("base", "-2.67")]]


def test_a_refund_is_rated_by_the_version_that_rated_its_sale() -> None:
    before = prepare(plan(VOLUME))
    after = prepare(
        plan(
            rule("volume", steps=steps((0, "0.5"))),
            version_id=8,
            effective_at=datetime(2026, 11, 9, tzinfo=UTC),
        )
    )
    back = refund("40.00", occurred_at=AT + timedelta(days=20), original=of("order-1"))
    rated = fold([(sale("100.00"), STANDARD, before), (back, STANDARD, after)], Memory())
    assert whats(rated[1][1]) == [("reversal", "-2.00")]
    assert desired(rated) == {("window", "volume", 7, "2026-11", ""): 300}


def test_a_chargeback_too_late_is_not_won_back_either() -> None:
    rater = prepare(plan(percent("0.08"), clawback_days=30))
    late = AT + timedelta(days=31)
    rated = fold(
        items(
            rater,
            sale("100.00"),
            refund("25.00", key="r1", original=of("order-1")),
            refund("10.00", key="c1", kind="chargeback", original=of("order-1")),
            refund("50.00", key="c2", kind="chargeback", original=of("order-1"), occurred_at=late),
            sale("50.00", key="w2", kind="chargeback_won", original=of("order-1"), occurred_at=late),
            sale("10.00", key="w1", kind="chargeback_won", original=of("order-1"), occurred_at=late),
        ),
        Memory(),
    )
    # Only the 10.00 that a chargeback took in time can come back, once.
    assert [(key, [amount for _, amount in amounts(lines)]) for key, lines in rated[1:]] == [
        ("r1", ["-2.00"]),
        ("c1", ["-0.80"]),
        ("c2", []),
        ("w2", ["0.80"]),
        ("w1", []),
    ]


def test_metrics_are_kept_for_a_version_that_comes_to_need_them() -> None:
    before = prepare(plan(percent("0.08")))
    after = prepare(plan(rule("prospective", steps=steps((0, "0.05"), (50_000, "0.10"))), version_id=8))
    rated = fold([(sale("600.00"), STANDARD, before), (sale("10.00", key="o2"), STANDARD, after)], Memory())
    assert amounts(rated[1][1]) == [("prospective", "1.00")]


def test_a_recruiter_sees_the_recruit_s_part_and_what_it_earned() -> None:
    event = sale("200.00", shares=(), code="ABC")
    lines = prepare(plan(percent("0.08"), percent("0.01", key="more", position=2), combine="stack"))(
        event, STANDARD
    )
    seen = for_recruiter(event, lines)
    assert seen is not None
    assert (seen.amount, seen.recruit_amount, seen.code) == (pounds("200.00"), pounds("18.00"), "ABC")
    assert for_recruiter(event, ()) is None
    back = refund("50.00")
    taken = for_recruiter(back, prepare(plan(percent("0.08")))(back, STANDARD))
    assert taken is not None
    assert (taken.amount, taken.recruit_amount, taken.kind) == (pounds("50.00"), pounds("-4.00"), "refund")


def test_lines_of_a_capped_rule_agree_by_window_and_customer() -> None:
    rater = prepare(plan(percent("0.08", limits=Limits(window_max=900, customer_max=500))))
    rated = fold(
        items(rater, sale("100.00", customer="ann"), sale("100.00", key="o2", customer="bob")), Memory()
    )
    assert desired(rated) == {
        ("window", "base", 7, "2026-11", "ann"): 500,
        ("window", "base", 7, "2026-11", "bob"): 400,
    }


@st.composite
def rows(draw: st.DrawFn) -> list[Event]:
    """Sales and refunds of them, in any order, in two months."""
    events: list[Event] = []
    for number in range(draw(st.integers(1, 5))):
        minor = draw(st.integers(1, 120_000))
        at = AT + timedelta(days=draw(st.integers(0, 50)))
        events.append(
            Event(f"o{number}", "sale", at, Money(minor, "GBP"), customer=draw(st.sampled_from("ab")))
        )
        left = minor
        for part in range(draw(st.integers(0, 3))):
            back = draw(st.integers(0, left))
            left -= back
            named = Original(f"o{number}", Money(minor, "GBP"), Money(0, "GBP"), ())
            later = at + timedelta(days=draw(st.integers(0, 30)))
            events.append(
                Event(f"o{number}r{part}", "refund", later, Money(back, "GBP"), customer="a", original=named)
            )
    return draw(st.permutations(events))


def totals(facts: PlanFacts, events: list[Event]) -> dict[Any, int]:
    found = desired(fold(items(prepare(facts), *events), Memory()))
    return {total: amount for total, amount in found.items() if total[0] == "window"}


@given(rows(), st.sampled_from(["graduated", "volume", "milestone", "package", "lifetime_value"]))
def test_any_order_of_events_comes_to_the_same_windows(events: list[Event], kind: str) -> None:
    table = steps((0, "0.05"), (100_000, "0.10", 500))
    if kind in ("milestone", "lifetime_value"):
        table = steps((50_000, "0", 700))
    facts = plan(rule(kind, steps=table, package=40_000, flat=pounds("2.00")))
    in_order = sorted(events, key=lambda event: (event.occurred_at, event.key))
    assert totals(facts, events) == totals(facts, in_order)


@given(rows())
def test_folding_is_rating_each_event_in_turn_with_all_its_facts(events: list[Event]) -> None:
    """The fold fills in what a caller would have to: lines, what went back before, when and by which version."""
    rater, memory, other = prepare(plan(VOLUME)), Memory(), Memory()
    in_order = sorted(events, key=lambda event: (event.key[:2], event.key))
    rated = dict(fold(items(rater, *in_order), memory))
    gone: dict[str, Money] = {}
    for event in in_order:
        given_facts = event
        if event.original is not None:
            key = event.original.key
            sold = next(each for each in events if each.key == key)
            given_facts = replace(
                event,
                original=Original(
                    key, sold.amount, gone.get(key, pounds("0")), originals(rated[key]), sold.occurred_at
                ),
            )
            gone[key] = gone.get(key, pounds("0")) + event.amount
        alone = rater(given_facts, STANDARD, other)
        assert whats(alone) == whats(rated[event.key])
    assert other.slots == memory.slots
