"""Which window a moment lies in. Windows are made of whole months of the program's zone, so that each moment lies in exactly one
window of a kind, whatever the clocks do; only a trailing window moves along with the month."""

from __future__ import annotations

from datetime import datetime, tzinfo

from prm.lib.periods import Month
from tiers.engine.facts import Window

LIFETIME = "life"


def key_of(window: Window, month: Month, joined: Month | None = None) -> str:
    """Return the name of the window that `month` lies in: 2026-03, 2026-Q1, 2026, life, 2026-03+6.

    `joined` is the month the partner joined, for windows that run from it; nobody is paid for what came before.
    """
    match window.kind:
        case "month" | "trailing":
            return str(month)
        case "quarter":
            return f"{month.year:04d}-Q{(month.month - 1) // 3 + 1}"
        case "year":
            return f"{month.year:04d}"
        case "joining":
            return f"{_block_start(window, month, joined)}+{window.months}"
    return LIFETIME


def months_of(window: Window, month: Month, joined: Month | None = None) -> tuple[Month | None, Month | None]:
    """Return the first and last month of the window that `month` lies in; a lifetime has neither."""
    match window.kind:
        case "month":
            return month, month
        case "trailing":
            return month.plus(1 - window.months), month
        case "quarter":
            first = Month(month.year, (month.month - 1) // 3 * 3 + 1)
            return first, first.plus(2)
        case "year":
            return Month(month.year, 1), Month(month.year, 12)
        case "joining":
            first = _block_start(window, month, joined)
            return first, first.plus(window.months - 1)
    return None, None


def month_of(instant: datetime, zone: tzinfo) -> Month:
    """Return the month an instant lies in."""
    return Month.of(instant, zone)


def months_since(start: datetime, instant: datetime, zone: tzinfo) -> int:
    """Return how many whole months lie between two instants by the calendar of `zone`, never negative.

    The k-th anniversary is counted from the start each time and clamped to the end of its month, so that 31 January
    is followed by 28 February, 31 March and 30 April.
    """
    began, now = start.astimezone(zone), instant.astimezone(zone)
    months = (now.year - began.year) * 12 + now.month - began.month
    due = min(began.day, Month(now.year, now.month).last_on.day)
    is_before = (now.day, now.time()) < (due, began.time())
    return max(months - is_before, 0)


def _block_start(window: Window, month: Month, joined: Month | None) -> Month:
    start = joined or month
    passed = (month.year - start.year) * 12 + month.month - start.month
    return start.plus(passed // window.months * window.months)
