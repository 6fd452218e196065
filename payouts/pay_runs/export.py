"""Make the bank's files of an approved run and book the payments as instructed, together and once. Asked again, it answers with the
files that were made."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from payouts.calendar import posts_whole
from payouts.choices import PayRunState
from payouts.models import PaymentFile, PayRun
from payouts.pay_runs import common, files
from payouts.pay_runs.approve import require_as_prepared
from payouts.pay_runs.instruct import instruct
from prm import audit
from prm.accounts import policy

if TYPE_CHECKING:
    from prm.accounts.models import User

EXPORTED = (PayRunState.EXPORTED, PayRunState.SENT, PayRunState.PARTLY_FAILED, PayRunState.RECONCILED)


@posts_whole
def export(run: PayRun, *, by: User, at: datetime) -> list[PaymentFile]:
    """Return the files of the run; the first time the money leaves the balances and the lines are on their way.

    Raises: Forbidden, NotInState, ChangedSincePrepared, PausedSince, FileRefused.
    """
    policy.require(by, "export_pay_runs")
    run = common.lock(run)
    if run.state in EXPORTED:
        audit.record(by, "pay_run.files_taken_again", run, at=at)
        return files.files_of(run)
    if run.state != PayRunState.APPROVED:
        raise common.NotInState(run)
    payments = common.payments_of(run)
    require_as_prepared(run, payments)
    common.move(run, expected=[PayRunState.APPROVED], to=PayRunState.EXPORTED, exported_at=at, exported_by=by)
    instruct(payments, by=by, at=at)
    made = files.make(run, payments, by=by, at=at)
    details = {file.number: file.sha256 for file in made}
    audit.record(by, "pay_run.exported", run, at=at, files=details, total_minor=run.total_minor)
    return made
