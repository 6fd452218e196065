"""Months and local days in a program's time zone. A month is the half-open interval from its first local midnight to the next
one's, so that in every zone each instant lies in exactly one month."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_SATURDAY = 5


@dataclass(frozen=True, order=True, slots=True)
class Month:
    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= 12 and 1900 <= self.year <= 9998):
            raise ValueError(f"{self.year}-{self.month} is not a month.")

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read a month written as 2026-11."""
        found = _MONTH.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:20]!r} is not a month: write it as 2026-11.")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, instant: datetime, zone: tzinfo) -> Month:
        """Return the month an aware `instant` lies in, in `zone`.

        The bounds decide, not the local date: where clocks go back over midnight on the first (St John's, November
        2009) the local date returns to the old month for an hour, but the new month has begun.
        """
        local = local_day(instant, zone)
        month = cls(local.year, local.month)
        if instant < month.starts_at(zone):
            return month.previous()
        if instant >= month.ends_at(zone):
            return month.next()
        return month

    def starts_at(self, zone: tzinfo) -> datetime:
        """Return the month's first instant, in UTC."""
        return start_of_day(date(self.year, self.month, 1), zone)

    def ends_at(self, zone: tzinfo) -> datetime:
        """Return the first instant after the month, in UTC; it belongs to the next month."""
        return self.next().starts_at(zone)

    def contains(self, instant: datetime, zone: tzinfo) -> bool:
        return self.starts_at(zone) <= instant < self.ends_at(zone)

    @property
    def first_on(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_on(self) -> date:
        return self.next().first_on - timedelta(days=1)

    def next(self) -> Month:
        return self.plus(1)

    def previous(self) -> Month:
        return self.plus(-1)

    def plus(self, months: int) -> Month:
        """Return the month `months` later, or earlier when negative."""
        years, index = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(years, index + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def months_between(first: Month, last: Month) -> Iterator[Month]:
    """Yield every month from `first` to `last`, both included; none when `last` is earlier."""
    month = first
    while month <= last:
        yield month
        month = month.next()


def local_day(instant: datetime, zone: tzinfo) -> date:
    """Return the date people in `zone` write at `instant`."""
    if instant.tzinfo is None:
        raise ValueError("An instant needs a time zone.")
    return instant.astimezone(zone).date()


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the instant `day` begins in `zone`, in UTC.

    When midnight happens twice, the first one counts; when the clocks jump over it, the day begins when they have
    jumped.
    """
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)


def hold_until(instant: datetime, days: int, zone: tzinfo) -> datetime:
    """Return when a hold of `days` local days begun at `instant` is over, in UTC.

    It is the midnight with which the local date of `instant` plus `days` begins: something earned on 1 November at
    any hour with 14 days of hold is payable from 15 November 00:00 local. Zero days mean no hold: `instant` itself.
    """
    if days == 0:
        return instant.astimezone(UTC)
    return start_of_day(local_day(instant, zone) + timedelta(days=days), zone)


def working_day_after(day: date, days: int) -> date:
    """Return the day that lies `days` working days after `day`: Monday to Friday count, whatever is a holiday where."""
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day


def end_of_day_after(instant: datetime, days: int, zone: tzinfo) -> datetime:
    """Return the exclusive end, in UTC, of the local day that lies `days` days after the one of `instant`.

    For deadlines people read as a date, such as a deal protected "until 15 November": the whole day still counts.
    """
    return start_of_day(local_day(instant, zone) + timedelta(days=days + 1), zone)
