"""Rates on a whole window, event by event: tables worked by hand, and that the lines of a window add up to what it is owed in any order
and any cut of sales and refunds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.money import Money
from tests.tiers.engine.facts import (
    AT,
    STANDARD,
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
from tiers.engine import Event, Line, Memory, Original, RuleFacts, prepare, restore
from tiers.engine.facts import Limits, PlanFacts, Window
from tiers.engine.memory import Count, Slot

TABLE = steps((0, "0.05"), (100_000, "0.10"))  # 5 % up to 1,000.00, then 10 %
GRADUATED = rule("graduated", steps=TABLE)
VOLUME = rule("volume", steps=TABLE)


def row(
    *rules: RuleFacts, sales: list[str], memory: Memory | None = None, **facts: Any
) -> list[list[tuple[str, str]]]:
    rater, known = prepare(plan(*rules)), memory or Memory()
    return [
        whats(rater(sale(amount, key=f"order-{number}", **facts), STANDARD, known))
        for number, amount in enumerate(sales, start=1)
    ]


@pytest.mark.parametrize(
    ("rule_", "lines"),
    [
        # 600.00 at 5 %; then 400.00 at 5 % and 200.00 at 10 %; then all at 10 %.
        (GRADUATED, [[("earned", "30.00")], [("earned", "40.00")], [("earned", "3.33")]]),
        # The second sale reaches 10 %: it earns 60.00, and the first one is lifted from 30.00 to 60.00.
        (VOLUME, [[("earned", "30.00")], [("earned", "60.00"), ("true_up", "30.00")], [("earned", "3.33")]]),
        # 10.00 from the first penny, 50.00 from 1,000.00 on.
        (
            rule("stairstep", steps=steps((0, "0", 1000), (100_000, "0", 5000))),
            [[("earned", "10.00")], [("earned", "40.00")], [("earned", "0.00")]],
        ),
        # 2.00 for each started 500.00: two after 600.00, three after 1,200.00, three after 1,233.33.
        (
            rule("package", package=50_000, flat=pounds("2.00")),
            [[("earned", "4.00")], [("earned", "2.00")], [("earned", "0.00")]],
        ),
        # 3 % up to the target of 1,000.00, 6 % up to one and a half of it.
        (
            rule("accelerator", target=100_000, steps=steps((0, "0.03"), (100, "0.06"), (150, "0.09"))),
            [[("earned", "18.00")], [("earned", "24.00")], [("earned", "2.00")]],  # 1.9998
        ),
        # 25.00 at 1,000.00; the others only count.
        (
            rule("milestone", steps=steps((100_000, "0", 2500), (900_000, "0", 9900))),
            [[("bonus", "0.00")], [("bonus", "25.00")], [("bonus", "0.00")]],
        ),
    ],
)
def test_an_event_earns_what_it_changes_in_its_window(
    rule_: RuleFacts, lines: list[list[tuple[str, str]]]
) -> None:
    assert row(rule_, sales=["600.00", "600.00", "33.33"]) == lines


def test_each_window_and_each_rule_counts_by_itself() -> None:
    rater, memory = prepare(plan(GRADUATED, replace(VOLUME, position=2), combine="stack")), Memory()
    november = rater(sale("1500.00"), STANDARD, memory)
    december = rater(sale("600.00", occurred_at=datetime(2026, 12, 1, tzinfo=UTC)), STANDARD, memory)
    assert [(line.rule_key, line.window, str(line.amount.decimal())) for line in november + december] == [
        ("graduated", "2026-11", "100.00"),  # 50.00 and 50.00
        ("volume", "2026-11", "150.00"),
        ("graduated", "2026-12", "30.00"),
        ("volume", "2026-12", "30.00"),
    ]


def test_a_sale_just_after_midnight_in_the_program_s_zone_counts_in_its_new_month() -> None:
    paris = plan(GRADUATED, time_zone="Europe/Paris")
    rater = prepare(paris)
    lines = rater(sale("1.00", occurred_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC)), STANDARD)
    assert lines[0].window == "2026-11"


def test_the_step_of_counts_pays_for_each_piece() -> None:
    each = rule("graduated", metric="sales", steps=steps((0, "0", 500), (3, "0", 700)))
    assert row(each, sales=["9.00"] * 4) == [[("earned", text)] for text in ("5.00", "5.00", "5.00", "7.00")]
    units = rule("volume", metric="units", steps=steps((0, "0", 50), (10, "0", 80)))
    assert row(units, sales=["9.00", "9.00"], quantity=6) == [
        [("earned", "3.00")],
        [("earned", "4.80"), ("true_up", "1.80")],  # twelve at 0.80 are 9.60
    ]


def test_a_new_customer_counts_once_and_a_lead_is_no_sale() -> None:
    hunters = rule("graduated", metric="new_customers", steps=steps((0, "0", 1000)))
    rater, memory = prepare(plan(hunters)), Memory()
    first = sale("5.00", customer="ann", customer_since=AT)
    again = sale("5.00", key="order-2", customer="ann", customer_since=datetime(2026, 3, 1, tzinfo=UTC))
    unknown = sale("5.00", key="order-3")
    assert [whats(rater(each, STANDARD, memory)) for each in (first, again, unknown)] == [
        [("earned", "10.00")],
        [],
        [],
    ]
    leads = prepare(plan(rule("graduated", metric="leads", steps=steps((0, "0", 200)))))
    assert whats(leads(sale("1.00", kind="qualified_lead"), STANDARD)) == [("earned", "2.00")]
    assert leads(sale("1.00"), STANDARD) == ()


def test_a_lifetime_value_counts_each_customer_for_life_and_nobody_unknown() -> None:
    loyal = rule("lifetime_value", steps=steps((100_000, "0.02", 1000)))
    rater, memory = prepare(plan(loyal)), Memory()
    lines = [
        whats(
            rater(
                sale(
                    "600.00",
                    key=f"o{number}",
                    customer=who,
                    occurred_at=datetime(2026, number, 2, tzinfo=UTC),
                ),
                STANDARD,
                memory,
            )
        )
        for number, who in enumerate(["ann", "bob", "ann", "ann", ""], start=1)
    ]
    assert lines == [
        [("bonus", "0.00")],
        [("bonus", "0.00")],
        [("bonus", "34.00")],  # 10.00 and 2 % of 1,200.00
        [("bonus", "12.00")],
        [],
    ]
    assert memory.slots[Slot("lifetime_value", 7, "life", "ann")] == Count(180_000, 4600)


def test_a_later_version_goes_on_where_the_earlier_one_stopped() -> None:
    before = plan(GRADUATED)
    after = plan(
        replace(GRADUATED, steps=steps((0, "0.05"), (100_000, "0.20"))),
        version_id=8,
        effective_at=datetime(2026, 11, 15, tzinfo=UTC),
    )
    memory = Memory()
    prepare(before)(sale("900.00"), STANDARD, memory)
    (line,) = prepare(after)(sale("200.00", key="order-2"), STANDARD, memory)
    assert line.amount == pounds("25.00")  # 100.00 at 5 %, 100.00 at 20 %
    assert line.because["window"] == {
        "kind": "month",
        "key": "2026-11",
        "metric": "revenue",
        "before": 0,
        "after": 20_000,
    }


def test_a_late_sale_under_the_earlier_version_moves_the_later_one_up_with_its_next_line() -> None:
    before, memory = prepare(plan(GRADUATED)), Memory()
    after = prepare(plan(GRADUATED, version_id=8, effective_at=datetime(2026, 11, 15, tzinfo=UTC)))
    after(sale("500.00", key="order-2"), STANDARD, memory)  # 25.00
    assert whats(before(sale("800.00"), STANDARD, memory)) == [("earned", "40.00")]
    late = after(sale("100.00", key="order-3"), STANDARD, memory)
    # 800.00 lie below now: 200.00 at 5 %, 400.00 at 10 %: 50.00, of which 25.00 are booked.
    assert whats(late) == [("earned", "10.00"), ("true_up", "15.00")]
    assert late[1].because["cause"] == {"code": "version_changed", "order": "order-3"}


def test_a_window_s_cap_holds_and_says_what_was_over() -> None:
    capped = replace(GRADUATED, limits=Limits(window_max=6000))
    rater, memory = prepare(plan(capped)), Memory()
    lines = [rater(sale("600.00", key=f"order-{number}"), STANDARD, memory)[0] for number in range(3)]
    assert [line.amount.minor for line in lines] == [3000, 3000, 0]
    assert [line.because["cap"] for line in lines] == [
        None,
        {"limit": 6000, "scope": "window", "applied": 3000, "over": 1000},
        {"limit": 6000, "scope": "window", "applied": 0, "over": 6000},
    ]
    assert [sum(part["amount_minor"] for part in line.because["parts"]) for line in lines] == [3000, 3000, 0]


def test_what_comes_back_makes_room_under_a_window_s_cap() -> None:
    capped = replace(VOLUME, limits=Limits(window_max=6000))
    rater, memory = prepare(plan(capped)), Memory()
    first = rater(sale("600.00"), STANDARD, memory)
    assert whats(first) == [("earned", "30.00")]
    # Two sales would be owed 120.00: the line stays within the 60.00, and so does what lifts the first.
    second = rater(sale("600.00", key="order-2"), STANDARD, memory)
    assert sum(line.amount.minor for line in second) == 3000
    back = rater(refund("600.00", original=original("600.00", first)), STANDARD, memory)
    assert sum(line.amount.minor for line in back) == -3000  # 600.00 at 5 % are left


def test_a_budget_is_shared_by_all_partners() -> None:
    limited = replace(GRADUATED, limits=Limits(budget_max=5000))
    rater, budgets = prepare(plan(limited)), dict[tuple[str, str], int]()
    ada, bob = Memory(budgets=budgets), Memory(budgets=budgets)
    assert whats(rater(sale("600.00"), STANDARD, ada)) == [("earned", "30.00")]
    (cut,) = rater(sale("600.00"), STANDARD, bob)
    assert (cut.amount.minor, cut.because["cap"]) == (
        2000,
        {"limit": 5000, "scope": "budget", "applied": 2000, "over": 1000},
    )
    assert whats(rater(sale("600.00"), STANDARD, ada)) == [("earned", "0.00")]
    assert budgets == {("graduated", "life"): 5000}


def test_shares_split_the_volume_and_each_part_climbs_its_own_table() -> None:
    shares = (Decimal("0.75"), Decimal("0.25"))
    lines = [
        prepare(plan(GRADUATED))(sale("1500.01", shares=shares, share_at=at), STANDARD)[0] for at in (0, 1)
    ]
    # 1,125.01 (1,125.0075) and 375.00: 50.00 and 12.50 (12.501) at 10 %; 18.75.
    assert [(line.base.minor, line.volume, line.amount.minor) for line in lines] == [
        (112_501, 112_501, 6250),
        (37_500, 37_500, 1875),
    ]
    assert lines[1].because["share"] == {"weights": ["0.75", "0.25"], "at": 1, "whole": None, "base": 150_001}


def test_a_refund_without_a_sale_counts_in_its_own_window() -> None:
    rater, memory = prepare(plan(VOLUME)), Memory()
    rater(sale("1200.00"), STANDARD, memory)  # 120.00
    lines = rater(refund("300.00"), STANDARD, memory)
    assert whats(lines) == [("refund", "-15.00"), ("true_up", "-60.00")]  # 900.00 at 5 % are 45.00
    assert lines[0].volume == -30_000
    assert whats(rater(refund("1000.00", key="r2"), STANDARD, memory)) == [("refund", "-50.00")]
    assert memory.slots[Slot("volume", 7, "2026-11")] == Count(-10_000, -500)


def test_a_milestone_lost_by_a_refund_is_trued_up_and_won_again_later() -> None:
    bonus = rule("milestone", steps=steps((100_000, "0", 2500)))
    rater, memory = prepare(plan(bonus)), Memory()
    lines = rater(sale("1200.00"), STANDARD, memory)
    back = rater(refund("300.00", original=original("1200.00", lines)), STANDARD, memory)
    assert whats(back) == [("reversal", "0.00"), ("true_up", "-25.00")]
    assert (back[0].volume, back[0].reverses, back[1].because["cause"]) == (
        -30_000,
        "com-1",
        {"code": "refund", "order": "refund-1"},
    )
    assert whats(rater(sale("100.00", key="order-2"), STANDARD, memory)) == [("bonus", "25.00")]


def test_a_bonus_stands_beside_the_rule_that_wins() -> None:
    rules = (
        percent("0.08"),
        rule("milestone", position=2, steps=steps((0, "0", 500))),
        percent("0.01", key="low", position=3),
    )
    lines = prepare(plan(*rules))(sale("100.00"), STANDARD)
    assert [(line.rule_key, line.amount.minor) for line in lines] == [("base", 800), ("milestone", 500)]


def test_a_line_of_a_window_explains_itself_in_steps_and_restores() -> None:
    rater, memory = prepare(plan(GRADUATED)), Memory()
    rater(sale("600.00"), STANDARD, memory)
    (line,) = rater(sale("600.00", key="order-2"), STANDARD, memory)
    assert line.because["steps"] == [
        {"from": 0, "to": 100_000, "rate": "0.05", "flat": None, "volume": 40_000, "exact": "2000"},
        {"from": 100_000, "to": None, "rate": "0.1", "flat": None, "volume": 20_000, "exact": "2000"},
    ]
    assert line.because["window"] == {
        "kind": "month",
        "key": "2026-11",
        "metric": "revenue",
        "before": 60_000,
        "after": 120_000,
    }
    assert (line.rate, line.because["rounding"]["exact"]) == (None, "4000")
    assert restore(line.because) == line


def test_a_refund_of_what_another_version_counted_needs_that_version() -> None:
    lines = prepare(plan(GRADUATED))(sale("600.00"), STANDARD)
    other = prepare(plan(GRADUATED, version_id=8))
    with pytest.raises(ValueError, match="the version that rated its sale"):
        other(refund("1.00", original=original("600.00", lines)), STANDARD, Memory())


RATES = st.decimals(min_value=0, max_value=1, places=4)


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[int, Decimal], ...]:
    starts = draw(st.lists(st.integers(1, 20_000), max_size=3, unique=True))
    return tuple((start, draw(RATES)) for start in (0, *sorted(starts)))


def owed(kind: str, table: tuple[tuple[int, Decimal], ...], volume: int) -> Fraction:
    """What a volume is owed, from the definitions: each part at its own rate, or all at the rate reached."""
    if volume <= 0 or kind == "volume":
        reached = [rate for start, rate in table if start <= max(volume, 0)]
        return volume * Fraction(reached[-1])
    ends = [start for start, _ in table[1:]] + [volume]
    parts = zip(table, ends, strict=True)
    return sum(
        (Fraction(rate) * max(min(end, volume) - start, 0) for (start, rate), end in parts), Fraction(0)
    )


def rounded(exact: Fraction) -> int:
    whole = (abs(exact) + Fraction(1, 2)).__floor__()
    return whole if exact >= 0 else -whole


# (amount, how much of it goes back in which parts): in thousandths of the amount
SALES = st.lists(
    st.tuples(
        st.integers(1, 15_000),
        st.lists(st.integers(0, 500), max_size=3).filter(lambda cuts: sum(cuts) <= 1000),
    ),
    min_size=1,
    max_size=6,
)


@given(
    st.sampled_from(["graduated", "volume"]),
    tables(),
    SALES,
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_lines_add_up_to_what_the_net_volume_is_owed_in_any_order(
    kind: str,
    table: tuple[tuple[int, Decimal], ...],
    drawn: list[tuple[int, list[int]]],
    is_named: bool,
    shuffle: Any,
) -> None:
    rule_ = rule(kind, steps=steps(*((start, str(rate)) for start, rate in table)))
    rater, memory = prepare(plan(rule_)), Memory()
    todo = [(number, None) for number in range(len(drawn))] + [
        (number, minor * cut // 1000) for number, (minor, cuts) in enumerate(drawn) for cut in cuts
    ]
    shuffle.shuffle(todo)
    booked, volume, lines, gone = 0, 0, dict[int, tuple[Line, ...]](), dict[int, int]()
    for number, back in sorted(todo, key=lambda each: each[1] is not None) if is_named else todo:
        minor = drawn[number][0]
        if back is None:
            now = rater(Event(f"o{number}", "sale", AT, Money(minor, "GBP")), STANDARD, memory)
            lines[number], volume = now, volume + minor
        else:
            named = None
            if is_named:
                before = Money(gone.get(number, 0), "GBP")
                named = Original("o", Money(minor, "GBP"), before, originals(lines[number]), AT)
            now = rater(Event("r", "refund", AT, Money(back, "GBP"), original=named), STANDARD, memory)
            gone[number], volume = gone.get(number, 0) + back, volume - back
        booked += sum(line.amount.minor for line in now)
        assert booked == rounded(owed(kind, table, volume))
        assert sum(line.volume for line in now) == (minor if back is None else -back)
    assert memory.slot(Slot(kind, 7, "2026-11")) == Count(volume, booked)


@given(tables(), st.lists(st.integers(1, 15_000), min_size=1, max_size=6), st.integers(0, 2000))
def test_no_cut_of_sales_gets_more_out_of_a_window_than_its_cap(
    table: tuple[tuple[int, Decimal], ...], amounts: list[int], cap: int
) -> None:
    for kind in ("graduated", "volume"):
        limited = rule(
            kind, steps=steps(*((start, str(rate)) for start, rate in table)), limits=Limits(window_max=cap)
        )
        rater, memory, booked = prepare(plan(limited)), Memory(), 0
        for number, minor in enumerate(amounts):
            event = Event(f"o{number}", "sale", AT, Money(minor, "GBP"))
            booked += sum(line.amount.minor for line in rater(event, STANDARD, memory))
            assert booked <= cap
        assert booked == min(rounded(owed(kind, table, sum(amounts))), cap)


@pytest.mark.parametrize(
    "broken",
    [
        lambda: replace(GRADUATED, window=Window("trailing", 3)),
        lambda: replace(GRADUATED, limits=Limits(event_max=100)),
        lambda: replace(GRADUATED, limits=Limits(customer_max=100)),
        lambda: replace(GRADUATED, limits=Limits(window_max=100, window=Window("year"))),
        lambda: replace(GRADUATED, limits=Limits(window_min=100, window=Window("year"))),
        lambda: rule("lifetime_value", steps=TABLE, limits=Limits(window_max=100)),
        lambda: percent("0.1", limits=Limits(window_max=100, window=Window("trailing", 3))),
        lambda: percent("0.1", limits=Limits(window_min=100, window=Window("lifetime"))),
        lambda: percent("0.1", limits=Limits(budget_max=100, budget_window=Window("joining", 3))),
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(broken: Any) -> None:
    with pytest.raises(ValueError, match=r"window|cap|floor|limit"):
        broken()


def test_equal_rows_of_events_are_explained_alike_to_the_byte() -> None:
    facts: PlanFacts = plan(VOLUME)

    def told() -> str:
        rater, memory = prepare(facts), Memory()
        return repr([rater(sale("700.00", key=str(n)), STANDARD, memory) for n in range(3)])

    assert told() == told()
