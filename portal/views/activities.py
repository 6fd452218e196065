"""Activities: what the partner did besides selling, with evidence, and whether it counts. What waits can be changed or taken back; what was
decided stays, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.choices import ActivityState
from partners.engagement import activities as verbs
from partners.engagement.told import first_day
from partners.models import Activity
from portal import roles
from portal.forms_activities import ActivityForm, ChangeActivityForm
from portal.rooms import Room, enter, own_or_404, show
from portal.status import StatusWord, word
from portal.views.answers import explain_refusal
from portal.views.pages import Fact, Pages
from prm.lib.errors import Refused
from prm.lib.periods import local_day

PER_PAGE = 50


@dataclass(frozen=True)
class ActivityRow:
    """One activity in the list."""

    href: str
    title: str
    kind: str
    day: date
    status: StatusWord


@require_safe
@enter()
def activities(request: HttpRequest, room: Room) -> HttpResponse:
    """Show what the partner told, the newest first."""
    found = Activity.objects.filter(membership=room.membership).order_by("-held_on", "-pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        room,
        "portal/activities/activities.html",
        nav="activities",
        rows=[_row(each) for each in page],
        pages=_pages(page),
        may_tell=_may_tell(room),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.TELL_ACTIVITIES)
def tell(request: HttpRequest, room: Room) -> HttpResponse:
    """Take an activity."""
    form = ActivityForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            verbs.tell(room.membership, form.told(), by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("Thank you. We look at it and tell you whether it counts."))
            return redirect("portal:activities")
    return _form_page(request, room, form, back=reverse("portal:activities"))


@require_safe
@enter()
def activity(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show one activity, and what became of it."""
    found, there = _find(request, room, public_id)
    facts = [
        Fact(_("What it was"), str(found.get_kind_display())),
        Fact(_("Told by"), found.told_by.get_full_name()),
    ]
    return show(
        request,
        there,
        "portal/activities/activity.html",
        nav="activities",
        activity=found,
        state=word("activity", found.state),
        facts=facts,
        told_on=local_day(found.told_at, there.zone),
        decided_on=local_day(found.decided_at, there.zone) if found.decided_at else None,
        is_waiting=found.state == ActivityState.WAITING,
        may_change=found.state == ActivityState.WAITING and there.may(roles.TELL_ACTIVITIES),
        may_tell_again=found.state == ActivityState.DECLINED and _may_tell(there),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.TELL_ACTIVITIES)
def change(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Take the activity said differently, while it waits."""
    found, there = _find(request, room, public_id, roles.TELL_ACTIVITIES)
    back = reverse("portal:activity", args=[found.public_id])
    if found.state != ActivityState.WAITING:
        messages.error(request, str(verbs.NotWaiting()))
        return redirect(back)
    form = ChangeActivityForm(request.POST or None, request.FILES or None, activity=found)
    if request.method == "POST" and form.is_valid():
        without = form.cleaned_data.get("without_file", False)
        try:
            verbs.change(found, form.told(), by=there.user, at=there.at, without_file=without)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("Saved. It still waits to be confirmed."))
            return redirect(back)
    return _form_page(request, there, form, back=back, activity=found)


@require_POST
@enter(roles.TELL_ACTIVITIES)
def withdraw(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Take the activity back."""
    found, there = _find(request, room, public_id, roles.TELL_ACTIVITIES)
    try:
        verbs.withdraw(found, by=there.user, at=there.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You have taken it back."))
    return redirect("portal:activity", public_id=found.public_id)


@require_safe
@enter()
def evidence(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Send the file to the own team."""
    found, _there = _find(request, room, public_id)
    if not found.file:
        raise Http404
    return verbs.attachment(found)


def _find(
    request: HttpRequest, room: Room, public_id: str, capability: str = roles.LOOK
) -> tuple[Activity, Room]:
    rows = Activity.objects.select_related("membership__program", "membership__partner", "told_by")
    return own_or_404(request, room, rows, public_id, capability=capability)


def _may_tell(room: Room) -> bool:
    return room.membership.ended_at is None and room.may(roles.TELL_ACTIVITIES)


def _row(activity: Activity) -> ActivityRow:
    return ActivityRow(
        href=reverse("portal:activity", args=[activity.public_id]),
        title=activity.title,
        kind=str(activity.get_kind_display()),
        day=activity.held_on,
        status=word("activity", activity.state),
    )


def _pages(page: Any) -> Pages | None:
    if not page.has_other_pages():
        return None
    return Pages(
        first=page.start_index(),
        last=page.end_index(),
        total=page.paginator.count,
        previous_url=f"?page={page.previous_page_number()}" if page.has_previous() else "",
        next_url=f"?page={page.next_page_number()}" if page.has_next() else "",
    )


def _form_page(
    request: HttpRequest, room: Room, form: ActivityForm, *, back: str, activity: Activity | None = None
) -> HttpResponse:
    return show(
        request,
        room,
        "portal/activities/form.html",
        nav="activities",
        status=422 if form.errors else 200,
        form=form,
        back=back,
        activity=activity,
        first_day=first_day(room.membership),
    )
