"""Money, rates, dates and months as people read them, in their language. What is shown is what is stored: a currency's decimals
come from ISO 4217 and a rate is never rounded."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_timezone_gmt, get_timezone_name
from babel.lists import format_list
from babel.numbers import NumberPattern, format_decimal, format_percent, get_currency_symbol
from django.utils.translation import get_language

from prm.lib.money import Money, exponent
from prm.lib.periods import Month

MINUS = "\N{MINUS SIGN}"
DateStyle = Literal["short", "medium", "long", "full"]
_MONTH_PATTERNS = {"long": "LLLL y", "short": "LLL y", "name": "LLLL", "abbreviation": "LLL"}


def reader_locale(language: str) -> str:
    """Return the locale for a reader of `language`. English is British here: the day comes first, so 2 Dec cannot be misread."""
    return "en_GB" if language == "en" else language


def active_locale() -> str:
    """Return the locale of the language in force."""
    return reader_locale(get_language() or "en")


@lru_cache(maxsize=256)
def locale_of(code: str) -> Locale:
    """Return the Babel locale of a language code such as "fr" or "en-gb"; English when there is none."""
    for wanted in (code.replace("-", "_"), code.replace("-", "_").split("_")[0]):
        try:
            return Locale.parse(wanted)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


def money_text(money: Money, locale: str) -> str:
    """Write an amount with its currency: €1,238.10 or 1 238,10 €."""
    text = _money_pattern(locale, money.currency).apply(
        money.decimal(), locale_of(locale), currency=money.currency, currency_digits=False
    )
    return _with_minus(text)


def short_money_text(money: Money, locale: str) -> str:
    """Write an amount without decimals that are all zero: £1,000 but £12.50. For sentences, where amounts do not align."""
    unit = 10 ** exponent(money.currency)
    if money.minor % unit:
        return money_text(money, locale)
    pattern = copy.copy(_money_pattern(locale, money.currency))
    pattern.frac_prec = (0, 0)
    text = pattern.apply(money.decimal(), locale_of(locale), currency=money.currency, currency_digits=False)
    return _with_minus(text)


def currency_sign(currency: str) -> str:
    """Return the sign people write for a currency, or its code when it has none: £ for GBP."""
    return get_currency_symbol(currency, locale="en")


def list_text(texts: Sequence[str], locale: str, style: Literal["standard", "or"] = "standard") -> str:
    """Write several things in a row: France, Spain and Italy; with "or": France or Spain."""
    return format_list(list(texts), style=style, locale=locale_of(locale))


def number_text(number: Decimal | int, locale: str) -> str:
    """Write a plain number with the language's separators, unrounded."""
    return _with_minus(format_decimal(number, locale=locale_of(locale), decimal_quantization=False))


def percent_text(fraction: Decimal, locale: str) -> str:
    """Write a fraction of one as a percentage, with all its digits: 0.185 is 18.5%."""
    # normalize() drops the zeros a database column pads with; the value stays the same.
    return _with_minus(
        format_percent(fraction.normalize(), locale=locale_of(locale), decimal_quantization=False)
    )


def date_text(day: date, locale: str, style: DateStyle = "medium") -> str:
    """Write a date: 22 Nov 2026."""
    return format_date(day, style, locale=locale_of(locale))


def datetime_text(instant: datetime, zone: tzinfo, locale: str, style: DateStyle = "medium") -> str:
    """Write an instant as a local date and time with the zone named."""
    found = locale_of(locale)
    local = instant.astimezone(zone)
    day = format_date(local.date(), style, locale=found)
    zone_name = get_timezone_name(local, width="short", locale=found)
    if zone_name[:1] in "+-":  # this language has no short name for the zone
        zone_name = get_timezone_gmt(local, width="long", locale=found)
    return f"{day}, {local:%H:%M} {zone_name}"


def month_text(
    month: Month, locale: str, style: Literal["long", "short", "name", "abbreviation"] = "long"
) -> str:
    """Write a month that stands alone: November 2026, listopad 2026."""
    return format_date(month.first_on, _MONTH_PATTERNS[style], locale=locale_of(locale))


@lru_cache(maxsize=512)
def _money_pattern(locale: str, currency: str) -> NumberPattern:
    # Babel takes decimals from CLDR, which disagrees with ISO 4217 (IQD, ISK): the amount stored has ISO's.
    pattern: NumberPattern = copy.copy(locale_of(locale).currency_formats["standard"])
    decimals = exponent(currency)
    pattern.frac_prec = (decimals, decimals)
    return pattern


def _with_minus(text: str) -> str:
    return text.replace("-", MINUS)
