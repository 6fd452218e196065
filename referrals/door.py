"""The one door of tracked links, for whoever stands before it: the Django view and the layer before Django give the same answers. It reads a
request as a web server hands it over, and asks neither session nor user.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError

from prm.lib.ids import ulid
from referrals import addresses, clicks, hits, limiter, own_visits, redirect, stream, targets
from referrals.hits import Hit
from referrals.redirect import FOUND, NOT_FOUND, TEST_PARAMETER, Answer, Target, Visit

log = logging.getLogger(__name__)
COOKIE = "prm_visitor"
PATH = "/r/"
TOO_MANY, UNAVAILABLE = 429, 503
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_HEADERS = (
    ("dnt", "HTTP_DNT"),
    ("purpose", "HTTP_PURPOSE"),
    ("referer", "HTTP_REFERER"),
    ("sec-fetch-dest", "HTTP_SEC_FETCH_DEST"),
    ("sec-gpc", "HTTP_SEC_GPC"),
    ("sec-purpose", "HTTP_SEC_PURPOSE"),
    ("user-agent", "HTTP_USER_AGENT"),
    ("x-moz", "HTTP_X_MOZ"),
    ("x-purpose", "HTTP_X_PURPOSE"),
)
_COOKIES = re.compile(r"(?:^|;) *(prm_visitor|prm_own)=([A-Za-z0-9._-]{1,400}) *(?=;|$)")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOWHERE = frozenset({"XX", "ZZ"})  # what proxies say when they do not know
_COMMON = (
    ("Cache-Control", "no-store"),
    # The shop may know which site its visitor comes from, which is what a link on that site would have told it.
    ("Referrer-Policy", "no-referrer-when-downgrade"),
    ("X-Content-Type-Options", "nosniff"),
)
_limiter = limiter.Limiter()
Headers = tuple[tuple[str, str], ...]


class Reply(NamedTuple):
    """What is answered. Of a link that leads nowhere only the status and the headers are known: the page is for Django to draw."""

    status: int
    headers: Headers = _COMMON
    body: bytes = b""

    @property
    def is_a_page(self) -> bool:
        return self.status in (redirect.NOT_FOUND, redirect.GONE)


def follow(environ: Mapping[str, Any], slug: str, *, at: datetime, path: str = PATH) -> Reply:
    """Return the answer to a visit to the link `slug`, its click written down before; `path` is where links begin on this host."""
    address = addresses.client_address(environ)
    tries = _limiter.tries(address)
    if tries > limiter.REFUSED:
        return _wait(TOO_MANY, str(limiter.MINUTE), b"Too many requests")
    try:
        target = targets.find(slug)
    except DatabaseError:
        log.exception("A link could not be read.")
        return _wait(UNAVAILABLE, "5", b"Not available at the moment")
    if target is None:
        return Reply(NOT_FOUND)
    visit = visit_of(environ, slug, target, at)
    decided = redirect.answer(target, visit, at=at, new_click=ulid(), new_visitor=ulid())
    if decided.status != FOUND:
        return Reply(decided.status)
    if decided.kind and not (
        tries <= limiter.UNCOUNTED and _record(environ, address, target, decided, visit, at)
    ):
        return Reply(FOUND, (("Location", redirect.without_click(target, visit)), *_COMMON))
    headers: Headers = (("Location", decided.location), *_COMMON)
    if decided.cookie_seconds:
        headers = (*headers, ("Set-Cookie", _cookie(target, decided, path)))
    return Reply(FOUND, headers)


def see(environ: Mapping[str, Any], slug: str, *, at: datetime) -> Reply:
    """Return a picture of one point, the view of a banner written down before where a program counts views."""
    headers: Headers = (
        ("Content-Type", "image/gif"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        *_COMMON,
    )
    address = addresses.client_address(environ)
    tries = _limiter.tries(address)
    try:
        target = targets.find(slug) if tries <= limiter.UNCOUNTED else None
    except DatabaseError:
        log.exception("A link could not be read.")
        target = None
    if target is not None:
        visit = visit_of(environ, slug, target, at)
        decided = redirect.view(target, visit, at=at, new_click=ulid(), new_visitor=ulid())
        if decided.kind and _record(environ, address, target, decided, visit, at) and decided.cookie_seconds:
            headers = (*headers, ("Set-Cookie", _cookie(target, decided, "/")))
    return Reply(200, headers, PIXEL)


def visit_of(environ: Mapping[str, Any], slug: str, target: Target, at: datetime) -> Visit:
    """Return what a request says that matters to a link."""
    headers = {name: value for name, key in _HEADERS if (value := environ.get(key))}
    query = redirect.read_query(environ.get("QUERY_STRING") or "")
    sent = environ.get("HTTP_COOKIE")
    # Of two of one name the first is the one with the longer path.
    cookies = dict(reversed(_COOKIES.findall(sent))) if sent else {}
    note, test = cookies.get(own_visits.COOKIE, ""), query.get(TEST_PARAMETER, "")
    is_own = bool(note or test) and own_visits.is_own(
        note, test, slug=slug, partner_id=target.partner_id, at=at
    )
    return Visit(environ.get("REQUEST_METHOD") or "", headers, cookies.get(COOKIE, ""), query, is_own)


def forget() -> None:
    """Forget everything this process remembers between visits."""
    targets.memory.forget()
    addresses.forget()
    stream.forget()
    _limiter.forget()


def _record(
    environ: Mapping[str, Any], address: str, target: Target, decided: Answer, visit: Visit, at: datetime
) -> bool:
    address_hash = agent_hash = country = ""
    if decided.may_be_known:
        country = _country(environ)
        if address:
            try:
                address_hash = addresses.hash_of(address, at)
                agent_hash = addresses.agent_hash_of(visit.headers.get("user-agent", ""), at)
            except DatabaseError:
                log.exception("The key of the day could not be read: a click is written without its address.")
    hit = Hit(
        decided.click_id,
        decided.kind,
        target.link_id,
        hits.micros_of(at),
        decided.visitor,
        decided.referrer_host,
        *decided.subs,
        decided.campaign,
        country,
        decided.ad_parameter,
        address_hash,
        agent_hash,
    )
    return clicks.record(hit, target)


def _country(environ: Mapping[str, Any]) -> str:
    name: str = settings.COUNTRY_HEADER
    if not name:
        return ""
    said = (environ.get(f"HTTP_{name.upper().replace('-', '_')}") or "").strip().upper()
    return said if _COUNTRY.fullmatch(said) and said not in _NOWHERE else ""


def _cookie(target: Target, decided: Answer, path: str) -> str:
    seconds, is_secure = decided.cookie_seconds, settings.IS_HTTPS
    # A banner stands on other people's pages: to be known again there the cookie has to be sent from there.
    everywhere = target.counts_views and is_secure
    return (
        f"{COOKIE}={decided.visitor}; Max-Age={seconds}; Path={'/' if target.counts_views else path}; HttpOnly"
        f"; SameSite={'None' if everywhere else 'Lax'}{'; Secure' if is_secure else ''}"
    )


def _wait(status: int, seconds: str, text: bytes) -> Reply:
    return Reply(status, (("Retry-After", seconds), ("Content-Type", "text/plain"), *_COMMON), text)
