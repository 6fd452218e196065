"""“Why not me?”: a partner asks about an order, a day or a customer and reads what was seen of its own contacts and what decided; one click more
asks the operator about it, with what was read."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from payouts import disputes
from payouts.disputes import clock
from payouts.models import Dispute
from portal import roles
from portal.credit_words import credit_rules
from portal.formats import date_text
from portal.forms_inquiry import AskCreditForm, InquiryForm
from portal.inquiry_rows import found_rows
from portal.rooms import Room, enter, show
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused
from referrals.attribution import inquiry
from referrals.attribution.inquiry import Inquiry

_KEPT = "portal_inquiry"  # session key: what was read last, to go with a question


@require_http_methods(["GET", "HEAD", "POST"])
@enter()
def why_not(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the form, and what was found."""
    form = InquiryForm(request.POST or None, initial={"order": request.GET.get("order", "")[:100]})
    found = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            found = inquiry.ask(
                room.membership,
                by=room.user,
                at=room.at,
                order=given["order"],
                day=given["day"],
                email=given["email"],
            )
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            request.session[_KEPT] = {"membership": room.membership.public_id, "found": found.as_json()}
    return _page(request, room, form, found, AskCreditForm(), status=422 if form.errors else 200)


@require_POST
@enter(roles.ASK_QUESTIONS)
def ask(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Ask the operator about what was read."""
    found = _kept(request, room)
    if found is None:
        messages.error(request, _("Look it up once more, so that what you read goes with your question."))
        return redirect("portal:why_not")
    form = AskCreditForm(request.POST, request.FILES)
    about = request.POST.get("about", "")[:40]
    if form.is_valid():
        try:
            made = disputes.open_inquiry(
                room.membership, found, conversion=about, by=room.user, at=room.at, **form.cleaned_data
            )
        except disputes.AlreadyAsked:
            there = _there(room, about)
            messages.info(request, _("Somebody of your team has asked about this order already."))
            return redirect("portal:question", there.public_id) if there else redirect("portal:questions")
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            day = date_text(clock.last_day(made.answer_by_at, room.program))
            messages.success(request, _("Asked. You get an answer by %(date)s.") % {"date": day})
            return redirect("portal:question", made.public_id)
    return _page(request, room, InquiryForm(), found, form, about=about, status=422)


def _kept(request: HttpRequest, room: Room) -> Inquiry | None:
    """Return what this person read last about the current membership."""
    kept: dict[str, Any] = request.session.get(_KEPT) or {}
    if kept.get("membership") != room.membership.public_id:
        return None
    return inquiry.read(kept["found"])


def _there(room: Room, about: str) -> Dispute | None:
    mine = Dispute.objects.open().filter(membership=room.membership, conversion__public_id=about)
    return mine.order_by("pk").first()


def _page(
    request: HttpRequest,
    room: Room,
    form: InquiryForm,
    found: Inquiry | None,
    ask_form: AskCreditForm,
    *,
    about: str = "",
    status: int = 200,
) -> HttpResponse:
    return show(
        request,
        room,
        "portal/why_not/why_not.html",
        nav="questions",
        form=form,
        found=found_rows(found, room.membership) if found is not None else None,
        ask_form=ask_form,
        about=about,
        may_ask=room.may(roles.ASK_QUESTIONS),
        promised=clock.last_day(clock.answer_by(room.program, room.at), room.program),
        rules=credit_rules(room.program, at=room.at),
        status=status,
    )
