"""When tiers are looked at: the days a program's scheme names, in the program's own zone. On a day on which falls are looked at, rises are
looked at with them, so there is one round and not two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from partners.choices import RoundKind
from partners.models import Membership
from prm.lib.periods import Month, local_day, months_between, start_of_day
from tiers.models import Program
from tiers.qualify import Cycle, Scheme
from tiers.qualify.scheme import ANNIVERSARY, HALF_YEARLY, MONTHLY, NEVER, QUARTERLY, YEARLY

_MONTHS = {MONTHLY: 1, QUARTERLY: 3, HALF_YEARLY: 6, YEARLY: 12}
_ONE_DAY = timedelta(days=1)


def due_rounds(program: Program, scheme: Scheme, *, since: date, until: date) -> list[tuple[RoundKind, date]]:
    """Return the rounds of a program from `since` to `until`, both included, the earliest first.

    An anniversary round is due on each day somebody joined on, in an earlier year.
    """
    falls = set(days_of(scheme.calendar.demotion, since=since, until=until))
    rises = set(days_of(scheme.calendar.promotion, since=since, until=until)) - falls
    found = [(RoundKind.DEMOTION, day) for day in falls] + [(RoundKind.PROMOTION, day) for day in rises]
    if scheme.calendar.demotion.every == ANNIVERSARY:
        found += [(RoundKind.ANNIVERSARY, day) for day in _anniversaries(program, since, until)]
    return sorted(found, key=lambda each: (each[1], each[0].value))


def days_of(cycle: Cycle, *, since: date, until: date) -> Iterator[date]:
    """Yield the days of a cycle that follows the calendar; none for one that never comes, or comes for each alone."""
    if cycle.every not in _MONTHS or since > until:
        return
    step = _MONTHS[cycle.every]
    for month in months_between(Month(since.year, since.month), Month(until.year, until.month)):
        day = date(month.year, month.month, cycle.day)
        if (month.month - cycle.month) % step == 0 and since <= day <= until:
            yield day


def next_on(cycle: Cycle, *, after: date) -> date | None:
    """Return the next day of a cycle after a day, None when there is none in the calendar."""
    until = after + timedelta(days=367)
    return next(days_of(cycle, since=after + _ONE_DAY, until=until), None)


def next_anniversary(joined_on: date, *, after: date) -> date:
    """Return the next day after `after` on which it is whole years since `joined_on`."""
    year = max(after.year, joined_on.year + 1)
    while (day := _same_day(joined_on, year)) <= after:
        year += 1
    return day


def next_review(
    scheme: Scheme, program: Program, joined_at: datetime, *, at: datetime
) -> dict[str, date | None]:
    """Return when a membership is looked at next: {"promotion": day, "demotion": day}, None for never."""
    today = local_day(at, program.zone)
    rises, falls = scheme.calendar.promotion, scheme.calendar.demotion
    fall = (
        next_anniversary(local_day(joined_at, program.zone), after=today)
        if falls.every == ANNIVERSARY
        else next_on(falls, after=today)
    )
    rise = next_on(rises, after=today)
    # A round that looks at falls looks at rises too.
    return {"promotion": min((day for day in (rise, fall) if day), default=None), "demotion": fall}


def joined_on(program: Program, day: date) -> QuerySet[Membership]:
    """Return the memberships whose anniversary `day` is; who joined on 29 February has it on the 28th of other years."""
    rows = Membership.objects.filter(program=program)
    earliest = rows.order_by("joined_at").values_list("joined_at", flat=True).first()
    if earliest is None:
        return rows.none()
    when = Q(pk__in=[])
    for year in range(earliest.year - 1, day.year):
        for each in _days_kept_on(day, year):
            when |= Q(
                joined_at__gte=start_of_day(each, program.zone),
                joined_at__lt=start_of_day(each + _ONE_DAY, program.zone),
            )
    return rows.filter(when)


def is_calendar_empty(scheme: Scheme) -> bool:
    """Say whether nobody is ever looked at by the calendar."""
    return scheme.calendar.promotion.every == NEVER and scheme.calendar.demotion.every == NEVER


def _anniversaries(program: Program, since: date, until: date) -> Iterator[date]:
    day = since
    while day <= until:
        if joined_on(program, day).filter(ended_at=None).exists():
            yield day
        day += _ONE_DAY


def _days_kept_on(day: date, year: int) -> list[date]:
    """Return the days of an earlier year whose anniversary is kept on `day`."""
    last, next_day = Month(year, day.month).last_on, day + _ONE_DAY
    found = [day.replace(year=year)] if day.day <= last.day else []
    if (day.month, day.day) == (2, 28) and next_day.month == 3 and last.day == 29:
        found.append(last)
    return found


def _same_day(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
