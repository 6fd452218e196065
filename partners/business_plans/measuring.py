"""Read the figures of goals, from the readers tiers are measured by and no others, so that a figure in a plan is the one in a review. However
many plans there are, one grouped read does for all that ask the same of the same days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from partners import metrics
from partners.metrics import Asked, EvidenceRow, Group, Reader, RowsReader
from prm.lib.periods import start_of_day
from tiers.models import Program
from tiers.qualify import Figure, Question, Window

_ONE_DAY = timedelta(days=1)
_own: dict[str, tuple[Reader, RowsReader]] = {}


@dataclass(frozen=True, slots=True)
class Span:
    """One figure of one membership: what is counted, from which instant and before which, looked at when."""

    membership_id: int
    metric: str
    since: datetime
    until: datetime
    at: datetime


def learn_goal(metric: str, read: Reader, *, rows: RowsReader) -> None:
    """Let whoever keeps the facts say what a goal comes to that no tier asks for."""
    _own[metric] = (read, rows)


def span(
    membership_id: int, program: Program, metric: str, *, starts_on: date, due_on: date, at: datetime
) -> Span:
    """Return what a goal counts at `at`: from the first instant of the plan to now, and never past the deadline's day."""
    zone = program.zone
    since, end = start_of_day(starts_on, zone), start_of_day(due_on + _ONE_DAY, zone)
    return Span(membership_id, metric, since, max(since, min(at, end)), at)


def measure(spans: Iterable[Span], program: Program) -> Mapping[Span, Figure]:
    """Return the figures of memberships of one program."""
    together: dict[Asked, list[Span]] = {}
    for each in dict.fromkeys(spans):
        together.setdefault(_asked(each), []).append(each)
    found: dict[Span, Figure] = {}
    for question, same in together.items():
        ids = [each.membership_id for each in same]
        figure_of = _reader(Group(program, min(ids), max(ids)), question)
        found |= {each: figure_of(each.membership_id) for each in same}
    return found


def rows_behind(each: Span) -> list[EvidenceRow]:
    """Return the rows behind one figure, the oldest first."""
    question = _asked(each)
    own = _own.get(each.metric)
    if own is None:
        return metrics.rows_of(each.membership_id, question)
    return sorted(own[1](each.membership_id, question), key=lambda row: (row.at, row.what))


def _reader(group: Group, question: Asked) -> Callable[[int], Figure]:
    own = _own.get(question.question.metric)
    if own is None:
        return metrics.figures(group, question)
    read = own[0](group, question)
    return lambda membership_id: read.get(membership_id, Figure(Fraction(0)))


def _asked(each: Span) -> Asked:
    return Asked(Question(each.metric, Window()), each.since, each.until, each.at)
