"""Amendments in the portal: what is proposed beside the program's terms, for an owner of the team to accept or to decline with a note."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partners import amendments
from partners.choices import AmendmentState
from partners.models import Amendment
from portal import roles
from portal.forms_terms import DeclineAmendmentForm
from portal.rooms import Room, enter, own_or_404, refuse, show
from portal.views.answers import explain_refusal
from portal.visitors import client_address
from prm.lib.errors import Refused


@require_safe
@enter()
def amendment(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show an amendment and what became of it."""
    found, there = _find(request, room, public_id)
    return _page(request, there, found, DeclineAmendmentForm())


@require_POST
@enter()
def accept(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Accept the amendment that was shown."""
    found, there = _find(request, room, public_id)
    if not there.may(roles.ACCEPT_TERMS):
        return refuse(request, there, roles.ACCEPT_TERMS)
    try:
        amendments.accept(
            found,
            shown=request.POST.get("shown", ""),
            by=there.user,
            at=there.at,
            address=client_address(request),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The amendment is accepted. Your name and the moment are on record."))
    return redirect("portal:amendment", public_id=public_id)


@require_POST
@enter()
def decline(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Decline the amendment and say why."""
    found, there = _find(request, room, public_id)
    if not there.may(roles.ACCEPT_TERMS):
        return refuse(request, there, roles.ACCEPT_TERMS)
    form = DeclineAmendmentForm(request.POST)
    if form.is_valid():
        try:
            amendments.decline(
                found,
                note=form.cleaned_data["note"],
                by=there.user,
                at=there.at,
                address=client_address(request),
            )
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("You have declined. The terms stay as they are."))
            return redirect("portal:amendment", public_id=public_id)
    return _page(request, there, found, form, status=422)


def _find(request: HttpRequest, room: Room, public_id: str) -> tuple[Amendment, Room]:
    proposed = Amendment.objects.filter(proposed_at__isnull=False)
    found: tuple[Amendment, Room] = own_or_404(
        request, room, proposed.select_related("membership", "answered_by", "proposed_by"), public_id
    )
    return found


def _page(
    request: HttpRequest, room: Room, found: Amendment, form: DeclineAmendmentForm, *, status: int = 200
) -> HttpResponse:
    is_open = found.state == AmendmentState.PROPOSED
    return show(
        request,
        room,
        "portal/terms/amendment.html",
        nav="terms",
        status=status,
        amendment=found,
        is_open=is_open,
        may_answer=is_open and room.may(roles.ACCEPT_TERMS) and room.membership.ended_at is None,
        form=form,
    )
