"""What readers see of the engine's explanations, in tables worked by hand: every model has its rows, and rows that count add up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from payouts.explained.facts import Row
from payouts.explained.rows import rows_of
from payouts.explained.steps import rounded_to
from prm.lib.periods import Month
from tests.tiers.engine.facts import (
    STANDARD,
    combined,
    original,
    percent,
    plan,
    pounds,
    refund,
    rule,
    sale,
    steps,
)
from tiers.engine import Deduction, Event, Line, Memory, RuleFacts, Standing, prepare
from tiers.engine.explain import because_besides, counts_of
from tiers.engine.facts import Limits, Part, Recurring, Window
from tiers.engine.months import MonthSoFar, month_lines

LONDON = ZoneInfo("Europe/London")
GRADUATED = rule("graduated", steps=steps((0, "0.1"), (1_000_00, "0.12", 50_00), (5_000_00, "0.15")))
VOLUME = rule("volume", steps=steps((0, "0.1"), (1_000_00, "0.12")))
MILESTONE = rule("milestone", steps=steps((1_000_00, "0", 50_00)))


def lines_after(
    rules: Iterable[RuleFacts], *events: Event, standing: Standing = STANDARD, **facts: Any
) -> tuple[Line, ...]:
    """Return the lines of the last event, the others having happened before it."""
    rater, memory = prepare(plan(*rules, **facts)), Memory()
    lines: tuple[Line, ...] = ()
    for event in events:
        lines = rater(event, standing, memory)
    return lines


def said(line: Line) -> list[tuple[str, int | None]]:
    rows = rows_of(line.because, LONDON)
    assert sum(row.amount.minor for row in rows if row.counts and row.amount) == line.amount.minor
    return [(row.label, row.amount.minor if row.amount is not None else None) for row in rows]


def noted(line: Line, label: str) -> str:
    [note] = [row.note for row in rows_of(line.because, LONDON) if row.label == label]
    return note


def test_each_slice_of_a_graduated_rate_is_a_row() -> None:
    """900.33 before, 4,500.20 now: 99.67 at 10 %, 4,000.00 at 12 % and 50.00 once, 400.53 at 15 %."""
    [line] = lines_after([GRADUATED], sale("900.33"), sale("4500.20"))
    assert said(line) == [
        ("Order total", 4_500_20),
        ("Counted in November 2026", None),
        ("First £1,000.00 at 10%", 9_97),  # 9.967
        ("From £1,000.00 to £5,000.00 at 12%", 530_00),
        ("Above £5,000.00 at 15%", 60_08),  # 60.0795, of 600.05: what the totals before and after are apart
    ]
    assert noted(line, "Counted in November 2026") == "£900.33 before, £5,400.53 with this."
    assert noted(line, "First £1,000.00 at 10%") == (
        "Rule “Graduated”, version 3, in force since 1 Jan 2026. £99.67 of it here. Rounded from 9.967."
    )
    assert noted(line, "From £1,000.00 to £5,000.00 at 12%") == (
        "£4,000.00 of it here. With £50.00 once for reaching the step."
    )


def test_pieces_have_a_price_each() -> None:
    table = rule("graduated", metric="units", steps=steps((0, "0", 5_00), (10, "0", 8_00)))
    [line] = lines_after([table], sale("90.00", quantity=12))
    assert said(line)[2:] == [
        ("First 10 units at £5.00 each", 50_00),
        ("Above 10 units at £8.00 each", 16_00),
    ]
    assert noted(line, "Counted in November 2026") == "0 units before, 12 units with this."


def test_a_volume_rate_and_its_true_up_say_what_is_due_and_what_was_booked() -> None:
    """900.00 at 10 % is 90.00; with 450.50 more all of it is at 12 %: 54.06 for the order, 18.00 for what was before."""
    line, up = lines_after([VOLUME], sale("900.00"), sale("450.50", key="o2"))
    assert said(line)[2:] == [("× the rate reached, 12%", 54_06)]
    assert said(up) == [
        ("Counted in November 2026", None),
        ("× the rate reached, 12%", 162_06),
        ("Due for November 2026", 162_06),
        ("Less what was booked before", -144_06),
    ]
    assert noted(up, "Due for November 2026").endswith(
        "With order o2 another step is reached, and its rate is for all of it."
    )


def test_a_refund_of_what_counted_takes_its_ratio_back_and_trues_the_window_up() -> None:
    rater, memory = prepare(plan(VOLUME)), Memory()
    sold = rater(sale("1200.00"), STANDARD, memory)
    back, up = rater(refund("400.00", original=original("1200.00", sold)), STANDARD, memory)
    assert said(back) == [("Refund", -400_00), ("Counted in November 2026", None), ("Taken back", -48_00)]
    assert said(up)[2:] == [("Due for November 2026", 80_00), ("Less what was booked before", -96_00)]
    assert noted(up, "Due for November 2026").endswith(
        "Order refund-1 gave money back, and the total is lower."
    )


def test_a_bonus_says_what_was_reached_and_where_the_next_begins() -> None:
    table = rule("milestone", metric="sales", steps=steps((1, "0", 50_00), (3, "0", 200_00)))
    [first] = lines_after([table], sale("9.00"))
    assert said(first)[-1] == ("1 sale reached", 50_00)
    assert noted(first, "1 sale reached").endswith("1 sale so far; the next begins at 3 sales.")
    [second] = lines_after([table], sale("9.00"), sale("9.00"))
    assert said(second)[-1] == ("No further step reached", 0)


def test_a_bonus_that_was_lost_is_taken_by_the_new_total() -> None:
    rater, memory = prepare(plan(MILESTONE)), Memory()
    sold = rater(sale("1200.00"), STANDARD, memory)
    back, up = rater(refund("400.00", original=original("1200.00", sold)), STANDARD, memory)
    assert said(back)[-1] == ("Counted back", 0)
    assert said(up)[-2:] == [("Due for November 2026", 0), ("Less what was booked before", -50_00)]


@pytest.mark.parametrize(
    ("amounts", "label", "minor"),
    [
        (["900.00"], "1 block of £1,000.00 begun, at £10.00", 10_00),
        (["900.00", "50.00"], "No new block of £1,000.00 begun", 0),
        (["900.00", "1500.00"], "2 blocks of £1,000.00 begun, at £10.00 each", 20_00),
    ],
)
def test_blocks_are_counted(amounts: list[str], label: str, minor: int) -> None:
    table = rule("package", package=1_000_00, flat=pounds("10.00"))
    [line] = lines_after([table], *(sale(amount) for amount in amounts))
    assert said(line)[-1] == (label, minor)


def test_a_customers_lifetime_value_is_paid_once_the_threshold_is_reached() -> None:
    table = rule("lifetime_value", rate=Decimal("0.05"), steps=steps((1_000_00, "0.05", 20_00)))
    [waiting] = lines_after([table], sale("900.00", customer="c"))
    assert said(waiting)[-1] == ("The customer's threshold is not reached", 0)
    [line] = lines_after([table], sale("900.00", customer="c"), sale("150.00", customer="c"))
    assert said(line)[1:] == [
        ("Counted for this customer", None),
        ("× your rate, 5%, on £1,050.00", 72_50),
    ]


def test_a_looked_up_rate_says_by_what() -> None:
    table = rule("prospective", steps=steps((0, "0.05"), (1_000_00, "0.08")))
    [line] = lines_after([table], sale("1900.00"), sale("150.00"))
    assert said(line)[-1] == ("× your rate, 8%", 12_00)
    assert noted(line, "× your rate, 8%").endswith(
        "Revenue in November 2026: £1,900.00. This rate begins at £1,000.00."
    )


@pytest.mark.parametrize(
    ("lasts", "note"),
    [
        (Recurring(months=12), "Month 1 of 12 with this customer."),
        (Recurring(payments=6), "Payment 1 of 6 by this customer."),
        (Recurring(), "Month 1 with this customer."),
    ],
)
def test_a_recurring_rate_says_which_month_or_payment_it_is(lasts: Recurring, note: str) -> None:
    table = rule("recurring", rate=Decimal("0.2"), recurring=lasts)
    [line] = lines_after([table], sale("100.00", customer="c"))
    assert noted(line, "× your rate, 20%").endswith(note)


def test_helping_and_pieces_and_recruiting_have_rows_of_their_own() -> None:
    helped = lines_after([rule("participation", rate=Decimal("0.02"))], sale("100.00", role="assisted"))
    assert said(helped[0])[-1] == ("× your rate for helping, 2%", 2_00)
    pieces = lines_after([rule("per_unit", flat=pounds("2.50"))], sale("100.00", quantity=3))
    assert said(pieces[0])[-1] == ("3 × £2.50", 7_50)
    levels = rule("override", levels=(Decimal("0.1"), Decimal("0.05")))
    up = lines_after([levels], sale("100.00", recruit_amount=pounds("8.00")), standing=Standing("a", depth=2))
    assert said(up[0]) == [("Commission of a partner you recruited", 8_00), ("× your override, 5%", 40)]
    [row, _rate] = rows_of(up[0].because, LONDON, recruit="Studio Prado")
    assert row.label == "Commission of Studio Prado"


def test_each_cap_says_what_was_over_it() -> None:
    limits = Limits(event_max=50_00, customer_max=70_00, window_max=80_00)
    rate = percent("0.1", limits=limits)
    [line] = lines_after([rate], sale("1000.00", customer="a"), sale("1000.00", customer="a"))
    assert said(line)[1:] == [
        ("× your rate, 10%", 100_00),
        ("Limit for one order", -50_00),
        ("Limit for one customer", -30_00),
    ]
    assert noted(line, "Limit for one customer") == "At most £70.00; £30.00 was over it."
    [other] = lines_after([rate], *(sale("1000.00", customer=name) for name in "ab"))
    assert said(other)[-1] == ("Your limit for the period", -20_00)
    budget = percent("0.1", limits=Limits(budget_max=30_00))
    assert said(lines_after([budget], sale("1000.00"))[0])[-1] == ("Budget of the program", -70_00)


def test_a_line_that_a_cap_cut_to_nothing_explains_itself() -> None:
    rate = percent("0.1", limits=Limits(window_max=100_00))
    [line] = lines_after([rate], sale("1000.00"), sale("500.00"))
    assert said(line)[1:] == [("× your rate, 10%", 50_00), ("Your limit for the period", -50_00)]
    assert line.amount.minor == 0


def test_the_least_of_an_order_is_a_row() -> None:
    [line] = lines_after([percent("0.1", limits=Limits(event_min=5_00))], sale("10.00"))
    assert said(line)[1:] == [("× your rate, 10%", 1_00), ("Raised to the minimum for one order", 4_00)]


def test_a_share_is_a_percentage_or_a_part_of_all_parts() -> None:
    [line] = lines_after([percent("0.1")], sale("100.00", shares=(Decimal("0.4"), Decimal("0.6"))))
    assert said(line)[1:] == [("× your rate, 10%", 10_00), ("Part of other partners", -6_00)]
    assert noted(line, "Part of other partners") == "Your share of £10.00 is 40%."
    [third] = lines_after([percent("0.1")], sale("99.00", shares=(Decimal(1),) * 3))
    assert noted(third, "Part of other partners") == "Your share of £9.90 is 1 of 3."
    [table] = lines_after([GRADUATED], sale("1000.00", shares=(Decimal("0.4"), Decimal("0.6"))))
    assert said(table)[:2] == [("Order total", 1_000_00), ("Your 40% of it", 400_00)]


def test_every_deduction_is_named() -> None:
    taken = tuple(
        Deduction(code, pounds("5.00")) for code in ("tax", "shipping", "discount", "cost", "eco_levy")
    )
    [line] = lines_after([percent("0.1")], sale("125.00", deductions=taken))
    assert said(line) == [
        ("Order total", 125_00),
        ("Less tax", -5_00),
        ("Less shipping", -5_00),
        ("Less discount", -5_00),
        ("Less cost of goods", -5_00),
        ("Less eco levy", -5_00),
        ("Commissionable amount", 100_00),
        ("× your rate, 10%", 10_00),
    ]


def test_a_flat_part_goes_back_and_comes_back_by_itself() -> None:
    rater = prepare(plan(combined("0.1", "5.00", flat_on_refund="at_first")))
    sold = rater(sale("1200.00"), STANDARD)
    [back] = rater(refund("400.00", original=original("1200.00", sold)), STANDARD)
    assert said(back)[1:] == [("Taken back", -40_00), ("Flat amount taken back", -5_00)]
    won = sale("400.00", kind="chargeback_won", original=original("1200.00", sold, before="400.00"))
    [again] = rater(won, STANDARD)
    assert said(again) == [("Won back", 400_00), ("Given back", 40_00), ("Flat amount given back", 5_00)]
    assert "£400.00 of a sale of £1,200.00 was won back" in noted(again, "Given back")


def month(rules: Iterable[RuleFacts], so_far: MonthSoFar, memory: Memory | None = None) -> Line:
    [line] = month_lines(prepare(plan(*rules)), STANDARD, Month(2026, 12), so_far, memory or Memory())
    return line


def test_what_a_month_brings_is_set_against_what_was_earned() -> None:
    retainer, draw = rule("retainer", flat=pounds("250.00")), rule("draw", flat=pounds("500.00"))
    assert said(month([retainer], MonthSoFar("GBP"))) == [("Fixed amount for December 2026", 250_00)]
    advance = month([draw], MonthSoFar("GBP", earned=123_45, outstanding={"draw": 100_00}))
    assert said(advance) == [
        ("Guaranteed for December 2026", 500_00),
        ("Less what you earned", -123_45),
    ]
    assert "Advances to be paid back later: £476.55." in noted(advance, "Guaranteed for December 2026")
    back = month([draw], MonthSoFar("GBP", earned=923_45, outstanding={"draw": 100_00}))
    assert said(back)[-1] == ("Paid back", -100_00)


def test_what_is_missing_to_a_guaranteed_quarter_is_set_against_what_was_booked() -> None:
    rate = percent("0.1", limits=Limits(window_min=100_00, window=Window("quarter")))
    memory = Memory()
    prepare(plan(rate))(sale("300.00"), STANDARD, memory)
    assert said(month([rate], MonthSoFar("GBP"), memory)) == [
        ("Guaranteed for quarter 4 of 2026", 100_00),
        ("Less what was booked", -30_00),
    ]


def test_a_rate_of_exchange_is_said_with_its_day_and_source() -> None:
    [line] = lines_after([percent("0.1")], sale("100.00"))
    because = {**line.because, "fx": {"rate": "1.1765", "date": "2026-11-02", "source": "ECB"}}
    row = rows_of(because, LONDON)[-1]
    assert (row.label, row.note) == ("Rate of exchange", "1.1765 on 2 Nov 2026, ECB.")
    assert "Rate of exchange" not in [each.label for each in rows_of(line.because, LONDON)]


@pytest.mark.parametrize(
    ("code", "window", "label", "cause"),
    [
        ("late_event", "2026-03", "Due for March 2026", "Order o9 happened earlier and was told later."),
        ("credit_corrected", "", "Due for this order", "It was corrected who is credited for order o9."),
        ("recomputed", "", "Due for this order", "It was worked out again, and this is the difference."),
        ("version_changed", "", "Due for this order", "Other terms have counted in this period as well."),
        ("budget_freed", "life", "Due for all time", "The budget of the program has room again."),
        ("chargeback", "2026", "Due for 2026", "Order o9 was charged back, and the total is lower."),
        (
            "chargeback_won",
            "2026",
            "Due for 2026",
            "The chargeback of order o9 was won, and the total is higher.",
        ),
        ("moon_phase", "", "Due for this order", "Moon phase."),
    ],
)
def test_a_correction_sets_what_is_due_against_what_was_booked_and_says_why(
    code: str, window: str, label: str, cause: str
) -> None:
    [line] = lines_after([percent("0.1")], sale("100.00"))
    because = because_besides(
        order="o9",
        kind="sale",
        occurred_at=None,
        reference=line.because["rule"],
        tier=line.because["tier"],
        amount=pounds("-2.00"),
        exact="-200",
        part=Part("true_up", -2_00, {"owed_minor": 8_00, "booked_minor": 10_00}),
        what="true_up",
        counts=counts_of(window),
    )
    due, booked = rows_of({**because, "cause": {"code": code, "order": "o9"}}, LONDON)
    assert (due.label, due.amount, booked.amount) == (label, pounds("8.00"), pounds("-10.00"))
    assert due.note.endswith(cause)


def test_a_code_nobody_knows_still_gives_its_row() -> None:
    [line] = lines_after([percent("0.1")], sale("100.00"))
    parts = [*line.because["parts"], {"label_code": "anniversary_gift", "amount_minor": 5_00, "params": {}}]
    rows = rows_of({**line.because, "parts": parts}, LONDON)
    assert rows[-1] == Row("Anniversary gift", pounds("5.00"), counts=True)


def test_an_explanation_from_before_windows_and_shares_is_still_read() -> None:
    [line] = lines_after([percent("0.1")], sale("100.00"))
    known = ("order", "event", "gross", "deductions", "base", "currency", "rate", "fixed", "rule", "tier")
    old = {key: line.because[key] for key in (*known, "checked_not_applied", "rounding", "amount", "parts")}
    assert rows_of(old, LONDON) == rows_of(line.because, LONDON)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("2026-03", "March 2026"),
        ("2026-Q1", "quarter 1 of 2026"),
        ("2026", "2026"),
        ("life", "all time"),
        ("2026-03+6", "6 months from March 2026"),
    ],
)
def test_every_window_has_a_name(key: str, words: str) -> None:
    [line] = lines_after([GRADUATED], sale("1.00"))
    window = {**line.because["window"], "key": key}
    assert rows_of({**line.because, "window": window}, LONDON)[1].label == f"Counted in {words}"


@given(
    st.lists(st.integers(1, 400_000), min_size=1, max_size=5),
    st.sampled_from([GRADUATED, VOLUME, MILESTONE]),
    st.sampled_from([(), (Decimal("0.3"), Decimal("0.7"))]),
)
def test_rows_that_count_always_add_up(
    amounts: list[int], table: RuleFacts, shares: tuple[Decimal, ...]
) -> None:
    rater, memory = prepare(plan(table, percent("0.0333"), combine="stack")), Memory()
    with translation.override("en"):
        for minor in amounts:
            event = sale(f"{minor // 100}.{minor % 100:02d}", shares=shares)
            for line in rater(event, STANDARD, memory):
                assert said(line)


@given(st.lists(st.fractions(-(10**6), 10**6, max_denominator=1000), min_size=1, max_size=6))
def test_figures_are_rounded_so_that_they_add_up_to_the_rounded_whole(figures: list[Any]) -> None:
    whole = round(sum(figures))
    assert sum(rounded_to(whole, [str(each) for each in figures])) == whole


def test_the_moment_of_a_rule_is_the_day_in_the_program() -> None:
    [line] = lines_after(
        [percent("0.1")], sale("100.00"), effective_at=datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    )
    assert "in force since 1 Jul 2026" in noted(line, "× your rate, 10%")
