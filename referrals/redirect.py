"""Decide what a visit to a tracked link is answered with. The decision is pure, so that whatever serves it, the Django view or a
thinner layer before it, gives the same answer; the address always comes from the link's own row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

FOUND, NOT_FOUND, GONE = 302, 404, 410
CLICK_PARAMETER = "prm_click"
SUB_PARAMETER = "sub"
DAY = 86_400
_VISITOR = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_SUB = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
_ROBOT = re.compile(
    r"bot\b|crawl|spider|slurp|preview|facebookexternalhit|monitor|headless|curl/|wget/", re.IGNORECASE
)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Target:
    """A link as the redirect sees it."""

    link_id: int
    url: str
    is_active: bool
    counts: bool
    hosts: frozenset[str]
    cookie_days: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a link; header names are in lower case."""

    method: str
    headers: Mapping[str, str]
    visitor: str = ""
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer and what to write down: a click is counted when `click_id` is not empty."""

    status: int
    location: str = ""
    click_id: str = ""
    visitor: str = ""
    cookie_seconds: int = 0
    referrer_host: str = ""
    sub: str = ""


def answer(target: Target | None, visit: Visit, *, new_click: str, new_visitor: str) -> Answer:
    """Return the answer to a visit; the new ids are used when it counts.

    Whoever asks not to be tracked gets where the link leads without a cookie or a click id; that a click happened is
    counted, of whom is not kept.
    """
    if target is None:
        return Answer(NOT_FOUND)
    if not target.is_active or leads_outside(target.url, target.hosts):
        return Answer(GONE)
    if not target.counts or not is_a_person_opening_it(visit):
        return Answer(FOUND, target.url)
    if wants_no_tracking(visit.headers):
        return Answer(FOUND, target.url, click_id=new_click)
    return Answer(
        FOUND,
        with_click(target.url, new_click),
        click_id=new_click,
        visitor=visit.visitor if _VISITOR.fullmatch(visit.visitor) else new_visitor,
        cookie_seconds=target.cookie_days * DAY,
        referrer_host=host_of(visit.headers.get("referer", "")),
        sub=visit.sub if _SUB.fullmatch(visit.sub) else "",
    )


def is_a_person_opening_it(visit: Visit) -> bool:
    """Say whether a page was opened: not a HEAD, not fetched ahead, not an embedded image or frame, not a known robot."""
    headers = visit.headers
    ahead = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')} {headers.get('x-moz', '')}"
    if visit.method != "GET" or "prefetch" in ahead or "prerender" in ahead:
        return False
    if headers.get("sec-fetch-dest", "document") not in ("document", "empty", ""):
        return False
    agent = headers.get("user-agent", "")
    return bool(agent) and not _ROBOT.search(agent)


def wants_no_tracking(headers: Mapping[str, str]) -> bool:
    """Say whether the visitor's browser asks not to be tracked."""
    return headers.get("sec-gpc") == "1" or headers.get("dnt") == "1"


def with_click(url: str, click_id: str) -> str:
    """Return `url` with the click's id added to its query; a click id somebody put there before is replaced."""
    parts = urlsplit(url)
    kept = "&".join(
        pair for pair in parts.query.split("&") if pair and pair.split("=", 1)[0] != CLICK_PARAMETER
    )
    own = urlencode({CLICK_PARAMETER: click_id})
    return urlunsplit(parts._replace(query=f"{kept}&{own}" if kept else own))


def allowed_hosts(destination_url: str, domains: Iterable[object]) -> frozenset[str]:
    """Return the hosts a program's links may lead to: its default destination's own, and those it names."""
    named = {str(domain).strip().lower().rstrip(".") for domain in domains}
    return frozenset({host_of(destination_url), *named} - {""})


def leads_outside(url: str, hosts: frozenset[str]) -> bool:
    """Say whether `url` is anything but a web address at one of `hosts` or below one of them."""
    if _UNSAFE.search(url):
        return True
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return True
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.username is not None
        or parts.password is not None
    ):
        return True
    return not any(host == allowed or host.endswith(f".{allowed}") for allowed in hosts)


def host_of(url: str) -> str:
    """Return the host of `url` in lower case, nothing when it has none."""
    try:
        return (urlsplit(url).hostname or "")[:100]
    except ValueError:
        return ""
