"""Import what the bank says, all of a file or nothing. The same file is imported once, and what it says of a payment is booked by the verbs
that a person uses too."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from partners.models import Membership
from payouts.calendar import posts_whole
from payouts.choices import PaymentState, PayRunState, ResultOutcome
from payouts.models import Payment, PayRun, ResultFile
from payouts.pay_runs import book
from payouts.pay_runs.books import Books, Told
from payouts.results import matching, reading
from payouts.results.facts import Mismatch, ResultsRead, Says
from payouts.results.matching import Match, Named, Plan
from prm import audit
from prm.accounts import policy
from prm.runs.progress import Reporter

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity

PHASE = "Booking results"


@dataclass(frozen=True)
class Look:
    """What importing a file would do, and the import that took it already if there is one."""

    read: ResultsRead
    plan: Plan
    earlier: ResultFile | None


def look(entity: LegalEntity, *, content: bytes, by: User) -> Look:
    """Say what a file would book; nothing is written.

    Raises: Forbidden, NotRead, WrongRows.
    """
    policy.require(by, "settle_pay_runs")
    read = reading.read(content)
    return Look(read, matching.plan(entity, read), imported(entity, content))


def imported(entity: LegalEntity, content: bytes) -> ResultFile | None:
    """Return the import of this very content, if there was one."""
    return ResultFile.objects.filter(legal_entity=entity, sha256=hashlib.sha256(content).hexdigest()).first()


def import_file(
    entity: LegalEntity,
    *,
    name: str,
    content: bytes,
    by: User,
    at: datetime,
    reporter: Reporter | None = None,
) -> ResultFile:
    """Book what the file says, or return the first import of the same file.

    Raises: Forbidden, NotRead, WrongRows, Mismatch.
    """
    policy.require(by, "settle_pay_runs")
    earlier = imported(entity, content)
    if earlier is not None:
        return earlier
    return _import(
        entity,
        reading.read(content),
        name=name,
        content=content,
        by=by,
        at=at,
        reporter=reporter or Reporter(),
    )


@posts_whole
def _import(
    entity: LegalEntity,
    read: ResultsRead,
    *,
    name: str,
    content: bytes,
    by: User,
    at: datetime,
    reporter: Reporter,
) -> ResultFile:
    """Raises: Mismatch."""
    runs = _lock(matching.named(entity, read))
    earlier = imported(entity, content)  # somebody may have taken it while we waited for the locks
    if earlier is not None:
        return earlier
    plan = matching.plan(entity, read)
    if plan.faults.count:
        raise Mismatch(plan.faults)
    file, is_ours = _keep(entity, read, plan, name=name, content=content, by=by, at=at)
    if is_ours:
        _book(plan, runs, file, by=by, at=at, reporter=reporter)
    return file


def _lock(told: Named) -> dict[int, PayRun]:
    """Lock the memberships of every run the file speaks of, then the runs, each in primary-key order."""
    ids = sorted({payment.pay_run_id for payment in told.payments.values()})
    members = Payment.objects.filter(pay_run__in=ids).values("membership")
    list(Membership.objects.lock().filter(pk__in=members).values_list("pk", flat=True))
    return {run.pk: run for run in PayRun.objects.lock().filter(pk__in=ids)}


def _keep(
    entity: LegalEntity,
    read: ResultsRead,
    plan: Plan,
    *,
    name: str,
    content: bytes,
    by: User,
    at: datetime,
) -> tuple[ResultFile, bool]:
    """Store the file; False beside the row of whoever stored the same one at this very moment."""
    try:
        with transaction.atomic():
            file = ResultFile.objects.create(
                legal_entity=entity,
                format=read.format,
                name=(name or read.format.label)[-120:],
                content=content,
                sha256=hashlib.sha256(content).hexdigest(),
                row_count=plan.rows,
                settled_count=len(plan.settled),
                returned_count=len(plan.came_back),
                known_count=plan.known,
                foreign_count=plan.foreign,
                imported_at=at,
                imported_by=by,
            )
    except IntegrityError:
        # A file that names none of our payments waits for no lock.
        earlier = imported(entity, content)
        if earlier is None:
            raise
        return earlier, False
    audit.record(
        by,
        "results.imported",
        file,
        at=at,
        file=file.name,
        settled=file.settled_count,
        returned=file.returned_count,
        known=file.known_count,
        foreign=file.foreign_count,
    )
    return file, True


def _book(
    plan: Plan, runs: dict[int, PayRun], file: ResultFile, *, by: User, at: datetime, reporter: Reporter
) -> None:
    by_run: dict[int, list[Match]] = defaultdict(list)
    for match in plan.in_order():
        by_run[match.payment.pay_run_id].append(match)
    reporter.phase(PHASE, total=len(plan.settled) + len(plan.came_back))
    for pk in sorted(by_run):
        _book_run(runs[pk], by_run[pk], file, by=by, at=at, reporter=reporter)


def _book_run(
    run: PayRun, matches: Sequence[Match], file: ResultFile, *, by: User, at: datetime, reporter: Reporter
) -> None:
    """Book what the file says of one run, and move the run to where that leaves it."""
    was_reconciled = run.state == PayRunState.RECONCILED
    books = Books([match.payment for match in matches], by=by, at=at)
    for match in matches:
        _book_one(books, match, file)
        reporter.advance()
    books.post()
    if any(match.booking.says is Says.CAME_BACK for match in matches):
        book.came_back_to(run)
    # Money that comes back after the end reopens the run, until a person has looked at it.
    if not was_reconciled:
        book.finish(run, by=by, at=at)


def _book_one(books: Books, match: Match, file: ResultFile) -> None:
    booking = match.booking
    told = Told(
        reference=booking.reference,
        code=booking.code,
        reason=booking.reason,
        booked_on=booking.booked_on,
        fee=match.fee,
        file=file,
    )
    if booking.says is Says.PAID:
        books.settle(match.payment, told)
    else:
        books.fail(match.payment, told)


def outcome_of(match: Match, plan: Plan) -> ResultOutcome:
    """Return what a booking of a plan makes of its payment."""
    if match.booking.says is Says.PAID:
        return ResultOutcome.SETTLED
    is_paid_by_this = any(each.payment.pk == match.payment.pk for each in plan.settled)
    was_paid = match.payment.state == PaymentState.SETTLED or is_paid_by_this
    return ResultOutcome.RETURNED if was_paid else ResultOutcome.FAILED
