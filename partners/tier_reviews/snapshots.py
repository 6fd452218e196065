"""Measure every active membership each night and keep how it stands by the figures, for pages to show between reviews. A row whose figures,
tier and outcome are what they were is not written, so that a night repeated writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models, router, transaction

from partners import metrics
from partners.choices import MembershipState
from partners.models import MetricSnapshot, Placement
from partners.tier_reviews.ladders import Ladders
from prm.runs import lifecycle
from prm.runs.choices import RunState
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tiers import schemes
from tiers.models import Program, TierScheme
from tiers.qualify import Decision, Figure, judge

RUN_KIND = "partners.tier_snapshots"
PHASE = "memberships"
CHUNK = 5_000
ALL = "all"

Decide = Callable[[Mapping[str, Figure], str], Decision]
Standing = tuple[int, int]  # membership, tier
Row = tuple[int, int, int, int, str, dict[str, Any]]
_COMPARED = ("membership_id", "scheme_id", "tier_id", "measured_tier_id", "outcome", "figures")
_COLUMNS = (*_COMPARED, "measured_at", "taken_at")


def begin(*, at: datetime) -> Run:
    """Ring the worker that takes the snapshots of a night; a second call on the same day answers with the first job.

    Raises: AlreadyRunning.
    """
    return lifecycle.start(
        RUN_KIND,
        title="Tier figures of the night",
        subject=ALL,
        phases=[PHASE],
        at=at,
        idempotency_key=f"{RUN_KIND}:{at:%Y-%m-%d}",
    )


def carry_out(run: Run, reporter: Reporter) -> Mapping[str, Any]:
    """Do what a run is about, with figures up to when it was asked for: one that was interrupted goes on with the same."""
    return take(list(Program.objects.order_by("pk")), reporter, at=run.created_at)


def take(programs: Sequence[Program], reporter: Reporter, *, at: datetime) -> dict[str, Any]:
    """Measure the active memberships of programs that have a scheme in force, and write the rows that differ.

    Each chunk of memberships is one transaction and a fixed number of queries.
    """
    in_force = [(program, schemes.in_force(program, at=at)) for program in programs]
    asked = [(program, scheme) for program, scheme in in_force if scheme is not None]
    total = sum(_standing(program, at=at).count() for program, _scheme in asked)
    reporter.phase(PHASE, total=total)
    written = removed = 0
    for program, scheme in asked:
        removed += _remove_ended(program)
        taker = _Taker(program, scheme, at=at)
        for chunk in _chunks(program, at=at):
            changed = taker.take(chunk)
            written += changed
            reporter.advance(len(chunk), skipped=len(chunk) - changed)
    return {
        "programs": len(asked),
        "memberships": total,
        "written": written,
        "removed": removed,
        "measured_at": at.isoformat(),
    }


def measured_at(program: Program) -> datetime | None:
    """Return up to when the figures of a program's snapshots count, None before the first night.

    A row keeps the moment since when its figures are as they are; all of them are as of the newest run.
    """
    done = Run.objects.filter(
        kind=RUN_KIND, subject__in=(ALL, program.slug), state=RunState.FINISHED, result__has_key="measured_at"
    )
    newest = done.newest_first().first()
    return datetime.fromisoformat(newest.result["measured_at"]) if newest is not None else None


class _Taker:
    """What is known of a program for all its memberships."""

    def __init__(self, program: Program, scheme: TierScheme, *, at: datetime) -> None:
        self._program, self._at = program, at
        self._scheme_pk, self._scheme = scheme.pk, schemes.scheme_of(scheme)
        self._ladders = Ladders(program)
        self._judges: dict[int, Decide] = {}
        self._writer = _Writer()

    def take(self, chunk: Sequence[Standing]) -> int:
        """Measure a chunk and return how many rows were written."""
        group = metrics.Group(self._program, chunk[0][0], chunk[-1][0])
        with transaction.atomic(using=self._writer.using):
            figures_of = metrics.measure(group, self._scheme, at=self._at)
            before = _kept(group)
            rows = (self._row(pk, tier, figures_of(pk)) for pk, tier in chunk)
            changed = [row for row in rows if before.get(row[0]) != row]
            self._writer.write([(*row, self._at, self._at) for row in changed])
        return len(changed)

    def _row(self, pk: int, tier: int, figures: Mapping[str, Figure]) -> Row:
        # A tier taken out of use stays a rung for those who still stand in it.
        decide = self._judges.get(tier)
        if decide is None:
            decide = self._judges[tier] = judge(self._scheme, self._ladders.with_(tier))
        decision = decide(figures, self._ladders.tier(tier).key)
        measured = self._ladders.named(decision.measured)
        measured_pk = tier if measured is None else measured.pk
        return pk, self._scheme_pk, tier, measured_pk, decision.outcome.value, metrics.stored(figures)


def _standing(program: Program, *, at: datetime) -> models.QuerySet[Placement]:
    """Return the placements in force of active memberships: one for each."""
    return Placement.objects.in_force(at=at).filter(
        membership__program=program, membership__state=MembershipState.ACTIVE
    )


def _chunks(program: Program, *, at: datetime) -> Iterator[list[Standing]]:
    after = 0
    while True:
        rows = _standing(program, at=at).filter(membership__gt=after).order_by("membership")
        chunk = list(rows.values_list("membership", "tier")[:CHUNK])
        if not chunk:
            return
        yield chunk
        after = chunk[-1][0]


def _kept(group: metrics.Group) -> dict[int, Row]:
    rows = MetricSnapshot.objects.filter(
        membership__pk__range=(group.first, group.last), membership__program=group.program
    )
    return {row[0]: row for row in rows.values_list(*_COMPARED)}


def _remove_ended(program: Program) -> int:
    """Take away the rows of who is no longer active: they would be shown as they were for ever."""
    mine = MetricSnapshot.objects.filter(membership__program=program)
    removed, _by_model = mine.exclude(membership__state=MembershipState.ACTIVE).delete()
    return removed


class _Writer:
    """Inserts rows or writes over them, all of a chunk in one statement."""

    def __init__(self) -> None:
        self.using = router.db_for_write(MetricSnapshot)
        self._connection = connections[self.using]
        quote = self._connection.ops.quote_name
        self._table = quote(MetricSnapshot._meta.db_table)
        self._names = ", ".join(quote(name) for name in _COLUMNS)
        changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in _COLUMNS[1:])
        self._over = f"ON CONFLICT ({quote(_COLUMNS[0])}) DO UPDATE SET {changes}"

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        with self._connection.cursor() as cursor:
            if self._connection.vendor == "postgresql":
                # One parameter that holds everything costs the client a tenth of one parameter a value.
                told = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
                cursor.execute(
                    f"INSERT INTO {self._table} ({self._names}) SELECT {self._names}"  # noqa: S608  # names of ours
                    f" FROM json_populate_recordset(NULL::{self._table}, %s) {self._over}",
                    [json.dumps(told, default=datetime.isoformat)],
                )
            else:
                places = ", ".join(["%s"] * len(_COLUMNS))
                statement = f"INSERT INTO {self._table} ({self._names}) VALUES ({places}) {self._over}"  # noqa: S608
                cursor.executemany(statement, [self._bound(row) for row in rows])

    def _bound(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        *values, figures, measured, taken = row
        moment = self._connection.ops.adapt_datetimefield_value
        return *values, json.dumps(figures), moment(measured), moment(taken)
