"""The workers' doors to tiers: figures of the night and reviews that are due. Each task carries ids only and is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partners.certification import awarding, reminders
from partners.tier_reviews import snapshots
from prm.runs import lifecycle, working


@shared_task(name="partners.snapshot_tiers")
def snapshot_tiers() -> None:
    """Ask for the figures of this night."""
    try:
        snapshots.begin(at=timezone.now())
    except lifecycle.AlreadyRunning:
        return  # by the command: it does the same


@shared_task(name="partners.take_snapshots")
def take_snapshots(*, run_id: int) -> None:
    """Measure how memberships stand."""
    working.work(run_id, snapshots.carry_out)


@shared_task(name="partners.keep_credentials")
def keep_credentials() -> int:
    """Give credentials that were kept back, and remind of those that end soon."""
    at = timezone.now()
    return awarding.sweep(at=at) + reminders.remind(at=at)
