"""Between which instants a figure is counted. Windows are half-open and lie in the program's time zone, so that two reviews next to each
other never count a sale twice where their windows do not overlap."""

from __future__ import annotations

from datetime import date, datetime, tzinfo

from prm.lib.periods import Month, local_day, start_of_day
from tiers.qualify.scheme import EVER, MONTHS_IN, NOW, TRAILING, Window


def bounds(window: Window, at: datetime, zone: tzinfo) -> tuple[datetime | None, datetime]:
    """Return from which instant, and before which, a figure counts that is measured at `at`; None for from the beginning.

    A trailing window begins with the local day as many months earlier, at the end of a shorter month; the calendar's
    windows are the last whole ones before `at`. What is counted as it stands has no beginning.
    """
    if window.kind in (EVER, NOW):
        return None, at
    day = local_day(at, zone)
    if window.kind == TRAILING:
        return start_of_day(months_before(day, window.months), zone), at
    length = MONTHS_IN[window.kind]
    month = Month.of(at, zone)
    first = Month(month.year, (month.month - 1) // length * length + 1)
    return first.plus(-length).starts_at(zone), first.starts_at(zone)


def months_before(day: date, months: int) -> date:
    """Return the same day `months` months earlier, or the last one of a shorter month."""
    month = Month(day.year, day.month).plus(-months)
    return month.first_on.replace(day=min(day.day, month.last_on.day))
