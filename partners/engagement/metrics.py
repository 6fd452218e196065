"""Read activities and figures entered by hand for tiers. Activities count by the day they were held and once they are confirmed; of figures
the newest one as of the last local day before counts, and where there is none nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction

from django.db.models import Count, Min

from partners.engagement.figures import newest, reference
from partners.metrics import Asked, EvidenceRow, Group, learn_metric
from partners.models import Activity, Membership, StaffFigure
from partners.models.engagement import ActivityQuerySet
from prm.lib.periods import local_day, start_of_day
from tiers.models import Program
from tiers.qualify import Figure

_MOMENT = timedelta(microseconds=1)


def activities(group: Group, asked: Asked) -> Mapping[int, Figure]:
    """Return how many activities of each membership count."""
    counting = _counting(asked, group.program).filter(
        membership__program=group.program, membership__gte=group.first, membership__lte=group.last
    )
    rows = counting.order_by().values("membership").annotate(count=Count("pk"))
    return {row["membership"]: Figure(Fraction(row["count"]), row["count"]) for row in rows}


def activity_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    """Yield the activities that count for one membership."""
    program = _program_of(membership_id)
    for each in _counting(asked, program).filter(membership=membership_id).order_by("held_on", "pk"):
        yield EvidenceRow(each.public_id, start_of_day(each.held_on, program.zone), Fraction(1))


def first_activity(program: Program) -> datetime | None:
    """Return when the first confirmed activity of a program was."""
    rows = Activity.objects.confirmed().filter(membership__program=program)
    day: date | None = rows.aggregate(first=Min("held_on"))["first"]
    return None if day is None else start_of_day(day, program.zone)


def figure_reader(metric: str) -> Callable[[Group, Asked], Mapping[int, Figure]]:
    """Return the reader of one of the figures entered by hand."""

    def read(group: Group, asked: Asked) -> Mapping[int, Figure]:
        entered = StaffFigure.objects.filter(
            membership__program=group.program, membership__gte=group.first, membership__lte=group.last
        )
        known = entered.filter(metric=metric, counted_on__lte=_last_day(asked, group.program))
        return {row.membership_id: Figure(Fraction(row.value), 1) for row in newest(known)}

    return read


def figure_rows(metric: str) -> Callable[[int, Asked], Iterator[EvidenceRow]]:
    """Return what tells the one row behind a figure entered by hand."""

    def rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
        program = _program_of(membership_id)
        known = StaffFigure.objects.filter(
            membership=membership_id, metric=metric, counted_on__lte=_last_day(asked, program)
        )
        for row in newest(known):
            # Evidence is never rewritten: words about people stay where an erasure finds them.
            yield EvidenceRow(
                reference(row.pk), start_of_day(row.counted_on, program.zone), Fraction(row.value)
            )

    return rows


def learn() -> None:
    """Read these figures for tiers."""
    learn_metric("activities", activities, rows=activity_rows, begins=first_activity)
    for metric in ("joint_customers", "installed_base", "manual_score"):
        learn_metric(metric, figure_reader(metric), rows=figure_rows(metric))


def _counting(asked: Asked, program: Program) -> ActivityQuerySet:
    # A window may end before it is looked at: what was confirmed in between counts.
    found = Activity.objects.confirmed().filter(decided_at__lt=asked.at or asked.until)
    found = found.filter(held_on__lte=_last_day(asked, program))
    if asked.since is not None:
        found = found.filter(held_on__gte=local_day(asked.since, program.zone))
    kinds = asked.values("kind")
    return found.filter(kind__in=kinds) if kinds else found


def _last_day(asked: Asked, program: Program) -> date:
    """Return the last day that counts. Days, not instants: a window that ends at midnight leaves the day out that then begins."""
    return local_day(asked.until - _MOMENT, program.zone)


def _program_of(membership_id: int) -> Program:
    return Membership.objects.select_related("program").get(pk=membership_id).program
