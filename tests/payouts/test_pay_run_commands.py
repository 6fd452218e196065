"""Finance can script a pay run from preparation to settlement."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from payouts.choices import PaymentState, PayRunState
from payouts.models import PayRun, Statement
from prm.lib.periods import Month
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


def prepare() -> dict[str, Any]:
    return command(
        "prepare_pay_run", "--currency", "GBP", "--execute-on", "2099-12-14", "--by", fiona().email
    )


def test_a_run_goes_from_preparation_to_settlement(house: House, tmp_path: Path) -> None:
    told = prepare()
    assert (told["payments"], told["total_minor"], told["left_out"]) == (2, 160_00, {})
    name = told["pay_run"]
    command("approve_pay_run", name, "--by", felix().email)
    files = command("export_pay_run", name, "--by", fiona().email, "--to", str(tmp_path))["files"]
    assert [file["rows"] for file in files] == [2, 2]
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
