"""Decide what a visit to a tracked link is answered with. The decision is pure, so that whatever serves it, the Django view or a
thinner layer before it, gives the same answer; the address always comes from the link's own row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from urllib.parse import quote, unquote_plus, urlencode, urlsplit, urlunsplit

from referrals.agents import OWN, PERSON, VIEW, kind_of

FOUND, NOT_FOUND, GONE = 302, 404, 410
CLICK_PARAMETER = "prm_click"
TEST_PARAMETER = "prm_test"
SUBS = ("sub1", "sub2", "sub3", "sub4", "sub5")
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# Search engines add one of these to clicks that somebody paid for.
AD_PARAMETERS = ("gclid", "gbraid", "wbraid", "msclkid", "gad_source")
DAY = 86_400
LONGEST_QUERY = 4096
LONGEST_UTM = 100
LONGEST_CAMPAIGN = 64
Subs = tuple[str, str, str, str, str]
_READ = frozenset({"sub", *SUBS, *UTM, *AD_PARAMETERS, TEST_PARAMETER})
_VISITOR = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_SUB = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
_HOST = re.compile(r"[a-z0-9.:_-]{1,100}")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Target:
    """A link as the redirect sees it; what every visit needs of its address is worked out once."""

    link_id: int
    url: str
    is_active: bool
    counts: bool
    hosts: frozenset[str]
    cookie_days: int
    sets_cookie: bool = True
    counts_views: bool = False
    campaign: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    partner_id: int = 0
    program_id: int = 0
    zone: tzinfo = UTC
    leads_somewhere: bool = field(init=False, compare=False, default=False)
    plain: str = field(init=False, compare=False, default="")
    head: str = field(init=False, compare=False, default="")
    tail: str = field(init=False, compare=False, default="")

    def __post_init__(self) -> None:
        if not self.is_active or leads_outside(self.url, self.hosts):
            return
        plain = with_utm(self.url, self.utm)
        head, mark, tail = with_click(plain, "*").rpartition(f"{CLICK_PARAMETER}=%2A")
        for name, value in (
            ("leads_somewhere", True),
            ("plain", plain),
            ("head", head + mark.removesuffix("%2A")),
            ("tail", tail),
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a link; header names are in lower case, `query` is what `read_query` found."""

    method: str
    headers: Mapping[str, str]
    visitor: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer and what to write down: nothing without a `kind`. Only of those who may be known are address and agent kept."""

    status: int
    location: str = ""
    kind: str = ""
    click_id: str = ""
    visitor: str = ""
    cookie_seconds: int = 0
    may_be_known: bool = False
    referrer_host: str = ""
    subs: Subs = ("", "", "", "", "")
    campaign: str = ""
    ad_parameter: str = ""


def answer(target: Target | None, visit: Visit, *, at: datetime, new_click: str, new_visitor: str) -> Answer:
    """Return the answer to a visit; the new ids are used when it counts.

    Everybody is sent on, and what opened the link is written down by its kind; a person's visit carries its click id to
    the shop. Whoever asks not to be tracked gets no cookie and no number, and nothing of who it was is kept: credit then
    rests on the click id in the address.
    """
    if target is None:
        return Answer(NOT_FOUND)
    if not target.leads_somewhere or (target.expires_at is not None and at >= target.expires_at):
        return Answer(GONE)
    if not target.counts:
        return Answer(FOUND, without_click(target, visit))
    kind = kind_of(visit.method, visit.headers)
    if kind == PERSON and visit.is_own:
        kind = OWN
    location = without_click(target, visit) if kind != PERSON else _with_click(target, visit, new_click)
    return _written(target, visit, kind, location, new_click, new_visitor)


def view(target: Target | None, visit: Visit, *, at: datetime, new_click: str, new_visitor: str) -> Answer:
    """Return what is written down of somebody who saw a link's banner: nothing, unless the program counts views."""
    if target is None or not (target.counts and target.counts_views and target.leads_somewhere):
        return Answer(NOT_FOUND)
    if target.expires_at is not None and at >= target.expires_at:
        return Answer(GONE)
    # A pixel is an image by its nature.
    asked = {name: said for name, said in visit.headers.items() if name != "sec-fetch-dest"}
    if visit.is_own or kind_of(visit.method, asked) != PERSON:
        return Answer(FOUND)
    return _written(target, visit, VIEW, "", new_click, new_visitor)


def _written(
    target: Target, visit: Visit, kind: str, location: str, new_click: str, new_visitor: str
) -> Answer:
    query, counted = visit.query, kind in (PERSON, VIEW)
    may_be_known = not wants_no_tracking(visit.headers)
    remembers = counted and may_be_known and target.sets_cookie
    visitor = ""
    if remembers:
        visitor = visit.visitor if _VISITOR.fullmatch(visit.visitor) else new_visitor
    return Answer(
        FOUND,
        location,
        kind,
        new_click,
        visitor,
        target.cookie_days * DAY if remembers else 0,
        may_be_known,
        host_of(visit.headers.get("referer", "")) if may_be_known else "",
        _subs(query) if query else ("", "", "", "", ""),
        target.campaign or _line(query.get("utm_campaign", ""))[:LONGEST_CAMPAIGN],
        next((name for name in AD_PARAMETERS if name in query), "") if query else "",
    )


def is_a_person_opening_it(visit: Visit) -> bool:
    """Say whether a page was opened: not a HEAD, not fetched ahead, not an embedded image or frame, not a known robot."""
    return kind_of(visit.method, visit.headers) == PERSON


def wants_no_tracking(headers: Mapping[str, str]) -> bool:
    """Say whether the visitor's browser asks not to be tracked."""
    return headers.get("sec-gpc") == "1" or headers.get("dnt") == "1"


def read_query(text: str) -> dict[str, str]:
    """Return the parameters of a visit that mean something to us; what cannot be read is as if it were not there."""
    if not text or len(text) > LONGEST_QUERY or not text.isascii():
        return {}
    found: dict[str, str] = {}
    for pair in text.split("&"):
        name, _sign, value = pair.partition("=")
        if name in _READ:
            try:
                found[name] = unquote_plus(value, errors="strict")
            except UnicodeDecodeError:
                continue
    return found


def without_click(target: Target, visit: Visit) -> str:
    """Return where a visit is sent on to when its click is not counted."""
    given = _utm(visit.query) if visit.query else {}
    return with_utm(target.plain, given) if given else target.plain


def _with_click(target: Target, visit: Visit, click_id: str) -> str:
    given = _utm(visit.query) if visit.query else {}
    if given:
        return with_click(with_utm(target.plain, given), click_id)
    return f"{target.head}{click_id}{target.tail}"


def with_click(url: str, click_id: str) -> str:
    """Return `url` with the click's id added to its query; a click id somebody put there before is replaced."""
    return _with_query(url, {CLICK_PARAMETER: click_id})


def with_utm(url: str, utm: Mapping[str, str]) -> str:
    """Return `url` with UTM parameters in its query, in the place of those of the same name."""
    known = {name: str(utm[name]) for name in UTM if utm.get(name)}
    return _with_query(url, known) if known else url


def _with_query(url: str, values: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.split("=", 1)[0] not in values]
    return urlunsplit(parts._replace(query="&".join([*kept, urlencode(values, quote_via=quote)])))


def _utm(query: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name in UTM if (text := _line(query.get(name, ""))) and len(text) <= LONGEST_UTM}


def _subs(query: Mapping[str, str]) -> Subs:
    first = _sub(query.get("sub1") or query.get("sub", ""))
    second, third, fourth, fifth = (_sub(query.get(name, "")) for name in SUBS[1:])
    return first, second, third, fourth, fifth


def _sub(text: str) -> str:
    return text if _SUB.fullmatch(text) else ""


def _line(text: str) -> str:
    """Return a text of the visitor's when it is one line that can be printed."""
    return text.strip() if text.isprintable() else ""


def allowed_hosts(destination_url: str, domains: Iterable[object]) -> frozenset[str]:
    """Return the hosts a program's links may lead to: its default destination's own, and those it names."""
    named = {str(domain).strip().lower().rstrip(".") for domain in domains}
    return frozenset({_hostname(destination_url), *named} - {""})


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
    """Return the host of a page somebody came from in lower case, nothing when it has none or one that no name can be."""
    host = _hostname(url) if url else ""
    return host if _HOST.fullmatch(host) else ""


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
