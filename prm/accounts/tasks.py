"""The workers' doors into the accounts app. Each task is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from prm.accounts import api_idempotency


@shared_task(name="accounts.forget_answers")
def forget_answers() -> int:
    """Forget what callers were answered more than a week ago."""
    return api_idempotency.purge(at=timezone.now())
