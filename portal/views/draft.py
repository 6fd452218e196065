"""The ways back to an application: the link in our mail that goes on with a draft, and the page that mails a fresh link when one has expired
or was altered. Everybody who asks for a link gets the same answer in the same time."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from partners import applications, drafts, tokens
from portal import drafting
from portal.forms_apply import LinkForm
from portal.visitors import tries_too_often

NEUTRAL_SECONDS = 0.4
ASKED_AN_HOUR = 10


@method_decorator(never_cache, name="dispatch")
class Draft(View):
    """Go on with a draft by the link we mailed: opening it changes nothing, the button does."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        found = drafts.find(tokens.split_mailed(token)[0])
        if found is None:
            return expired(request)
        context = {"program": found.program, "draft": found, "token": token}
        return private(render(request, "public/draft.html", context))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        opened = drafts.open_mailed(token, at=timezone.now())
        if opened is None:
            return expired(request)
        draft, word = opened
        drafting.hold(request, draft.program, word)
        return redirect("public:apply", slug=draft.program.slug)


@method_decorator(never_cache, name="dispatch")
class Link(View):
    """Mail fresh links to whoever asks for them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return expired(request, status=200)

    def post(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        form = LinkForm(request.POST)
        if not form.is_valid():
            return expired(request, form=form, status=422)
        if tries_too_often(request, "links", most=ASKED_AN_HOUR):
            return private(render(request, "429.html", status=429))
        applications.send_links(form.cleaned_data["email"], at=timezone.now())
        # Whether there is anything to send, the answer takes as long.
        time.sleep(max(0.0, NEUTRAL_SECONDS - (time.monotonic() - began)))
        return private(render(request, "public/link_sent.html", {"email": form.cleaned_data["email"]}))


def expired(request: HttpRequest, *, form: LinkForm | None = None, status: int = 410) -> HttpResponse:
    """Say that a link opens nothing, and offer a fresh one."""
    context = {"form": form or LinkForm(), "is_gone": status == 410}
    return private(render(request, "public/link_expired.html", context, status=status))


def private(response: HttpResponse) -> HttpResponse:
    """Keep a page behind a secret link out of search engines.

    The link stays out of other sites' logs by the site's own referrer policy, same-origin; no-referrer would make
    browsers send `Origin: null` with the forms here, which the check against forged requests refuses.
    """
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
