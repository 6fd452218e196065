"""Introductions: people a partner brings to us, by its own link or by name, and other partners it may want to meet. Of another partner
nothing is shown but its name, its kind and the reason, until both have agreed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partners import introductions as verbs
from partners import mails_outreach, prospects, recruiting_links
from partners.choices import IntroductionState, ProspectStage
from partners.models import Introduction, Partner, Prospect
from portal import roles
from portal.forms_introductions import IntroduceForm, WishForm
from portal.rates import Reading
from portal.rooms import Room, enter, refuse, show
from portal.status import INFO, NEUTRAL, OK, WARN, StatusWord
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused
from prm.lib.periods import local_day

SHOWN = 100
LOOKED_AT = timedelta(days=7)
_RECEIVED = (gettext_lazy("Received"), "clock", NEUTRAL)
# What the partner reads; how we go about it is ours.
_STAGES = {
    ProspectStage.INVITED: (gettext_lazy("Invited"), "clock", INFO),
    ProspectStage.APPLIED: (gettext_lazy("Applied"), "clock", INFO),
    ProspectStage.JOINED: (gettext_lazy("Joined"), "tick", OK),
    ProspectStage.LOST: (gettext_lazy("Not pursued"), "cross", NEUTRAL),
}


@dataclass(frozen=True)
class PersonRow:
    """Somebody the partner introduced."""

    name: str
    company: str
    day: date
    word: StatusWord


@dataclass(frozen=True)
class MeetingRow:
    """Another partner this one may meet, or has met."""

    other: str
    day: date
    word: StatusWord
    href: str
    waits_for_you: bool


@require_safe
@enter()
def introductions(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the own recruiting link, whom the partner introduced, and the partners it may meet."""
    may_introduce = room.may(roles.INTRODUCE)
    return show(
        request,
        room,
        "portal/introductions/introductions.html",
        nav="introductions",
        link=_own_link(room) if may_introduce else "",
        earns=_earned_by_introducing(room),
        people=[_person_row(each, room) for each in _introduced(room)],
        meetings=[_meeting_row(each, room) for each in verbs.of(room.partner)[:SHOWN]],
        may_introduce=may_introduce,
        may_answer=room.may(roles.ANSWER_PROPOSALS),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.INTRODUCE)
def introduce(request: HttpRequest, room: Room) -> HttpResponse:
    """Take somebody the partner introduces by name."""
    form = IntroduceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = prospects.introduce(room.membership, form.introduced(), by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("Thank you. We look at who %(name)s is.") % {"name": made.full_name})
            return redirect("portal:introductions")
    return _form_page(request, room, "portal/introductions/introduce.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.ANSWER_PROPOSALS)
def wish(request: HttpRequest, room: Room) -> HttpResponse:
    """Pass on whom the partner would like to meet."""
    form = WishForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            verbs.wish(room.partner, text=form.cleaned_data["text"], by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(
                request, _("Your account manager has your wish, and asks you before anybody meets.")
            )
            return redirect("portal:introductions")
    return _form_page(request, room, "portal/introductions/wish.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@enter()
def introduction(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show another partner this one could meet, and take a yes or a no."""
    found, there = _find(room, public_id)
    if request.method == "POST":
        if not there.may(roles.ANSWER_PROPOSALS):
            return refuse(request, there, roles.ANSWER_PROPOSALS)
        wants = request.POST.get("answer") == "yes"
        try:
            found = verbs.answer(found, partner=there.partner, wants=wants, by=there.user, at=there.at)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _said(found, wants=wants))
        return redirect("portal:introduction", public_id=public_id)
    other = _other(found, there.partner)
    is_made = found.state == IntroductionState.INTRODUCED
    return show(
        request,
        there,
        "portal/introductions/introduction.html",
        nav="introductions",
        introduction=found,
        other=other.name,
        kinds=_kinds(other),
        contacts=mails_outreach.contacts_of(other) if is_made else [],
        is_open=found.state == IntroductionState.PROPOSED,
        is_made=is_made,
        has_agreed=_has_agreed(found, there.partner),
        may_answer=there.may(roles.ANSWER_PROPOSALS),
    )


def _find(room: Room, public_id: str) -> tuple[Introduction, Room]:
    """Return an introduction of one of the own partners, and a room of that partner."""
    own = {membership.partner_id: membership for membership in reversed(room.memberships)}
    own[room.membership.partner_id] = room.membership
    rows = Introduction.objects.exclude(state=IntroductionState.WITHDRAWN).select_related("first", "second")
    found = rows.filter(public_id=public_id).first()
    mine = next((pk for pk in (found.first_id, found.second_id) if pk in own), None) if found else None
    if found is None or mine is None:
        raise Http404
    if room.membership.partner_id in (found.first_id, found.second_id):
        return found, room
    return found, room.of(own[mine].pk)


def _own_link(room: Room) -> str:
    try:
        return recruiting_links.address(recruiting_links.own_link(room.membership, by=room.user, at=room.at))
    except Refused:
        return ""  # who is not active introduces nobody


def _earned_by_introducing(room: Room) -> list[str]:
    """Return what the plan pays for those who join by an introduction, in its own sentences."""
    reading = Reading(room.membership, at=room.at)
    if reading.now is None:
        return []
    overrides = tuple(rule for rule in reading.now.rules if rule.kind == "override")
    if not overrides:
        return []
    return reading.told(replace(reading.now, rules=overrides), reading.standing)


def _introduced(room: Room) -> list[Prospect]:
    found = Prospect.objects.filter(introducer=room.membership).order_by("-created_at", "-pk")
    return list(found[:SHOWN])


def _person_row(prospect: Prospect, room: Room) -> PersonRow:
    stage = ProspectStage(prospect.stage)
    # Whoever is not pursued at once was known to us, and that is nobody else's business.
    is_too_early = stage == ProspectStage.LOST and room.at < prospect.created_at + LOOKED_AT
    label, icon, tone = _RECEIVED if is_too_early else _STAGES.get(stage, _RECEIVED)
    word = StatusWord(str(label), icon, tone)
    return PersonRow(prospect.full_name, prospect.company, local_day(prospect.created_at, room.zone), word)


def _meeting_row(introduction: Introduction, room: Room) -> MeetingRow:
    agreed = _has_agreed(introduction, room.partner)
    is_open = introduction.state == IntroductionState.PROPOSED
    words = {
        IntroductionState.INTRODUCED: (_("Introduced"), "tick", OK),
        IntroductionState.DECLINED: (_("Did not come about"), "cross", NEUTRAL),
    }
    waits = (_("Waits for the other"), "clock", INFO) if agreed else (_("Waits for you"), "alert", WARN)
    return MeetingRow(
        other=_other(introduction, room.partner).name,
        day=local_day(introduction.proposed_at, room.zone),
        word=StatusWord(*words.get(IntroductionState(introduction.state), waits)),
        href=reverse("portal:introduction", args=[introduction.public_id]),
        waits_for_you=is_open and not agreed,
    )


def _other(introduction: Introduction, partner: Partner) -> Partner:
    return introduction.second if introduction.first_id == partner.pk else introduction.first


def _has_agreed(introduction: Introduction, partner: Partner) -> bool:
    is_first = introduction.first_id == partner.pk
    return (introduction.first_agreed_at if is_first else introduction.second_agreed_at) is not None


def _kinds(partner: Partner) -> list[str]:
    living = partner.memberships.filter(ended_at=None).select_related("program").order_by("pk")
    return list(dict.fromkeys(each.program.get_partnership_type_display() for each in living))


def _said(introduction: Introduction, *, wants: bool) -> str:
    if not wants:
        return _("You have said no. Nothing was passed on.")
    if introduction.state == IntroductionState.INTRODUCED:
        return _("Both have said yes: the names and addresses are in your mail, and below.")
    return _("You have said yes. When the other says yes too, you get a mail with names and addresses.")


def _form_page(
    request: HttpRequest, room: Room, template: str, form: IntroduceForm | WishForm
) -> HttpResponse:
    status = 422 if form.errors else 200
    return show(request, room, template, nav="introductions", status=status, form=form)
