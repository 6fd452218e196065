"""The days banks move money on: Monday to Friday, for euros without the holidays of TARGET. A payment date on any other day is moved by
each bank as it likes, so none is ever written into a file."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_SATURDAY = 5


def is_bank_day(day: date, currency: str) -> bool:
    """Say whether banks move `currency` on this day.

    Holidays are known for euros only; the calendars of other currencies are their countries', and banks there take the next day.
    """
    if day.weekday() >= _SATURDAY:
        return False
    return currency != "EUR" or day not in target_holidays(day.year)


def next_bank_day(day: date, *currencies: str) -> date:
    """Return `day` when banks move all of `currencies` on it, else the next day they do."""
    while not all(is_bank_day(day, currency) for currency in currencies):
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=32)
def target_holidays(year: int) -> frozenset[date]:
    """Return the days of a year on which TARGET rests besides weekends."""
    easter = easter_sunday(year)
    return frozenset(
        {
            date(year, 1, 1),
            easter - timedelta(days=2),  # Good Friday
            easter + timedelta(days=1),  # Easter Monday
            date(year, 5, 1),
            date(year, 12, 25),
            date(year, 12, 26),
        }
    )


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar: the Sunday after the first full moon of the church's spring."""
    golden, century = year % 19, year // 100
    # How far the church's moon has drifted: leap days left out, and the moon's own correction every 2,500 years or so.
    drift = century - century // 4 - (8 * century + 13) // 25
    moon = (19 * golden + drift + 15) % 30  # days from 21 March to the full moon
    moon -= moon // 28 * (1 - moon // 28 * (29 // (moon + 1)) * ((21 - golden) // 11))
    # What is left until Sunday, the moon's own day not counting.
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    return date(year, 3, 1) + timedelta(days=moon - weekday + 27)
