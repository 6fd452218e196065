"""The tiers of the partner's program side by side: what each asks, what it earns, what else it gives. Rates are those in force for this
partner, so that nothing is promised here that would not be paid."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.rates import Reading
from portal.rooms import Room, enter, show
from portal.tier_table import ladders_of
from portal.views import tier
from tiers.models import Tier


@require_safe
@enter()
def compare(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the ladders of the program, with the place where the partner stands."""
    reading = Reading(room.membership, at=room.at)
    standing = tier.standing(room.membership, at=room.at)
    tiers = list(Tier.objects.filter(program=room.program).in_use().by_rank())
    return show(
        request,
        room,
        "portal/tier/compare.html",
        nav="tier",
        ladders=ladders_of(room.program, tiers, reading.of_tier, at=room.at),
        here=standing.tier if standing else None,
        terms_page="portal:terms_version",
    )
