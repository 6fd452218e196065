from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from prm.lib.forms import MoneyField, WordsField
from prm.lib.money import Money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("2", "GBP", 200),
        ("2.00", "GBP", 200),
        ("2,5", "EUR", 250),
        ("1 234.56", "GBP", 123456),
        ("1\u202f234,56", "EUR", 123456),  # as French pages write it
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("£200", "GBP", 20000),
        ("GBP 200.50", "GBP", 20050),
        ("2,50 €", "EUR", 250),
    ],
)
def test_an_amount_is_read_as_typed(text: str, currency: str, minor: int) -> None:
    assert MoneyField(currency=currency).clean(text) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("abc", "GBP", "not_an_amount"),
        ("1e3", "GBP", "not_an_amount"),
        ("1,000", "GBP", "not_an_amount"),  # a thousand or one: nobody knows, so nobody guesses
        ("1,234.56", "GBP", "not_an_amount"),
        ("$200", "GBP", "not_an_amount"),  # another currency than the field's
        ("2.005", "GBP", "too_many_decimals"),
        ("1.5", "JPY", "too_many_decimals"),
        ("-2", "GBP", "negative"),
        ("9" * 25, "GBP", "too_large"),
        ("2", "", "no_currency"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(text: str, currency: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MoneyField(currency=currency).clean(text)
    assert [error.code for error in refused.value.error_list] == [code]


def test_an_amount_with_a_sign_is_read_where_it_is_meant() -> None:
    assert MoneyField(currency="GBP", is_signed=True).clean("-2.50") == Money(-250, "GBP")


def test_an_amount_is_shown_in_major_units() -> None:
    assert MoneyField(currency="GBP").prepare_value(Money(5000, "GBP")) == "50.00"


def test_the_same_amount_typed_otherwise_is_no_change() -> None:
    field = MoneyField(currency="GBP")
    assert not field.has_changed(Money(200, "GBP"), "2")
    assert field.has_changed(Money(200, "GBP"), "2.01")
    assert field.has_changed(Money(200, "GBP"), "two")


def test_words_are_split_trimmed_and_kept_once() -> None:
    assert WordsField().clean(" a.example, b.example;a.example\n c.example ,") == [
        "a.example",
        "b.example",
        "c.example",
    ]
    assert WordsField(capitals=True).clean("fr, De") == ["FR", "DE"]
    assert WordsField().prepare_value(["a", "b"]) == "a, b"


def test_a_list_that_is_needed_must_not_be_empty() -> None:
    with pytest.raises(ValidationError):
        WordsField(required=True).clean(" , ")
