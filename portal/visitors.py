"""What a request tells about who sent it: the network address, read past exactly as many proxies as the settings trust; the recruiting link
somebody came by; whether a person opened the page. Nothing of it says who the visitor is."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from partners import recruiting_links, tokens, visits
from partners.applications import TooManyTries
from partners.models import RecruitingLink
from prm.lib.periods import local_day
from referrals.redirect import Visit, is_a_person_opening_it
from tiers.models import Program

_SEEN = "seen"  # a cookie of one program page, until the next day
_SEEN_SECONDS = 24 * 3600


def client_address(request: HttpRequest) -> str | None:
    """Return the visitor's network address, None when it cannot be told."""
    try:
        found = str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return None
    return found.partition("%")[0]


def client_network(request: HttpRequest) -> str | None:
    """Return what tries are counted by: the address, of the long ones the part a household has for itself."""
    address = client_address(request)
    try:
        is_long = address is not None and ipaddress.ip_address(address).version == 6
    except ValueError:
        return None
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if is_long else address


def tries_too_often(request: HttpRequest, what: str, *, most: int) -> bool:
    """Count a try of `what`, and say whether the visitor's network has had its share of the hour."""
    network = client_network(request)
    if network is None:
        return False
    key = f"tries:{what}:{tokens.digest(network)}"
    cache.add(key, 0, timeout=3600)
    try:
        return cache.incr(key) > most
    except ValueError:  # it expired between the two
        return False


def refuse_too_many(request: HttpRequest, program: Program, what: str, *, most: int, at: datetime) -> None:
    """Stop a network that has tried `what` too often within the hour. Verbs count by the address alone, which is one of very many.

    Raises: TooManyTries.
    """
    if tries_too_often(request, what, most=most):
        free_at = timezone.localtime(at + timedelta(hours=1), program.zone)
        raise TooManyTries(params={"time": free_at.strftime("%H:%M")})


def source_of(request: HttpRequest, program: Program) -> RecruitingLink | None:
    """Return the recruiting link the visitor came to `program` by, from the address or from earlier in the session."""
    given = request.GET.get(recruiting_links.PARAMETER, "")
    link = recruiting_links.living(program, given) if given else None
    if link is not None:
        if request.session.get(_key(program)) != link.key:
            request.session[_key(program)] = link.key
        return link
    kept = request.session.get(_key(program))
    return recruiting_links.living(program, kept) if kept else None


def count_visit(request: HttpRequest, response: HttpResponse, program: Program, *, at: datetime) -> None:
    """Count that a person opened the page of `program`, once a day for each way there; the browser keeps the day, we keep a number."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    opened = Visit(method=request.method or "", headers=headers)
    if not is_a_person_opening_it(opened) or getattr(request.user, "is_staff", False):
        return
    link, today = source_of(request, program), local_day(at, program.zone)
    key = link.key if link is not None else ""
    mark = f"{today.isoformat()}.{key}"
    if request.COOKIES.get(_SEEN) == mark:
        return
    if visits.count(program, on=today, source_key=key):
        response.set_cookie(
            _SEEN,
            mark,
            max_age=_SEEN_SECONDS,
            path=request.path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def _key(program: Program) -> str:
    return f"via:{program.pk}"
