"""The workers' door into the runs."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from prm.runs import lifecycle


@shared_task(name="runs.sweep")
def sweep() -> int:
    """Rescue runs whose worker is gone."""
    return lifecycle.sweep(at=timezone.now())
