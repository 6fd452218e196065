"""Import a file of sales. Good lines are taken in batches, each in its own transaction, so an import that was killed is simply
started again; with `atomic` all lines are taken or none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import OperationalError, transaction

from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from prm.lib.ids import ulid
from prm.lib.money import Money
from prm.runs import lifecycle
from prm.runs.models import Run
from prm.runs.progress import Reporter
from referrals import conversions
from referrals.facts import Event, Outcome, Status
from referrals.repeats import OtherBody
from referrals.sales_files import Row, RowError, SalesFile, count_lines

log = logging.getLogger(__name__)

RUN_KIND = "referrals.import"
PHASE = "Recording sales"
ROWS_AT_ONCE = 500
ERRORS_KEPT = 200
TRIES = 5
COLUMN_OF = {"code": "partner_code", "product": "product_code"}


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

    def fault(self, error: RowError, reporter: Reporter) -> None:
        """Count a fault, and keep it while there are few."""
        self.failed += 1
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
) -> Result:
    """Record the sales in `stream`, telling `reporter` how far it is.

    A dry run does everything and keeps nothing, so that its counts and faults are those of the real import.

    With `atomic`, one fault and nothing is kept; reading goes on all the same, so that every fault is named.

    Raises: BadFile when nothing can be read.
    """
    began = time.monotonic()
    reporter.phase(PHASE, total=count_lines(stream))
    sales = SalesFile(stream, source=source, at=at)
    result = Result(sales.source, dry_run=dry_run, atomic=atomic, ignored_columns=sales.ignored)
    if sales.ignored:
        reporter.note("Columns that are not used: " + ", ".join(sales.ignored)[:200])
    try:
        if atomic or dry_run:
            _all_or_none(sales, result, reporter)
        else:
            for rows, faults in _batches(sales):
                _take(rows, faults, result, reporter, at=at)
    finally:  # a stopped import tells how far it came
        result.seconds = time.monotonic() - began
        reporter.keep(**result.as_json())
    return result


def start(
    upload: File, *, source: str, by: User, at: datetime, atomic: bool = False, dry_run: bool = False
) -> Run:
    """Keep an uploaded file and put its import in the queue.

    Raises: Forbidden, BadFile, BadValue.
    """
    policy.require(by, "import_conversions")
    SalesFile(
        _binary(upload), source=source, at=at
    )  # a file that cannot be read at all is refused at the door
    upload.seek(0)
    stored = default_storage.save(f"imports/{ulid()}.csv", upload)
    with transaction.atomic():
        run = lifecycle.start(
            RUN_KIND,
            title=f"Import of {(upload.name or 'sales')[-100:]}",
            at=at,
            by=by,
            phases=[PHASE],
            parameters={"stored": stored, "source": source, "atomic": atomic, "dry_run": dry_run},
        )
        audit.record(
            by, "conversions.import_started", run, at=at, source=source, atomic=atomic, dry_run=dry_run
        )
    return run


def carry_out(run: Run, reporter: Reporter, *, at: datetime) -> dict[str, Any]:
    """Do the import a run describes; lines an earlier attempt took are answered as repeats.

    Raises: BadFile.
    """
    wanted = run.parameters
    with default_storage.open(wanted["stored"], "rb") as upload:
        result = import_file(
            _binary(upload),
            source=wanted["source"],
            at=at,
            reporter=reporter,
            atomic=wanted["atomic"],
            dry_run=wanted["dry_run"],
        )
    return result.as_json()


def _binary(upload: File) -> BinaryIO:
    upload.open("rb")
    return cast(BinaryIO, upload.file)


def _all_or_none(sales: SalesFile, result: Result, reporter: Reporter) -> None:
    """Take every line in one transaction, and give it up when a line has a fault or nothing is to be kept."""
    result.kept = False
    try:
        with transaction.atomic():
            for rows, faults in _batches(sales):
                _take(rows, faults, result, reporter, at=sales.at)
            if result.dry_run or result.failed:
                raise _RollBack
    except _RollBack:
        pass
    else:
        result.kept = True


def _take(
    rows: list[Row], faults: list[RowError], result: Result, reporter: Reporter, *, at: datetime
) -> None:
    """Record one batch."""
    before = result.failed
    for fault in faults:
        result.fault(fault, reporter)
    events = [row.event for row in rows]
    outcomes = _record(events, at=at)
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.refusal is None:
            result.count(row.event, outcome)
        else:
            result.fault(_refused(row, outcome.refusal), reporter)
    handled = len(rows) + len(faults)
    result.rows += handled
    repeats = sum(outcome.status == Status.REPLAYED for outcome in outcomes)
    reporter.advance(handled, failed=result.failed - before, skipped=repeats)


def _refused(row: Row, refusal: Refused) -> RowError:
    name = refusal.field or "event_id"
    if isinstance(refusal, OtherBody) and len(refusal.names) == 1:
        name = refusal.names[0]
    column = COLUMN_OF.get(name, name)
    return RowError(row.line, column, refusal.code, str(refusal))


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
