"""The workers' doors into the outbox."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from prm.mail import sending


@shared_task(name="mail.send")
def send(*, mail_id: int) -> bool:
    """Send one message."""
    return sending.send(mail_id, at=timezone.now())


@shared_task(name="mail.sweep")
def sweep() -> int:
    """Ring for messages that were missed."""
    return sending.sweep(at=timezone.now())
