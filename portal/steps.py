"""The steps of a checklist as one person of a team sees them: an address leads only where that person may go."""

from __future__ import annotations

from dataclasses import replace

from django.urls import reverse

from partners.checklists import StepState, state_of
from partners.choices import OnboardingKind
from portal import roles
from portal.rooms import Room

_MONEY = (OnboardingKind.BANK, OnboardingKind.TAX)


def steps_for(room: Room) -> list[StepState]:
    """Return the checklist of the membership looked at."""
    return [_as_seen(step, room) for step in state_of(room.membership, room.at)]


def _as_seen(step: StepState, room: Room) -> StepState:
    if step.step.kind in _MONEY and not room.may(roles.SEE_PAYMENT_DETAILS):
        return replace(step, link="")
    if step.step.kind == OnboardingKind.PROFILE and not room.may(roles.CHANGE_PROFILE):
        return replace(step, link=reverse("portal:profile"))
    return step
