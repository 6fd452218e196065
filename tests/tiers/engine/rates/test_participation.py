"""Participation bonuses by hand: flat, a percentage, or both."""

from __future__ import annotations

from decimal import Decimal

from tests.tiers.engine.rates.rules import minor, paid, rule, sums


def test_an_assist_earns_a_flat_amount_a_percentage_or_both() -> None:
    rate, flat = Decimal("0.02"), minor(500)
    assert sums(paid(rule("participation", flat=flat), 1_037)) == [("flat", 500)]
    assert sums(paid(rule("participation", rate=rate), 1_037)) == [("participation", 21)]  # 20.74
    assert sums(paid(rule("participation", rate=rate, flat=flat), 1_037)) == [
        ("participation", 21),
        ("flat", 500),
    ]


def test_a_rule_that_pays_nothing_says_so() -> None:
    assert sums(paid(rule("participation"), 1_037)) == [("participation", 0)]


def test_a_refund_without_a_sale_takes_the_percentage_back() -> None:
    both = rule("participation", rate=Decimal("0.02"), flat=minor(500))
    assert sums(paid(both, -1_037, is_refund=True)) == [("participation", -21), ("flat_needs_original", 0)]
