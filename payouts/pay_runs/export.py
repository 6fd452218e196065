"""Make the bank's files of an approved run and book the payments as instructed, together and once. Asked again, it answers with the
files that were made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING

from django.db import transaction

from payouts.choices import PayRunState
from payouts.exports import payments_csv, sepa_pain001
from payouts.models import Payment, PaymentFile, PayRun
from payouts.pay_runs import common
from payouts.pay_runs.approve import require_as_prepared
from payouts.pay_runs.instruct import instruct
from prm import audit
from prm.accounts import policy

if TYPE_CHECKING:
    from prm.accounts.models import User

FORMATS: tuple[ModuleType, ...] = (sepa_pain001, payments_csv)
_EXPORTED = (PayRunState.EXPORTED, PayRunState.SENT, PayRunState.PARTLY_FAILED, PayRunState.RECONCILED)


@transaction.atomic
def export(run: PayRun, *, by: User, at: datetime) -> list[PaymentFile]:
    """Return the files of the run; the first time the money leaves the balances and the lines are on their way.

    Raises: Forbidden, NotInState, ChangedSincePrepared, PausedSince.
    """
    policy.require(by, "export_pay_runs")
    run = common.lock(run)
    if run.state in _EXPORTED:
        audit.record(by, "pay_run.files_taken_again", run, at=at)
        return files_of(run)
    payments = common.payments_of(run)
    require_as_prepared(run, payments)
    common.move(run, expected=[PayRunState.APPROVED], to=PayRunState.EXPORTED, exported_at=at, exported_by=by)
    instruct(payments, by=by, at=at)
    files = _make_files(run, payments, by=by, at=at)
    details = {file.format: file.sha256 for file in files}
    audit.record(by, "pay_run.exported", run, at=at, files=details, total_minor=run.total_minor)
    return files


def files_of(run: PayRun) -> list[PaymentFile]:
    """Return the files of a run in the order they were made."""
    return list(PaymentFile.objects.filter(pay_run=run).order_by("pk"))


def _make_files(run: PayRun, payments: Sequence[Payment], *, by: User, at: datetime) -> list[PaymentFile]:
    files = []
    for form in FORMATS:
        render: Callable[[PayRun, Sequence[Payment]], bytes] = form.render
        content = render(run, payments)
        files.append(
            PaymentFile.objects.create(
                pay_run=run,
                format=form.FORMAT,
                number=f"F-{run.pk}-{form.FORMAT}",
                currency=run.currency,
                name=form.file_name(run),
                content=content,
                sha256=hashlib.sha256(content).hexdigest(),
                row_count=len(payments),
                total_minor=run.total_minor,
                made_at=at,
                made_by=by,
            )
        )
    return files
