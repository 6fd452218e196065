"""Write amounts, rates, days and counts of an explanation in the language that is active. What is stored is what is shown: no figure is
rounded on the way to the reader."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_skeleton
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prm.lib import l10n
from prm.lib.money import Money, exponent
from prm.lib.periods import Month, local_day
from tiers.choices import EventKind


def locale() -> str:
    """Return the locale of the language that is active."""
    return l10n.active_locale()


def money(minor: int, currency: str) -> str:
    return _money(minor, currency, locale())


def percent(fraction: str | Decimal) -> str:
    return _percent(Decimal(fraction), locale())


def number(value: int | Decimal) -> str:
    return l10n.number_text(value, locale())


def day(value: date) -> str:
    return _day(value, locale())


def long_day(instant: datetime, zone: tzinfo) -> str:
    return l10n.date_text(local_day(instant, zone), locale(), "long")


def moment(instant: datetime, zone: tzinfo, now: datetime) -> str:
    """Return a day and time; with the year when that is another one than now."""
    local = instant.astimezone(zone)
    is_this_year = local.year == now.astimezone(zone).year
    text = (
        format_skeleton("MMMd", local.date(), locale=l10n.locale_of(locale()))
        if is_this_year
        else day(local.date())
    )
    return f"{text}, {local:%H:%M}"


def exact(value: str, currency: str) -> str:
    """Return an exact figure of minor units in whole ones; a fraction that no decimal writes stays one."""
    if "/" in value:
        return value
    return l10n.number_text(Decimal(value).scaleb(-exponent(currency)), locale())


def event(kind: str) -> str:
    """Return an event kind in words, also one nobody knows."""
    return str(EventKind(kind).label) if kind in EventKind.values else plain_words(kind)


def plain_words(code: str) -> str:
    """Return a code as words: what is not known by name is still readable."""
    return code.replace("_", " ").capitalize()


def month(value: Month) -> str:
    return l10n.month_text(value, locale())


def window(key: str) -> str:
    """Return a window's name in words: March 2026, quarter 1 of 2026, 2026, all time, 6 months from March 2026."""
    if key == "life":
        return _("all time")
    start, plus, months = key.partition("+")
    if plus:
        params = {"months": months, "month": window(start)}
        return _("%(months)s months from %(month)s") % params
    year, dash, quarter = key.partition("-Q")
    if dash:
        return _("quarter %(quarter)s of %(year)s") % {"quarter": quarter, "year": year}
    try:
        return month(Month.parse(key))
    except ValueError:
        return key


def metric(name: str) -> str:
    """Return what a count counts."""
    names = {
        "revenue": _("Revenue"),
        "sales": _("Sales"),
        "new_customers": _("New customers"),
        "leads": _("Qualified leads"),
        "units": _("Units"),
    }
    return names.get(name, plain_words(name))


def volume(value: int, name: str, currency: str) -> str:
    """Return an amount of revenue, or a number of pieces with their name."""
    if name == "revenue":
        return money(value, currency)
    texts = {
        "sales": ngettext("%(n)s sale", "%(n)s sales", value),
        "new_customers": ngettext("%(n)s new customer", "%(n)s new customers", value),
        "leads": ngettext("%(n)s qualified lead", "%(n)s qualified leads", value),
        "units": ngettext("%(n)s unit", "%(n)s units", value),
    }
    return texts.get(name, "%(n)s") % {"n": number(value)}


def sentences(*texts: str) -> str:
    """Return the texts that say something, one after the other."""
    return " ".join(text for text in texts if text)


# A file of a long statement writes the same bounds, rates and days on every line.
@lru_cache(maxsize=8192)
def _money(minor: int, currency: str, code: str) -> str:
    return l10n.money_text(Money(minor, currency), code)


@lru_cache(maxsize=1024)
def _percent(fraction: Decimal, code: str) -> str:
    return l10n.percent_text(fraction, code)


@lru_cache(maxsize=1024)
def _day(value: date, code: str) -> str:
    return l10n.date_text(value, code)
