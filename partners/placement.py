"""Place memberships in tiers. A membership stands in one tier from the moment it joined until it is over, and what was once so is never
rewritten: a placement only ends, where the next one begins."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners import tier_cases
from partners.events import PlacementChanged
from partners.models import Membership, Placement
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.events import announce
from tiers.models import Tier

if TYPE_CHECKING:
    from partners.models import TierReview
    from prm.accounts.models import User

LONGEST_REASON = 200


class OtherProgram(Refused):
    message = _("This tier belongs to another program.")
    field = "tier"


class OutOfUse(Refused):
    message = _("This tier was taken out of use.")
    field = "tier"


class AlreadyThere(Refused):
    message = _("The membership stands in this tier already.")
    field = "tier"


class TooEarly(Refused):
    message = _("A later placement exists; choose a moment after %(after)s.")
    field = "starts_at"


class OverAlready(Refused):
    message = _("The membership is over: it stands in no tier any more.")


class NoRoom(Refused):
    message = _("%(tier)s is full: partners at most %(most)s.")
    field = "tier"


@transaction.atomic
def place(
    membership: Membership,
    *,
    tier: Tier,
    by: User | None,
    at: datetime,
    because: str,
    keeps_customers: bool = False,
    customers_keep_ends_at: datetime | None = None,
    review: TierReview | None = None,
) -> Placement:
    """Move `membership` to `tier` from `at` on, ending the placement that was open; the first one begins when it joined.

    `by` is None where the program's own setting decided; whoever decided on `review` earlier, for a day that has come, may have
    left by then. `keeps_customers` lets customers from before keep the former tier's terms, until `customers_keep_ends_at` or
    for good. Open cases other than `review` are overtaken by the move, and a tier decided by hand until a day ends.

    Raises: Forbidden, OtherProgram, OutOfUse, OverAlready, AlreadyThere, TooEarly, NoRoom.
    """
    if by is not None and (review is None or review.decided_at is None):
        policy.require(by, "place_in_tiers")
    membership = Membership.objects.lock().get(pk=membership.pk)
    if tier.program_id != membership.program_id:
        raise OtherProgram
    if membership.ended_at is not None:
        raise OverAlready
    before = _open(membership)
    if before is not None and before.tier_id == tier.pk:
        raise AlreadyThere
    _refuse_overlap(membership, at)
    _lock_tier(tier, before)
    if before is not None:
        Placement.objects.filter(pk=before.pk, ends_at=None).update(ends_at=at)
    made = Placement.objects.create(
        membership=membership,
        tier=tier,
        starts_at=at if before is not None else min(at, membership.joined_at),
        because=because[:LONGEST_REASON],
        placed_at=at,
        placed_by=by,
        keeps_customers=keeps_customers,
        customers_keep_ends_at=customers_keep_ends_at,
    )
    tier_cases.lapse(membership, by=by, at=at, because="placed", but=review)
    tier_cases.end_overrides(membership, by=by, at=at)
    previous = before.tier.key if before else ""
    audit.record(by, "membership.placed", membership, at=at, note=because, before=previous, after=tier.key)
    announce(PlacementChanged(membership.pk))
    return made


def has_room(tier: Tier) -> bool:
    """Say whether one more membership may stand in a tier."""
    return tier.capacity is None or Placement.objects.open().filter(tier=tier).count() < tier.capacity


def is_fall(before: Tier, tier: Tier) -> bool:
    """Say whether going from one tier to another leads down its ladder."""
    return before.track == tier.track and tier.rank < before.rank


def _open(membership: Membership) -> Placement | None:
    return Placement.objects.open().filter(membership=membership).select_related("tier").first()


def _lock_tier(tier: Tier, before: Placement | None) -> None:
    """Hold the tier until the end, so that its last place is given once and nobody comes in while it is taken out of use."""
    held = Tier.objects.select_for_update(no_key=True).get(pk=tier.pk)
    if held.retired_at is not None:
        raise OutOfUse
    if before is not None and is_fall(before.tier, held):
        return
    if not has_room(held):
        raise NoRoom(params={"tier": held.name, "most": held.capacity})


def _refuse_overlap(membership: Membership, at: datetime) -> None:
    later = Placement.objects.filter(membership=membership).filter(
        Q(ends_at__gt=at) | Q(ends_at=None, starts_at__gte=at)
    )
    latest = later.order_by("-starts_at", "-pk").first()
    if latest is not None:
        raise TooEarly(params={"after": f"{latest.ends_at or latest.starts_at:%Y-%m-%d %H:%M}"})
