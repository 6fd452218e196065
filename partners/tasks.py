"""The workers' doors into the partners app. Each task carries ids only and is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partners import applying_sweep, leaving, notices, terms_asking, waiting_list
from tiers.models import Program


@shared_task(name="partners.tell_of_version")
def tell_of_version(*, version_id: int) -> int:
    """Tell members of a version that was published."""
    return notices.tell_of_version(version_id, at=timezone.now())


@shared_task(name="partners.ask_for_terms")
def ask_for_terms(*, version_id: int) -> int:
    """Ask members to accept terms that were published."""
    return terms_asking.tell(version_id, at=timezone.now())


@shared_task(name="partners.ask_for_terms_of_tier")
def ask_for_terms_of_tier(*, membership_id: int) -> int:
    """Ask a membership that moved for the terms of the tier it has come to."""
    return terms_asking.follow(membership_id, at=timezone.now())


@shared_task(name="partners.keep_terms")
def keep_terms() -> dict[str, int]:
    """Ask who joined since, remind who has not accepted, and carry out what was announced."""
    return terms_asking.keep(at=timezone.now())


@shared_task(name="partners.sweep")
def sweep() -> int:
    """Find what bells missed: versions nobody was told of, mailboxes that wait for a program that is open, memberships whose
    announced end has come."""
    leaving.carry_out(at=timezone.now())
    terms_asking.sweep(at=timezone.now())
    applying_sweep.sweep(at=timezone.now())
    waiting_list.sweep(at=timezone.now())
    return notices.sweep(at=timezone.now())


@shared_task(name="partners.tell_waiting")
def tell_waiting(*, program_id: int) -> int:
    """Write to everybody who waits for a program that has opened."""
    return waiting_list.tell(Program.objects.get(pk=program_id), at=timezone.now())
