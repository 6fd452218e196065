"""The worker's door into business plans: what is due is done, and running it again does nothing more."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partners.business_plans import sweep


@shared_task(name="partners.sweep_business_plans")
def sweep_business_plans() -> int:
    """Begin, complete and end plans that are due, and write about checkpoints that come near."""
    at = timezone.now()
    moved = sweep.withdraw_ended(at=at) + sweep.begin_due(at=at) + sweep.complete_due(at=at)
    return moved + sweep.remind_due(at=at)
