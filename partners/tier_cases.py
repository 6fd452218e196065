"""What becomes of cases and decisions by hand when a membership moves, or is over: they are closed in the same transaction, so that nothing
is ever decided about a tier in which nobody stands any more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from partners.choices import AppealState, ReviewState
from partners.models import Appeal, Membership, TierOverride, TierReview
from prm import audit

if TYPE_CHECKING:
    from prm.accounts.models import User


def lapse(
    membership: Membership, *, by: User | None, at: datetime, because: str, but: TierReview | None = None
) -> int:
    """Close the open cases of a membership as overtaken, all `but` one; the caller holds its lock."""
    cases = TierReview.objects.open().filter(membership=membership)
    if but is not None:
        cases = cases.exclude(pk=but.pk)
    closed = list(cases.lock())
    for case in closed:
        close_as_overtaken(case, by=by, at=at, because=because)
    return len(closed)


def close_as_overtaken(case: TierReview, *, by: User | None, at: datetime, because: str) -> None:
    """Close one open case as overtaken, and the appeal that waits with it; the caller holds the lock."""
    TierReview.objects.filter(pk=case.pk).update(state=ReviewState.LAPSED)
    Appeal.objects.filter(review=case, state=AppealState.OPEN).update(state=AppealState.WITHDRAWN)
    audit.record(by, "tier_review.lapsed", case, at=at, because=because)


def end_overrides(membership: Membership, *, by: User | None, at: datetime) -> int:
    """End what was decided by hand about a membership's tier; the caller holds its lock."""
    ended = list(TierOverride.objects.filter(membership=membership, ended_at=None).order_by("pk"))
    for each in ended:
        TierOverride.objects.filter(pk=each.pk).update(ended_at=at, ended_by=by)
        audit.record(by, "tier_override.ended", each, at=at)
    return len(ended)
