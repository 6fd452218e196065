"""How a membership stands at a moment, as the engine reads it, and the plan that is in force for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from partners.models import Membership, Placement
from tiers.engine.facts import PlanFacts, Standing
from tiers.rulebook import Rulebook


def standing_of(membership: Membership, *, at: datetime) -> Standing:
    """Return the membership's standing at `at`; before its first placement it stands in no tier."""
    placement = Placement.objects.in_force(at=at).filter(membership=membership).select_related("tier").first()
    return Standing(
        tier_key=placement.tier.key if placement else "",
        tier_name=placement.tier.name if placement else "",
        membership=membership.public_id,
        partner_country=membership.partner.country,
        partnership_type=membership.program.partnership_type,
        tags=frozenset(membership.tags),
        joined_at=membership.joined_at,
    )


def who(membership: Membership) -> dict[str, Any]:
    """Return the membership as `Rulebook.plan_for` asks for it."""
    return {"member_key": membership.public_id, "joined_at": membership.joined_at}


def plan_of(membership: Membership, *, at: datetime, book: Rulebook | None = None) -> PlanFacts | None:
    """Return the plan in force for the membership and its new customers at `at`, None before the first version."""
    book = book or Rulebook.load([membership.program_id])
    return book.plan_for(membership.program_id, at, **who(membership))


def names_for(membership: Membership) -> dict[str, str]:
    """Return the names of what rules know by key and the partner may read: the tiers, and the partner itself."""
    tiers = dict(membership.program.tiers.values_list("key", "name"))
    return {**tiers, membership.public_id: membership.partner.name}
