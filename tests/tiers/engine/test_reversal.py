"""Refunds of a known sale: worked by hand in parts, with flat parts kept or given back, and in any cut at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.money import MixedCurrencies, Money
from tests.tiers.engine.facts import (
    AT,
    NOTHING_ELSE,
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
    sale,
)
from tiers.engine import Event, Line, Original, RuleFacts, compute, reverse

SALE = "99.99"


@pytest.mark.parametrize(
    ("rule", "refunds", "taken"),
    [
        # 8 % of 99.99 is 8.00 (7.9992). A third of the sale at a time: 2.67 (2.6667), 5.33 (5.3333), 8.00.
        (percent("0.08"), ["33.33", "33.33", "33.33"], ["-2.67", "-2.66", "-2.67"]),
        (percent("0.08"), ["99.99"], ["-8.00"]),
        # 5 % is 5.00 (4.9995), plus 2.00; kept: only 5.00 goes back: 1.67 (1.6667), 3.33 (3.3333), 5.00.
        (
            combined("0.05", "2.00", flat_on_refund="kept"),
            ["33.33", "33.33", "33.33"],
            ["-1.67", "-1.66", "-1.67"],
        ),
        (combined("0.05", "2.00", flat_on_refund="kept"), ["99.99"], ["-5.00"]),
        # pro rata: 7.00 goes back: 2.33 (2.3333), 4.67 (4.6667), 7.00.
        (combined("0.05", "2.00"), ["33.33", "33.33", "33.33"], ["-2.33", "-2.34", "-2.33"]),
        (flat("2.00", flat_on_refund="kept"), ["99.99"], []),
        # 2.00 back: 0.67 (0.6667), then the rest.
        (flat("2.00"), ["33.33", "66.66"], ["-0.67", "-1.33"]),
    ],
)
def test_refunds_take_back_their_part_of_each_line(
    rule: RuleFacts, refunds: list[str], taken: list[str]
) -> None:
    lines, before, found = earned(sale(SALE), rule), pounds("0"), []
    for amount in refunds:
        step = reverse(originals(lines), sale=pounds(SALE), refunded_before=before, refund=pounds(amount))
        found += [text for _, text in amounts(step)]
        before += pounds(amount)
    assert found == taken


def test_a_refund_event_with_its_original_reverses_its_lines_and_ignores_today_s_plan() -> None:
    lines = earned(sale("100.00"), percent("0.08"), flat("2.00", position=2), combine="stack")
    event = refund("50.00", original=original("100.00", lines))
    back = compute(event, STANDARD, plan(percent("0.99", key="new")))
    assert amounts(back) == [("base", "-4.00"), ("flat", "-1.00")]
    assert [line.reverses for line in back] == ["com-1", "com-2"]
    assert [line.version_id for line in back] == [7, 7]


def test_a_reversal_explains_itself_with_the_original_s_rule() -> None:
    lines = earned(sale("100.00", country="FR"), combined("0.05", "2.00", flat_on_refund="kept"))
    event = refund("25.00", original=original("100.00", lines, before="50.00"))
    because = compute(event, STANDARD, plan(percent("0.99")))[0].because
    assert because == {
        "order": "refund-1",
        "event": {"kind": "refund", "occurred_at": "2026-11-02T09:30:00+00:00"},
        "gross": -2500,
        "deductions": [],
        "base": -2500,
        "currency": "GBP",
        "rate": "0.05",
        "fixed": 0,
        "rule": lines[0].because["rule"],
        "tier": {"key": "standard", "name": "Standard"},
        "checked_not_applied": [],
        "rounding": {"mode": "half_away_from_zero", "exact": "-125"},
        "amount": -125,
        "parts": [
            {
                "label_code": "reversal",
                "amount_minor": -125,
                "params": {
                    "line_minor": 500,
                    "sale_minor": 10000,
                    "refunded_before_minor": 5000,
                    "refund_minor": 2500,
                },
            },
            {"label_code": "flat_kept", "amount_minor": 0, "params": {"flat_minor": 200}},
        ],
        "reverses": "com-1",
        "what": "reversal",
        **NOTHING_ELSE,
    }


def test_a_share_without_end_is_explained_as_a_fraction() -> None:
    lines = earned(sale("3.00"), percent("1"))
    third = reverse(
        originals(lines), sale=Money(900, "GBP"), refunded_before=pounds("0"), refund=Money(301, "GBP")
    )
    assert third[0].because["rounding"]["exact"] == "-301/3"  # 300 x 301 / 900
    assert third[0].amount == Money(-100, "GBP")


def test_a_reversal_of_nothing_is_no_line() -> None:
    lines = earned(sale("100.00"), percent("0.08"))
    assert (
        reverse(originals(lines), sale=pounds("100.00"), refunded_before=pounds("0"), refund=pounds("0.01"))
        == ()
    )
    assert reverse((), sale=pounds("100.00"), refunded_before=pounds("0"), refund=pounds("50.00")) == ()


@pytest.mark.parametrize(("before", "amount"), [("0", "100.01"), ("60.00", "40.01"), ("100.00", "0.01")])
def test_more_than_the_sale_cannot_come_back(before: str, amount: str) -> None:
    lines = earned(sale("100.00"), percent("0.08"))
    with pytest.raises(ValueError, match="exceed the sale"):
        reverse(
            originals(lines), sale=pounds("100.00"), refunded_before=pounds(before), refund=pounds(amount)
        )


def test_a_refund_in_another_currency_is_refused() -> None:
    lines = earned(sale("100.00"), percent("0.08"))
    with pytest.raises(MixedCurrencies):
        reverse(
            originals(lines), sale=pounds("100.00"), refunded_before=pounds("0"), refund=Money(100, "EUR")
        )


def test_only_a_refund_can_name_an_original() -> None:
    lines = earned(sale("100.00"), percent("0.08"))
    with pytest.raises(ValueError, match="Only a refund"):
        sale("10.00", original=original("100.00", lines))


rules = st.builds(
    lambda kind, rate, flat_minor, on_refund: RuleFacts(
        "r",
        "Rule",
        1,
        kind,
        rate=rate,
        flat=None if kind == "percent" else Money(flat_minor, "GBP"),
        flat_on_refund=on_refund,
    ),
    st.sampled_from(["percent", "flat", "percent_plus_flat"]),
    st.decimals(min_value=0, max_value=1, places=8),
    st.integers(0, 10**4),
    st.sampled_from(["kept", "pro_rata"]),
)


@given(rules, st.lists(st.integers(1, 10**6), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_full_refund_in_any_parts_and_order_leaves_exactly_what_is_kept(
    rule: RuleFacts, parts: list[int], shuffle: object
) -> None:
    whole = Money(sum(parts), "GBP")
    lines = compute(Event("o", "sale", AT, whole), STANDARD, plan(rule))
    shuffle.shuffle(parts)  # type: ignore[attr-defined]
    balance = Money.total((line.amount for line in lines), "GBP")
    base = Money.total((line.base for line in lines), "GBP")
    before = Money(0, "GBP")
    for minor in parts:
        named = Original("o", whole, before, originals(lines))
        back: tuple[Line, ...] = compute(
            Event("f", "refund", AT, Money(minor, "GBP"), original=named), STANDARD, plan(rule)
        )
        balance = Money.total((line.amount for line in back), "GBP") + balance
        assert balance.minor >= 0, "never more is taken back than was earned"
        assert all(line.amount.minor < 0 and -line.base <= base for line in back)
        before += Money(minor, "GBP")
    kept = Money.total((line.flat for line in lines if line.flat and line.flat_on_refund == "kept"), "GBP")
    assert balance == kept


def test_a_sale_refunded_in_one_piece_gives_the_same_as_in_many() -> None:
    lines = earned(sale("100.00"), percent("0.0333"))
    at_once = reverse(
        originals(lines), sale=pounds("100.00"), refunded_before=pounds("0"), refund=pounds("70.00")
    )
    first = reverse(
        originals(lines), sale=pounds("100.00"), refunded_before=pounds("0"), refund=pounds("35.55")
    )
    second = reverse(
        originals(lines), sale=pounds("100.00"), refunded_before=pounds("35.55"), refund=pounds("34.45")
    )
    assert first[0].amount + second[0].amount == at_once[0].amount == pounds("-2.33")  # 3.33 x 0.7 = 2.331
    assert Decimal(at_once[0].because["rounding"]["exact"]) == Decimal("-233.1")
