"""Write amounts, days and rates of one frozen document in its language. Nothing is rounded, and no amount is written without a
currency nearby."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.numbers import NumberPattern, parse_pattern

from payouts.models import Statement
from prm.lib import l10n
from prm.lib.money import Money, exponent
from prm.lib.periods import local_day


class Writer:
    """Writes what one statement says, in the partner's language and the program's zone."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.language = l10n.reader_locale(statement.language)
        self.currency = statement.currency
        self.zone = ZoneInfo(statement.facts["program"]["time_zone"])

    def money(self, minor: int, currency: str = "") -> str:
        """Write an amount with its currency."""
        return l10n.money_text(Money(minor, currency or self.currency), self.language)

    def amount(self, minor: int) -> str:
        """Write an amount without its currency, which the head of the column names."""
        pattern = _amount_pattern(self.language, exponent(self.currency))
        text: str = pattern.apply(Money(minor, self.currency).decimal(), l10n.locale_of(self.language))
        return text.replace("-", l10n.MINUS)

    def number(self, number: Decimal | int) -> str:
        """Write a plain number."""
        return l10n.number_text(number, self.language)

    def percent(self, percent: Decimal) -> str:
        """Write a rate that is kept in percent."""
        return l10n.percent_text(percent / 100, self.language)

    def day(self, day: date) -> str:
        """Write a day."""
        return l10n.date_text(day, self.language)

    def local(self, instant: datetime) -> str:
        """Write the day an instant falls on where the program is."""
        return self.day(local_day(instant, self.zone))

    def rate(self, percent: Decimal, flat_minor: int) -> str:
        """Write a rate; nothing for a line whose amount has none, such as one through several steps."""
        parts = [self.percent(percent)] if percent else []
        if flat_minor:
            parts.append(self.amount(abs(flat_minor)))
        return " + ".join(parts)


@lru_cache(maxsize=64)
def _amount_pattern(language: str, decimals: int) -> NumberPattern:
    pattern = parse_pattern(l10n.locale_of(language).decimal_formats[None].pattern)
    pattern.frac_prec = (decimals, decimals)
    return pattern
