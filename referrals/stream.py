"""Where clicks wait to be written to the database: a stream of Redis. A visitor is answered after Redis has said that it has the click; an
entry leaves the stream only after the transaction that wrote it, so whatever is killed in between, nothing is lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from referrals.hits import Hit

log = logging.getLogger(__name__)
KEY, DEAD, GROUP, FIELD = "prm:clicks", "prm:clicks:dead", "drain", b"c"
MOST_DEAD = 10_000
REST_SECONDS = 2.0  # how long an absent server is left alone
_ANSWER_SECONDS = 0.5
_HEAD = b"*5\r\n$4\r\nXADD\r\n$%d\r\n%s\r\n$1\r\n*\r\n$1\r\n%s\r\n" % (len(KEY), KEY.encode(), FIELD)
_own = threading.local()
_absent_until = 0.0  # in seconds of the clock that only goes on
Entry = tuple[str, bytes | None]


class StreamDown(Exception):
    """Redis did not say that it has the click; perhaps it has it all the same."""


def is_used() -> bool:
    """Say whether clicks go through a stream here."""
    return bool(settings.CLICK_STREAM)


def push(hit: Hit) -> None:
    """Append a click; it is safe when this returns.

    Raises: StreamDown.
    """
    global _absent_until
    if time.monotonic() < _absent_until:
        raise StreamDown
    line = hit.encode()
    command = b"%b$%d\r\n%b\r\n" % (_HEAD, len(line), line)
    try:
        _send(command)
    except (RedisError, OSError) as error:
        _drop()
        _absent_until = time.monotonic() + REST_SECONDS
        log.error("Clicks go to the database: the stream did not answer (%s).", type(error).__name__)
        raise StreamDown from error


def _send(command: bytes) -> None:
    """Send a command over the thread's own connection, and once more when that had ended in the meantime.

    What was sent twice is written once: a click's id is unique.
    """
    connection = _connection()
    try:
        _ask(connection, command)
    except (redis.exceptions.ConnectionError, OSError):
        connection.disconnect()
        connection.connect()
        _ask(connection, command)


def _ask(connection: Any, command: bytes) -> None:
    """Send a command and wait for its one line of an answer, past the library's parser, which costs more than the rest.

    Raises: RedisError, OSError.
    """
    line = connection._sock
    if line is None:
        raise ConnectionError
    line.sendall(command)
    said: bytes = line.recv(512)
    while said and said.count(b"\r\n") < (
        2 if said.startswith(b"$") else 1
    ):  # a length and an id, or an error
        more = line.recv(512)
        said = said + more if more else b""
    if not said:
        raise ConnectionError
    if not said.startswith(b"$"):
        raise redis.exceptions.ResponseError(said[1:40].decode("ascii", "replace").strip())


def _drop() -> None:
    """End the thread's connection: an answer that comes late must not be taken for the next one's."""
    kept: tuple[str, Any] | None = getattr(_own, "connection", None)
    if kept is not None:
        kept[1].disconnect()


def _connection() -> Any:
    kept: tuple[str, Any] | None = getattr(_own, "connection", None)
    if kept is None or kept[0] != settings.CLICK_STREAM:
        kept = _own.connection = (settings.CLICK_STREAM, _pool(settings.CLICK_STREAM).make_connection())
    return kept[1]


@lru_cache(maxsize=8)
def _pool(address: str) -> Any:
    return redis.ConnectionPool.from_url(
        address,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


@lru_cache(maxsize=8)
def _client_of(address: str) -> Any:
    return redis.Redis.from_url(address, socket_timeout=10, socket_connect_timeout=2)


def client() -> Any:
    """Return a client for whoever reads the stream."""
    return _client_of(settings.CLICK_STREAM)


def waiting(most: int) -> list[Entry]:
    """Return the oldest entries of the stream, whoever is writing them.

    Raises: RedisError.
    """
    return entries_of(client().xrange(KEY, count=most))


def entries_of(found: Iterable[tuple[bytes, dict[bytes, bytes] | None]]) -> list[Entry]:
    """Return entries with their lines; None is one that somebody has taken away since."""
    return [(entry.decode(), None if said is None else said.get(FIELD, b"")) for entry, said in found]


def take_away(entries: Sequence[str], *, unreadable: Sequence[bytes] = ()) -> None:
    """Take entries away for good, after they were written; what could not be read is put aside.

    Raises: RedisError.
    """
    if not entries:
        return
    pipe = client().pipeline(transaction=True)
    if unreadable:
        pipe.lpush(DEAD, *unreadable)
        pipe.ltrim(DEAD, 0, MOST_DEAD - 1)
    pipe.xack(KEY, GROUP, *entries)
    pipe.xdel(KEY, *entries)
    pipe.execute()


def state() -> tuple[int, float, int]:
    """Return how many clicks wait, for how many seconds the oldest, and how many lines were put aside.

    Raises: RedisError.
    """
    pipe = client().pipeline(transaction=False)
    pipe.xlen(KEY)
    pipe.xrange(KEY, count=1)
    pipe.llen(DEAD)
    pipe.time()
    length, oldest, dead, (seconds, micros) = pipe.execute()
    if not oldest:
        return length, 0.0, dead  # seconds
    since = int(oldest[0][0].split(b"-")[0]) / 1000
    return length, max(seconds + micros / 1_000_000 - since, 0.0), dead


def forget() -> None:
    """Ask an absent server again at once."""
    global _absent_until
    _absent_until = 0.0  # seconds
