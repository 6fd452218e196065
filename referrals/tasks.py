"""The workers' doors into the referrals app. Each task carries ids only and is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from prm.runs import working
from referrals import (
    addresses,
    attribution_notices,
    drain,
    import_files,
    imports,
    points,
    points_of_people,
    refunds,
    welcome,
)


@shared_task(name="referrals.sweep")
def sweep() -> dict[str, int]:
    """Find what bells missed: refunds whose sale has arrived, and memberships without a link or a code."""
    return {
        "joined": refunds.sweep(at=timezone.now()),
        "welcomed": welcome.sweep(at=timezone.now()),
        "told_of_attribution": attribution_notices.sweep(at=timezone.now()),
        "thrown_away": import_files.purge(at=timezone.now()),
    }


@shared_task(name="referrals.welcome")
def first_link_and_code(*, membership_id: int) -> None:
    """Give a new membership its first link and code."""
    welcome.first_link_and_code(membership_id, at=timezone.now())


@shared_task(name="referrals.tell_of_attribution")
def tell_of_attribution(*, version_id: int) -> None:
    """Write to the members of a program that credit is given by other rules."""
    attribution_notices.tell(version_id, at=timezone.now())


@shared_task(name="referrals.import_file")
def import_file(*, run_id: int) -> None:
    """Import an uploaded file of sales."""
    working.work(run_id, lambda run, reporter: imports.carry_out(run, reporter, at=timezone.now()))


@shared_task(name="referrals.earn_points")
def earn_points(*, conversion_ids: list[int]) -> None:
    """Write the points that events earned or took back."""
    points.earn(conversion_ids, at=timezone.now())


@shared_task(name="referrals.sweep_points")
def sweep_points() -> dict[str, int]:
    """Write points that nobody wrote: of events whose bell was not heard, of activities and of credentials."""
    at = timezone.now()
    return {"events": points.sweep(at=at), "people": points_of_people.sweep(at=at)}


@shared_task(name="referrals.drain_clicks")
def drain_clicks() -> int:
    """Write the clicks that wait in the stream."""
    return drain.drain()


@shared_task(name="referrals.purge_addresses")
def purge_addresses() -> dict[str, int]:
    """Forget network addresses that are old enough."""
    return addresses.keep(timezone.now())
