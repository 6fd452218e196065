"""Two real workers and an import on PostgreSQL and Redis, killed with SIGKILL at random moments: after the sweep the books are
exactly those of an undisturbed year. The seed is printed with the result, so that a bad run can be repeated."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from demo import dataset
from payouts import accrual
from referrals.models import Conversion, Credit
from tests.journeys.test_the_real_year import assert_the_books_are_right, house

KILLS = 12
LONGEST = timedelta(minutes=6)

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.needs_redis, pytest.mark.django_db(transaction=True)]


class Staff:
    """The processes of one run: two workers and an import, each started again when it is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = dict(os.environ, DJANGO_SETTINGS_MODULE="tests.settings", DATABASE_URL=database_url())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.imported = False

    def keep_going(self) -> None:
        """Start what is not running; an import that ended well is not started again."""
        for name in ("worker-1", "worker-2"):
            if not self._runs(name):
                self._start(name, [
                    "-m", "celery", "-A", "prm", "worker", "--concurrency", "1", "--loglevel", "warning",
                    "--hostname", f"{name}@%h", "--without-gossip", "--without-mingle",
                ])  # fmt: skip
        if not self.imported and not self._runs("import"):
            ended = self.processes.get("import")
            self.imported = ended is not None and ended.returncode == 0
            if not self.imported:
                self._start(
                    "import", ["manage.py", "import_sales", str(dataset.ORDERS), "--source", "online_retail"]
                )

    def kill_one(self, dice: random.Random) -> str:
        """Kill one process that runs, and all it forked, without a word."""
        name = dice.choice([name for name in sorted(self.processes) if self._runs(name)])
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()
        return name

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _runs(self, name: str) -> bool:
        return name in self.processes and self.processes[name].poll() is None

    def _start(self, name: str, arguments: list[str]) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(  # our own interpreter and arguments
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip


def test_sigkill_at_random_moments_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # to be repeatable
    house()
    staff = Staff(tmp_path)
    killed: list[str] = []
    deadline = timezone.now() + LONGEST
    try:
        while timezone.now() < deadline:
            staff.keep_going()
            if staff.imported and len(killed) >= KILLS and all_is_rated():
                break
            if len(killed) < KILLS:
                time.sleep(dice.uniform(0.2, 2.5))
                killed.append(staff.kill_one(dice))
            else:
                time.sleep(0.5)
                accrual.sweep(at=timezone.now())  # what beat does every thirty seconds
    finally:
        staff.stop()
    print(f"seed {seed}, killed {len(killed)}: {', '.join(killed)}")  # shown when the test fails
    assert len(killed) == KILLS
    assert staff.imported, (tmp_path / "import.log").read_text()[-2000:]
    accrual.sweep(at=timezone.now())
    assert_the_books_are_right()


def all_is_rated() -> bool:
    return Conversion.objects.count() == 22_186 and not Credit.objects.unrated().exists()


def database_url() -> str:
    """Return the address of the database this test runs on."""
    facts = connection.settings_dict
    return f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
