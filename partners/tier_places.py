"""How many places tiers have left, and what is in the way of taking a tier out of use. Who stands in a tier is read from placements, who is
to stand there from reviews, invitations and rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.choices import InvitationState
from partners.models import EligibilityRule, Placement, ProgramInvitation, TierReview
from tiers import ladder_changes
from tiers.ladder_changes import PROMISE, REVIEW, STANDING, Hindrance
from tiers.models import Tier


def standing_in(tiers: Iterable[Tier], *, at: datetime) -> dict[int, int]:
    """Return how many memberships stand in each tier at `at` or are to stand there, in one query; a tier with nobody is left out."""
    there = Placement.objects.filter(tier__in=list(tiers)).filter(Q(ends_at=None) | Q(ends_at__gt=at))
    rows = there.values("tier").annotate(count=Count("membership", distinct=True))
    return {row["tier"]: row["count"] for row in rows.order_by()}


def free_in(tiers: Iterable[Tier], *, at: datetime) -> dict[int, int]:
    """Return how many places each tier has left that takes so many partners only; never less than none."""
    limited = [tier for tier in tiers if tier.capacity is not None]
    taken = standing_in(limited, at=at) if limited else {}
    return {tier.pk: max(0, (tier.capacity or 0) - taken.get(tier.pk, 0)) for tier in limited}


def learn() -> None:
    """Say what is in the way of a change of tiers."""
    ladder_changes.learn_hindrance(hindrances)


def hindrances(tier: Tier, at: datetime) -> Iterator[Hindrance]:
    """Tell who stands in a tier, and what would place somebody there."""
    count = standing_in([tier], at=at).get(tier.pk, 0)
    if count:
        text = ngettext(
            "%(count)s partner stands in it: place it elsewhere first.",
            "%(count)s partners stand in it: place them elsewhere first.",
            count,
        )
        yield Hindrance(STANDING, text % {"count": count})
    count = TierReview.objects.open().filter(Q(to_tier=tier) | Q(from_tier=tier)).count()
    if count:
        text = ngettext(
            "%(count)s open review is about it: decide it first.",
            "%(count)s open reviews are about it: decide them first.",
            count,
        )
        yield Hindrance(REVIEW, text % {"count": count})
    living = (InvitationState.OPEN, InvitationState.COUNTERED)
    count = ProgramInvitation.objects.filter(tier=tier, state__in=living).count()
    if count:
        text = ngettext(
            "%(count)s open invitation promises it: withdraw it first, or wait for the answer.",
            "%(count)s open invitations promise it: withdraw them first, or wait for the answers.",
            count,
        )
        yield Hindrance(PROMISE, text % {"count": count})
    names = list(EligibilityRule.objects.filter(tier=tier, retired_at=None).values_list("name", flat=True))
    if names:
        text = _("Eligibility rules place applicants in it: %(rules)s. Change or retire them first.")
        yield Hindrance(PROMISE, text % {"rules": ", ".join(f"“{name}”" for name in names)})
