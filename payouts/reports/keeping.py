"""Keep the daily figures true: days that are marked are counted again, a few rows of each are written, and the marks are gone. Whatever the
order of writers and workers, a mark outlives every count that did not see what it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min, QuerySet

from payouts.models import Commission, DailyTotal
from payouts.reports.counting import Day, count
from payouts.reports.figures import COLUMNS, Figures, Key
from prm.lib.db import persistently
from prm.lib.periods import local_day
from referrals import marks
from referrals.models import Click, Conversion, RollupMark
from tiers.models import Program

DAYS_AT_ONCE = 200
RECENT_DAYS = 2  # today and yesterday are counted again every hour, whoever marked them
_ROWS_AT_ONCE = 500
_COUNTING = 0x72700000  # the lock of a day: this with the program's number, and the day's


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is kept otherwise than it is counted; nothing stands for a row that is not there."""

    program_id: int | None
    happened_on: date
    key: Key
    kept: Figures | None
    counted: Figures | None


def work(*, until: Callable[[], bool]) -> int:
    """Count marked days again, the latest first, until none is left or the time is over; return how many days."""
    done = 0
    while not until():
        days = _marked(DAYS_AT_ONCE)
        counted = 0
        for program_id, day in days:
            if until():
                return done + counted
            counted += persistently(lambda at=day, of=program_id: _recount(of, at))  # type: ignore[misc]
        done += counted
        if not counted:
            return done
    return done


def rebuild(program: Program | None, day: date) -> list[Difference]:
    """Count a day again, marked or not, waiting for whoever counts it now; return the rows that were wrong."""
    return persistently(lambda: _rebuild(program, day))


def check(program: Program | None, day: date) -> list[Difference]:
    """Compare a day's kept figures with what they are counted from, and write nothing."""
    return list(_differences(program, day, kept=_kept(program, day), counted=count(program, day)))


def is_marked(program: Program | None, day: date) -> bool:
    """Say whether a day waits to be counted again."""
    return RollupMark.objects.filter(program=program, happened_on=day).exists()


def mark_recent(*, at: datetime) -> int:
    """Mark today and yesterday of every program and of nobody, for whatever was written without a mark; return how many days."""
    back = [timedelta(days=number) for number in range(RECENT_DAYS)]
    days: list[marks.Day] = [(None, at.astimezone(UTC).date() - each) for each in back]
    for program in Program.objects.order_by("pk"):
        days += [(program.pk, local_day(at, program.zone) - each) for each in back]
    marks.mark(days)
    return len(days)


def span(program: Program | None) -> tuple[date, date] | None:
    """Return the first and last day a program has anything on, raw or kept; None when it has nothing."""
    kept = DailyTotal.objects.filter(program=program).aggregate(
        first=Min("happened_on"), last=Max("happened_on")
    )
    ends = [kept["first"], kept["last"]]
    zone = UTC if program is None else program.zone
    for first, last in _instants(program):
        ends += [local_day(instant, zone) for instant in (first, last) if instant is not None]
    days = [day for day in ends if day is not None]
    return (min(days), max(days)) if days else None


def _instants(program: Program | None) -> Iterator[tuple[datetime | None, datetime | None]]:
    if program is None:
        found: list[tuple[QuerySet[Any], str]] = [(Conversion.objects.all(), "occurred_at")]
    else:
        mine = Commission.objects.filter(membership__program=program)
        found = [
            (Click.objects.filter(link__membership__program=program), "clicked_at"),
            (Conversion.objects.filter(credits__membership__program=program), "occurred_at"),
            (mine, "conversion__occurred_at"),
            (mine.filter(conversion=None), "effective_at"),
        ]
    for rows, column in found:
        ends = rows.aggregate(first=Min(column), last=Max(column))
        yield ends["first"], ends["last"]


def _marked(most: int) -> list[marks.Day]:
    rows = RollupMark.objects.order_by("-happened_on", "program").values_list("program", "happened_on")
    return list(rows.distinct()[:most])


@transaction.atomic
def _recount(program_id: int | None, day: date) -> int:
    """Take a day's marks away and write what is counted now; 0 when another worker has it or had it.

    The marks go first, in one statement, and everything is read after it. Whoever wrote a mark this statement saw had
    committed it together with what it stands for, so that the count sees that too. A mark committed later is not seen
    and not deleted: the day is counted once more, and a count that read half of what was committed meanwhile is put
    right then. Two workers never count one day at once, so that the later count is the one that stays.
    """
    if not _hold(program_id, day, waits=False):
        return 0
    taken, _by_table = RollupMark.objects.filter(program=program_id, happened_on=day).delete()
    if not taken:
        return 0
    _write(Program.objects.get(pk=program_id) if program_id is not None else None, day)
    return 1


@transaction.atomic
def _rebuild(program: Program | None, day: date) -> list[Difference]:
    _hold(program.pk if program else None, day, waits=True)
    RollupMark.objects.filter(program=program, happened_on=day).delete()
    return _write(program, day)


def _hold(program_id: int | None, day: date, *, waits: bool) -> bool:
    """Let nobody else count this day until the transaction ends; on SQLite the transaction itself sees to it."""
    if connection.vendor != "postgresql":
        return True
    verb = "pg_advisory_xact_lock" if waits else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {verb}(%s, %s)", [_COUNTING + (program_id or 0) % 2**20, day.toordinal()])
        found = cursor.fetchone()
    return waits or bool(found and found[0])


def _write(program: Program | None, day: date) -> list[Difference]:
    """Bring the kept rows of a day to what is counted, touching only those that differ; return them."""
    counted = count(program, day)
    found = list(_differences(program, day, kept=_kept(program, day), counted=counted))
    gone = [each.key for each in found if each.kept is not None]
    fresh = [each.key for each in found if each.counted is not None]
    numbers = _numbers(program, day) if gone else {}
    for start in range(0, len(gone), _ROWS_AT_ONCE):
        some = [numbers[key] for key in gone[start : start + _ROWS_AT_ONCE]]
        DailyTotal.objects.filter(pk__in=some).delete()
    rows = (_row(program, day, key, counted[key]) for key in sorted(fresh, key=_in_order))
    DailyTotal.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    return found


def _in_order(key: Key) -> tuple[int, str, str, str]:
    return key.membership or 0, key.dimension, key.key, key.currency


def _row(program: Program | None, day: date, key: Key, figures: Figures) -> DailyTotal:
    return DailyTotal(
        program=program,
        membership_id=key.membership,
        happened_on=day,
        dimension=key.dimension,
        key=key.key,
        currency=key.currency,
        **{name: getattr(figures, name) for name in COLUMNS},
    )


def _kept(program: Program | None, day: date) -> Day:
    rows = DailyTotal.objects.filter(program=program, happened_on=day)
    columns = ("membership_id", "dimension", "key", "currency")
    return {
        Key(*(row[name] for name in columns)): Figures.of(row)
        for row in rows.values(*columns, *COLUMNS).iterator()
    }


def _numbers(program: Program | None, day: date) -> dict[Key, int]:
    rows = DailyTotal.objects.filter(program=program, happened_on=day)
    columns = ("membership_id", "dimension", "key", "currency")
    found = rows.values(*columns, "pk").iterator()
    return {Key(*(row[name] for name in columns)): row["pk"] for row in found}


def _differences(program: Program | None, day: date, *, kept: Day, counted: Day) -> Iterator[Difference]:
    for key in sorted(kept.keys() | counted.keys(), key=_in_order):
        if kept.get(key) != counted.get(key):
            pk = program.pk if program else None
            yield Difference(pk, day, key, kept.get(key), counted.get(key))
