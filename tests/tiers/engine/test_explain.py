"""The stored explanation: its exact shape, that it adds up, that it restores its line, and that it never varies."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from prm.lib.money import Money
from tests.tiers.engine.facts import (
    AT,
    NOTHING_ELSE,
    STANDARD,
    combined,
    earned,
    originals,
    percent,
    plan,
    pounds,
    rule,
    sale,
    steps,
)
from tiers.engine import (
    Event,
    Line,
    Memory,
    Original,
    RuleFacts,
    Standing,
    compute,
    fold,
    prepare,
    restore,
    reverse,
)
from tiers.engine.facts import Limits, Recurring
from tiers.engine.fold import Fold


def test_a_line_says_how_it_came_about() -> None:
    gold = percent("0.100", key="gold", name="Gold", tiers=frozenset({"gold", "platinum"}))
    abroad = percent("0.09", key="abroad", name="Abroad", position=2, countries=frozenset({"fr"}))
    usual = combined("0.05", "2.00", key="usual", name="Usual", position=3, flat_on_refund="kept")
    last = percent("0.01", key="last", name="Last", position=4)
    line = earned(sale("10.10", country="gb"), gold, abroad, usual, last)[0]
    assert line.because == {
        "order": "order-1",
        "event": {"kind": "sale", "occurred_at": "2026-11-02T09:30:00+00:00"},
        "gross": 1010,
        "deductions": [],
        "base": 1010,
        "currency": "GBP",
        "rate": "0.05",
        "fixed": 200,
        "rule": {
            "key": "usual",
            "name": "Usual",
            "kind": "percent_plus_flat",
            "version": 3,
            "version_id": 7,
            "in_force_from": "2026-01-01T00:00:00+00:00",
            "flat_on_refund": "kept",
        },
        "tier": {"key": "standard", "name": "Standard"},
        "checked_not_applied": [
            {
                "rule": {"key": "gold", "name": "Gold"},
                "why": {"code": "other_tier", "wanted": ["gold", "platinum"], "found": "standard"},
            },
            {
                "rule": {"key": "abroad", "name": "Abroad"},
                "why": {"code": "other_country", "wanted": ["FR"], "found": "GB"},
            },
            {
                "rule": {"key": "last", "name": "Last"},
                "why": {"code": "earlier_rule_applied", "wanted": [], "found": "usual"},
            },
        ],
        "rounding": {"mode": "half_away_from_zero", "exact": "250.5"},
        "amount": 251,
        "parts": [
            {
                "label_code": "percent",
                "amount_minor": 51,
                "params": {"rate": "0.05", "base_minor": 1010, "exact_minor": "50.5"},
            },
            {"label_code": "flat", "amount_minor": 200, "params": {}},
        ],
        "reverses": None,
        "what": "earned",
        **NOTHING_ELSE,
    }


facts = st.tuples(
    st.sampled_from(["percent", "flat", "percent_plus_flat"]),
    st.decimals(min_value=0, max_value=1, places=8),
    st.integers(0, 10**6),
    st.integers(0, 10**12),
    st.booleans(),
)


@given(facts)
def test_every_explanation_adds_up_restores_its_line_and_never_varies(
    drawn: tuple[str, Decimal, int, int, bool],
) -> None:
    kind, rate, flat_minor, minor, is_refund = drawn
    rule = RuleFacts("r", "Rule", 1, kind, rate=rate, flat=Money(flat_minor, "GBP"))  # type: ignore[arg-type]
    event = Event("e", "refund" if is_refund else "sale", AT, Money(minor, "GBP"), "GB")
    lines, rater = compute(event, STANDARD, plan(rule)), prepare(plan(rule))
    assert len(lines) <= 1
    for line in lines:
        because = line.because
        stored = json.dumps(because)
        assert restore(json.loads(stored)) == line
        assert json.dumps(rater(event, STANDARD)[0].because) == stored, "byte by byte"
        assert (
            sum(part["amount_minor"] for part in because["parts"])
            == because["amount"]
            == line.amount.minor
            != 0
        )
        assert abs(Fraction(because["rounding"]["exact"]) - because["amount"]) <= Fraction(1, 2)
        sign = -1 if is_refund else 1
        percent_of = 0 if kind == "flat" else sign * minor * Fraction(rate)
        flat_of = 0 if kind == "percent" or is_refund else flat_minor
        assert Fraction(because["rounding"]["exact"]) == percent_of + flat_of


def test_equal_rates_are_explained_in_the_same_digits_however_written() -> None:
    event = sale("100.00")
    written = {
        json.dumps(earned(event, percent(rate))[0].because) for rate in ("0.1", "0.10", "0.10000000", "1E-1")
    }
    assert len(written) == 1


def test_explanations_share_nothing_that_one_could_spoil_for_the_next() -> None:
    rater, event = (
        prepare(plan(percent("0.1", tiers=frozenset({"gold"})), percent("0.08", key="b", position=2))),
        sale("1.00"),
    )
    first = rater(event, STANDARD)[0].because
    first["rule"]["name"] = first["checked_not_applied"][0]["why"]["code"] = "spoiled"
    first["checked_not_applied"][0]["why"]["wanted"].append("spoiled")
    assert "spoiled" not in json.dumps(rater(event, STANDARD)[0].because)


def test_a_reversal_restores_too() -> None:
    lines = earned(
        sale("100.00"), combined("0.05", "2.00", flat_on_refund="kept"), standing=Standing("gold", "Gold")
    )
    stored = tuple(restore(json.loads(json.dumps(line.because))) for line in lines)
    for booked in (lines, stored):
        back = reverse(
            originals(booked), sale=pounds("100.00"), refunded_before=pounds("0"), refund=pounds("30.00")
        )
        assert restore(json.loads(json.dumps(back[0].because))) == back[0]
        assert back[0].amount == pounds("-1.50")


TABLE = steps((0, "0.05"), (9_000, "0.0725", 100), (40_000, "0.1"))
EVERY_KIND = (
    percent("0.0333", key="percent", limits=Limits(event_min=3, event_max=900, customer_max=2000)),
    combined("0.01", "0.50", key="combined", flat_on_refund="at_first"),
    rule("flat", flat=pounds("1.00"), limits=Limits(window_max=500, budget_max=900)),
    rule("per_unit", flat=pounds("0.10"), flat_on_refund="until_full"),
    rule("prospective", steps=TABLE, crossing_has_new_rate=True),
    rule("recurring", rate=Decimal("0.02"), recurring=Recurring(payments=3)),
    rule("graduated", steps=TABLE),
    rule("volume", steps=TABLE, limits=Limits(window_max=6000)),
    rule("accelerator", target=20_000, steps=steps((0, "0.01"), (100, "0.03"))),
    rule("stairstep", metric="sales", steps=steps((1, "0", 100), (3, "0", 500))),
    rule("package", package=7_000, flat=pounds("0.75")),
    rule("milestone", stacking=True, steps=steps((10_000, "0", 100), (30_000, "0", 300))),
    rule("lifetime_value", steps=steps((15_000, "0.01", 50)), limits=Limits(customer_max=400)),
)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 20_000), st.sampled_from(["", "ann", "bob"]), st.integers(0, 2), st.integers(0, 9)
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30, deadline=None)
@given(EVENTS)
def test_every_line_of_every_kind_adds_up_restores_and_never_varies(
    drawn: list[tuple[int, str, int, int]],
) -> None:
    """Sales of three partners' shares, each with a part charged back and won, under a plan that stacks all kinds."""
    rater = prepare(plan(*EVERY_KIND, combine="stack"))
    events: list[Event] = []
    for number, (minor, customer, at, tenths) in enumerate(drawn):
        whole, shares = Money(minor, "GBP"), (Decimal("0.5"), Decimal("0.3"), Decimal("0.2"))
        sold = Event(
            f"o{number}", "sale", AT, whole, customer=customer, quantity=3, shares=shares, share_at=at
        )
        named, back = Original(f"o{number}", whole, pounds("0"), ()), Money(minor * tenths // 10, "GBP")
        events += [sold, replace(sold, key=f"c{number}", kind="chargeback", amount=back, original=named)]
        events += [replace(sold, key=f"w{number}", kind="chargeback_won", amount=back, original=named)]
        events += [replace(sold, key=f"r{number}", kind="refund", amount=back)]

    def lines() -> list[Line]:
        rated = fold([(event, STANDARD, rater) for event in events], Memory())
        return [line for _, found in rated for line in found]

    told = lines()
    assert json.dumps([line.because for line in told]) == json.dumps([line.because for line in lines()])
    for line in told:
        because = json.loads(json.dumps(line.because))
        assert restore(because) == line
        assert (
            sum(part["amount_minor"] for part in because["parts"]) == because["amount"] == line.amount.minor
        )
        exact, window = Fraction(because["rounding"]["exact"]), because["window"]
        if because["steps"] is not None and line.what != "true_up":
            assert sum(Fraction(row["exact"]) for row in because["steps"]) == exact
            assert window["after"] - window["before"] == line.volume
            over = 0 if because["cap"] is None else because["cap"]["over"]
            assert abs(exact - line.amount.minor - over) < 1


@settings(max_examples=30, deadline=None)
@given(EVENTS)
def test_what_is_won_back_leaves_every_window_and_cap_as_it_was(
    drawn: list[tuple[int, str, int, int]],
) -> None:
    rater, memory = prepare(plan(*EVERY_KIND, combine="stack")), Memory()
    folding = Fold(memory)
    for number, (minor, customer, _, tenths) in enumerate(drawn):
        whole = Money(minor, "GBP")
        sold = Event(f"o{number}", "sale", AT, whole, customer=customer)
        list(folding.add(sold, STANDARD, rater))
        before = repr((memory.slots, memory.capped, memory.customers, memory.budgets))
        named, back = Original(f"o{number}", whole, pounds("0"), ()), Money(minor * tenths // 10, "GBP")
        for kind in ("chargeback", "chargeback_won"):
            moved = replace(sold, key=f"{kind}{number}", kind=kind, amount=back, original=named)
            list(folding.add(moved, STANDARD, rater))
        assert repr((memory.slots, memory.capped, memory.customers, memory.budgets)) == before
