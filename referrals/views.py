"""The door of tracked links: `/r/<short address>`. It answers in the same words to everybody whose link leads nowhere."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from referrals import clicks
from referrals.redirect import FOUND, Answer, Visit

COOKIE = "prm_visitor"
COOKIE_PATH = "/r/"
HEADERS = ("dnt", "purpose", "referer", "sec-fetch-dest", "sec-gpc", "sec-purpose", "user-agent", "x-moz")


@csrf_exempt
@require_safe
def open_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a visitor where the link leads."""
    visit = Visit(
        method=request.method or "",
        headers={name: request.headers[name] for name in HEADERS if name in request.headers},
        visitor=request.COOKIES.get(COOKIE, ""),
        sub=request.GET.get("sub", ""),
    )
    answer = clicks.open_link(slug.lower(), visit, at=timezone.now())
    response = _redirect(answer) if answer.status == FOUND else _unavailable(request, answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def _redirect(answer: Answer) -> HttpResponse:
    response = HttpResponse(status=FOUND, headers={"Location": iri_to_uri(answer.location)})
    # The shop may know which site its visitor comes from, which is what a link on that site would have told it.
    response.headers["Referrer-Policy"] = "no-referrer-when-downgrade"
    if answer.cookie_seconds:
        response.set_cookie(
            COOKIE,
            answer.visitor,
            max_age=answer.cookie_seconds,
            path=COOKIE_PATH,
            secure=settings.IS_HTTPS,
            httponly=True,
            samesite="Lax",
        )
    return response


def _unavailable(request: HttpRequest, answer: Answer) -> HttpResponse:
    return render(request, "public/link_unavailable.html", status=answer.status)
