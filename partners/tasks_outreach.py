"""The workers' doors into invitations and prospects. Each is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partners import invitation_answers, prospect_watch


@shared_task(name="partners.follow_prospects")
def follow_prospects(*, application_id: int = 0, membership_id: int = 0) -> int:
    """Move prospects on that have applied or joined: those of one row, or all that were missed."""
    at = timezone.now()
    if application_id:
        return prospect_watch.follow_application(application_id, at=at)
    if membership_id:
        return prospect_watch.follow_membership(membership_id, at=at)
    return prospect_watch.follow(at=at)


@shared_task(name="partners.sweep_invitations")
def sweep_invitations() -> int:
    """Remind of invitations nobody answered, and close those whose time is over."""
    at = timezone.now()
    return invitation_answers.expire(at=at) + invitation_answers.remind(at=at)
