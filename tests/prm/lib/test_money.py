"""Money: tables worked by hand for reading, rounding and splitting, and properties that hold for any amount."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.currencies import EXPONENTS
from prm.lib.money import (
    BadAmount,
    MixedCurrencies,
    Money,
    UnknownCurrency,
    cumulative_reversal,
    exponent,
    round_half_away,
    zero,
)

minors = st.integers(min_value=-(10**15), max_value=10**15)
currencies = st.sampled_from(["GBP", "JPY", "KWD", "CLF"])


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("-0.01", "EUR", -1),
        ("+3", "EUR", 300),
        ("0", "EUR", 0),
        ("-0", "EUR", 0),
        ("007.10", "EUR", 710),
        ("920", "JPY", 920),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("92233720368547758.07", "EUR", 2**63 - 1),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("", "EUR", "not_an_amount"),
        ("abc", "EUR", "not_an_amount"),
        ("1e3", "EUR", "not_an_amount"),
        ("NaN", "EUR", "not_an_amount"),
        ("Infinity", "EUR", "not_an_amount"),
        ("\uff11\uff12.50", "EUR", "not_an_amount"),  # full-width digits
        ("\u0661\u0662", "EUR", "not_an_amount"),  # Arabic-Indic digits
        ("1\u00b2", "EUR", "not_an_amount"),  # a superscript two
        ("12.50\n", "EUR", "not_an_amount"),
        (" 12.50", "EUR", "not_an_amount"),
        ("1,000.00", "EUR", "not_an_amount"),
        ("12,50", "EUR", "not_an_amount"),
        ("1_000", "EUR", "not_an_amount"),
        (".5", "EUR", "not_an_amount"),
        ("5.", "EUR", "not_an_amount"),
        ("--5", "EUR", "not_an_amount"),
        ("12\x00", "EUR", "not_an_amount"),
        ("12.505", "EUR", "too_many_decimals"),
        ("12.500", "EUR", "too_many_decimals"),
        ("920.0", "JPY", "too_many_decimals"),
        ("92233720368547758.08", "EUR", "too_large"),
        ("9" * 1_000_000, "EUR", "too_large"),
    ],
)
def test_a_text_that_is_no_amount_is_refused_with_its_reason(text: str, currency: str, code: str) -> None:
    with pytest.raises(BadAmount) as refusal:
        Money.parse(text, currency)
    assert refusal.value.code == code
    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize("currency", ["", "eur", "XXX", "EURO", "€", "ZZZ", "EU"])
def test_a_currency_off_the_list_is_refused_everywhere(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        Money(1, currency)
    with pytest.raises(UnknownCurrency):
        Money.parse("1", currency)
    with pytest.raises(UnknownCurrency):
        exponent(currency)


@pytest.mark.parametrize("minor", [1.0, True, Decimal(1), "1", None])
def test_money_is_made_of_whole_numbers_only(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("JPY", 0),
        ("ISK", 0),
        ("EUR", 2),
        ("HUF", 2),
        ("MGA", 2),
        ("TND", 3),
        ("IQD", 3),
        ("CLF", 4),
        ("UYW", 4),
    ],
)
def test_decimals_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


def test_every_currency_of_babel_that_iso_still_lists_is_known_once() -> None:
    assert len(EXPONENTS) == sum(1 for code in EXPONENTS if len(code) == 3 and code.isupper()) > 160


@pytest.mark.parametrize(
    ("money", "decimal", "text"),
    [
        (Money(1250, "EUR"), "12.50", "12.50 EUR"),
        (Money(-5, "EUR"), "-0.05", "-0.05 EUR"),
        (Money(1000, "JPY"), "1000", "1000 JPY"),
        (Money(1, "CLF"), "0.0001", "0.0001 CLF"),
    ],
)
def test_an_amount_is_written_with_its_own_decimals(money: Money, decimal: str, text: str) -> None:
    assert str(money.decimal()) == decimal
    assert str(money) == text


@given(minors, currencies)
def test_reading_what_was_written_gives_the_same_amount(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    with localcontext(prec=3):  # a caller's decimal context must not matter
        assert Money.parse(str(money.decimal()), currency) == money


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0.5", 1),
        ("-0.5", -1),
        ("1.5", 2),
        ("-1.5", -2),
        ("2.5", 3),
        ("-2.5", -3),
        ("2.4999999999999999999999999999999", 2),
        ("-2.4999999999999999999999999999999", -2),
        ("2.51", 3),
        ("0", 0),
    ],
)
def test_a_half_goes_away_from_zero(value: str, rounded: int) -> None:
    assert round_half_away(Decimal(value)) == rounded
    assert round_half_away(Fraction(value)) == rounded


def test_no_float_is_rounded_or_multiplied() -> None:
    with pytest.raises(TypeError):
        round_half_away(2.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(100, "EUR").portion(0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minor", "rate", "portion"),
    [
        (50000, "0.029", 1450),
        (500, "0.029", 15),  # 14.5; a float truncated to 14
        (-500, "0.029", -15),
        (10050, "0.05", 503),  # 502.5
        (1, "0.5", 1),
        (1, "0.4999999", 0),
        (20000, "0.10", 2000),
        (333, "0", 0),
        (333, "1", 333),
        (10**17, "0.123456", 12345600000000000),
    ],
)
def test_a_portion_is_exact_and_rounded_once(minor: int, rate: str, portion: int) -> None:
    assert Money(minor, "EUR").portion(Decimal(rate)) == Money(portion, "EUR")


@given(minors, st.decimals(min_value=0, max_value=1, places=8))
def test_the_portion_of_a_negated_amount_is_the_negated_portion(minor: int, rate: Decimal) -> None:
    with localcontext(prec=4):
        portion = Money(minor, "EUR").portion(rate)
    assert Money(-minor, "EUR").portion(rate) == -portion
    assert abs(Fraction(portion.minor) - minor * Fraction(rate)) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (5, [7, 3], [4, 1]),  # 3.5 and 1.5: equal remainders, the earlier weight wins
        (-5, [7, 3], [-4, -1]),
        (1, [1, 1], [1, 0]),
        (0, [1, 2], [0, 0]),
        (10, [0, 1], [0, 10]),
        (100, [Decimal("0.155"), Decimal("0.845")], [16, 84]),  # 15.5 and 84.5
        (7, [Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)], [3, 2, 2]),
    ],
)
def test_a_split_adds_up_and_breaks_ties_in_order(minor: int, weights: list[int], parts: list[int]) -> None:
    assert [part.minor for part in Money(minor, "EUR").allocate(weights)] == parts


@given(minors, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_parts_of_any_split_add_up_mirror_and_stay_within_one_unit(minor: int, weights: list[int]) -> None:
    parts = Money(minor, "EUR").allocate(weights)
    assert Money.total(parts, "EUR") == Money(minor, "EUR")
    assert Money(-minor, "EUR").allocate(weights) == [-part for part in parts]
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - Fraction(minor * weight, sum(weights))) < 1
        assert part.minor * minor >= 0


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_senseless_weights_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="Weights"):
        Money(100, "EUR").allocate(weights)


def test_currencies_never_mix() -> None:
    euro, pound = Money(1, "EUR"), Money(1, "GBP")
    for operation in (
        lambda: euro + pound,
        lambda: euro - pound,
        lambda: euro < pound,
        lambda: euro <= pound,
        lambda: euro > pound,
        lambda: euro >= pound,
        lambda: Money.total([euro, pound], "EUR"),
    ):
        with pytest.raises(MixedCurrencies):
            operation()
    assert euro != pound
    with pytest.raises(TypeError):
        euro + 1  # type: ignore[operator]


def test_sums_signs_and_comparisons() -> None:
    two, three = Money(200, "EUR"), Money(300, "EUR")
    assert two + three == Money(500, "EUR")
    assert two - three == Money(-100, "EUR") == -Money(100, "EUR")
    assert abs(two - three) == Money(100, "EUR")
    assert two < three
    assert three >= three
    assert max(two, three) == three
    assert not zero("EUR")
    assert Money.total([], "JPY") == zero("JPY")


@pytest.mark.parametrize(
    ("line", "sale", "refunds", "reversed_each"),
    [
        (79, 790, [320, 470], [32, 47]),
        (79, 793, [321, 472], [32, 47]),  # 31.98, then the rest of 79
        (1, 3, [1, 1, 1], [0, 1, 0]),  # 0.33, 0.67, 1.00 rounded to 0, 1, 1
        (100, 300, [100, 100, 100], [33, 34, 33]),
        (-100, 300, [100, 200], [-33, -67]),
        (5, 10, [0, 10], [0, 5]),
    ],
)
def test_refunds_in_parts_take_back_what_is_due_so_far(
    line: int, sale: int, refunds: list[int], reversed_each: list[int]
) -> None:
    taken, before = [], 0
    for refund in refunds:
        taken.append(cumulative_reversal(line, sale, before, refund))
        before += refund
    assert taken == reversed_each


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(1, 10**7), min_size=1, max_size=8))
def test_any_cut_of_a_full_refund_takes_back_the_whole_line(line: int, refunds: list[int]) -> None:
    sale, before, taken = sum(refunds), 0, 0
    for refund in refunds:
        part = cumulative_reversal(line, sale, before, refund)
        assert part * line >= 0, "a refund never gives more commission"
        before, taken = before + refund, taken + part
        assert abs(taken) <= abs(line)
    assert taken == line


@pytest.mark.parametrize(
    ("sale", "before", "refund"), [(0, 0, 0), (-5, 0, 1), (100, -1, 5), (100, 0, -5), (100, 60, 41)]
)
def test_a_senseless_refund_is_refused(sale: int, before: int, refund: int) -> None:
    with pytest.raises(ValueError, match=r"refunded|Refunds"):
        cumulative_reversal(10, sale, before, refund)
