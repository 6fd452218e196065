"""Lines of every kind, lines no event earns and lines of zero: lists, statements, files and the books agree on each."""

from __future__ import annotations

import csv as csv_reader
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client

from payouts import overview, reconciliation, release
from payouts.choices import CommissionKind, CommissionState
from payouts.explained.bridge import bridge_of
from payouts.exports import csv, xlsx
from payouts.models import Commission, Statement, Transaction
from payouts.statement_facts import TERM_OF, is_unchanged
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.desk import at_desk, words
from tests.factories.payouts import close_months
from tests.payouts.every_kind import EveryKind, every_kind
from tests.people import ada, ana

pytestmark = pytest.mark.django_db

APRIL = datetime(2026, 4, 2, 9, tzinfo=UTC)
EARNED, TAKEN = 1598_41, -118_02  # worked out in every_kind.py; together 1,480.39


@pytest.fixture
def found() -> EveryKind:
    return every_kind()


@pytest.fixture
def statement(found: EveryKind) -> Statement:
    close_months(found.house.program, Month(2026, 1), Month(2026, 2), Month(2026, 3), at=APRIL)
    return Statement.objects.get(membership=found.ana, period__month=3)


def test_every_kind_of_line_has_its_term() -> None:
    assert set(TERM_OF) == set(CommissionKind)


def test_the_bridge_tells_bonuses_advances_and_corrections_from_commissions(statement: Statement) -> None:
    assert [(term.key, term.amount.minor, term.lines) for term in bridge_of(statement)] == [
        ("opening", 0, 0),
        ("commissions", 858_06, 6),  # 630.00 + 90.00 + 54.06 + 60.00 + 20.00 + 4.00
        ("overrides", 80, 1),
        ("bonuses", 75_00, 1),
        ("guaranteed", 270_00, 2),  # 250.00 + 20.00
        ("true_ups", 18_00, 1),
        ("reversals", -18_02, 1),
        ("advances", 276_55, 2),  # 376.55 − 100.00
        ("paid", 0, 0),
        ("closing", 1480_39, 0),
    ]
    assert (statement.earned_minor, statement.reversed_minor) == (EARNED, TAKEN)
    *terms, closing = bridge_of(statement)
    assert Money.total((term.amount for term in terms), "GBP") == closing.amount
    assert is_unchanged(statement)
    assert reconciliation.check() == []


def test_a_statement_from_before_its_lines_were_told_apart_has_a_bridge_too(statement: Statement) -> None:
    del statement.facts["terms"]
    assert [(term.key, term.amount.minor, term.lines) for term in bridge_of(statement)[1:3]] == [
        ("commissions", EARNED, 12),
        ("reversals", TAKEN, 2),
    ]


def test_lines_of_zero_are_released_without_moving_anything_and_stay_off_statements(
    found: EveryKind, statement: Statement
) -> None:
    [zero] = Commission.objects.filter(amount_minor=0)
    assert (zero.state, zero.statement, zero.released_in) == (CommissionState.PAYABLE, None, zero.accrued_in)
    assert not statement.lines.filter(commission=zero).exists()
    assert statement.line_count == 14
    releases = Transaction.objects.filter(kind="release")
    assert releases.exists() and not releases.filter(entries=None).exists()


def test_lines_of_zero_alone_are_released_by_what_booked_them(found: EveryKind) -> None:
    Commission.objects.exclude(amount_minor=0).update(state=CommissionState.PAUSED)
    before = Transaction.objects.count()
    assert release.release_due(at=APRIL) == 0
    assert Transaction.objects.count() == before
    assert Commission.objects.get(amount_minor=0).state == CommissionState.PAYABLE
    assert release.release_due(at=APRIL) == 0


def test_lines_of_zero_stand_in_the_list_but_in_no_stage(found: EveryKind) -> None:
    assert overview.money_of(found.ana, at=APRIL).count == 14
    lines = Commission.objects.filter(membership=found.ana)
    assert sum(overview.in_stage(lines, stage).count() for stage in overview.STAGES) == 14
    client = Client()
    client.force_login(ana())
    rows = client.get("/portal/earnings/").context["page"].rows
    assert [row.status.label for row in rows if not row.amount] == ["Nothing due"]
    assert client.get("/portal/earnings/", {"stage": "hold"}).context["page"].pages.total == 14


def test_lists_name_what_no_event_earns_by_kind_and_month(found: EveryKind) -> None:
    client = Client()
    client.force_login(ana())
    page = client.get("/portal/earnings/")
    rows = {row.detail: row for row in page.context["page"].rows if row.sale is None}
    assert set(rows) == {"Retainer", "Guaranteed minimum", "Advance", "Advance paid back"}
    assert {(row.customer, row.order) for row in rows.values()} == {("March 2026", "")}
    assert rows["Advance paid back"].status.label == "Advance paid back"
    assert page.context["page"].total.minor == EARNED + TAKEN


def test_the_file_of_earnings_has_every_line_once(found: EveryKind) -> None:
    client = Client()
    client.force_login(ana())
    response: Any = client.get("/portal/earnings/commissions.csv")
    body = b"".join(response.streaming_content).decode()
    told = list(csv_reader.DictReader(io.StringIO(body)))
    assert sum(Decimal(row["commission"]) for row in told) == Decimal("1480.39")
    [retainer] = [row for row in told if row["kind"] == "retainer"]
    assert (retainer["order"], retainer["event"], retainer["sale"], retainer["customer"]) == ("", "", "", "")
    [override] = [row for row in told if row["kind"] == "override"]
    assert (override["order"], override["customer"], override["via"]) == ("bobs-1", "", "")


def test_files_of_a_statement_add_up_with_every_kind(statement: Statement) -> None:
    rows = list(csv_reader.DictReader(io.StringIO(csv.render(statement).decode())))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("1480.39")
    kinds = {row["kind"] for row in rows}
    assert {"true_up", "bonus", "override", "retainer", "floor", "draw", "recovery"} <= kinds
    bridge, lines = openpyxl.load_workbook(io.BytesIO(xlsx.render(statement))).worksheets
    labels = {row[0].value: row[1].value for row in bridge.iter_rows()}
    assert Decimal(str(labels["Advances, less what was paid back"])) == Decimal("276.55")
    assert sum(Decimal(str(row[9].value)) for row in lines.iter_rows(min_row=2)) == Decimal("1480.39")


def test_pages_of_a_statement_show_every_kind(statement: Statement) -> None:
    client = Client()
    client.force_login(ana())
    page = words(client.get(f"/portal/statements/{statement.public_id}/"))
    desk = words(at_desk(ada()).get(f"/admin/payouts/statement/{statement.pk}/change/"))
    for text in ("Bonuses", "Overrides", "Advances, less what was paid back", "£276.55", "£1,480.39"):
        assert text in page and text in desk, text
    assert "Customer not named" not in page


def test_the_back_office_lists_and_finds_every_kind(found: EveryKind) -> None:
    client = at_desk(ada())
    listed = words(client.get("/admin/payouts/commission/"))
    for text in ("Retainer", "March 2026", "Advance paid back", "Override", "Adjusted to the new total"):
        assert text in listed, text
    assert "bobs-1" in words(client.get("/admin/payouts/commission/", {"q": "bobs-1"}))
    retainer = found.of("retainer")
    assert "Retainer, March 2026" in words(client.get(f"/admin/payouts/commission/{retainer.pk}/change/"))
