"""Measure how long applications wait against what was promised. The promise is in working days of the program's own zone, counted from the
moment an application counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.functions import Greatest

from partners.applications import decide_on
from partners.models import Application
from prm.lib.periods import local_day, start_of_day
from tiers.models import Program

# Counted back from today: no promise is longer than this many days.
_LONGEST = 120


@dataclass(frozen=True)
class Wait:
    """How long an application has waited, and by when it was to be decided."""

    days: int
    promised: date
    is_late: bool


def wait_of(application: Application, *, at: datetime) -> Wait | None:
    """Return how long an undecided application has waited for us; None while it does not count."""
    since = application.counts_since
    if since is None or application.decided_at is not None:
        return None
    zone = application.program.zone
    today, promised = local_day(at, zone), decide_on(application.program, since)
    return Wait((today - local_day(since, zone)).days, promised, promised < today)


def with_began(found: QuerySet[Application]) -> QuerySet[Application]:
    """Add the moment an application began to count, as `began`."""
    confirmed = Greatest("submitted_at", "email_confirmed_at")
    return found.alias(began=Case(When(entered_at__isnull=False, then=F("submitted_at")), default=confirmed))


def late(found: QuerySet[Application], *, at: datetime) -> QuerySet[Application]:
    """Keep those whose promise is broken."""
    return _promised(found, at=at, behind=True)


def due_today(found: QuerySet[Application], *, at: datetime) -> QuerySet[Application]:
    """Keep those that are to be decided today."""
    return _promised(found, at=at, behind=False)


def _promised(found: QuerySet[Application], *, at: datetime, behind: bool) -> QuerySet[Application]:
    wanted = Q(pk=None)
    for program in Program.objects.all():
        today = local_day(at, program.zone)
        first = _first_day(program, today)
        begins = start_of_day(first, program.zone)
        if behind:
            wanted |= Q(program=program, began__lt=begins)
        else:
            after = start_of_day(_first_day(program, today + timedelta(days=1)), program.zone)
            wanted |= Q(program=program, began__gte=begins, began__lt=after)
    return with_began(found).filter(wanted)


def _first_day(program: Program, promised: date) -> date:
    """Return the first day on which something that begins is promised for `promised` or later."""
    day = promised
    for _each in range(_LONGEST):
        if decide_on(program, start_of_day(day, program.zone)) < promised:
            return day + timedelta(days=1)
        day -= timedelta(days=1)
    return day
