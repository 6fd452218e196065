"""Compute a pay run in the background. The page and the command line follow one job, since both name it by entity and currency, of which
one run is being prepared at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payouts.choices import PayRunState
from payouts.models import PayRun
from payouts.pay_runs import common
from payouts.pay_runs.compute import compute
from prm.accounts import policy
from prm.accounts.models import User
from prm.runs import lifecycle
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tiers.models import LegalEntity

RUN_KIND = "payouts.pay_run"
PHASE = "Payments"


def start(run: PayRun, *, by: User, at: datetime) -> Run:
    """Put the computation of a draft in the queue.

    Raises: Forbidden, NotInState, AlreadyRunning.
    """
    policy.require(by, "prepare_pay_runs")
    if run.state != PayRunState.DRAFT:
        raise common.NotInState(run)
    return lifecycle.start(
        RUN_KIND,
        title=f"Compute pay run {run.message_id}",
        at=at,
        by=by,
        subject=subject_of(run.legal_entity, run.currency),
        phases=[PHASE],
        parameters={"pay_run": run.public_id},
    )


def carry_out(job: Run, reporter: Reporter, *, at: datetime) -> Mapping[str, Any]:
    """Compute the run a job is about; one that was interrupted goes on where it stopped.

    Raises: Forbidden, NotInState, NothingToPay.
    """
    if job.created_by_id is None:
        raise LookupError("A pay run is computed in somebody's name, and this job has none.")
    run = PayRun.objects.get(public_id=job.parameters["pay_run"])
    return follow(run, reporter, by=User.objects.get(pk=job.created_by_id), at=at)


def follow(run: PayRun, reporter: Reporter, *, by: User, at: datetime) -> dict[str, Any]:
    """Compute a run and tell the reporter how far it is; return what came of it.

    Raises: Forbidden, NotInState, NothingToPay.
    """
    reporter.phase(PHASE)
    before = 0

    def tell(done: int, total: int) -> None:
        nonlocal before
        if not before:
            reporter.phase(PHASE, total=total)
        reporter.advance(done - before)
        before = done

    run = compute(run, by=by, at=at, progress=tell)
    return {"pay_run": run.public_id, "payments": run.payment_count, "total_minor": run.total_minor}


def latest(run: PayRun) -> Run | None:
    """Return the job that computes the run, or did."""
    subject = subject_of(run.legal_entity, run.currency)
    for job in Run.objects.filter(kind=RUN_KIND, subject=subject).newest_first()[:5]:
        if job.parameters.get("pay_run") == run.public_id or (job.is_open and run.state == PayRunState.DRAFT):
            return job
    return None


def subject_of(legal_entity: LegalEntity, currency: str) -> str:
    """Return what jobs about the entity's runs in a currency are filed under."""
    return f"{legal_entity.public_id}:{currency}"
