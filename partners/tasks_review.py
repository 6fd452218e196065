"""The workers' doors to what happens before a person decides. Each task carries ids only and is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partners import arrivals
from partners.models import Application


@shared_task(name="partners.receive_application")
def receive_application(*, application_id: int) -> bool:
    """Ask the rules about an application that has begun to count, and give it to somebody."""
    application = Application.objects.filter(pk=application_id).first()
    if application is not None:
        arrivals.receive(application, at=timezone.now())
    return application is not None


@shared_task(name="partners.sweep_applications")
def sweep_applications() -> int:
    """See to applications whose bell was missed."""
    return arrivals.sweep(at=timezone.now())
