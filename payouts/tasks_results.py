"""The door Celery enters by to import results of a bank. Taking a file twice is harmless: the second time finds the first."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from payouts.results import jobs
from prm.runs import working


@shared_task(name="payouts.import_results")
def import_results(*, run_id: int) -> None:
    working.work(run_id, lambda run, reporter: jobs.carry_out(run, reporter, at=timezone.now()))
