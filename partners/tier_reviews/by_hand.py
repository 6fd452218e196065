"""A person places a membership in another tier for good: the next review looks at it as at all others. Customers from before a fall keep what
the program promises them, and the owners read the reason."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from partners import mails_tiers, placement
from partners.models import Membership, Placement
from partners.tier_reviews import decisions
from tiers import schemes
from tiers.models import Tier

if TYPE_CHECKING:
    from prm.accounts.models import User


@transaction.atomic
def change(membership: Membership, *, tier: Tier, because: str, by: User, at: datetime) -> Placement:
    """Move a membership to `tier` from `at` on and tell its owners. Raises: what `placement.place` raises."""
    # Held before the tier it leaves is read: what customers keep hangs on it.
    membership = Membership.objects.lock().select_related("partner", "program").get(pk=membership.pk)
    before = Placement.objects.open().filter(membership=membership).select_related("tier").first()
    kept = kept_customers(membership, before.tier, tier, at=at) if before is not None else {}
    placed = placement.place(membership, tier=tier, by=by, at=at, because=because, **kept)
    placed.membership = membership
    mails_tiers.changed(placed, before.tier.name if before is not None else "")
    return placed


def kept_customers(membership: Membership, before: Tier, tier: Tier, *, at: datetime) -> dict[str, Any]:
    """Return how customers from before keep the former tier's terms when a membership falls; nothing for any other move."""
    row = schemes.in_force(membership.program, at=at)
    if row is None or not placement.is_fall(before, tier):
        return {}
    process = schemes.scheme_of(row).process
    return decisions.grandfathering(process, membership.program.zone, at=at)
