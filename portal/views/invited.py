"""The page of an invitation into a program, reached by the link in our mail and by nothing else. Opening it changes nothing; accepting it
makes one membership, however often it is pressed."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from partners import counters, invitation_answers
from partners import terms as terms_of
from partners.choices import InvitationState
from partners.invitation_rows import find, is_open
from partners.models import ProgramInvitation
from portal.forms_invited import AcceptInvitationForm, CounterForm, DeclineInvitationForm, FreshLinkForm
from portal.guest_offer import offer_to
from portal.views.answers import explain_refusal
from portal.visitors import client_address
from prm.lib.errors import Refused
from prm.lib.periods import local_day

NEUTRAL_SECONDS = 0.4


@method_decorator(never_cache, name="dispatch")
class Invited(View):
    """Show who invites to what and on which terms, and take the acceptance."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return _page(request, token, find(token))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        invitation, at = find(token), timezone.now()
        if invitation is None or not is_open(invitation, at=at):
            return _page(request, token, invitation)
        form = AcceptInvitationForm(request.POST, invitation=invitation)
        if not form.is_valid():
            return _page(request, token, invitation, accept_form=form, status=422)
        try:
            invitation_answers.accept(
                token,
                reply=form.reply(),
                terms_id=form.cleaned_data["terms"],
                shown=form.cleaned_data["shown"],
                at=at,
                address=client_address(request),
            )
        except Refused as refusal:
            fresh = find(token)
            if fresh is not None and fresh.state == InvitationState.ACCEPTED:
                return redirect("public:invited", token=token)  # pressed twice: the first one did it
            explain_refusal(form, refusal)
            return _page(request, token, fresh, accept_form=form, status=409)
        return redirect("public:invited", token=token)


@never_cache
@require_POST
def counter(request: HttpRequest, token: str) -> HttpResponse:
    """Take what the guest would rather have."""
    invitation = find(token)
    form = CounterForm(request.POST)
    if invitation is None or not is_open(invitation, at=timezone.now()):
        return _page(request, token, invitation)
    if form.is_valid():
        try:
            counters.to_invitation(token, text=form.cleaned_data["text"], at=timezone.now())
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            return redirect("public:invited", token=token)
    return _page(request, token, invitation, counter_form=form, status=422)


@never_cache
@require_POST
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """Note that the guest does not want to join."""
    invitation = find(token)
    form = DeclineInvitationForm(request.POST)
    if invitation is None or not is_open(invitation, at=timezone.now()):
        return _page(request, token, invitation)
    if form.is_valid():
        try:
            invitation_answers.decline(token, reason=form.cleaned_data["reason"], at=timezone.now())
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            return redirect("public:invited", token=token)
    return _page(request, token, invitation, decline_form=form, status=422)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponse:
    """Take the wish for a fresh link, and answer everybody alike and after the same time."""
    began = time.monotonic()
    form = FreshLinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        invitation_answers.ask_again(form.cleaned_data["email"], at=timezone.now())
        messages.success(
            request,
            _(
                "If there is an invitation for this address, a mail is on its way or we are told that you ask."
            ),
        )
        time.sleep(max(0.0, NEUTRAL_SECONDS - (time.monotonic() - began)))
        return redirect("public:invited_again")
    status = 422 if form.errors else 200
    return _private(render(request, "public/invited_again.html", {"form": form}, status=status))


def _page(
    request: HttpRequest,
    token: str,
    invitation: ProgramInvitation | None,
    *,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    at = timezone.now()
    if invitation is None or _is_over(invitation, at=at):
        form = FreshLinkForm()
        return _private(render(request, "public/invited_over.html", {"form": form}, status=410))
    program = invitation.program
    context: dict[str, Any] = {"invitation": invitation, "program": program, "token": token}
    if invitation.state != InvitationState.OPEN:
        return _private(render(request, "public/invited_answered.html", context, status=status))
    terms = terms_of.in_force(program, at, tier=invitation.tier_id)
    shown = offer_to(invitation, at=at)
    context |= {
        "offer": shown,
        "terms": terms,
        "sections": terms_of.sections(terms) if terms else [],
        "until": local_day(invitation.expires_at, program.zone),
        "form": forms.get("accept_form") or AcceptInvitationForm(invitation=invitation),
        "counter_form": forms.get("counter_form") or CounterForm(),
        "decline_form": forms.get("decline_form") or DeclineInvitationForm(),
        "wrong": next(iter(forms.values()), None),
        "shown": shown.shown,
    }
    return _private(render(request, "public/invited.html", context, status=status))


def _is_over(invitation: ProgramInvitation, *, at: Any) -> bool:
    if invitation.state == InvitationState.OPEN:
        return not is_open(invitation, at=at)
    return invitation.state in (InvitationState.WITHDRAWN, InvitationState.EXPIRED)


def _private(response: HttpResponse) -> HttpResponse:
    """Keep a page behind a secret link out of search engines."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
