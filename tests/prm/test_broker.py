"""The broker on one file: nothing is lost when a process is killed, nothing is done twice while it lives."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kombu import Connection, Queue
from kombu.transport import TRANSPORT_ALIASES

from prm import broker

ROOT = Path(__file__).resolve().parents[2]
# Without Django: Celery would load the whole product into a process that only needs the broker.
BARE = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
TRANSPORT_ALIASES["sqlitefile"] = "prm.broker:Transport"


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "broker.sqlite3")


@contextlib.contextmanager
def connected(file: str) -> Iterator[Connection]:
    with Connection(
        "sqlitefile://localhost", transport_options={"path": file, "polling_interval": 0.01}
    ) as connection:
        yield connection


def put(file: str, *bodies: str, queue: str = "work", priority: int = 0) -> None:
    with connected(file) as connection, connection.SimpleQueue(queue) as line:
        for body in bodies:
            line.put(body, priority=priority)


class Site:
    """Worker and publisher processes on one broker file, and the journal they write."""

    def __init__(self, folder: Path) -> None:
        self.file, self.journal = folder / "broker.sqlite3", folder / "journal"
        self.journal.touch()
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "tests.prm.broker_worker",
            str(self.file),
            str(self.journal),
            *arguments,
        ]
        process = subprocess.Popen(
            command, cwd=ROOT, env=BARE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.started.append(process)
        return process

    def words(self) -> list[str]:
        return [line.split()[0] for line in self.journal.read_text().splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    for process in site.started:
        process.kill()
        process.wait()


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def test_messages_come_in_order_and_the_urgent_ones_first(file: str) -> None:
    put(file, "first", "second")
    put(file, "urgent", priority=9)
    with connected(file) as connection, connection.SimpleQueue("work") as line:
        taken = []
        for _ in range(3):
            message = line.get(block=False)
            taken.append(message.payload)
            message.ack()
    assert taken == ["urgent", "first", "second"]
    assert broker.counts(file) == broker.Counts(ready=0, taken=0, dead=0)


def test_a_message_that_was_taken_but_not_acknowledged_comes_back_when_its_owner_leaves(file: str) -> None:
    put(file, "work")
    with connected(file) as connection, connection.SimpleQueue("work") as line:
        line.get(block=False)
        assert broker.counts(file) == broker.Counts(ready=0, taken=1, dead=0)
    assert broker.counts(file) == broker.Counts(ready=1, taken=0, dead=0)


def test_a_fanout_reaches_every_queue_bound_to_it(file: str) -> None:
    from kombu import Exchange

    news = Exchange("news", type="fanout")
    with connected(file) as connection:
        channel = connection.channel()
        for name in ("a", "b"):
            Queue(name, news)(channel).declare()
        connection.Producer(channel).publish("hello", exchange=news)
        assert [channel._size(name) for name in ("a", "b")] == [1, 1]


def test_a_message_that_kills_its_workers_is_set_aside_and_counted_and_can_be_revived(file: str) -> None:
    put(file, "poison")
    con = broker.open_file(file)
    for _ in range(broker.MAX_DELIVERIES):
        # What a killed process leaves behind: taken by an owner whose lock nobody holds.
        taken = con.execute(broker.CLAIM, ("ghost", "work", broker.MAX_DELIVERIES)).fetchall()
        assert len(taken) == 1
        con.execute("UPDATE message SET owner = NULL WHERE owner = 'ghost'")
    assert con.execute(broker.CLAIM, ("ghost", "work", broker.MAX_DELIVERIES)).fetchall() == []
    assert broker.counts(file) == broker.Counts(ready=0, taken=0, dead=1)
    assert broker.revive(file) == 1
    assert broker.counts(file) == broker.Counts(ready=1, taken=0, dead=0)


def test_a_file_of_another_version_is_refused_and_left_alone(file: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(RuntimeError, match="schema 99"):
        broker.open_file(file)
    with contextlib.closing(sqlite3.connect(file)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (99,)


def test_counting_a_broker_that_was_never_used_makes_no_file(file: str) -> None:
    assert broker.counts(file) == broker.Counts(0, 0, 0)
    assert not Path(file).exists()


def test_what_a_killed_worker_held_is_done_by_the_next_one_within_seconds(site: Site) -> None:
    first = site.start("worker")
    put_slow = "import sys; sys.argv = ['x', sys.argv[1], sys.argv[2], '-']; from tests.prm.broker_worker import mark; mark.delay(word='slow', seconds=2)"
    subprocess.run(
        [sys.executable, "-c", put_slow, str(site.file), str(site.journal)], cwd=ROOT, env=BARE, check=True
    )
    wait_until(lambda: "began-slow" in site.words())
    first.kill()
    first.wait()
    killed = time.monotonic()
    site.start("worker")
    wait_until(lambda: "ended-slow" in site.words())
    assert site.words() == ["began-slow", "began-slow", "ended-slow"]
    assert time.monotonic() - killed < 20  # start of a process, a sweep of 2 s, the task's own 2 s
    wait_until(lambda: broker.counts(str(site.file)) == broker.Counts(0, 0, 0))


def test_two_publishers_and_two_workers_lose_nothing_and_repeat_nothing(site: Site) -> None:
    count = 400
    publishers = [site.start("publish", prefix, str(count)) for prefix in ("a", "b")]
    for _ in range(2):
        site.start("worker")
    for publisher in publishers:
        assert publisher.wait(60) == 0
    wait_until(lambda: sum(word.startswith("ended-") for word in site.words()) >= 2 * count, seconds=90)
    ended = Counter(word for word in site.words() if word.startswith("ended-"))
    assert set(ended) == {f"ended-{prefix}{number}" for prefix in "ab" for number in range(count)}
    assert set(ended.values()) == {1}
    workers = {line.split()[1] for line in site.journal.read_text().splitlines()}
    assert len(workers) == 2
