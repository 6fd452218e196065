"""The doors Celery enters by to say what other tiers would have earned. Each is safe to run twice: a figure is written over by the same one."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partners.models import Membership
from payouts import tier_outlooks
from tiers.models import Tier


@shared_task(name="payouts.compute_outlook")
def compute_outlook(*, membership_id: int, tier_id: int) -> None:
    """Compute what one membership would have earned in one tier."""
    membership = Membership.objects.select_related("program").filter(pk=membership_id).first()
    tier = Tier.objects.filter(pk=tier_id).first()
    if membership is not None and tier is not None:
        tier_outlooks.compute(membership, tier, at=timezone.now())


@shared_task(name="payouts.refresh_outlooks")
def refresh_outlooks() -> int:
    """Compute anew, for those who may move, what they would earn where they may go."""
    return tier_outlooks.refresh(at=timezone.now())
