"""A Celery broker for one machine, kept in one SQLite file. A message is owned by a living process or by nobody: what a killed
process held is ready again within seconds, and what was delivered too often is set aside and counted.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar, TextIO

from kombu.transport import virtual

SCHEMA_VERSION = 1
MAX_DELIVERIES = 5
SWEEP_SECONDS = 2.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL,
  owner TEXT, deliveries INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL);
CREATE INDEX IF NOT EXISTS message_ready ON message (queue, priority DESC, id) WHERE owner IS NULL;
CREATE INDEX IF NOT EXISTS message_owned ON message (owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS binding (
  exchange TEXT, rkey TEXT, pattern TEXT, queue TEXT, PRIMARY KEY (exchange, rkey, pattern, queue)) WITHOUT ROWID;
"""
CLAIM = """
UPDATE message SET owner = ?, deliveries = deliveries + 1
 WHERE owner IS NULL AND id = (
   SELECT id FROM message WHERE queue = ? AND owner IS NULL AND deliveries < ? ORDER BY priority DESC, id LIMIT 1)
RETURNING id, body
"""

_local = threading.local()
_inherited: list[Any] = []


def _after_fork() -> None:
    # A forked child must neither use nor close its parent's SQLite handles: keeping them alive is the point of the list.
    _inherited.append(getattr(_local, "connections", None))
    _local.connections = {}
    _inherited.append(Owner.mine)
    Owner.mine = {}


def open_file(path: str) -> sqlite3.Connection:
    """Return this thread's connection to the broker file, making the file when it is new."""
    connections: dict[str, sqlite3.Connection] = _local.__dict__.setdefault("connections", {})
    if path not in connections:
        connections[path] = _connect(path)
    return connections[path]


def _connect(path: str) -> sqlite3.Connection:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        connection.close()
        raise RuntimeError(
            f"{path} has broker schema {version}, this program needs {SCHEMA_VERSION}: move the file away."
        )
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    return connection


class Owner:
    """A lock file held for as long as this process lives."""

    mine: ClassVar[dict[int, tuple[str, TextIO]]] = {}
    _making = threading.Lock()

    @classmethod
    def name(cls, folder: Path) -> str:
        """Return this process's name as an owner, taking its lock on the first call."""
        with cls._making:
            held = cls.mine.get(os.getpid())
            if held is None:
                folder.mkdir(parents=True, exist_ok=True)
                name = uuid.uuid4().hex
                file = (folder / name).open("w")
                fcntl.flock(file, fcntl.LOCK_EX)
                held = cls.mine[os.getpid()] = (name, file)
            return held[0]

    @staticmethod
    def is_dead(folder: Path, name: str) -> bool:
        """Tell whether the process of that name is gone, removing its lock file when it is."""
        lock = folder / name
        try:
            file = lock.open()
        except FileNotFoundError:
            return True
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        lock.unlink(missing_ok=True)
        return True


os.register_at_fork(after_in_child=_after_fork)


@dataclass(frozen=True)
class Counts:
    """How many messages stand where."""

    ready: int
    taken: int
    dead: int


def counts(path: str) -> Counts:
    """Return how many messages wait, are in work, and were given up; control messages are left out."""
    if not Path(path).exists():
        return Counts(0, 0, 0)
    row = (
        open_file(path)
        .execute(
            "SELECT coalesce(sum(owner IS NULL AND deliveries < ?1), 0), coalesce(sum(owner IS NOT NULL), 0),"
            " coalesce(sum(owner IS NULL AND deliveries >= ?1), 0) FROM message"
            " WHERE queue NOT LIKE '%.pidbox' AND queue NOT LIKE 'celeryev.%'",
            (MAX_DELIVERIES,),
        )
        .fetchone()
    )
    return Counts(*row)


def revive(path: str) -> int:
    """Give every message that was set aside a new chance, and return how many there were."""
    return (
        open_file(path)
        .execute(
            "UPDATE message SET deliveries = 0 WHERE owner IS NULL AND deliveries >= ?", (MAX_DELIVERIES,)
        )
        .rowcount
    )


class QoS(virtual.QoS):
    """Acknowledge in the file, at once."""

    def ack(self, delivery_tag: str) -> None:
        """Forget a message that was done."""
        self.channel._done(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Put a message back, or forget it."""
        if requeue:
            self.channel._release(delivery_tag)
        else:
            self.channel._done(delivery_tag)
        self._quick_ack(delivery_tag)

    def restore_unacked(self) -> list[Any]:
        """Put back everything this consumer still holds."""
        self._flush()
        for tag in list(self._delivered):
            self.channel._release(tag)
        self._delivered.clear()
        return []


class Channel(virtual.Channel):
    """Queues and bindings as rows."""

    QoS = QoS
    supports_fanout = True
    _next_sweep = 0.0

    @property
    def path(self) -> str:
        """Return the broker file's path."""
        return str(self.connection.client.transport_options["path"])

    @property
    def folder(self) -> Path:
        """Return the folder of the owners' lock files."""
        return Path(self.path + ".owners")

    def _sql(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return open_file(self.path).execute(statement, values)

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        priority = self._get_message_priority(message)
        self._sql(
            "INSERT INTO message (queue, priority, body, created) VALUES (?, ?, ?, ?)",
            queue,
            priority,
            json.dumps(message),
            time.time(),
        )

    def _put_fanout(self, exchange: str, message: dict[str, Any], routing_key: str, **_: Any) -> None:
        for _rkey, _pattern, queue in self.get_table(exchange):
            self._put(queue, message)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        self._sweep_now_and_then()
        # A read first: an idle consumer polls often and must not take the write lock each time.
        waiting = "SELECT 1 FROM message WHERE queue = ? AND owner IS NULL AND deliveries < ? LIMIT 1"
        if self._sql(waiting, queue, MAX_DELIVERIES).fetchone():
            claimed = self._sql(CLAIM, Owner.name(self.folder), queue, MAX_DELIVERIES).fetchall()
            if claimed:
                message: dict[str, Any] = json.loads(claimed[0][1])
                message["properties"]["delivery_tag"] = str(claimed[0][0])
                return message
        raise Empty

    def _sweep_now_and_then(self) -> None:
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_SECONDS
        mine = Owner.mine.get(os.getpid(), ("",))[0]
        for (owner,) in self._sql("SELECT DISTINCT owner FROM message WHERE owner IS NOT NULL").fetchall():
            if owner != mine and Owner.is_dead(self.folder, owner):
                self._sql("UPDATE message SET owner = NULL WHERE owner = ?", owner)
        self._remove_stale_locks(mine)

    def _remove_stale_locks(self, mine: str) -> None:
        # An owner that died holding nothing leaves only its lock file; a young one may still be taking its lock.
        with contextlib.suppress(FileNotFoundError):
            for lock in self.folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if lock.name != mine and time.time() - lock.stat().st_mtime > 60:
                        Owner.is_dead(self.folder, lock.name)

    def _done(self, tag: str) -> None:
        self._sql("DELETE FROM message WHERE id = ?", int(tag))

    def _release(self, tag: str) -> None:
        # Given back on purpose, so this delivery does not count against the message.
        self._sql(
            "UPDATE message SET owner = NULL, deliveries = max(deliveries - 1, 0) WHERE id = ?", int(tag)
        )

    def basic_consume(self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, **kwargs: Any) -> Any:
        """Start to consume `queue`."""
        if queue.endswith(".pidbox"):
            self._purge(queue)  # control messages meant for a worker that is gone
        return super().basic_consume(
            queue, no_ack, self._forgetting(callback) if no_ack else callback, consumer_tag, **kwargs
        )

    def _forgetting(self, callback: Any) -> Any:
        def forget_and_call(message: Any) -> Any:
            self._done(message.delivery_tag)
            return callback(message)

        return forget_and_call

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        """Return one message, or nothing."""
        message = super().basic_get(queue, no_ack, **kwargs)
        if message is not None and no_ack:
            self._done(message.delivery_tag)
        return message

    def _size(self, queue: str) -> int:
        return int(
            self._sql("SELECT count(*) FROM message WHERE queue = ? AND owner IS NULL", queue).fetchone()[0]
        )

    def _purge(self, queue: str) -> int:
        return self._sql("DELETE FROM message WHERE queue = ? AND owner IS NULL", queue).rowcount

    def _new_queue(self, queue: str, **_: Any) -> None:
        """Need nothing: a queue is the rows that name it."""

    def _has_queue(self, queue: str, **_: Any) -> bool:
        return True

    def _delete(self, queue: str, *_: Any, **__: Any) -> None:
        self._sql("DELETE FROM binding WHERE queue = ?", queue)
        self._sql("DELETE FROM message WHERE queue = ?", queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        self._sql(
            "INSERT OR IGNORE INTO binding VALUES (?, ?, ?, ?)",
            exchange,
            routing_key or "",
            pattern or "",
            queue or "",
        )

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        """Return routing key, pattern and queue of every binding of `exchange`."""
        return [
            tuple(row)
            for row in self._sql("SELECT rkey, pattern, queue FROM binding WHERE exchange = ?", exchange)
        ]


class Transport(virtual.Transport):
    """The transport that kombu knows as `sqlitefile`."""

    Channel = Channel
    default_port = 0
    driver_type = driver_name = "sqlite"
    can_parse_url = False
    polling_interval = 0.2
    implements = virtual.Transport.implements.extend(exchange_type=frozenset(["direct", "topic", "fanout"]))
    connection_errors = (sqlite3.OperationalError,)

    def driver_version(self) -> str:
        """Return SQLite's version."""
        return sqlite3.sqlite_version
