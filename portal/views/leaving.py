"""Leave a program: what it means, for the money too, then a name typed as confirmation. Only an owner leaves, and whoever chose a later day
may stay after all until then."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from partners import leaving
from partners.choices import EndingKind, SanctionReason
from partners.leaving_rules import NoNotice
from partners.mails import moment_text
from partners.models import Ending
from portal import roles
from portal.formats import active_locale
from portal.forms_leaving import LeaveForm
from portal.rooms import Room, enter, show
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_TEAM)
def leave(request: HttpRequest, room: Room) -> HttpResponse:
    """Say what leaving means, then leave."""
    membership = room.membership
    if membership.ended_at is not None:
        return show(request, room, "portal/leaving/over.html", nav="account", status=410)
    ending = leaving.waiting_end(membership)
    form = None if ending else LeaveForm(request.POST or None, program_name=room.program.name)
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            made = leaving.leave(membership, by=room.user, at=room.at, on=form.cleaned_data["on"])
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _told(room, made))
            return redirect("portal:home")
    return show(
        request,
        room,
        "portal/leaving/leave.html",
        nav="account",
        form=form,
        ends_on=moment_text(ending.effective_at, membership, active_locale()) if ending else "",
        may_stay=ending is not None and ending.reason == SanctionReason.OWN_WISH,
        money=leaving.settlement(membership, EndingKind.ENDED.value, at=room.at),
        status=422 if form is not None and form.errors else 200,
    )


@require_POST
@enter(roles.MANAGE_TEAM)
def stay(request: HttpRequest, room: Room) -> HttpResponse:
    """Take back the own notice."""
    ending = leaving.waiting_end(room.membership)
    try:
        if ending is None:
            raise NoNotice
        leaving.cancel_notice(ending, by=room.user, at=room.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Everything goes on as before."))
    return redirect("portal:home")


def _told(room: Room, ending: Ending) -> str:
    if ending.done_at is not None:
        return _("You have left %(program)s.") % {"program": room.program.name}
    day = moment_text(ending.effective_at, room.membership, active_locale())
    return _("You leave %(program)s on %(date)s.") % {"program": room.program.name, "date": day}
