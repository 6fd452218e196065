"""Proposals: own terms beside what the partner has now, for an owner of the team to accept or to decline with a reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partners import counters, negotiation
from portal import roles
from portal.forms import DeclineForm
from portal.forms_invited import CounterForm
from portal.rates import Reading
from portal.rooms import Room, enter, refuse, remember, show
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused
from tiers import rulebook
from tiers.choices import VersionState
from tiers.models import PlanVersion


@require_safe
@enter()
def proposal(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show a proposal, what became of it, or that it is no longer open."""
    version, there = _find(request, room, public_id)
    return _page(request, there, version, DeclineForm())


@require_POST
@enter()
def accept(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Accept the proposal that was shown."""
    version, there = _find(request, room, public_id)
    if not there.may(roles.ANSWER_PROPOSALS):
        return refuse(request, there, roles.ANSWER_PROPOSALS)
    try:
        negotiation.accept(version, shown=request.POST.get("shown", ""), by=there.user, at=there.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:proposal", public_id=public_id)
    messages.success(request, _("You have accepted. These terms are yours from their date on."))
    return redirect("portal:rates")


@require_POST
@enter()
def decline(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Decline the proposal and say why."""
    version, there = _find(request, room, public_id)
    if not there.may(roles.ANSWER_PROPOSALS):
        return refuse(request, there, roles.ANSWER_PROPOSALS)
    form = DeclineForm(request.POST)
    if form.is_valid():
        try:
            negotiation.decline(version, reason=form.cleaned_data["reason"], by=there.user, at=there.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("You have declined. What you earn stays as it is."))
            return redirect("portal:rates")
    return _page(request, there, version, form, status=422)


@require_POST
@enter()
def counter(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Decline the proposal by saying what would be better."""
    version, there = _find(request, room, public_id)
    if not there.may(roles.ANSWER_PROPOSALS):
        return refuse(request, there, roles.ANSWER_PROPOSALS)
    form = CounterForm(request.POST)
    if form.is_valid():
        try:
            counters.to_own_terms(version, text=form.cleaned_data["text"], by=there.user, at=there.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(
                request, _("Your counter-proposal is with us. What you earn stays as it is meanwhile.")
            )
            return redirect("portal:rates")
    return _page(request, there, version, DeclineForm(), counter_form=form, status=422)


def _find(request: HttpRequest, room: Room, public_id: str) -> tuple[PlanVersion, Room]:
    """Return a version negotiated with one of the own memberships, and the room of that membership."""
    own = {membership.public_id: membership for membership in room.memberships}
    versions = PlanVersion.objects.filter(member_key__in=own, public_id=public_id)
    version = versions.select_related("plan__program", "accepted_by").first()
    if version is None:
        raise Http404
    membership = own[version.member_key]
    remember(request, membership)
    return version, room.of(membership.pk)


def _page(
    request: HttpRequest,
    room: Room,
    version: PlanVersion,
    form: DeclineForm,
    *,
    counter_form: CounterForm | None = None,
    status: int = 200,
) -> HttpResponse:
    if version.state == VersionState.DRAFT:  # withdrawn or declined: what it says now is no proposal
        return show(request, room, "portal/proposals/closed.html", nav="", status=status)
    reading, plan = Reading(room.membership, at=room.at), rulebook.facts(version)
    is_open = version.state == VersionState.PROPOSED
    return show(
        request,
        room,
        "portal/proposals/proposal.html",
        nav="",
        status=status,
        version=version,
        is_open=is_open,
        is_late=version.effective_at is not None and version.effective_at <= room.at,
        may_answer=is_open and room.may(roles.ANSWER_PROPOSALS),
        form=form,
        counter_form=counter_form or CounterForm(),
        wrong=counter_form or form,
        now=reading.current(beside=plan),
        proposed=reading.terms(plan, beside=reading.now),
        examples=reading.examples(plan),
    )
