"""The door of tracked links where Django serves it: `/r/<short address>`, and `/i/<short address>.gif` for banners. Whoever follows a link that
leads nowhere reads the same words, whatever the reason.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from referrals import door
from referrals.door import Reply


@csrf_exempt
@require_safe
def open_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a visitor where the link leads."""
    reply = door.follow(request.META, slug.lower(), at=timezone.now())
    if reply.is_a_page:
        return _sent(reply, render(request, "public/link_unavailable.html", status=reply.status))
    return _sent(reply, HttpResponse(reply.body, status=reply.status))


@csrf_exempt
@require_safe
def see_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer a banner's picture."""
    reply = door.see(request.META, slug.lower(), at=timezone.now())
    return _sent(reply, HttpResponse(reply.body))


def _sent(reply: Reply, response: HttpResponse) -> HttpResponse:
    for name, value in reply.headers:
        response.headers[name] = value
    return response
