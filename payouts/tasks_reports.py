"""The doors Celery enters by for daily figures. Each task makes one call that is safe to repeat, also beside itself."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from payouts.reports import keeping

COUNT_FOR = timedelta(seconds=12)  # less than the time to the next round


@shared_task(name="payouts.count_days")
def count_days() -> int:
    """Count the days again that are marked."""
    deadline = timezone.now() + COUNT_FOR
    return keeping.work(until=lambda: timezone.now() >= deadline)


@shared_task(name="payouts.mark_recent_days")
def mark_recent_days() -> int:
    """Mark today and yesterday, for whatever was written without a mark."""
    return keeping.mark_recent(at=timezone.now())
