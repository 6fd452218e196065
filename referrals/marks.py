"""Mark days whose figures have to be counted again. A mark is a row of its own, written in the transaction that changed something, so
that whoever counts sees either both or neither."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date
from zoneinfo import ZoneInfo

from prm.lib.periods import local_day
from referrals.models import Conversion, Credit, RollupMark

Day = tuple[int | None, date]


def mark(days: Iterable[Day]) -> None:
    """Mark days, each a program and a local day of it; without a program a UTC day of what nobody brought."""
    wanted = sorted(set(days), key=lambda day: (day[0] or 0, day[1]))
    RollupMark.objects.bulk_create(RollupMark(program_id=program, happened_on=day) for program, day in wanted)


def mark_conversions(conversion_ids: Iterable[int]) -> None:
    """Mark the days of events whose credit has changed, for those who are credited now and for what nobody brought."""
    wanted = list(conversion_ids)
    if not wanted:
        return
    credits = Credit.objects.standing().filter(conversion__in=wanted)
    days: set[Day] = {
        (program, local_day(occurred_at, ZoneInfo(zone)))
        for occurred_at, program, zone in credits.values_list(
            "occurred_at", "membership__program_id", "membership__program__time_zone"
        )
    }
    moments = Conversion.objects.filter(pk__in=wanted).values_list("occurred_at", flat=True)
    mark(days | {(None, moment.astimezone(UTC).date()) for moment in moments})
