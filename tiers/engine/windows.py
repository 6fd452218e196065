"""Which window a moment lies in. Windows are made of whole months of the program's zone, so that each moment lies in exactly one
window of a kind, whatever the clocks do; only a trailing window moves along with the month."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from prm.lib.periods import Month
from tiers.engine.facts import Window

LIFETIME = "life"
_SOME_JANUARY = Month(2000, 1)


def key_of(window: Window, month: Month, joined: Month | None = None) -> str:
    """Return the name of the window that `month` lies in: 2026-03, 2026-Q1, 2026, life, 2026-03+6.

    `joined` is the month the partner joined, for windows that run from it; where nobody knows it, they run from a January.
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


def months_since(start: datetime, instant: datetime, zone: tzinfo) -> int:
    """Return how many whole months lie between two instants by the calendar of `zone`, never negative.

    The k-th month begins with the k-th anniversary. Instants decide, not what the clock shows: it can show the same hour
    twice, and the later one is never earlier by this count.
    """
    began, now = start.astimezone(zone), instant.astimezone(zone)
    months = (now.year - began.year) * 12 + now.month - began.month + 1
    while months > 0 and anniversary(start, months, zone) > instant:
        months -= 1
    return max(months, 0)


def anniversary(start: datetime, months: int, zone: tzinfo) -> datetime:
    """Return the instant `months` months after `start` by the calendar of `zone`, in UTC.

    It is counted from the start each time and clamped to the end of its month, so that 31 January is followed by
    28 February, 31 March and 30 April. Where clocks jump over its hour it comes when they have jumped; where they show the
    hour twice, the first time.
    """
    began = start.astimezone(zone)
    month = Month(began.year, began.month).plus(months)
    local = began.replace(
        year=month.year,
        month=month.month,
        day=min(began.day, month.last_on.day),
        fold=0 if months else began.fold,
    )
    return local.astimezone(UTC)


def _block_start(window: Window, month: Month, joined: Month | None) -> Month:
    start = joined or _SOME_JANUARY
    passed = (month.year - start.year) * 12 + month.month - start.month
    return start.plus(passed // window.months * window.months)
