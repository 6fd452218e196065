"""Finance can script every step: each command says what it did as JSON and how it ended as an exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from payouts.models import Commission, Period, Statement
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10")
    house.sale("s", "1000.00", "ANA10", datetime(2026, 1, 5, tzinfo=UTC))
    return house


def run(*arguments: str, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=StringIO(), **options)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_accrue_release_and_close_in_a_row(house: House) -> None:
    rated = run("accrue_commissions")
    assert (rated["state"], rated["rated"], rated["lines"]) == ("finished", 1, 1)
    assert run("accrue_commissions")["rated"] == 0
    assert run("release_commissions")["released"] == 1
    closed = run("close_period", "2026-01", by=fiona().email)
    assert closed["programs"]["affiliates"]["closing_minor"] == 8000
    assert (Commission.objects.get().state, Statement.objects.count()) == ("on_statement", 1)


def test_closing_a_month_needs_a_person_and_a_month(house: House) -> None:
    for arguments, words in ((["2026-01"], "--by"), (["January", "--by", fiona().email], "not a month")):
        with pytest.raises(CommandError, match=words) as refusal:
            call_command("close_period", *arguments, stdout=StringIO(), stderr=StringIO())
        assert refusal.value.returncode == 2
    with pytest.raises(CommandError, match="no program") as refusal:
        call_command("close_period", "2026-01", "--by", fiona().email, "--program", "nope", stderr=StringIO())
    assert refusal.value.returncode == 2
    assert not Period.objects.filter(state="closed").exists()


def test_a_month_that_cannot_be_closed_ends_with_one_and_says_why(house: House) -> None:
    this_month = f"{timezone.now() + timedelta(days=40):%Y-%m}"
    with pytest.raises(CommandError, match="not over") as refusal:
        call_command("close_period", this_month, "--by", fiona().email, stdout=StringIO(), stderr=StringIO())
    assert refusal.value.returncode == 1
    assert not Statement.objects.exists()
