"""Choose how the reader's language writes dates and amounts. English means British English here, because the day comes first in it and
a date such as 2 Dec cannot be misread.
"""

from __future__ import annotations

from datetime import date

from babel.dates import format_skeleton

from prm.lib import l10n
from prm.lib.l10n import active_locale as active_locale


def day_text(day: date, locale: str | None = None) -> str:
    """Return a date without its year, as 2 Dec: for dates that are always near."""
    return format_skeleton("MMMd", day, locale=l10n.locale_of(locale or active_locale()))


def date_text(day: date, locale: str | None = None) -> str:
    """Return a date with its year, as 2 Dec 2026."""
    return l10n.date_text(day, locale or active_locale())
