"""Import a file of sales. Good lines are taken in batches, each in its own transaction, so an import that was killed is simply
started again; with `atomic` all lines are taken or none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from django.core.files.base import File
from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.runs import lifecycle
from prm.runs.models import Run
from prm.runs.progress import Reporter
from referrals import conversions, import_files, mapping
from referrals.facts import Event, Outcome, Status
from referrals.import_files import FaultFile
from referrals.mapping import FileMapping
from referrals.repeats import OtherBody
from referrals.sales_files import Row, RowError, SalesFile, count_lines
from referrals.sales_mapped import MappedFile

log = logging.getLogger(__name__)

RUN_KIND = "referrals.import"
PHASE = "Recording sales"
ROWS_AT_ONCE = 500
ERRORS_KEPT = 200
TRIES = 5


class _RollBack(Exception):
    """Leave the transaction without keeping anything."""


@dataclass
class Result:
    """What an import did; the first faults are kept, all are counted."""

    source: str
    dry_run: bool = False
    atomic: bool = False
    rows: int = 0
    created: int = 0
    replayed: int = 0
    failed: int = 0
    credited: int = 0
    waiting: int = 0
    kept: bool = True
    seconds: float = 0.0
    ignored_columns: list[str] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    sums: dict[tuple[str, str], int] = field(default_factory=dict)
    faults: FaultFile | None = None

    @property
    def changes_nothing(self) -> bool:
        """Say whether every line was in the books before."""
        return bool(self.rows) and self.replayed == self.rows

    def fault(self, error: RowError, reporter: Reporter) -> None:
        """Count a fault, and keep it while there are few."""
        self.failed += 1
        if self.faults is not None:
            self.faults.add(error)
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(error)
            reporter.note(str(error))

    def count(self, event: Event, outcome: Outcome) -> None:
        """Count a line that is in the books now."""
        if outcome.status == Status.REPLAYED:
            self.replayed += 1
            return
        self.created += 1
        self.credited += outcome.is_credited
        self.waiting += outcome.is_waiting
        key = (event.amount.currency, event.kind)
        self.sums[key] = self.sums.get(key, 0) + event.amount.minor

    def as_json(self) -> dict[str, Any]:
        """Return the result in plain values; sums are of the lines that were new."""
        sums: dict[str, dict[str, str]] = {}
        for (currency, kind), minor in sorted(self.sums.items()):
            sums.setdefault(currency, {})[kind] = str(Money(minor, currency).decimal())
        return {
            "source": self.source,
            "dry_run": self.dry_run,
            "atomic": self.atomic,
            "kept": self.kept,
            "rows": self.rows,
            "created": self.created,
            "replayed": self.replayed,
            "changes_nothing": self.changes_nothing,
            "failed": self.failed,
            "credited": self.credited,
            "waiting": self.waiting,
            "seconds": round(self.seconds, 2),
            "rows_per_second": int(self.rows / self.seconds) if self.seconds else None,
            "ignored_columns": self.ignored_columns,
            "sums": sums,
            "errors": [
                {"line": fault.line, "column": fault.column, "code": fault.code, "message": fault.message}
                for fault in self.errors
            ],
        }


def import_file(
    stream: BinaryIO,
    *,
    source: str,
    at: datetime,
    reporter: Reporter,
    atomic: bool = False,
    dry_run: bool = False,
    mapping: FileMapping | None = None,
    faults: FaultFile | None = None,
) -> Result:
    """Record the sales in `stream`, telling `reporter` how far it is; without a mapping it is in the product's own format.

    A dry run does everything and keeps nothing, so that its counts and faults are those of the real import.

    With `atomic`, one fault and nothing is kept; reading goes on all the same, so that every fault is named.

    Raises: BadFile, BadMapping when nothing can be read.
    """
    began = time.monotonic()
    reporter.phase(PHASE, total=count_lines(stream))
    sales = opened(stream, source=source, at=at, mapping=mapping)
    result = Result(
        sales.source, dry_run=dry_run, atomic=atomic, ignored_columns=sales.ignored, faults=faults
    )
    if sales.ignored:
        reporter.note("Columns that are not used: " + ", ".join(sales.ignored)[:200])
    try:
        if atomic or dry_run:
            _all_or_none(sales, result, reporter)
        else:
            for rows, found in _batches(sales):
                _take(sales, rows, found, result, reporter)
    finally:  # a stopped import tells how far it came
        result.seconds = time.monotonic() - began
        reporter.keep(**result.as_json())
    return result


def opened(stream: BinaryIO, *, source: str, at: datetime, mapping: FileMapping | None = None) -> SalesFile:
    """Return an open file of sales, read by `mapping` or in the product's own format.

    Raises: BadFile, BadMapping, BadValue.
    """
    if mapping is None:
        return SalesFile(stream, source=source, at=at)
    return MappedFile(stream, source=source, at=at, mapping=mapping)


def start(
    upload: File, *, source: str, by: User, at: datetime, atomic: bool = False, dry_run: bool = False
) -> Run:
    """Keep an uploaded file in the product's own format and put its import in the queue.

    Raises: Forbidden, BadFile, BadValue.
    """
    policy.require(by, "import_conversions")
    # A file that cannot be read at all is refused at the door.
    opened(import_files.binary(upload), source=source, at=at)
    upload.seek(0)
    stored, sha256 = import_files.keep(upload)
    return start_stored(
        stored,
        name=upload.name or "sales",
        source=source,
        by=by,
        at=at,
        sha256=sha256,
        atomic=atomic,
        dry_run=dry_run,
    )


@transaction.atomic
def start_stored(
    stored: str,
    *,
    name: str,
    source: str,
    by: User,
    at: datetime,
    sha256: str = "",
    atomic: bool = False,
    dry_run: bool = False,
    told: FileMapping | None = None,
) -> Run:
    """Put the import of a file that is kept already in the queue.

    Raises: Forbidden, FileGone, BadFile, BadMapping, BadValue.
    """
    policy.require(by, "import_conversions")
    with closing(import_files.opened(stored)) as stream:
        opened(stream, source=source, at=at, mapping=told)
    run = lifecycle.start(
        RUN_KIND,
        title=(_("Trial of %(name)s") if dry_run else _("Import of %(name)s")) % {"name": name[-100:]},
        at=at,
        by=by,
        phases=[PHASE],
        parameters={
            "stored": stored,
            "sha256": sha256,
            "name": name[-100:],
            "source": source,
            "atomic": atomic,
            "dry_run": dry_run,
            "mapping": told.as_json() if told is not None else None,
        },
    )
    audit.record(by, "conversions.import_started", run, at=at, source=source, atomic=atomic, dry_run=dry_run)
    return run


def carry_out(run: Run, reporter: Reporter, *, at: datetime) -> dict[str, Any]:
    """Do the import a run describes; lines an earlier attempt took are answered as repeats.

    Raises: FileGone, BadFile, BadMapping.
    """
    wanted = run.parameters
    told = wanted.get("mapping")
    faults = FaultFile()
    try:
        with closing(import_files.opened(wanted["stored"])) as upload:
            result = import_file(
                upload,
                source=wanted["source"],
                at=at,
                reporter=reporter,
                atomic=wanted["atomic"],
                dry_run=wanted["dry_run"],
                mapping=mapping.read(told) if told is not None else None,
                faults=faults,
            )
    finally:
        reporter.keep(faults=faults.store(run.public_id))
    return result.as_json()


def earlier(sha256: str) -> Run | None:
    """Return the last finished import of a file with the same bytes, None when there is none."""
    same = Run.objects.filter(kind=RUN_KIND, parameters__sha256=sha256, parameters__dry_run=False)
    return same.exclude(finished_at=None).filter(result__kept=True).newest_first().first() if sha256 else None


def _all_or_none(sales: SalesFile, result: Result, reporter: Reporter) -> None:
    """Take every line in one transaction, and give it up when a line has a fault or nothing is to be kept."""
    result.kept = False
    try:
        with transaction.atomic():
            for rows, faults in _batches(sales):
                _take(sales, rows, faults, result, reporter)
            if result.dry_run or result.failed:
                raise _RollBack
    except _RollBack:
        pass
    else:
        result.kept = True


def _take(
    sales: SalesFile, rows: list[Row], faults: list[RowError], result: Result, reporter: Reporter
) -> None:
    """Record one batch."""
    before = result.failed
    for fault in faults:
        result.fault(fault, reporter)
    events = [row.event for row in rows]
    outcomes = _record(events, at=sales.at)
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.refusal is None:
            result.count(row.event, outcome)
        else:
            result.fault(_refused(sales, row, outcome.refusal), reporter)
    handled = len(rows) + len(faults)
    result.rows += handled
    repeats = sum(outcome.status == Status.REPLAYED for outcome in outcomes)
    reporter.advance(handled, failed=result.failed - before, skipped=repeats)


def _refused(sales: SalesFile, row: Row, refusal: Refused) -> RowError:
    name = refusal.field or "event_id"
    if isinstance(refusal, OtherBody) and len(refusal.names) == 1:
        name = refusal.names[0]
    return RowError(row.line, sales.column_of(name), refusal.code, str(refusal))


def _batches(sales: SalesFile) -> Iterator[tuple[list[Row], list[RowError]]]:
    rows: list[Row] = []
    faults: list[RowError] = []
    for found in sales:
        if isinstance(found, Row):
            rows.append(found)
        else:
            faults.append(found)
        if len(rows) + len(faults) >= ROWS_AT_ONCE:
            yield rows, faults
            rows, faults = [], []
    if rows or faults:
        yield rows, faults


def _record(events: list[Event], *, at: datetime) -> list[Outcome]:
    """Record a batch, again when the database broke a deadlock or was busy; inside a larger transaction only once."""
    for attempt in range(1, TRIES + 1):
        try:
            return conversions.record_many(events, at=at)
        except OperationalError:
            if attempt == TRIES or transaction.get_connection().in_atomic_block:
                raise
            log.warning("A batch of an import was interrupted by the database; trying again.", exc_info=True)
            time.sleep(0.1 * attempt)
    raise AssertionError("unreachable")
