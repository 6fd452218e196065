"""Recurring rates by hand: how long they last, by months and by payments, and the rate of each month."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.tiers.engine.rates.rules import minor, paid, rule, sums
from tiers.engine.facts import Recurring

RATE = Decimal("0.15")


@pytest.mark.parametrize(
    ("lasts", "month", "payment", "amount"),
    [
        (Recurring(months=12), 0, 1, 180),  # 15 % of 12.00
        (Recurring(months=12), 11, 12, 180),
        (Recurring(months=12), 11, 30, 180),  # weekly payments: the twelfth month is not over
        (Recurring(months=12), 12, 13, None),
        (Recurring(months=12), 12, 2, None),
        (Recurring(payments=1), 0, 1, 180),  # the first sale alone
        (Recurring(payments=1), 0, 2, None),
        (Recurring(payments=3), 30, 3, 180),
        (Recurring(payments=3), 0, 4, None),
        (Recurring(months=2, payments=3), 1, 3, 180),
        (Recurring(months=2, payments=3), 2, 3, None),
        (Recurring(months=2, payments=3), 1, 4, None),
        (Recurring(), 999, 999, 180),  # for life
        (None, 999, 999, 180),
    ],
)
def test_it_pays_until_it_is_over(
    lasts: Recurring | None, month: int, payment: int, amount: int | None
) -> None:
    found = paid(rule("recurring", rate=RATE, recurring=lasts), 1_200, month=month, payment=payment)
    assert sums(found) == ([] if amount is None else [("recurring", amount)])


@pytest.mark.parametrize(("month", "amount"), [(0, 400), (1, 200), (2, 100), (3, 100), (11, 100)])
def test_a_schedule_gives_each_month_its_rate_and_the_last_one_goes_on(month: int, amount: int) -> None:
    schedule = (Decimal("0.4"), Decimal("0.2"), Decimal("0.1"))
    lasts = Recurring(months=12, schedule=schedule)
    assert sums(paid(rule("recurring", rate=RATE, recurring=lasts), 1_000, month=month)) == [
        ("recurring", amount)
    ]


def test_the_month_and_the_payment_are_explained() -> None:
    (part,) = paid(rule("recurring", rate=RATE, recurring=Recurring(months=12)), 1_037, month=3, payment=4)
    assert part.params == {
        "rate": "0.15",
        "base_minor": 1_037,
        "exact_minor": "155.55",
        "month": 4,
        "months": 12,
        "payment": 4,
        "payments": "",
    }


def test_a_flat_amount_comes_with_each_payment_and_a_refund_takes_the_percentage_alone() -> None:
    both = rule("recurring", rate=RATE, flat=minor(50), recurring=Recurring(months=2))
    assert sums(paid(both, 1_000, month=1, payment=2)) == [("recurring", 150), ("flat", 50)]
    assert sums(paid(both, -1_000, is_refund=True)) == [("recurring", -150), ("flat_needs_original", 0)]
    assert paid(both, -1_000, is_refund=True, month=2) == ()
