"""Two real workers and an import on PostgreSQL and Redis, killed with SIGKILL at random moments: after the sweep the books are
exactly those of an undisturbed year. The seed is printed with the result, so that a bad run can be repeated."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from demo import dataset
from partners.models import Membership
from payouts import accrual, reconcile, reconciliation
from payouts.models import Commission
from referrals.models import Conversion, Credit
from tests.journeys.test_the_real_year import as_file, assert_the_books_are_right, house
from tests.journeys.wholesale import AT, START, by_the_table, draft, open_program
from tests.people import ada
from tiers import publishing

KILLS = 12
# 5 % of a month's first 500.00, 8 % of what lies above; no more than 150.00 a month.
STEPS = ((0, 5), (500_00, 8))
CAP = 150_00
LONGEST = timedelta(minutes=6)

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.needs_redis, pytest.mark.django_db(transaction=True)]


class Staff:
    """The processes of one run: two workers and an import, each started again when it is gone."""

    def __init__(self, folder: Path, file: Path = dataset.ORDERS) -> None:
        self.folder = folder
        self.file = file
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
                    "import", ["manage.py", "import_sales", str(self.file), "--source", "online_retail"]
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
    house()
    killing(Staff(tmp_path), kills=KILLS, events=22_186)
    assert_the_books_are_right()


def test_sigkill_at_random_moments_breaks_no_step_and_no_cap(tmp_path: Path) -> None:
    program = open_program(STEPS)
    version = draft(program, STEPS)
    rule = version.rules.get()
    rule.params = {**rule.params, "limits": {"window_max": CAP}}
    rule.save()
    effective_at = START + timedelta(days=1)
    publishing.publish(version, effective_at=effective_at, by=ada(), at=effective_at)
    rows = list(dataset.orders())[:900]
    file = tmp_path / "orders.csv"
    file.write_bytes(as_file(rows))

    killing(Staff(tmp_path, file), kills=6, events=len(rows))

    volumes: Counter[str] = Counter()
    for row in rows:
        pence = int(Decimal(row["amount"]) * 100)
        volumes[row["partner_code"]] += pence if row["kind"] == "sale" else -pence
    del volumes[""]
    owed = {code: min(by_the_table(STEPS, volume), CAP) for code, volume in volumes.items()}
    assert CAP in owed.values()
    sums = Commission.objects.order_by().values_list("membership__codes__code").annotate(Sum("amount_minor"))
    assert dict(sums) == owed
    assert not any(reconcile.difference(each, at=AT) for each in Membership.objects.all())
    assert reconciliation.check() == []


def killing(staff: Staff, *, kills: int, events: int) -> None:
    """Let the staff work to the end, killing one of them again and again at first."""
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # to be repeatable
    killed: list[str] = []
    deadline = timezone.now() + LONGEST
    try:
        while timezone.now() < deadline:
            staff.keep_going()
            if staff.imported and len(killed) >= kills and all_is_rated(events):
                break
            if len(killed) < kills:
                time.sleep(dice.uniform(0.2, 2.5))
                killed.append(staff.kill_one(dice))
            else:
                time.sleep(0.5)
                accrual.sweep(at=timezone.now())  # what beat does every thirty seconds
    finally:
        staff.stop()
    print(f"seed {seed}, killed {len(killed)}: {', '.join(killed)}")  # shown when the test fails
    assert len(killed) == kills
    assert staff.imported, (staff.folder / "import.log").read_text()[-2000:]
    accrual.sweep(at=timezone.now())


def all_is_rated(events: int) -> bool:
    return Conversion.objects.count() == events and not Credit.objects.unrated().exists()


def database_url() -> str:
    """Return the address of the database this test runs on."""
    facts = connection.settings_dict
    return f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
