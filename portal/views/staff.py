"""Your people: who works for the partner on the program, what they are certified in and until when, and what the certified share falls to. Owners,
marketing and sales keep the list; everybody of the team reads it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.certification import credentials, forecast
from partners.certification import staff as verbs
from partners.models import Credential, Member, Staff
from portal import roles, staff_rows
from portal.forms_staff import ProofForm, StaffChangeForm, StaffForm, taking_proof
from portal.rooms import Room, enter, refuse, show
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused
from tiers.qualify import Question

_ANY = Question("certified_ratio")
_ONE_DAY = timedelta(days=1)


@require_safe
@enter()
def staff(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the list, the certified shares and what is to come."""
    roster = forecast.roster(room.partner, room.program, at=room.at)
    rows = staff_rows.person_rows(room, list(_people(room).order_by("left_at", "full_name", "pk")))
    return show(
        request,
        room,
        "portal/staff/staff.html",
        nav="staff",
        people=[row for row in rows if row.left_on is None],
        gone=[row for row in rows if row.left_on is not None],
        shares=staff_rows.shares(room, roster) if roster.people else [],
        lapses=staff_rows.lapses(room, roster),
        may_manage=room.may(roles.MANAGE_STAFF),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_STAFF)
def add(request: HttpRequest, room: Room) -> HttpResponse:
    """Put somebody on the list."""
    form = StaffForm(request.POST or None, initial={"country": room.partner.country})
    if request.method == "POST" and form.is_valid():
        try:
            row = verbs.add(room.partner, by=room.user, at=room.at, **form.cleaned_data)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("%(person)s is on the list.") % {"person": row.full_name})
            return redirect("portal:staff")
    return _form_page(request, room, "portal/staff/add.html", form)


@require_safe
@enter()
def person(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show one person with every credential."""
    row = get_object_or_404(_people(room), public_id=public_id)
    return show(
        request,
        room,
        "portal/staff/person.html",
        nav="staff",
        person=row,
        line=staff_rows.person_rows(room, [row])[0],
        may_manage=room.may(roles.MANAGE_STAFF),
        may_hand_in=row.left_at is None and _may_hand_in(room, row) and bool(taking_proof(room.program)),
        may_put_back=row.left_at is not None and bool(row.full_name) and room.may(roles.MANAGE_STAFF),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_STAFF)
def change(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Change what the list says of a person, and who of the team it is."""
    row = get_object_or_404(_people(room).filter(left_at=None), public_id=public_id)
    initial = {name: getattr(row, name) for name in ("full_name", "role", "country", "email")}
    initial["member"] = row.member.public_id if row.member is not None else ""
    form = StaffChangeForm(row, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        member = Member.objects.filter(public_id=given.pop("member") or None).first()
        try:
            with transaction.atomic():
                changed = verbs.change(row, by=room.user, at=room.at, **given)
                verbs.link(changed, member, by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("The changes are saved."))
            return redirect("portal:staff_person", row.public_id)
    return _form_page(request, room, "portal/staff/change.html", form, person=row)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_STAFF)
def leave(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Say what it means that a person has left, then mark it."""
    row = get_object_or_404(_people(room).filter(left_at=None), public_id=public_id)
    error = ""
    if request.method == "POST":
        try:
            verbs.leave(row, by=room.user, at=room.at)
        except Refused as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("%(person)s is marked as left.") % {"person": row.full_name})
            return redirect("portal:staff")
    found = forecast.roster(room.partner, room.program, at=room.at).heads(_ANY)
    return show(
        request,
        room,
        "portal/staff/leave.html",
        nav="staff",
        status=422 if error else 200,
        person=row,
        error=error,
        share_now=staff_rows.share_text(found),
        share_then=staff_rows.share_text([each for each in found if each.staff.pk != row.pk]),
    )


@require_POST
@enter(roles.MANAGE_STAFF)
def put_back(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Put somebody who left back on the list."""
    row = get_object_or_404(_people(room), public_id=public_id)
    try:
        verbs.put_back(row, by=room.user, at=room.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(person)s is back on the list.") % {"person": row.full_name})
    return redirect("portal:staff_person", row.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.LEARN)
def proof(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Hand in a certificate of somebody else: for anybody by those who keep the list, for themselves by everybody."""
    row = get_object_or_404(_people(room).filter(left_at=None), public_id=public_id)
    if not _may_hand_in(room, row):
        return refuse(request, room, roles.MANAGE_STAFF)
    form = ProofForm(room.program, row, request.POST or None, request.FILES or None)
    if not form.certifications:
        raise Http404
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        until = given["valid_until"]
        try:
            credentials.hand_in_proof(
                form.certifications[given["certification"]],
                row,
                file=given["file"],
                issuer=given["issuer"],
                number=given["number"],
                earned_on=given["earned_on"],
                expires_on=_day_after(until),
                by=room.user,
                at=room.at,
            )
        except Refused as refusal:
            if refusal.field == "expires_on":
                refusal.field = "valid_until"
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("Thank you. It counts once we have checked it; you get a mail."))
            return redirect("portal:staff_person", row.public_id)
    return _form_page(request, room, "portal/staff/proof.html", form, person=row)


@require_safe
@enter(roles.LEARN)
def proof_file(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Hand out a certificate that was handed in, to those who keep the list and to the person."""
    rows = Credential.objects.filter(staff__partner=room.partner, certification__program=room.program)
    row = get_object_or_404(rows.exclude(proof="").select_related("staff"), public_id=public_id)
    if not _may_hand_in(room, row.staff):
        raise Http404
    return credentials.attachment(row)


def _people(room: Room) -> QuerySet[Staff]:
    return Staff.objects.filter(partner=room.partner).select_related("partner", "member")


def _may_hand_in(room: Room, row: Staff) -> bool:
    return room.may(roles.MANAGE_STAFF) or row.member_id == room.member.pk


def _day_after(day: date | None) -> date | None:
    # After the last day the calendar knows there is none: that certificate has no end.
    return day + _ONE_DAY if day is not None and day < date.max else None


def _form_page(request: HttpRequest, room: Room, template: str, form: Form, **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return show(request, room, template, nav="staff", status=status, form=form, **context)
