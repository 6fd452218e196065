"""The way into a partner's team. The link was mailed to the invited address, so using it proves that mailbox; it signs nobody in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from partners import mails, team
from partners.models import Invitation
from portal.roles import EXPLAINED
from prm.accounts import people
from prm.accounts.models import User
from prm.lib.errors import Refused


@method_decorator(never_cache, name="dispatch")
class Invited(View):
    """Show who invites to what, and let the invited person accept."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return _page(request, token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        at = timezone.now()
        invitation = team.find(token, at=at)
        if invitation is None:
            # The answer is the same whether or not there was anything to send.
            asked = "fresh" in request.POST
            if asked:
                team.send_fresh(token, at=at)
            return _page(request, token, asked=asked)
        user = request.user if isinstance(request.user, User) else None
        try:
            member = team.accept(token, user=user or _person(invitation), at=at)
        except Refused as refusal:
            return _page(request, token, error=str(refusal))
        welcome = _("You are in the team of %(partner)s.") % {"partner": member.partner.name}
        if user is not None:
            messages.success(request, welcome)
            return redirect(_portal())
        ask = _("Now sign in with %(email)s; we mail you a code.") % {"email": invitation.email}
        messages.success(request, f"{welcome} {ask}")
        return redirect(mails.sign_in_path())


def _person(invitation: Invitation) -> User:
    return people.open_account(
        email=invitation.email,
        at=timezone.now(),
        full_name=invitation.full_name,
        language=get_language() or invitation.partner.language,
        proven=True,
    )


def _page(request: HttpRequest, token: str, *, error: str = "", asked: bool = False) -> HttpResponse:
    invitation = team.find(token, at=timezone.now())
    signed_in = request.user if isinstance(request.user, User) else None
    is_other = bool(signed_in and invitation and signed_in.email_folded != invitation.email_folded)
    context = {
        "invitation": invitation,
        "token": token,
        "error": error,
        "asked": asked,
        "signed_in": signed_in,
        "is_other": is_other,
        "role_help": EXPLAINED.get(invitation.role, "") if invitation else "",
    }
    code = 410 if invitation is None else 409 if error else 200
    response = render(request, "public/invitation.html", context, status=code)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _portal() -> str:
    try:
        return reverse("portal:home")
    except NoReverseMatch:
        return "/"
