"""A flat amount for each piece, by hand."""

from __future__ import annotations

import pytest

from prm.lib.money import MixedCurrencies, Money
from tests.tiers.engine.rates.rules import minor, paid, rule, sums
from tiers.engine.rates import CONTEXT_RATES
from tiers.engine.rates.context import Context

EACH = rule("per_unit", flat=minor(150))


@pytest.mark.parametrize(
    ("quantity", "amount"), [(0, 0), (1, 150), (2, 300), (1_000_000_000, 150_000_000_000)]
)
def test_each_piece_earns_the_amount_whatever_it_cost(quantity: int, amount: int) -> None:
    assert sums(paid(EACH, 9_999, quantity=quantity)) == [("per_unit", amount)]
    assert paid(EACH, 1, quantity=quantity)[0].params == {"flat_minor": 150, "quantity": quantity}


def test_a_refund_without_a_sale_takes_nothing_back_and_says_why() -> None:
    assert sums(paid(EACH, -9_999, quantity=3, is_refund=True)) == [("flat_needs_original", 0)]
    kept = rule("per_unit", flat=minor(150), flat_on_refund="kept")
    assert sums(paid(kept, -9_999, quantity=3, is_refund=True)) == [("flat_kept", 0)]


def test_the_amount_is_in_the_currency_of_the_event() -> None:
    with pytest.raises(MixedCurrencies):
        CONTEXT_RATES["per_unit"](EACH, Money(100, "EUR"), Context())
