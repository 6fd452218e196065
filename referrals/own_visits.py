"""Know a partner's own test of a link from a visitor's click. A browser carries a signed note of whose it is, valid below the path of links
only; where it cannot, because links are on another host, a signed address says so for an hour. No table is asked.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.http import HttpResponse

from referrals.redirect import TEST_PARAMETER

COOKIE, PATH = "prm_own", "/r/"
ANYBODY = "staff"
COOKIE_LASTS = timedelta(days=30)
TEST_LASTS = timedelta(hours=1)
MOST_PARTNERS = 20
_SIGNATURE = 32


def mark_browser(response: HttpResponse, *, partners: Iterable[int], at: datetime) -> None:
    """Let the browser that gets this page carry the note that visits to these partners' links are their own tests."""
    _mark(response, "-".join(str(pk) for pk in sorted(partners)[:MOST_PARTNERS]), at)


def mark_staff_browser(response: HttpResponse, *, at: datetime) -> None:
    """Let the browser of staff carry the note that its visits to any link are tests."""
    _mark(response, ANYBODY, at)


def test_query(slug: str, *, at: datetime) -> str:
    """Return what is appended to a link's address to try it without counting; it holds for this link and an hour."""
    return f"?{TEST_PARAMETER}={_signed(f'l.{slug}', at + TEST_LASTS)}"


def is_own(note: str, test: str, *, slug: str, partner_id: int, at: datetime) -> bool:
    """Say whether a visit is a test: by the browser's note, or by the address that was followed."""
    if test and _subject(test, at) == f"l.{slug}":
        return True
    whose = _subject(note, at) if note else None
    if whose is None or not whose.startswith("o."):
        return False
    return whose == f"o.{ANYBODY}" or str(partner_id) in whose[2:].split("-")


def _mark(response: HttpResponse, whose: str, at: datetime) -> None:
    response.set_cookie(
        COOKIE,
        _signed(f"o.{whose}", at + COOKIE_LASTS),
        max_age=COOKIE_LASTS,
        path=PATH,
        secure=settings.IS_HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _signed(subject: str, until: datetime) -> str:
    text = f"{subject}.{int(until.timestamp())}"
    return f"{text}.{_signature(text, settings.SECRET_KEY)}"


def _subject(signed: str, at: datetime) -> str | None:
    """Return what a note says, None when it is over or was not written by us."""
    text, _dot, signature = signed.rpartition(".")
    subject, _dot, until = text.rpartition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 12 and signature.isascii()):
        return None
    if at.timestamp() >= int(until):
        return None
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(signature, _signature(text, key)) for key in keys):
        return None
    return subject


def _signature(text: str, secret: str) -> str:
    return hmac.digest(_key(secret), text.encode("utf-8", "replace"), "sha256").hex()[:_SIGNATURE]


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"prm.referrals.own_visits|" + secret.encode()).digest()
