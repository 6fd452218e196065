"""Closing a month, a pay run and the bank's answer, by commands in processes of their own that are killed with SIGKILL at random points and
started again until they are done: afterwards the books are those of a twin that nobody disturbed. The seed is printed with the result."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import select
from typing import Any, Self

import pytest
from django.conf import settings
from django.db.models import Count, Sum

from payouts import ledger, pay_runs, reconciliation
from payouts.choices import AccountKind, PayRunState, PeriodState
from payouts.models import Entry, Payment, PaymentFile, PaymentResult, PayRun, Period, ResultFile, Statement
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from prm.runs.models import SILENCE, Run
from tests.factories.payouts import IBANS, give_account
from tests.factories.tiers import LegalEntityFactory
from tests.house import House, open_house
from tests.journeys.test_killed_workers import database_url
from tests.people import ada, felix, fiona

MEMBERS = 40
AT_LEAST = 12
MARCH_1 = datetime(2026, 3, 1, 9, tzinfo=UTC)
# The commands believe that it is this instant; the banks open on the Tuesday after Easter.
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
PAY_DAY = "2026-04-07"
PATIENCE = 60.0

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.needs_redis, pytest.mark.django_db(transaction=True)]

# It reads one command a line, answers with the id of the process that carries it out, and then with how that one ended. What is killed is
# a process of its own with connections of its own; only the second that Django takes to start is not paid again for each.
NURSERY = """
import json, os, sys
from datetime import datetime
import django, time_machine
django.setup()
from django.core.management import call_command, execute_from_command_line
from django.db import connections
call_command("check", stdout=open(os.devnull, "w"))
connections.close_all()
print("ready", flush=True)
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if not child:
        os.setsid()
        log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        code = 1
        try:
            with time_machine.travel(datetime.fromisoformat(told["at"])):
                execute_from_command_line(["manage.py", *told["command"]])
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """Where the processes come from."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "commands.log"
        self.process = subprocess.Popen(  # our own interpreter and text
            [sys.executable, "-c", NURSERY],
            cwd=settings.BASE_DIR,
            env=dict(os.environ, DJANGO_SETTINGS_MODULE="tests.settings", DATABASE_URL=database_url()),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        assert self.process.stdout is not None and self.process.stdout.readline() == b"ready\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self.process.kill()
        self.process.wait()

    def run(self, *command: str, kill_after: float | None = None) -> int:
        """Carry a command out and return its exit code; one that was killed returns -9."""
        told = {"command": command, "at": APRIL_3.isoformat(), "log": str(self.log)}
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(told).encode() + b"\n")
        child = int(self.process.stdout.readline())
        if kill_after is not None and not select([self.process.stdout], [], [], kill_after)[0]:
            os.kill(child, signal.SIGKILL)
        assert select([self.process.stdout], [], [], PATIENCE)[0], f"{command} hangs"
        return int(self.process.stdout.readline())


def test_sigkill_at_random_points_of_a_close_and_a_pay_run_leaves_the_books_of_a_twin(tmp_path: Path) -> None:
    twin, house = scene("twin", "TW"), scene("killed", "KI")
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # to be repeatable
    killed: Counter[str] = Counter()
    with Nursery(tmp_path) as nursery:
        took = {name: calmly(nursery, house=twin, step=step) for name, step in steps(tmp_path).items()}
        for name, step in steps(tmp_path).items():
            step.begin(house)
            for _time in range(step.kills):
                if step.is_done(house):
                    break
                code = nursery.run(*step.command(house), kill_after=dice.uniform(0, took[name] * step.until))
                killed[name] += code == -signal.SIGKILL
                assert code in (-signal.SIGKILL, 0), nursery.log.read_text()[-2000:]
                a_minute_passes()
            if not step.is_done(house):
                assert nursery.run(*step.command(house)) == 0, nursery.log.read_text()[-2000:]
            a_minute_passes()
    print(f"seed {seed}, killed {sum(killed.values())}: {dict(killed)}")  # shown when the test fails
    assert sum(killed.values()) >= AT_LEAST
    assert reconciliation.check() == []
    assert_everything_happened_once(house)
    assert told_by_the_books(house) == told_by_the_books(twin)
    assert stated(house) == stated(twin) == by_hand()


class Step:
    """One command, when there is nothing left for it to do, and what people do before it on a page.

    It is killed at most `kills` times, at a random instant of the first `until` of the time the twin's took.
    """

    def __init__(
        self,
        kills: int,
        until: float,
        command: Callable[[House], list[str]],
        is_done: Callable[[House], bool],
        begin: Callable[[House], object] = lambda house: None,
    ) -> None:
        self.kills, self.until = kills, until
        self.command, self.is_done, self.begin = command, is_done, begin


def steps(folder: Path) -> dict[str, Step]:
    """Return the road of the money, each step with how often it is killed at most."""
    as_fiona, as_felix = ["--by", fiona().email], ["--by", felix().email]

    def written(house: House) -> Path:
        return folder / f"{house.program.slug}.csv"

    return {
        "close": Step(
            8,
            0.25,  # each begins where the one before was stopped
            lambda house: ["close_period", "2026-03", "--program", house.program.slug, *as_fiona],
            lambda house: Period.objects.get(program=house.program).state == PeriodState.CLOSED,
        ),
        "prepare": Step(
            5,
            0.8,
            lambda house: [
                "prepare_pay_run", "--entity", house.program.legal_entity.number_prefix, "--currency", "GBP",
                "--execute-on", PAY_DAY, *as_fiona,
            ],
            lambda house: in_state(house, PayRunState.CHECKED),
        ),
        "approve": Step(
            4,
            0.8,
            lambda house: ["approve_pay_run", run_of(house).public_id, *as_felix],
            lambda house: in_state(house, PayRunState.APPROVED),
            lambda house: pay_runs.acknowledge_all(run_of(house), note="Looked at.", by=fiona(), at=APRIL_3),
        ),
        "export": Step(
            5,
            0.8,
            lambda house: ["export_pay_run", run_of(house).public_id, "--to", str(folder), *as_fiona],
            lambda house: in_state(house, PayRunState.EXPORTED) and all_taken(house, folder),
        ),
        "results": Step(
            5,
            0.8,
            lambda house: [
                "import_results", str(written(house)),
                "--entity", house.program.legal_entity.number_prefix, *as_fiona,
            ],
            lambda house: in_state(house, PayRunState.RECONCILED),
            lambda house: written(house).write_text(bank_says(house)),
        ),
    }  # fmt: skip


def calmly(nursery: Nursery, *, house: House, step: Step) -> float:
    """Let a step go undisturbed and return how many seconds it took."""
    step.begin(house)
    began = time.monotonic()
    assert nursery.run(*step.command(house)) == 0, nursery.log.read_text()[-2000:]
    assert step.is_done(house), nursery.log.read_text()[-2000:]
    return time.monotonic() - began


def a_minute_passes() -> None:
    """Let what a killed command left count as abandoned, as it does when nothing was heard of it for a minute."""
    long_ago = APRIL_3 - SILENCE - timedelta(minutes=1)
    Run.objects.open().update(created_at=long_ago, heartbeat_at=long_ago)


def amount(number: int) -> int:
    """Return what a member's first sale was, in pence; its second is a third of it."""
    return 1_00 if number == MEMBERS - 1 else 90_000 + 1_237 * number


def scene(slug: str, prefix: str) -> House:
    """Forty members with two sales each; the last one stays below the minimum, the one before is in debt."""
    entity = LegalEntityFactory.create(
        name=f"Halden {slug}", number_prefix=prefix, country_code="GB", iban="GB94BARC10201530093459",
        bic="BARCGB22", town="Leicester", postcode="LE1 5XY", street="Orchard Lane", building_number="14",
    )  # fmt: skip
    house = open_house(slug=slug, entity=entity, hold_days=3, zone="UTC")
    for number in range(MEMBERS):
        code = f"{prefix}{number:02d}"
        give_account(house.member(code, at=MARCH_1), at=APRIL_3, iban=IBANS[number % len(IBANS)], by=ada())
        if number == MEMBERS - 2:
            house.refund(f"{code}-1", "200.00", code, MARCH_1)
            continue
        for place, pence in enumerate((amount(number), amount(number) // 3)):
            house.sale(f"{code}-{place}", f"{pence // 100}.{pence % 100:02d}", code, MARCH_1)
    house.rate(APRIL_3)
    return house


def by_hand() -> list[int]:
    """Return what each statement closes with: 8 % of each sale, in whole pence, a half counting up."""
    owed = [
        sum((8 * pence + 50) // 100 for pence in (amount(number), amount(number) // 3))
        for number in range(MEMBERS)
    ]
    owed[MEMBERS - 2] = -16_00
    return owed


def stated(house: House) -> list[int]:
    mine = Statement.objects.filter(period__program=house.program).order_by("membership")
    return list(mine.values_list("closing_minor", flat=True))


def bank_says(house: House) -> str:
    """Write the bank's table: everybody is paid but one, whose account is closed."""
    names = list(payments_of(house).order_by("pk").values_list("end_to_end_id", flat=True))
    rows = [f"{name},settled,BANK-{place},,,2026-04-07," for place, name in enumerate(names[1:])]
    head = "end_to_end_id,outcome,reference,reason_code,reason,booked_on,fee"
    return "\r\n".join([head, f"{names[0]},failed,BANK-X,AC04,,2026-04-07,", *rows, ""])


def run_of(house: House) -> PayRun:
    return PayRun.objects.exclude(state=PayRunState.CANCELLED).get(legal_entity=house.program.legal_entity)


def in_state(house: House, state: PayRunState) -> bool:
    return PayRun.objects.filter(legal_entity=house.program.legal_entity, state=state).exists()


def payments_of(house: House) -> Any:
    return Payment.objects.filter(membership__program=house.program)


def all_taken(house: House, folder: Path) -> bool:
    """Say whether every file lies in the folder, whole."""
    paths = {folder / file.name: bytes(file.content) for file in run_of(house).files.all()}
    return all(path.exists() and path.read_bytes() == content for path, content in paths.items())


def assert_everything_happened_once(house: House) -> None:
    entity = house.program.legal_entity
    statements = Statement.objects.filter(legal_entity=entity).order_by("sequence")
    assert list(statements.values_list("sequence", flat=True)) == list(range(1, MEMBERS + 1))
    assert len(set(statements.values_list("membership", "period"))) == MEMBERS
    payments = payments_of(house)
    assert payments.count() == payments.values("membership").distinct().count() == MEMBERS - 2
    assert PayRun.objects.filter(legal_entity=entity).exclude(state=PayRunState.CANCELLED).count() == 1
    files = PaymentFile.objects.filter(pay_run__legal_entity=entity)
    assert files.count() == files.values("format").distinct().count()
    assert ResultFile.objects.filter(legal_entity=entity).count() == 1
    assert PaymentResult.objects.filter(payment__in=payments).count() == MEMBERS - 2
    run = run_of(house)
    for verb in ("pay_run.prepared", "pay_run.approved", "pay_run.exported"):
        assert AuditEvent.objects.filter(action=verb, object_public_id=run.public_id).count() == 1, verb


def told_by_the_books(house: House) -> dict[str, Any]:
    """Return counts and sums of everything, without names and numbers, to lay beside those of another house."""
    program = house.program
    files = PaymentFile.objects.filter(pay_run__legal_entity=program.legal_entity)
    kinds = Entry.objects.filter(transaction__period__program=program).order_by()
    return {
        "balances": {kind.value: balance(house, kind) for kind in AccountKind},
        "control": Period.objects.get(program=program, month=3).control_totals,
        "posted": sorted(kinds.values_list("transaction__kind").annotate(Count("pk"), Sum("amount_minor"))),
        "payments": sorted(payments_of(house).order_by().values_list("state").annotate(Count("pk"), Sum("sent_minor"))),
        "files": sorted(files.values_list("format", "row_count", "total_minor")),
        "numbers": sorted(number.split("-", 1)[1] for number in files.values_list("number", flat=True)),
    }  # fmt: skip


def balance(house: House, kind: AccountKind) -> int:
    """Return what all accounts of a kind hold in pence."""
    total = Money(0, "GBP")
    for account in house.program.accounts.filter(kind=kind):
        total += ledger.balance(account)
    return total.minor
