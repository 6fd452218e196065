"""What people read: the separators of their language, every digit that is stored, and a real minus sign."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from prm.lib import l10n
from prm.lib.currencies import EXPONENTS
from prm.lib.money import Money
from prm.lib.periods import Month

NARROW, NO_BREAK = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(123810, "EUR"), "en", "€1,238.10"),
        (Money(123810, "EUR"), "fr", f"1{NARROW}238,10{NO_BREAK}€"),
        (Money(123810, "EUR"), "pl", f"1{NO_BREAK}238,10{NO_BREAK}€"),
        (Money(-123810, "GBP"), "en-gb", "\u2212£1,238.10"),
        (Money(1000, "JPY"), "en", "¥1,000"),
        (Money(1234567, "IQD"), "en", "IQD1,234.567"),
        (Money(1, "CLF"), "en", "CLF0.0001"),
        (Money(0, "EUR"), "en", "€0.00"),
        (Money(123810, "EUR"), "xx-nowhere", "€1,238.10"),
    ],
)
def test_an_amount_reads_as_its_language_writes_it(money: Money, locale: str, text: str) -> None:
    assert l10n.money_text(money, locale) == text


@pytest.mark.parametrize("locale", ["en", "fr", "pl"])
def test_no_digit_of_any_currency_is_lost_on_screen(locale: str) -> None:
    shown = {currency: l10n.money_text(Money(-987654321, currency), locale) for currency in EXPONENTS}
    digits = {currency: "".join(filter(str.isdigit, text)) for currency, text in shown.items()}
    assert digits == dict.fromkeys(EXPONENTS, "987654321")


@pytest.mark.parametrize(
    ("fraction", "locale", "text"),
    [
        ("0.185", "en", "18.5%"),
        ("0.185", "fr", f"18,5{NO_BREAK}%"),
        ("0.185", "pl", "18,5%"),
        ("0.10000000", "en", "10%"),
        ("0.02912345", "en", "2.912345%"),
        ("0", "en", "0%"),
        ("1", "en", "100%"),
        ("-0.5", "en", "\u221250%"),
    ],
)
def test_a_rate_is_never_rounded(fraction: str, locale: str, text: str) -> None:
    assert l10n.percent_text(Decimal(fraction), locale) == text


def test_a_lone_month_stands_in_the_nominative() -> None:
    november = Month(2026, 11)
    assert l10n.month_text(november, "en") == "November 2026"
    assert l10n.month_text(november, "fr") == "novembre 2026"
    assert l10n.month_text(november, "pl") == "listopad 2026"
    assert l10n.month_text(november, "en", "abbreviation") == "Nov"


def test_dates_are_never_numbers_only_and_times_name_their_zone() -> None:
    at = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert l10n.date_text(date(2026, 11, 22), "en") == "Nov 22, 2026"
    assert l10n.date_text(date(2026, 11, 22), "pl", "long") == "22 listopada 2026"
    assert l10n.datetime_text(at, ZoneInfo("Europe/Paris"), "en-gb") == "1 Nov 2026, 00:30 CET"
    assert l10n.datetime_text(at, ZoneInfo("Europe/Paris"), "en") == "Nov 1, 2026, 00:30 GMT+01:00"
    assert l10n.datetime_text(at, ZoneInfo("Asia/Kathmandu"), "en") == "Nov 1, 2026, 05:15 GMT+05:45"


def test_a_plain_number_keeps_its_digits() -> None:
    assert l10n.number_text(14648, "en") == "14,648"
    assert l10n.number_text(Decimal("-1.25"), "fr") == "\u22121,25"


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (100000, "GBP", "en_GB", "£1,000"),
        (1250, "GBP", "en_GB", "£12.50"),
        (1, "GBP", "en_GB", "£0.01"),
        (-50000, "EUR", "en_GB", "\N{MINUS SIGN}€500"),
        (500, "JPY", "en_GB", "JP¥500"),
        (1500, "KWD", "en_GB", "KWD1.500"),
        (123400, "EUR", "fr", "1\u202f234\xa0€"),
    ],
)
def test_a_short_amount_leaves_out_decimals_that_are_all_zero(
    minor: int, currency: str, locale: str, text: str
) -> None:
    assert l10n.short_money_text(Money(minor, currency), locale) == text


def test_several_things_are_written_in_a_row() -> None:
    assert l10n.list_text(["a", "b", "c"], "en_GB") == "a, b and c"
    assert l10n.list_text(["a", "b"], "fr", "or") == "a ou b"
    assert l10n.list_text(["a"], "en_GB") == "a"


@pytest.mark.parametrize(
    ("language", "day"), [("en", "2 Dec 2026"), ("fr", "2 déc. 2026"), ("pl", "2 gru 2026")]
)
def test_a_reader_of_english_finds_the_day_before_the_month(language: str, day: str) -> None:
    assert l10n.date_text(date(2026, 12, 2), l10n.reader_locale(language)) == day
    with translation.override(language):
        assert l10n.active_locale() == l10n.reader_locale(language)


def test_without_a_language_in_force_people_read_english() -> None:
    with translation.override(None):
        assert l10n.active_locale() == "en_GB"
