"""A web server and two drains on PostgreSQL and Redis, killed with SIGKILL at random moments while somebody follows links: every click id that was
handed out is in the database, once, and none else is. The seed is printed with the result, so that a bad run can be repeated."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

from bench.load import Answers, asking, free_port, is_listening, load, start_server, wait_for
from referrals import drain, stream
from referrals.models import Click, RollupMark
from tests.factories.referrals import LinkFactory, new_membership
from tests.journeys.test_killed_workers import database_url

KILLS = 9
ENOUGH = 200
LONGEST_SECONDS = 100.0  # on a machine that is busy otherwise; alone it takes a fifth
DRAINING = """
import pathlib, sys, time, django
django.setup()
from referrals import drain
pathlib.Path(sys.argv[1]).touch()
while True:
    drain.drain(batch=25, given_up_ms=300)
    time.sleep(0.02)
"""

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.needs_redis, pytest.mark.django_db(transaction=True)]


class Staff:
    """A web server and two drains, each started again when it is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = (folder / "log").open("ab")
        self.port = free_port()
        self.env = dict(
            os.environ,
            DJANGO_SETTINGS_MODULE="tests.settings",
            DATABASE_URL=database_url(),
            PRM_TEST_STREAM="1",
            PRM_PROXIES="1",
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def keep_going(self) -> None:
        for name in ("web", "drain-1", "drain-2"):
            if name not in self.running or self.running[name].poll() is not None:
                self.running[name] = self._started(name)

    def at_work(self) -> list[str]:
        """Return who has begun to work: killing somebody who still gets up proves nothing."""
        return [
            name
            for name in sorted(self.running)
            if (is_listening(self.port) if name == "web" else (self.folder / name).exists())
        ]

    def kill(self, name: str) -> None:
        """Kill a process, and all it forked, without a word."""
        with suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()
        (self.folder / name).unlink(missing_ok=True)

    def stop(self) -> None:
        for name in self.running:
            self.kill(name)
        self.log.close()

    def _started(self, name: str) -> subprocess.Popen[bytes]:
        if name == "web":
            return start_server("prm.wsgi:application", self.port, self.env, log=self.log)
        return subprocess.Popen(
            [sys.executable, "-c", DRAINING, str(self.folder / name)], cwd=settings.BASE_DIR, env=self.env, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip


def test_sigkill_at_random_moments_loses_no_click_and_doubles_none(
    tmp_path: Path, settings: Settings
) -> None:
    settings.CLICK_STREAM = os.environ["REDIS_URL"]
    stream.client().delete(stream.KEY, stream.DEAD)
    membership = new_membership()
    for number in range(5):
        LinkFactory.create(slug=f"kill-{number}", membership=membership)
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # to be repeatable
    staff, killed, answers = Staff(tmp_path), [], Answers()
    over = threading.Event()

    def follow() -> None:
        ask = asking([f"/r/kill-{number}" for number in range(5)], random.Random(seed))
        while not over.is_set():
            answers.add(load(staff.port, ask, seconds=0.5, lines=4))

    client = threading.Thread(target=follow)
    try:
        staff.keep_going()
        wait_for(staff.port)
        client.start()
        until = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < until and (len(killed) < KILLS or len(answers.clicks) < ENOUGH):
            time.sleep(dice.uniform(0.1, 0.9))
            if (ready := staff.at_work()) and len(killed) < KILLS:
                name = dice.choice(ready)
                staff.kill(name)
                killed.append(name)
                staff.keep_going()
        time.sleep(0.5)
    finally:
        over.set()
        client.join()
        staff.stop()
    drain.drain(given_up_ms=0)
    print(
        f"seed {seed}, killed {', '.join(killed)}; {len(answers.clicks)} clicks, {answers.statuses}, {answers.broken} broken"
    )
    print((tmp_path / "log").read_text(errors="replace")[-2000:])  # both shown when the test fails

    acknowledged, rows = answers.clicks, list(Click.objects.values_list("click_id", "kind"))
    assert len(killed) >= 8
    assert len(acknowledged) >= ENOUGH
    assert set(answers.statuses) == {302}
    assert len(acknowledged) == len(set(acknowledged))
    assert len(rows) == len({click_id for click_id, _kind in rows})
    # A server that is killed may have a few written that it could not answer any more: one on each line.
    unanswered = {click_id for click_id, _kind in rows} - set(acknowledged)
    assert set(acknowledged) <= {click_id for click_id, _kind in rows}
    assert len(unanswered) <= 4 * (killed.count("web") + 1)
    assert stream.state()[::2] == (0, 0)
    assert set(RollupMark.objects.values_list("program", flat=True)) == {membership.program_id}
    stream.client().delete(stream.KEY, stream.DEAD)
