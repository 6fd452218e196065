"""The doors Celery enters by to watch for what looks wrong. Each is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from payouts.risk import monitor


@shared_task(name="payouts.watch_risk")
def watch_risk() -> None:
    """Look at the last days of every program."""
    monitor.watch(at=timezone.now())


@shared_task(name="payouts.watch_conversions")
def watch_conversions(*, conversion_ids: list[int]) -> None:
    """Look at conversions just credited."""
    monitor.watch_conversions(conversion_ids, at=timezone.now())
