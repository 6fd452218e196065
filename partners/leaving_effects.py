"""What ends together with a membership: its place in a tier, its open review, what was proposed to it, and its recruiting links.
Nothing is deleted; each of these rows keeps when it ended."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from partners import tier_cases
from partners.choices import AmendmentState
from partners.models import Amendment, ClauseQuestion, Membership, Placement, RecruitingLink
from partners.negotiation import waiting
from prm import audit
from prm.lib.events import announce
from tiers import negotiation

from .events import PlacementChanged

if TYPE_CHECKING:
    from prm.accounts.models import User


def close_what_is_open(membership: Membership, *, ended_at: datetime, by: User | None, at: datetime) -> None:
    """End what a membership that is over cannot have any more; the caller holds its lock."""
    _leave_the_tier(membership, ended_at=ended_at, by=by, at=at)
    tier_cases.lapse(membership, by=by, at=at, because="membership_over")
    tier_cases.end_overrides(membership, by=by, at=at)
    proposal = waiting(membership)
    if proposal is not None:
        negotiation.lapse(proposal, by=by, at=at)
    amendments = Amendment.objects.filter(
        membership=membership, state__in=[AmendmentState.DRAFT, AmendmentState.PROPOSED]
    )
    for amendment in amendments.lock():
        Amendment.objects.filter(pk=amendment.pk).update(state=AmendmentState.WITHDRAWN)
        audit.record(by, "amendment.withdrawn", amendment, at=at, because="membership_over")
    questions = ClauseQuestion.objects.filter(membership=membership, answered_at=None, withdrawn_at=None)
    questions.update(withdrawn_at=at)
    RecruitingLink.objects.filter(membership=membership, retired_at=None).update(retired_at=at)


def _leave_the_tier(membership: Membership, *, ended_at: datetime, by: User | None, at: datetime) -> None:
    placement = Placement.objects.open().filter(membership=membership).select_related("tier").first()
    if placement is None:
        return
    # A placement that was to begin later ends as it begins: an interval is never empty.
    until = max(ended_at, placement.starts_at + datetime.resolution)
    Placement.objects.filter(pk=placement.pk, ends_at=None).update(ends_at=until)
    audit.record(by, "membership.placement_ended", membership, at=at, before=placement.tier.key)
    announce(PlacementChanged(membership.pk))
