"""The tier: where a partner stands, what keeps it there, what the next tier asks and would have earned, what was decided and when it is
looked at next. The whole team reads it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal import tier_story
from portal.rooms import Room, enter, show
from portal.views import tier


@require_safe
@enter()
def tier_page(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the tier."""
    standing = tier.standing(room.membership, at=room.at)
    if standing is None:
        return show(request, room, "portal/tier/none.html", nav="tier")
    story = tier_story.story_of(room.membership, standing.tier, standing.above, at=room.at)
    return show(request, room, "portal/tier/tier.html", nav="tier", story=story)
