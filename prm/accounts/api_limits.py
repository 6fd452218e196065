"""How many calls a key may make in a minute, and how often an address may show a key that opens nothing. Counting is one atomic step in
the cache, so that many processes share one count; without a cache nothing is refused, because a lost sale weighs more than a fast caller.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from prm.accounts.models import ApiKey
from prm.lib.crypto import blind_index

if TYPE_CHECKING:
    # rest_framework.views imports this module while it is being imported itself.
    from rest_framework.views import APIView

log = logging.getLogger(__name__)
MINUTE = 60
FAILURES_A_MINUTE = 30
EVENTS_PER_CALL = 100  # of a batch: each further hundred counts like a call


@dataclass(frozen=True)
class Pace:
    """Where a caller stands in the current minute."""

    limit: int
    used: int
    seconds_left: int

    @property
    def is_kept(self) -> bool:
        """Say whether the caller is within the limit."""
        return self.used <= self.limit

    def headers(self) -> dict[str, str]:
        """Return the headers that tell the caller."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.seconds_left),
        }


class KeyRate(BaseThrottle):
    """Counts each call of a key and refuses what is more than its limit."""

    pace: Pace | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the call, and tell every answer how many are left."""
        if not isinstance(request.auth, ApiKey):
            return True
        self.pace = _charge(request.auth, 1)
        view.headers.update(self.pace.headers())
        return self.pace.is_kept

    def wait(self) -> float | None:
        """Return the seconds until the next minute begins."""
        return None if self.pace is None else self.pace.seconds_left - 1


def charge_events(key: ApiKey, view: Any, events: int) -> None:
    """Count a batch, on top of the call that brought it.

    Raises: Throttled.
    """
    # A batch that costs more than a whole minute is let through once a minute, or it never would be.
    pace = _charge(key, min(-(-events // EVENTS_PER_CALL), _limit(key) - 1))
    view.headers.update(pace.headers())
    if not pace.is_kept:
        raise Throttled(wait=pace.seconds_left - 1)


def fails_too_often(request: Request) -> bool:
    """Count a key that opened nothing, and say whether its address has shown too many; a right key is never asked this."""
    name = f"api-failures:{blind_index(f'address|{_network(request)}')}"
    return not _count(name, 1, limit=FAILURES_A_MINUTE).is_kept


def seconds_left() -> int:
    """Return the seconds until the next minute begins."""
    return MINUTE - int(time.time()) % MINUTE


def _charge(key: ApiKey, calls: int) -> Pace:
    return _count(f"api-calls:{key.pk}", calls, limit=_limit(key))


def _limit(key: ApiKey) -> int:
    return key.calls_per_minute or int(settings.PRM_API_CALLS_PER_MINUTE)


def _count(name: str, calls: int, *, limit: int) -> Pace:
    left = seconds_left()
    minute = f"{name}:{int(time.time()) // MINUTE}"
    try:
        used = _increase(minute, calls)
        if used > limit:
            # What is refused is not counted, so that smaller calls still fit.
            cache.decr(minute, calls)
    except (RedisError, OSError, ValueError):
        log.warning("calls of the API are not counted: the cache does not answer")
        used = 0
    return Pace(limit, used, left)


def _increase(name: str, by: int) -> int:
    try:
        return cache.incr(name, by)
    except ValueError:  # nobody has called in this minute
        cache.add(name, 0, timeout=2 * MINUTE)
        return cache.incr(name, by)


def _network(request: Request) -> str:
    """Return the caller's address, of the long ones the part a household has for itself."""
    address = BaseThrottle().get_ident(request) or ""
    try:
        is_long = ipaddress.ip_address(address).version == 6
    except ValueError:
        return address[:64]
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if is_long else address
