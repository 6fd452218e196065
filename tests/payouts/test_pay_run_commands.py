"""Finance can script a pay run from preparation to settlement."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from payouts import pay_runs
from payouts.choices import LeftOut, PaymentState, PayRunState
from payouts.models import NumberSeries, PaymentFile, PaymentMethod, PayRun, Statement
from prm.lib.periods import Month
from prm.runs import lifecycle
from prm.runs.models import Run
from tests.factories.payouts import close_months, give_account
from tests.house import House, open_house
from tests.people import felix, fiona

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = open_house()
    for code in ("ANA10", "BEN10"):
        give_account(
            house.member(code, at=datetime(2026, 3, 1, tzinfo=UTC)), at=datetime(2026, 3, 1, tzinfo=UTC)
        )
        house.sale(f"s-{code}", "1000.00", code, datetime(2026, 3, 2, tzinfo=UTC))
    house.rate(datetime(2026, 4, 3, tzinfo=UTC))
    close_months(house.program, Month(2026, 3), at=datetime(2026, 4, 3, tzinfo=UTC))
    return house


def command(name: str, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command(name, *arguments, "--json", "--no-progress", stdout=out, stderr=StringIO())
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def prepare(*more: str) -> dict[str, Any]:
    return command(
        "prepare_pay_run", "--currency", "GBP", "--execute-on", "2099-12-14", "--by", fiona().email, *more
    )


def test_a_run_goes_from_preparation_to_settlement(house: House, tmp_path: Path) -> None:
    told = prepare()
    assert (told["payments"], told["total_minor"], told["left_out"]) == (2, 160_00, {})
    assert (told["sent"], told["withheld_minor"]) == ({"GBP": 160_00}, 0)
    name = told["pay_run"]
    # Each is paid for the first time, has no address, and both are paid to one account.
    told = command("acknowledge_pay_run", name, "--note", "Called them.", "--by", fiona().email)
    assert (told["acknowledged"], told["checks"]) == (6, 0)
    command("approve_pay_run", name, "--by", felix().email)
    files = command("export_pay_run", name, "--by", fiona().email, "--to", str(tmp_path))["files"]
    assert [(file["format"], file["rows"]) for file in files[:3]] == [
        ("pain.001.001.09", 2),
        ("payments_csv", 2),
        ("payments_xlsx", 2),
    ]
    for file in files:
        written = (tmp_path / file["name"]).read_bytes()
        assert hashlib.sha256(written).hexdigest() == file["sha256"]
    failed = PayRun.objects.get().payments.order_by("pk")[0]
    told = command(
        "settle_pay_run", name, "--by", fiona().email, "--failed", f"{failed.end_to_end_id}=Account closed"
    )
    assert (told["settled"], told["came_back"], told["pay_run_state"]) == (1, 1, PayRunState.RECONCILED)
    failed.refresh_from_db()
    assert (failed.state, failed.failure_reason) == (PaymentState.FAILED, "Account closed")


def test_a_dry_run_prints_the_sums_and_the_reasons_and_stores_nothing(house: House) -> None:
    house.member("NOACC", at=datetime(2026, 3, 1, tzinfo=UTC))
    house.sale("s-NOACC", "500.00", "NOACC", datetime(2026, 4, 2, tzinfo=UTC))
    house.rate(datetime(2026, 5, 3, tzinfo=UTC))
    close_months(house.program, Month(2026, 4), at=datetime(2026, 5, 3, tzinfo=UTC))
    told = prepare("--dry-run")
    assert (told["dry_run"], told["payments"], told["sent"]) == (True, 2, {"GBP": 160_00})
    # 8 % of 500.00 is below the minimum of 50.00, and is told before the missing account.
    assert (told["left_out"], told["left_out_minor"]) == ({"below_minimum": 1}, {"below_minimum": 40_00})
    assert not PayRun.objects.exists()
    assert not Run.objects.exists()


def test_the_page_follows_the_job_of_the_command(house: House) -> None:
    name = prepare()["pay_run"]
    run, job = PayRun.objects.get(public_id=name), Run.objects.get(kind="payouts.pay_run")
    assert job.subject == f"{house.program.legal_entity.public_id}:GBP"
    assert (job.state, job.done, job.total, run.state) == ("finished", 2, 2, PayRunState.CHECKED)


def test_a_command_goes_on_with_the_draft_another_one_left(house: House) -> None:
    entity, at = house.program.legal_entity, datetime(2026, 4, 5, tzinfo=UTC)
    left = pay_runs.open(entity, currency="GBP", execute_on=date(2099, 12, 14), by=fiona(), at=at)
    assert prepare()["pay_run"] == left.public_id
    assert PayRun.objects.count() == 1


def test_a_command_finds_the_same_job_under_way(house: House) -> None:
    subject = f"{house.program.legal_entity.public_id}:GBP"
    lifecycle.start("payouts.pay_run", title="Compute", subject=subject, at=timezone.now())
    with pytest.raises(CommandError) as caught:
        prepare()
    assert caught.value.returncode == 4
    assert not PayRun.objects.exists()


def test_a_missing_rate_ends_with_three(house: House) -> None:
    method = PaymentMethod.objects.order_by("pk").first()
    assert method is not None
    PaymentMethod.objects.filter(pk=method.pk).update(payout_currency="EUR")
    with pytest.raises(CommandError) as caught:
        prepare()
    assert caught.value.returncode == 3
    run = PayRun.objects.get()
    assert (run.payment_count, run.exceptions.get().reason) == (1, LeftOut.NO_FX_RATE)


def test_nothing_to_pay_ends_with_one_and_leaves_no_draft(house: House) -> None:
    PaymentMethod.objects.update(replaced_at=datetime(2026, 4, 4, tzinfo=UTC), replaced_by=fiona())
    with pytest.raises(CommandError) as caught:
        prepare()
    assert caught.value.returncode == 1
    assert PayRun.objects.get().state == PayRunState.CANCELLED


def test_a_dry_run_of_the_export_moves_no_money_and_draws_no_number(house: House) -> None:
    name = prepare()["pay_run"]
    command("acknowledge_pay_run", name, "--note", "Called them.", "--by", fiona().email)
    command("approve_pay_run", name, "--by", felix().email)
    told = command("export_pay_run", name, "--by", fiona().email, "--dry-run")
    assert [file["rows"] for file in told["files"][:2]] == [2, 2]
    assert PayRun.objects.get().state == PayRunState.APPROVED
    assert not PaymentFile.objects.exists()
    assert not NumberSeries.objects.filter(series="file").exists()


def test_who_prepared_cannot_approve_by_command_either(house: House) -> None:
    name = prepare()["pay_run"]
    with pytest.raises(CommandError) as caught:
        command("approve_pay_run", name, "--by", fiona().email)
    assert caught.value.returncode == 1
    assert PayRun.objects.get().state == PayRunState.CHECKED


@pytest.mark.parametrize(
    "arguments",
    [
        ("approve_pay_run", "prn_nothing", "--by", "fiona@halden.example"),
        (
            "prepare_pay_run",
            "--currency",
            "GBP",
            "--execute-on",
            "14.12.2099",
            "--by",
            "fiona@halden.example",
        ),
        ("prepare_pay_run", "--currency", "GBP", "--execute-on", "2099-12-14"),
        ("prepare_pay_run", "--entity", "XX", "--currency", "GBP", "--execute-on", "2099-12-14"),
        ("render_statements", "--month", "2026-13"),
    ],
)
def test_wrong_use_ends_with_two_and_does_nothing(house: House, arguments: tuple[str, ...]) -> None:
    fiona()
    with pytest.raises(CommandError) as caught:
        command(*arguments)
    assert caught.value.returncode == 2
    assert not PayRun.objects.exists()


@pytest.mark.needs_pango
def test_statements_are_drawn_once(house: House) -> None:
    assert command("render_statements", "--month", "2026-03")["drawn"] == 2
    assert command("render_statements")["drawn"] == 0
    assert not Statement.objects.filter(pdf_sha256="").exists()
