"""Find the month a posting belongs to: the event's own month while it is open, else the next open one. Months come into
being when the first posting needs them, always the earlier one first, so that two workers never wait for each other in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial, wraps
from typing import NamedTuple, ParamSpec, TypeVar

from django.db import transaction

from payouts.choices import PeriodState
from payouts.models import Period
from prm.lib.db import persistently
from prm.lib.periods import Month
from tiers.models import Program

P = ParamSpec("P")
R = TypeVar("R")

# The trigger that keeps postings out of months that are closed, and all but releases out of one that is being closed.
MONTH_IS_OPEN = "payouts_transaction_open_month"


class _Stretch(NamedTuple):
    """A month of a program as a stretch of time, and the period that takes what happened in it."""

    starts_at: datetime
    ends_at: datetime
    period: Period


class Calendar:
    """Remembers the months of programs for the length of one batch, so that a batch asks once per month."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, Month], Period] = {}
        self._latest: dict[int, _Stretch] = {}

    def open(self, happened: Iterable[tuple[Program, datetime]]) -> None:
        """Find, or make, the months that take these events, by program and month.

        A caller that needs several asks for them before its transaction begins: the unique index makes whoever
        inserts a month wait for another one inserting it, and that wait must not happen with locks in hand.
        """
        programs: dict[int, Program] = {}
        instants: dict[int, set[datetime]] = {}
        for program, instant in happened:
            key = program.pk
            programs[key] = program
            instants.setdefault(key, set()).add(instant)
        for key in sorted(instants):
            for instant in sorted(instants[key]):
                self.for_posting(programs[key], instant)

    def for_posting(self, program: Program, instant: datetime) -> Period:
        """Return the open month that takes what happened at `instant`."""
        latest = self._latest.get(program.pk)
        if latest is None or not latest.starts_at <= instant < latest.ends_at:
            month, zone = Month.of(instant, program.zone), program.zone
            latest = _Stretch(month.starts_at(zone), month.ends_at(zone), self._of(program, month))
            self._latest[program.pk] = latest
        return latest.period

    def _of(self, program: Program, wanted: Month) -> Period:
        key = (program.pk, wanted)
        if key not in self._open:
            self._open[key] = _open_month(program, wanted)
        return self._open[key]


def posts_whole(verb: Callable[P, R]) -> Callable[P, R]:
    """Return a verb that posts as one transaction, begun again when the month it had found was shut before it could post."""

    @wraps(verb)
    def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        return persistently(partial(transaction.atomic(verb), *args, **kwargs), overtaken_by=MONTH_IS_OPEN)

    return whole


def for_posting(program: Program, instant: datetime) -> Period:
    """Return the open month of `program` that takes what happened at `instant`."""
    return Calendar().for_posting(program, instant)


def month_of(program: Program, month: Month) -> Period:
    """Return the period row of a month, making it when it is new."""
    period, _made = Period.objects.select_related("program").get_or_create(
        program=program, year=month.year, month=month.month
    )
    return period


def _open_month(program: Program, month: Month) -> Period:
    # A month before one that was closed is over too, even if nothing was ever posted into it: the statements issued
    # since then carry a balance that knows nothing of it.
    shut = Period.objects.filter(program=program).exclude(state=PeriodState.OPEN)
    last = shut.order_by("-year", "-month").first()
    if last is not None and month <= last.as_month:
        month = last.as_month.next()
    while True:
        period = month_of(program, month)
        if period.state == PeriodState.OPEN:
            return period
        month = month.next()
