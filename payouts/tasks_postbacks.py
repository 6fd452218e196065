"""The doors Celery enters by to call partners' servers. Each is safe to run twice and at the same time."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from payouts.postbacks import sending, telling


@shared_task(name="payouts.tell_postbacks")
def tell_postbacks(*, conversion_ids: list[int]) -> None:
    """Write the calls about conversions just credited, and make what is due."""
    if telling.tell_credits(conversion_ids, at=timezone.now()):
        sending.send_due(at=timezone.now())


@shared_task(name="payouts.sweep_postbacks")
def sweep_postbacks() -> int:
    """Write the calls nobody has written: commission lines, and credits whose bell was not heard."""
    return telling.sweep(at=timezone.now())


@shared_task(name="payouts.send_postbacks")
def send_postbacks() -> int:
    """Make the calls that are due."""
    return sending.send_due(at=timezone.now())
