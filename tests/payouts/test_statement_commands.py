"""Statements on the command line: what is missing is issued, a wrong one is corrected, and each end has its exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from payouts import reconciliation
from payouts.models import Statement
from prm.lib.periods import Month
from tests.factories.payouts import close_months
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db

JANUARY = datetime(2026, 1, 5, tzinfo=UTC)
FEBRUARY_3 = datetime(2026, 2, 3, 9, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10")
    house.sale("s", "1000.00", "ANA10", JANUARY)
    house.rate(FEBRUARY_3)
    return house


def run(*arguments: str, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=StringIO(), **options)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as refusal:
        call_command(*arguments, stdout=StringIO(), stderr=StringIO())
    return refusal.value


def test_what_a_month_misses_is_issued_once(house: House) -> None:
    close_months(house.program, Month(2026, 1), at=FEBRUARY_3)
    house.member("BEN10")  # joined on 1 January, and was added later
    by = fiona().email
    dry = run("issue_statements", "2026-01", "--dry-run", by=by)
    assert (dry["programs"]["affiliates"], Statement.objects.count()) == ({"missing": 1, "issued": 0}, 1)
    assert run("issue_statements", "2026-01", by=by)["programs"]["affiliates"] == {"missing": 1, "issued": 1}
    assert run("issue_statements", "2026-01", by=by)["programs"]["affiliates"] == {"missing": 0, "issued": 0}
    numbers = Statement.objects.order_by("pk").values_list("number", flat=True)
    assert list(numbers) == ["HG-2026-00001", "HG-2026-00002"]
    assert reconciliation.check() == []  # what the month came to when it was closed still stands


def test_an_open_month_is_refused_with_the_way_out(house: House) -> None:
    refusal = refused("issue_statements", "2026-01", "--by", fiona().email)
    assert (refusal.returncode, Statement.objects.count()) == (1, 0)
    assert "still open" in str(refusal) and "Close it" in str(refusal)


def test_a_member_whose_balance_a_later_statement_carries_gets_none_before_it(house: House) -> None:
    january, february = Month(2026, 1), Month(2026, 2)
    close_months(house.program, january, at=FEBRUARY_3)
    late = house.member("BEN10", at=datetime(2026, 2, 1, tzinfo=UTC))
    close_months(house.program, february, at=datetime(2026, 3, 3, 9, tzinfo=UTC))
    type(late).objects.filter(pk=late.pk).update(joined_at=JANUARY)
    refusal = refused("issue_statements", "2026-01", "--by", fiona().email)
    assert refusal.returncode == 3
    assert Statement.objects.filter(membership=late).count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("issue_statements", "2026-01"), "--by"),
        (("issue_statements", "January", "--by", "fiona@halden.example"), "month"),
        (("correct_statement", "HG-1999-00001", "--reason", "x"), "no statement"),
    ],
)
def test_wrong_use_ends_with_two(house: House, arguments: tuple[str, ...], words: str) -> None:
    fiona()
    refusal = refused(*arguments)
    assert refusal.returncode == 2 and words in str(refusal)


def test_a_statement_is_corrected_from_the_command_line(house: House) -> None:
    [statement] = close_months(house.program, Month(2026, 1), at=FEBRUARY_3)
    by = fiona().email
    assert refused("correct_statement", statement.number, "--by", by).returncode == 2  # no reason
    dry = run("correct_statement", statement.number, "--dry-run", reason="The name was wrong.", by=by)
    assert (dry["closing_minor"], Statement.objects.count()) == (80_00, 1)
    done = run("correct_statement", statement.number, reason="The name was wrong.", by=by)
    year = Statement.objects.get(number=done["statement"]).year
    assert done["credit_note"].endswith("00001" if year != 2026 else "00002")
    again = refused("correct_statement", statement.number, "--reason", "Again", "--by", by)
    assert again.returncode == 1 and done["statement"] in str(again)


def test_drawing_can_be_tried_dry(house: House) -> None:
    close_months(house.program, Month(2026, 1), at=FEBRUARY_3)
    assert run("render_statements", "--dry-run")["waiting"] == 1
    assert not Statement.objects.get().pdf_sha256
