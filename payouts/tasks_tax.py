"""The door Celery enters by for taxes. Running twice tells nobody twice: every mail has a key."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from payouts import notices_tax


@shared_task(name="payouts.remind_of_tax_forms")
def remind_of_tax_forms() -> int:
    return notices_tax.remind(on=timezone.now().date())
