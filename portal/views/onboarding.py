"""First steps: what a newcomer is asked to do and how far that is. What the product sees for itself is ticked by itself; the rest is ticked by
somebody of the team."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partners import checklists, onboarding
from partners.models import OnboardingStep
from portal import roles
from portal.rooms import Room, enter, show
from portal.steps import steps_for
from prm.lib.errors import Refused


@require_safe
@enter()
def first_steps(request: HttpRequest, room: Room) -> HttpResponse:
    """Show every step of the checklist, done ones as well."""
    steps = steps_for(room)
    return show(
        request,
        room,
        "portal/onboarding/onboarding.html",
        nav="first_steps",
        steps=steps,
        done=sum(step.done for step in steps),
        is_complete=checklists.is_complete(steps),
        may_tick=room.may(roles.TICK_STEPS),
    )


@require_POST
@enter(roles.TICK_STEPS)
def tick(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Tick a step, or take the tick back."""
    steps = OnboardingStep.objects.filter(program=room.program, removed_at=None)
    step = get_object_or_404(steps, public_id=public_id)
    try:
        if "undo" in request.POST:
            onboarding.untick(room.membership, step, by=room.user, at=room.at)
        else:
            onboarding.tick(room.membership, step, by=room.user, at=room.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your first steps are up to date."))
    return redirect("portal:first_steps")
