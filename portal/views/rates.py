"""What you earn: the terms in force for this partner, those that are coming, and what the next tier would change."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.credit_words import credit_rules
from portal.rates import Reading
from portal.rooms import Room, enter, show, waiting_proposal
from portal.views import tier


@require_safe
@enter()
def rates(request: HttpRequest, room: Room) -> HttpResponse:
    """Show what the partner earns by."""
    reading = Reading(room.membership, at=room.at)
    standing = tier.standing(room.membership, at=room.at)
    above = standing.above if standing else None
    return show(
        request,
        room,
        "portal/rates/rates.html",
        nav="",
        terms=reading.current(),
        coming=reading.coming(),
        tier_name=standing.tier.name if standing else "",
        above=above,
        in_tier_above=reading.in_tier(above) if above else [],
        proposal=waiting_proposal(room),
        credit=credit_rules(room.program, at=room.at),
    )
