"""The project's own periodic work. Each run only proves that beat, broker, worker and database are joined up."""

from celery import shared_task
from django.utils import timezone

from prm import heartbeat


@shared_task(name="prm.heartbeat")
def beat() -> None:
    """Record that a message went the whole round."""
    heartbeat.beat(heartbeat.ROUND, at=timezone.now())
