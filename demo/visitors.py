"""Who opens the demo's links: readers, buyers, a robot, partners who try their own links, and one address that opens a link far too often. Each visit
is judged as the door of links judges it, at its own instant; chance is seeded, so that every house has the same visitors."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from prm.lib.ids import ulid
from referrals import addresses, door, hits, own_visits, redirect, targets
from referrals.hits import Hit

SITES = ("northwind.example", "newsletter.northwind.example", "search.example", "")
PLACES = ("top", "sidebar", "footer")
LETTER_LINKS = ("office-gifts",)
LETTERS = ("october-1", "october-2", "november-1")
BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
)
ROBOT = "Mozilla/5.0 (compatible; pagebot/2.1; +https://robots.example/)"
READERS, ROBOTS, TESTS, FLOOD = 260, 34, 6, 36


class Visits:
    """Visits of links, answered as the door answers them; they are kept to be written at once."""

    def __init__(self, now: datetime, followed: Sequence[str]) -> None:
        self.now, self.hits = now, list[Hit]()
        self._chance = random.Random(5)  # the same house for everybody, not a secret
        self._slugs = followed

    def of_readers(self) -> None:
        """Let readers, a robot and partners themselves open links over four weeks."""
        for number in range(READERS):
            self._reader(number)
        for _robot in range(ROBOTS):
            self.follow(self._chance.choice(self._slugs), days=self._days(), agent=ROBOT)
        for _test in range(TESTS):
            self.follow(self._slugs[0], days=self._days(), is_test=True)

    def flood(self, slug: str) -> None:
        """Let one address open a link far too often within a minute."""
        for second in range(FLOOD):
            self.follow(slug, days=2 + second / 90_000, address="198.51.100.77")

    def of_buyer(self, visits: Sequence[tuple[str, float]]) -> str:
        """Let a buyer follow links, and return the id of the last click, which the shop tells with the order."""
        visitor, last = "", ""
        for slug, days in visits:
            hit = self.follow(slug, days=days, visitor=visitor, subs=self._subs(slug))
            visitor, last = hit.visitor or visitor, hit.click_id
        return last

    def follow(
        self,
        slug: str,
        *,
        days: float,
        visitor: str = "",
        agent: str = "",
        address: str = "",
        is_test: bool = False,
        subs: Mapping[str, str] | None = None,
        site: str = "",
    ) -> Hit:
        """Let somebody open a link so many days ago."""
        at = self.now - timedelta(days=days)
        environ = self._environ(
            visitor, agent, address, site, {**(subs or {}), **self._test(slug, at, is_test)}
        )
        target = targets.find(slug)
        if target is None:
            raise LookupError(f"There is no link {slug}.")
        visit = door.visit_of(environ, slug, target, at)
        names = {"new_click": self._name(at), "new_visitor": self._name(at)}
        answer = redirect.answer(target, visit, at=at, **names)
        hit = _hit(answer, target.link_id, environ, at=at)
        self.hits.append(hit)
        return hit

    def _reader(self, number: int) -> None:
        slug, days = self._chance.choice(self._slugs), self._days()
        first = self.follow(slug, days=days, subs=self._subs(slug), site=self._chance.choice(SITES))
        if number % 5 == 0 and days > 1:
            self.follow(self._chance.choice(self._slugs), days=days - 1, visitor=first.visitor)

    def _subs(self, slug: str) -> dict[str, str]:
        if slug in LETTER_LINKS:
            return {"sub1": self._chance.choice(LETTERS), "sub2": self._chance.choice(("text", "button"))}
        return {"sub1": self._chance.choice(PLACES)}

    def _environ(
        self, visitor: str, agent: str, address: str, site: str, query: Mapping[str, str]
    ) -> dict[str, Any]:
        known = {"HTTP_COOKIE": f"{door.COOKIE}={visitor}"} if visitor else {}
        came = {"HTTP_REFERER": f"https://{site}/"} if site else {}
        return {
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": urlencode(query),
            "HTTP_USER_AGENT": agent or self._chance.choice(BROWSERS),
            "REMOTE_ADDR": address or f"203.0.113.{self._chance.randrange(1, 255)}",
            **known,
            **came,
        }

    def _test(self, slug: str, at: datetime, is_test: bool) -> dict[str, str]:
        if not is_test:
            return {}
        name, _sign, value = own_visits.test_query(slug, at=at)[1:].partition("=")
        return {name: value}

    def _days(self) -> float:
        # More of late than four weeks ago.
        share: float = 1 - self._chance.random() ** 0.7
        return 0.1 + 28 * share

    def _name(self, at: datetime) -> str:
        return ulid(clock=lambda: int(at.timestamp() * 1000), randomness=self._chance.getrandbits)


def _hit(answer: redirect.Answer, link_id: int, environ: Mapping[str, Any], *, at: datetime) -> Hit:
    knows = answer.may_be_known
    return Hit(
        answer.click_id,
        answer.kind,
        link_id,
        hits.micros_of(at),
        answer.visitor,
        answer.referrer_host,
        *answer.subs,
        campaign=answer.campaign,
        ad_parameter=answer.ad_parameter,
        address_hash=addresses.hash_of(environ["REMOTE_ADDR"], at) if knows else "",
        agent_hash=addresses.agent_hash_of(environ["HTTP_USER_AGENT"], at) if knows else "",
    )
