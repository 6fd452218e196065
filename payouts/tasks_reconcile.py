"""The doors Celery enters by to reconcile. Work comes in chunks of memberships, each in transactions of its own, so that a worker needs
little memory and a lost message loses nothing that the next night does not find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.utils import timezone

from partners.models import Membership
from payouts import reconcile as reconciling
from prm.lib.periods import Month
from prm.runs import lifecycle, working
from prm.runs.progress import Reporter
from referrals.models import Credit

AT_ONCE = 50  # memberships in one message
LOOK_BACK = timedelta(days=1)
RUN_KIND = "payouts.self_check"
PHASE = "memberships"
MOST_SHOWN = 200


def spread(member_ids: Sequence[int], *, since: Month | None = None) -> int:
    """Hand memberships to the workers in chunks; return how many messages that took."""
    chunks = [member_ids[start : start + AT_ONCE] for start in range(0, len(member_ids), AT_ONCE)]
    for chunk in chunks:
        reconcile.delay(member_ids=list(chunk), since="" if since is None else str(since))
    return len(chunks)


@shared_task(name="payouts.reconcile")
def reconcile(*, member_ids: list[int], since: str = "") -> None:
    month = Month.parse(since) if since else None
    for member in Membership.objects.filter(pk__in=member_ids).select_related("program").order_by("pk"):
        reconciling.reconcile(member, since=month, at=timezone.now())


@shared_task(name="payouts.reconcile_corrected")
def reconcile_corrected() -> None:
    """Take back what corrected credits had earned, whether or not the message about the correction arrived."""
    at = timezone.now()
    corrected = Credit.objects.filter(superseded_at__gte=at - LOOK_BACK, rated_at__isnull=False)
    ids = list(corrected.values_list("conversion_id", flat=True).distinct())
    if ids:
        reconciling.reconcile_superseded(ids, at=at)


@shared_task(name="payouts.self_check")
def self_check() -> None:
    """Recompute what this night's memberships earned, and keep a report of what differs."""
    at = timezone.now()
    try:
        run = lifecycle.start(
            RUN_KIND, title="Self-check of commissions", subject="nightly", phases=[PHASE], at=at, inline=True
        )
        working.work_here(run, lambda reporter: check(reporter, at=at))
    except lifecycle.AlreadyRunning:
        return


def check(reporter: Reporter, *, at: datetime) -> Mapping[str, Any]:
    """Recompute the sample of the night and return what differs; each difference is in the audit record too."""
    sample = reconciling.sample_of_the_night(at.date())
    reporter.phase(PHASE, total=len(sample))
    found: list[reconciling.Difference] = []
    for differences in reconciling.self_check(sample, at=at):
        found += differences
        reporter.advance(
            1, failed=bool(differences)
        )  # so that the job ends with errors and is seen among the jobs
    return {
        "memberships": len(sample),
        "differences": len(found),
        "difference_minor": sum(each.minor for each in found),
        "shown": [asdict(each) for each in found[:MOST_SHOWN]],
    }
