"""Bring clicks from the stream into the database, in batches of one transaction each. An entry leaves the stream after its commit, and a
click's id is unique, so a drain may be killed at any point and several may run at once: each click is written, and once.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterable, Sequence

from django.db import DataError, IntegrityError
from redis.exceptions import ResponseError

from referrals import clicks, hits, stream
from referrals.hits import Hit, Unreadable
from referrals.stream import GROUP, KEY, Entry

log = logging.getLogger(__name__)
BATCH = 5_000
LONGEST_SECONDS = 45.0  # one task; the next one goes on
GIVEN_UP_MS = 30_000  # entries another drain has held for so long are taken over
_FORGOTTEN_MS = 24 * 3_600_000
_names: dict[tuple[int, int], str] = {}
# In one step on the server, because a reader that is taken away takes what it holds with it.
_TIDY = """
for _, reader in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    if reader[4] == 0 and reader[6] > tonumber(ARGV[2]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], reader[2])
    end
end
"""


def drain(*, seconds: float = LONGEST_SECONDS, given_up_ms: int = GIVEN_UP_MS, batch: int = BATCH) -> int:
    """Write what waits, as long as there is something and `seconds` are not over; return how many entries were done.

    Raises: RedisError, DatabaseError; what was read and not written is read again.
    """
    if not stream.is_used():
        return 0
    reader, until, done = _own_name(), time.monotonic() + seconds, 0
    _open()
    while time.monotonic() < until:
        entries = _next(reader, given_up_ms, batch)
        if not entries:
            break
        _finish(entries)
        done += len(entries)
    return done


def _open() -> None:
    try:
        stream.client().xgroup_create(KEY, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
    stream.client().eval(_TIDY, 1, KEY, GROUP, _FORGOTTEN_MS)


def _next(reader: str, given_up_ms: int, batch: int) -> list[Entry]:
    """Return what this reader has read and not finished, else what is new, else what another reader has left behind."""
    for since in ("0", ">"):
        found = stream.client().xreadgroup(GROUP, reader, {KEY: since}, count=batch)
        if found and found[0][1]:
            return stream.entries_of(found[0][1])
    _cursor, taken, *_gone = stream.client().xautoclaim(KEY, GROUP, reader, given_up_ms, "0-0", count=batch)
    return stream.entries_of(taken)


def _finish(entries: Sequence[Entry]) -> None:
    """Write a batch, then take it away; what is no click is put aside with its reason and never stands in the way."""
    readable: list[tuple[str, bytes, Hit]] = []
    aside: list[bytes] = []
    for entry, line in entries:
        if line is None:
            continue  # somebody else has written it and taken it away
        try:
            readable.append((entry, line, hits.decode(line)))
        except Unreadable as error:
            aside.append(_put_aside(entry, line, str(error)))
    refused = _write(hit for _entry, _line, hit in readable)
    for entry, line, hit in readable:
        if hit.click_id in refused:
            aside.append(_put_aside(entry, line, refused[hit.click_id]))
    stream.take_away([entry for entry, _line in entries], unreadable=aside)


def _write(found: Iterable[Hit]) -> dict[str, str]:
    """Write clicks; return those that the database will never take, with the reason."""
    rows = list(found)
    if not rows:
        return {}
    try:
        return {hit.click_id: "its link does not exist" for hit in clicks.write(rows)}
    except (DataError, IntegrityError):
        if len(rows) == 1:
            return {rows[0].click_id: "the database refused it"}
    # One of them is bad: halves find it in few steps, and the others are written.
    middle = len(rows) // 2
    return _write(rows[:middle]) | _write(rows[middle:])


def _put_aside(entry: str, line: bytes, why: str) -> bytes:
    log.error("The entry %s of the stream of clicks was put aside: %s.", entry, why)
    return json.dumps({"entry": entry, "why": why, "line": base64.b64encode(line).decode()}).encode()


def _own_name() -> str:
    """Return a name that no other process or thread reads by."""
    key = (os.getpid(), threading.get_ident())
    if key not in _names:
        _names.clear()
        _names[key] = f"{socket.gethostname()}-{key[0]}-{secrets.token_hex(4)}"
    return _names[key]
