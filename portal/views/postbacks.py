"""Postbacks: where a partner's server is called when something is credited or earned, and what came of each call. A secret is shown once,
on the page that follows its making."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payouts.choices import PostbackDeliveryState, PostbackEvent
from payouts.models import Postback, PostbackDelivery
from payouts.models.postback import PostbackQuerySet
from payouts.postbacks import addresses, sending, telling
from portal import roles
from portal.forms_postbacks import EventsForm, PostbackForm
from portal.rooms import Room, enter, refuse, show
from portal.views.answers import explain_refusal
from prm.lib.bell import ring
from prm.lib.errors import Refused

CALLS_SHOWN = 50
_SECRET = "portal_postback_secret"  # noqa: S105  # session key: a secret to show once


@dataclass(frozen=True)
class CallRow:
    """One call as the log shows it."""

    public_id: str
    event: str
    written_at: datetime
    state: str
    is_taken: bool
    attempts: int
    answer: str
    next_at: datetime | None
    may_repeat: bool


@require_safe
@enter()
def postbacks(request: HttpRequest, room: Room) -> HttpResponse:
    """List the addresses of the current membership."""
    found = list(_mine(room).order_by("created_at", "pk"))
    return show(
        request,
        room,
        "portal/postbacks/postbacks.html",
        nav="links",
        postbacks=[(each, _events(each)) for each in found],
        may_manage=room.may(roles.MANAGE_LINKS),
        may_add=room.may(roles.MANAGE_LINKS) and len(found) < addresses.MOST,
        most=addresses.MOST,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_LINKS)
def add(request: HttpRequest, room: Room) -> HttpResponse:
    """Set an address."""
    form = PostbackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = addresses.add(room.membership, by=room.user, at=room.at, **form.cleaned_data)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            request.session[_SECRET] = {made.postback.public_id: made.secret}
            return redirect("portal:postback", made.postback.public_id)
    status = 422 if form.errors else 200
    return show(request, room, "portal/postbacks/add.html", nav="links", form=form, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@enter()
def postback(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show an address with its calls, and change what it is called for."""
    row = get_object_or_404(_mine(room), public_id=public_id)
    may_manage = room.may(roles.MANAGE_LINKS)
    form = EventsForm(request.POST or None, initial={"events": row.events})
    if request.method == "POST":
        if not may_manage:
            return refuse(request, room, roles.MANAGE_LINKS)
        if form.is_valid():
            try:
                addresses.change(row, by=room.user, at=room.at, **form.cleaned_data)
            except Refused as refusal:
                explain_refusal(form, refusal)
            else:
                messages.success(request, _("The changes are saved."))
                return redirect("portal:postback", row.public_id)
    shown = request.session.pop(_SECRET, {}) if request.method == "GET" else {}
    return show(
        request,
        room,
        "portal/postbacks/postback.html",
        nav="links",
        postback=row,
        form=form,
        secret=shown.get(row.public_id, ""),
        calls=[_call_row(call) for call in row.deliveries.order_by("-created_at", "-pk")[:CALLS_SHOWN]],
        events=_events(row),
        may_manage=may_manage,
        status=422 if form.errors else 200,
    )


@require_POST
@enter(roles.MANAGE_LINKS)
def act(request: HttpRequest, room: Room, public_id: str, deed: str) -> HttpResponse:
    """Rotate the secret, call again, send a test, or remove."""
    row = get_object_or_404(_mine(room).select_related("membership__program"), public_id=public_id)
    try:
        text = _do(request, room, row, deed)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, text)
    return redirect("portal:postbacks" if deed == "remove" else "portal:postback", *_where(row, deed))


@require_POST
@enter(roles.MANAGE_LINKS)
def repeat(request: HttpRequest, room: Room, public_id: str, call_id: str) -> HttpResponse:
    """Make one call again."""
    row = get_object_or_404(_mine(room), public_id=public_id)
    sending.again(get_object_or_404(row.deliveries.all(), public_id=call_id), at=room.at)
    ring("payouts.send_postbacks")
    messages.success(request, _("The call is made again."))
    return redirect("portal:postback", row.public_id)


def _do(request: HttpRequest, room: Room, row: Postback, deed: str) -> str:
    """Do one deed and return what to say of it.

    Raises: Refused.
    """
    match deed:
        case "rotate":
            made = addresses.rotate(row, by=room.user, at=room.at)
            request.session[_SECRET] = {row.public_id: made.secret}
            return _("There is a new secret. The one before signs too for 24 hours.")
        case "switch-on":
            addresses.switch_on(row, by=room.user, at=room.at)
            return _("We call this address again.")
        case "test":
            telling.test_call(row, at=room.at)
            ring("payouts.send_postbacks")
            return _("A test call is on its way. What came of it is below in a moment.")
        case "remove":
            addresses.remove(row, by=room.user, at=room.at)
            return _("The postback is removed.")
    raise Http404


def _where(row: Postback, deed: str) -> tuple[str, ...]:
    return () if deed == "remove" else (row.public_id,)


def _mine(room: Room) -> PostbackQuerySet:
    return Postback.objects.in_use().filter(membership=room.membership)


def _events(row: Postback) -> list[str]:
    return [str(PostbackEvent(event).label) for event in row.events]


def _call_row(call: PostbackDelivery) -> CallRow:
    answer = str(call.last_status) if call.last_status is not None else ""
    return CallRow(
        public_id=call.public_id,
        event=str(_("Test")) if call.key.startswith("test:") else str(PostbackEvent(call.event).label),
        written_at=call.created_at,
        state=str(PostbackDeliveryState(call.state).label),
        is_taken=call.state == PostbackDeliveryState.SENT,
        attempts=call.attempts,
        answer=call.last_error or answer,
        next_at=call.next_at,
        may_repeat=call.state != PostbackDeliveryState.QUEUED,
    )
