"""Overrides by hand: level by level, on what a recruit sells or earns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from prm.lib.money import MixedCurrencies, Money
from tests.tiers.engine.rates.rules import minor, paid, rule, sums

LEVELS = (Decimal("0.1"), Decimal("0.05"))


@pytest.mark.parametrize(
    ("override_of", "depth", "amount"),
    [
        ("sales", 0, None),  # the partner itself
        ("sales", 1, 1_000),  # 10 % of 100.00
        ("sales", 2, 500),
        ("sales", 3, None),  # beyond the last level
        ("commission", 1, 80),  # 10 % of the recruit's 7.99, 79.9
        ("commission", 2, 40),  # 39.95
        ("commission", 3, None),
    ],
)
def test_each_level_has_its_share(override_of: str, depth: int, amount: int | None) -> None:
    found = paid(
        rule("override", levels=LEVELS, override_of=override_of),
        10_000,
        depth=depth,
        recruit_amount=minor(799),
    )
    assert sums(found) == ([] if amount is None else [("override", amount)])


def test_the_level_is_explained() -> None:
    (part,) = paid(rule("override", levels=LEVELS), 10_000, depth=2, recruit_amount=minor(799))
    assert part.params == {
        "rate": "0.05",
        "base_minor": 799,
        "exact_minor": "39.95",
        "level": 2,
        "of": "commission",
    }


@pytest.mark.parametrize(
    ("known", "override_of", "amount"),
    [
        ({"recruit_amount": minor(-799)}, "commission", -80),
        ({"recruit_amount": minor(0)}, "commission", 0),
        ({}, "sales", -1_000),
    ],
)
def test_what_a_refund_takes_from_the_recruit_it_takes_from_the_recruiter(
    known: dict[str, Any], override_of: str, amount: int
) -> None:
    found = paid(
        rule("override", levels=LEVELS, override_of=override_of), -10_000, depth=1, is_refund=True, **known
    )
    assert sums(found) == [("override", amount)]


def test_where_the_recruit_has_no_line_there_is_nothing_to_share() -> None:
    assert paid(rule("override", levels=LEVELS), 10_000, depth=1) == ()


def test_the_recruit_s_line_is_in_the_currency_of_the_event() -> None:
    with pytest.raises(MixedCurrencies):
        paid(rule("override", levels=LEVELS), 10_000, depth=1, recruit_amount=Money(799, "EUR"))
