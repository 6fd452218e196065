"""Measure memberships for tiers: who reads which metric is learned from the apps that keep the facts, and one grouped query per figure and
group of memberships does for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import connection

from tiers.models import Program
from tiers.qualify import METRICS, Figure, Question, Scheme, Unit
from tiers.qualify.windows import bounds


@dataclass(frozen=True, slots=True)
class Group:
    """Memberships of one program whose primary keys lie from `first` to `last`, both included."""

    program: Program
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its window as instants: from `since` (None: from the beginning) to before `until`.

    `at` is when it is asked, after a window that has ended; None for at its end.
    """

    question: Question
    since: datetime | None
    until: datetime
    at: datetime | None = None

    def values(self, name: str) -> tuple[str, ...]:
        return self.question.values(name)


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One row behind a figure: what it is (a public id, or words), when it happened, and what it counted for, exactly."""

    what: str
    at: datetime
    value: Fraction


Reader = Callable[[Group, Asked], Mapping[int, Figure]]
RowsReader = Callable[[int, Asked], Iterable[EvidenceRow]]
Beginning = Callable[[Program], datetime | None]


@dataclass(frozen=True, slots=True)
class _Known:
    read: Reader
    rows: RowsReader
    begins: Beginning | None


_known: dict[str, _Known] = {}
_NOTHING, _UNKNOWN = Figure(Fraction(0)), Figure(None)
# A share, an average or a standing that was never told is unknown; what is counted is then nothing.
_UNKNOWN_WHEN_MISSING = frozenset(
    {
        "average_order",
        "customer_retention",
        "certified_ratio",
        "plan_attainment",
        "joint_customers",
        "installed_base",
        "manual_score",
    }
)


def learn_metric(metric: str, read: Reader, *, rows: RowsReader, begins: Beginning | None = None) -> None:
    """Let whoever keeps the facts say what a metric comes to.

    `read` answers for a whole group in one query (or a fixed few) and leaves out memberships without rows; `rows` tells the
    rows behind the figure of one membership; `begins` tells since when a program has any facts, for windows that would
    reach further back.
    """
    if metric not in METRICS:
        raise KeyError(metric)
    _known[metric] = _Known(read, rows, begins)


def known() -> list[str]:
    """Return the metrics somebody reads, in the order of the list."""
    return [key for key in METRICS if key in _known]


def asked(question: Question, program: Program, *, at: datetime) -> Asked:
    """Return a question with its window as of `at`."""
    since, until = bounds(question.window, at, program.zone)
    return Asked(question, since, until, at)


def measure(group: Group, scheme: Scheme, *, at: datetime) -> Callable[[int], dict[str, Figure]]:
    """Measure a group for every question of a scheme, with figures up to `at`; what is returned gives one membership's figures."""
    if group.first != group.last:
        _plan_for_many()
    read = {
        question.key: figures(group, asked(question, group.program, at=at))
        for question in scheme.questions()
        if question.metric in _known
    }

    def of(membership_id: int) -> dict[str, Figure]:
        return {key: figure_of(membership_id) for key, figure_of in read.items()}

    return of


def figures(group: Group, question: Asked) -> Callable[[int], Figure]:
    """Measure a group for one question in a window of the caller's; a metric nobody reads is unknown for everybody."""
    metric = question.question.metric
    found = _known.get(metric)
    if found is None:
        return lambda membership_id: _UNKNOWN
    read = found.read(group, question)
    missing = _UNKNOWN if metric in _UNKNOWN_WHEN_MISSING else _NOTHING
    return lambda membership_id: read.get(membership_id, missing)


def rows_behind(
    membership_id: int, question: Question, program: Program, *, at: datetime
) -> list[EvidenceRow]:
    """Return the rows behind one figure of one membership, the oldest first."""
    return rows_of(membership_id, asked(question, program, at=at))


def rows_of(membership_id: int, question: Asked) -> list[EvidenceRow]:
    """Return the rows behind a figure in a window of the caller's, the oldest first."""
    found = _known.get(question.question.metric)
    if found is None:
        return []
    return sorted(found.rows(membership_id, question), key=lambda row: (row.at, row.what))


def begins(question: Question, program: Program) -> datetime | None:
    """Return since when there are facts a question could count; None when nobody can say or there are none."""
    found = _known.get(question.metric)
    return found.begins(program) if found is not None and found.begins is not None else None


def stored(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Return figures as the database keeps them."""
    return {
        key: {"value": None if each.value is None else str(each.value), "rows": each.rows}
        for key, each in figures.items()
    }


def loaded(kept: Mapping[str, Any]) -> dict[str, Figure]:
    """Return stored figures as they were measured."""
    return {
        key: Figure(None if each["value"] is None else Fraction(each["value"]), each["rows"])
        for key, each in kept.items()
    }


def _plan_for_many() -> None:
    """Let PostgreSQL plan the queries about a group for what they are, until the transaction ends.

    Compiling one costs more than running it, and each reads a small part of a large table, which an index does faster than
    the default prices of the planner say. Outside a transaction nothing is changed.
    """
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off; SET LOCAL random_page_cost = 1.1")


def is_money(question: Question) -> bool:
    """Say whether a figure is an amount in minor units."""
    return METRICS[question.metric].unit is Unit.MONEY
