"""Know where links lead. Each process remembers what it has read for one second, so that a link that is switched off stops within a second
everywhere; only while the database cannot be reached, when nobody can switch anything, what was read before goes on counting.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError
from django.db.models.expressions import RawSQL
from django.utils.encoding import iri_to_uri

from partners.choices import MembershipState
from referrals.models import Link
from referrals.redirect import Target, allowed_hosts

log = logging.getLogger(__name__)
SECONDS = 1.0
MOST = 20_000
TOGETHER = 500
STEPS = 5  # a link that was replaced more often leads nowhere
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_CHAIN = """
WITH RECURSIVE chain(id, replacement_id, step) AS (
    SELECT id, replacement_id, 0 FROM referrals_link WHERE slug IN (%(slugs)s)
    UNION ALL
    SELECT link.id, link.replacement_id, chain.step + 1
    FROM referrals_link AS link JOIN chain ON link.id = chain.replacement_id WHERE chain.step < %s
)
SELECT id FROM chain
"""
_COLUMNS = (
    "pk",
    "slug",
    "replacement",
    "destination_url",
    "is_active",
    "expires_at",
    "campaign",
    "utm",
    "membership__state",
    "membership__partner",
    "membership__program",
    "membership__program__destination_url",
    "membership__program__allowed_domains",
    "membership__program__cookie_days",
    "membership__program__time_zone",
    "membership__program__tracking__sets_cookie",
    "membership__program__tracking__counts_views",
)


class Memory:
    """Targets by short address, and which short addresses lead nowhere; those nobody asked for longest are forgotten first.

    What was asked for lately and is about to be too old is read again together: one question a second, however many
    links are busy.
    """

    def __init__(
        self,
        read: Callable[[Collection[str]], Mapping[str, Target]],
        *,
        seconds: float = SECONDS,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.read, self.seconds, self.most, self.clock = read, seconds, most, clock
        self._kept: OrderedDict[str, tuple[float, Target | None]] = OrderedDict()
        self._busy: set[str] = set()
        self._lock = Lock()

    def find(self, slug: str) -> Target | None:
        """Return where a short address leads, None when there is no such link.

        Raises: DatabaseError, when it cannot be read and was never read before.
        """
        kept = self._kept.get(slug)
        if kept is not None and self.clock() < kept[0]:
            self._busy.add(slug)
            with suppress(KeyError):
                self._kept.move_to_end(slug)
            return kept[1]
        with self._lock:
            kept, now = self._kept.get(slug), self.clock()
            if kept is not None and now < kept[0]:
                return kept[1]  # somebody has read it while we waited
            return self._read(slug, kept, now)

    def _read(self, slug: str, kept: tuple[float, Target | None] | None, now: float) -> Target | None:
        busy, self._busy = self._busy, set()
        soon = now + self.seconds / 2
        nobody = (0, None)
        others = [each for each in busy if self._kept.get(each, nobody)[0] < soon][:TOGETHER]
        wanted = {slug, *others}
        try:
            found = self.read(wanted)
        except DatabaseError:
            if kept is None:
                raise
            log.exception("Links could not be read; what was known of them goes on counting.")
            found = {each: was for each in wanted if (was := self._kept.get(each, nobody)[1]) is not None}
        # It counts from before the question: what is switched off while we ask is asked again a second after that.
        for each in wanted:
            self._kept[each] = (now + self.seconds, found.get(each))
            self._kept.move_to_end(each)
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return found.get(slug)

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._busy.clear()

    def __len__(self) -> int:
        return len(self._kept)


def read(slugs: Collection[str]) -> dict[str, Target]:
    """Return the links at short addresses, or those they were replaced by, in one query."""
    wanted = sorted(slugs)
    statement = _CHAIN.replace("%(slugs)s", ", ".join(["%s"] * len(wanted)))
    chains = Link.objects.filter(pk__in=RawSQL(statement, [*wanted, STEPS]))  # noqa: S611  # only places for parameters
    rows = {row["pk"]: row for row in chains.values(*_COLUMNS)}
    by_slug = {row["slug"]: row for row in rows.values()}
    return {slug: _followed(by_slug[slug], rows) for slug in wanted if slug in by_slug}


def _followed(row: Mapping[str, Any], rows: Mapping[int, Mapping[str, Any]]) -> Target:
    for _step in range(STEPS):
        if row["replacement"] is None:
            break
        row = rows[row["replacement"]]
    # Whoever is still replaced after so many steps stands in a circle or at the end of nobody's patience.
    return _target(row, is_active=row["is_active"] and row["replacement"] is None)


def find(slug: str) -> Target | None:
    """Return where a short address leads; one that no link can have is not looked up."""
    return memory.find(slug) if _SLUG.fullmatch(slug) else None


def _target(row: Mapping[str, Any], *, is_active: bool) -> Target:
    program = "membership__program__"
    sets_cookie = row[f"{program}tracking__sets_cookie"]
    return Target(
        link_id=row["pk"],
        url=iri_to_uri(row["destination_url"]),
        is_active=is_active and not leads_home(row["destination_url"]),
        counts=row["membership__state"] == MembershipState.ACTIVE,
        hosts=allowed_hosts(row[f"{program}destination_url"], row[f"{program}allowed_domains"]),
        cookie_days=row[f"{program}cookie_days"],
        sets_cookie=sets_cookie is not False,
        counts_views=bool(row[f"{program}tracking__counts_views"]),
        campaign=row["campaign"],
        utm=row["utm"] if isinstance(row["utm"], dict) else {},
        expires_at=row["expires_at"],
        partner_id=row["membership__partner"],
        program_id=row["membership__program"],
        zone=ZoneInfo(row[f"{program}time_zone"]),
    )


def leads_home(url: str) -> bool:
    """Say whether an address is itself a tracked link of ours, which would send a visitor round in circles."""
    try:
        given, own = urlsplit(url), urlsplit(settings.SITE_URL)
    except ValueError:
        return True
    if given.hostname in settings.LINK_HOSTS:
        return True
    return given.hostname == own.hostname and given.port == own.port and given.path.startswith("/r/")


memory = Memory(read)
