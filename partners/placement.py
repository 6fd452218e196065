"""Place memberships in tiers. A membership stands in one tier at a time, and intervals once ended are never reopened."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.events import PlacementChanged
from partners.models import Membership, Placement
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.events import announce
from tiers.models import Tier

if TYPE_CHECKING:
    from prm.accounts.models import User


class OtherProgram(Refused):
    message = _("This tier belongs to another program.")
    field = "tier"


class AlreadyThere(Refused):
    message = _("The membership stands in this tier already.")
    field = "tier"


class TooEarly(Refused):
    message = _("A later placement exists; choose a moment after %(after)s.")
    field = "starts_at"


class NotPlaced(Refused):
    message = _("The membership stands in no tier.")


@transaction.atomic
def place(membership: Membership, *, tier: Tier, by: User, at: datetime, because: str) -> Placement:
    """Move `membership` to `tier` from `at` on, ending the placement that was open.

    Raises: Forbidden, OtherProgram, AlreadyThere, TooEarly.
    """
    policy.require(by, "place_in_tiers")
    membership = Membership.objects.lock().get(pk=membership.pk)
    if tier.program_id != membership.program_id:
        raise OtherProgram
    before = _open(membership)
    if before is not None and before.tier_id == tier.pk:
        raise AlreadyThere
    _refuse_overlap(membership, at)
    if before is not None:
        Placement.objects.filter(pk=before.pk, ends_at=None).update(ends_at=at)
    made = Placement.objects.create(
        membership=membership, tier=tier, starts_at=at, because=because, placed_at=at, placed_by=by
    )
    previous = before.tier.key if before else ""
    audit.record(by, "membership.placed", membership, at=at, note=because, before=previous, after=tier.key)
    announce(PlacementChanged(membership.pk))
    return made


@transaction.atomic
def end(membership: Membership, *, by: User, at: datetime, because: str) -> Placement:
    """End the open placement at `at`; from then on the membership stands in no tier.

    Raises: Forbidden, NotPlaced, TooEarly.
    """
    policy.require(by, "place_in_tiers")
    membership = Membership.objects.lock().get(pk=membership.pk)
    placement = _open(membership)
    if placement is None:
        raise NotPlaced
    _refuse_overlap(membership, at)
    Placement.objects.filter(pk=placement.pk, ends_at=None).update(ends_at=at)
    placement.refresh_from_db()
    audit.record(by, "membership.placement_ended", membership, at=at, note=because, before=placement.tier.key)
    announce(PlacementChanged(membership.pk))
    return placement


def _open(membership: Membership) -> Placement | None:
    return Placement.objects.open().filter(membership=membership).select_related("tier").first()


def _refuse_overlap(membership: Membership, at: datetime) -> None:
    later = Placement.objects.filter(membership=membership).filter(
        Q(ends_at__gt=at) | Q(ends_at=None, starts_at__gte=at)
    )
    latest = later.order_by("-starts_at", "-pk").first()
    if latest is not None:
        raise TooEarly(params={"after": f"{latest.ends_at or latest.starts_at:%Y-%m-%d %H:%M}"})
