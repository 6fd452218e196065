"""The doors Celery enters by. Each task makes one call that is safe to repeat; the sweeps find whatever a lost message meant."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from payouts import accrual, dry_runs, months, reconcile, release, settlement, terms_pauses
from payouts.pay_runs import job as pay_run_job
from prm.runs import working

BELL_HAS_TIME = timedelta(seconds=20)  # younger credits have just been rung for: leave them to that task
SWEEP_FOR = timedelta(seconds=25)  # less than the time to the next sweep


@shared_task(name="payouts.accrue")
def accrue(*, conversion_ids: list[int]) -> None:
    accrual.accrue(conversion_ids, at=timezone.now())
    reconcile.reconcile_superseded(conversion_ids, at=timezone.now())


@shared_task(name="payouts.sweep_accruals")
def sweep_accruals() -> None:
    deadline = timezone.now() + SWEEP_FOR
    accrual.sweep(at=timezone.now(), older_than=BELL_HAS_TIME, until=lambda: timezone.now() >= deadline)


@shared_task(name="payouts.release_due")
def release_due() -> None:
    release.release_due(at=timezone.now())
    settlement.hold_for_finance(at=timezone.now())
    terms_pauses.carry_out(at=timezone.now())


@shared_task(name="payouts.hold_for_finance")
def hold_for_finance(*, membership_id: int) -> None:
    settlement.hold_for_finance(at=timezone.now(), membership_id=membership_id)


@shared_task(name="payouts.pause_for_terms")
def pause_for_terms(*, membership_id: int) -> None:
    terms_pauses.carry_out(at=timezone.now(), membership_id=membership_id)


@shared_task(name="payouts.close_month")
def close_month(*, run_id: int) -> None:
    working.work(run_id, lambda run, reporter: months.carry_out(run, reporter, at=timezone.now()))


@shared_task(name="payouts.dry_run")
def dry_run(*, run_id: int) -> None:
    working.work(run_id, lambda run, reporter: dry_runs.carry_out(run, reporter, at=timezone.now()))


@shared_task(name="payouts.compute_pay_run")
def compute_pay_run(*, run_id: int) -> None:
    working.work(run_id, lambda run, reporter: pay_run_job.carry_out(run, reporter, at=timezone.now()))
