"""The workers' doors to tiers: figures of the night and reviews that are due. Each task carries ids only and is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partners.certification import awarding, reminders
from partners.models import ReviewRound
from partners.tier_reviews import decisions, grace, overrides, rounds, snapshots, what_if
from prm.runs import lifecycle, working


@shared_task(name="partners.snapshot_tiers")
def snapshot_tiers() -> None:
    """Ask for the figures of this night."""
    try:
        snapshots.begin(at=timezone.now())
    except lifecycle.AlreadyRunning:
        return  # by the command: it does the same


@shared_task(name="partners.take_snapshots")
def take_snapshots(*, run_id: int) -> None:
    """Measure how memberships stand."""
    working.work(run_id, snapshots.carry_out)


@shared_task(name="partners.review_tiers")
def review_tiers() -> int:
    """Open the rounds that are due, and set workers to those that are not finished."""
    at = timezone.now()
    rounds.open_due(at=at)
    return rounds.start_waiting(at=at)


@shared_task(name="partners.carry_out_review")
def carry_out_review(*, run_id: int) -> None:
    """Evaluate the memberships of a round and decide what is decided without a person."""
    working.work(
        run_id,
        lambda run, reporter: rounds.carry_out(
            ReviewRound.objects.get(public_id=run.parameters["round"]), reporter, at=timezone.now()
        ),
    )


@shared_task(name="partners.what_if")
def try_scheme(*, run_id: int) -> None:
    """Measure everybody under a draft of what tiers ask."""
    working.work(run_id, lambda run, reporter: what_if.carry_out(run, reporter, at=timezone.now()))


@shared_task(name="partners.look_again_at_tiers")
def look_again_at_tiers() -> int:
    """Measure those in grace again, and confirm who reaches the own tier."""
    return grace.look_again(at=timezone.now())


@shared_task(name="partners.apply_tier_decisions")
def apply_tier_decisions() -> int:
    """End decisions by hand whose day is over, and carry out what was decided for a moment that has come."""
    at = timezone.now()
    return overrides.expire_due(at=at) + decisions.apply_due(at=at)


@shared_task(name="partners.keep_credentials")
def keep_credentials() -> int:
    """Give credentials that were kept back, and remind of those that end soon."""
    at = timezone.now()
    return awarding.sweep(at=at) + reminders.remind(at=at)
