"""One explanation, wherever it is read: portal, back office, statement and API print the same rows for a line of every kind."""

from __future__ import annotations

import html
import io
import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import translation
from pypdf import PdfReader

from payouts.explained.line import explain, is_plain, readable
from payouts.exports import csv, pdf
from payouts.exports.statement_page import page_of
from payouts.models import Commission, Statement
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.desk import at_desk, words
from tests.factories.payouts import close_months
from tests.factories.prm import ApiKeyFactory
from tests.payouts.every_kind import EveryKind, every_kind
from tests.people import ada, ana

pytestmark = pytest.mark.django_db

APRIL = datetime(2026, 4, 2, 9, tzinfo=UTC)
Printed = list[tuple[str, str, str]]


@pytest.fixture
def found() -> EveryKind:
    return every_kind()


@pytest.fixture
def statement(found: EveryKind) -> Statement:
    close_months(found.house.program, Month(2026, 1), Month(2026, 2), Month(2026, 3), at=APRIL)
    return Statement.objects.get(membership=found.ana, period__month=3)


def amount_text(amount: Money | None) -> str:
    return "" if amount is None else l10n.money_text(amount, "en-gb")


def rows_in(page: str) -> Printed:
    """Return the rows of the calculation on a page: label, note and amount."""
    [table] = re.findall(r'<table class="bridge">.*?<tbody>(.*?)</tbody>', page, flags=re.DOTALL)
    cells = re.findall(
        r'<th scope="row">(.*?)(?:<span class="sub">(.*?)</span>)?</th>\s*<td>(.*?)</td>', table, re.DOTALL
    )
    return [tuple(html.unescape(cell).strip() for cell in row) for row in cells]  # type: ignore[misc]


def wanted(line: Commission) -> Printed:
    with translation.override("en"):
        rows = explain(readable(Commission.objects.all()).get(pk=line.pk), at=APRIL).rows
        return [(row.label, row.note, amount_text(row.amount)) for row in rows]


def portal_rows(line: Commission) -> Printed:
    client = Client()
    client.force_login(ana())
    return rows_in(client.get(f"/portal/earnings/{line.public_id}/").content.decode())


def admin_rows(line: Commission) -> Printed:
    client = at_desk(ada())
    return rows_in(client.get(f"/admin/payouts/commission/{line.pk}/change/").content.decode())


def api_answer(line: Commission, *scopes: str) -> dict[str, object]:
    key = ApiKeyFactory.create(scopes=list(scopes or ("commissions:read",)))
    client = Client(headers={"authorization": f"Bearer prm_live_{key.prefix}_{ApiKeyFactory.SECRET}"})
    body: dict[str, object] = client.get(f"/api/v1/commissions/{line.public_id}").json()
    return body


def test_portal_back_office_and_api_print_the_same_rows(found: EveryKind) -> None:
    for line in found.lines:
        expected = wanted(line)
        assert expected
        assert portal_rows(line) == expected
        assert admin_rows(line) == expected
        answer = api_answer(line)
        told = answer["rows"]
        assert isinstance(told, list)
        assert [
            (row["label"], row["note"], amount_text(_money(row["amount_minor"]))) for row in told
        ] == expected
        assert answer["because"] == line.because


def _money(minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, "GBP")


def test_the_statement_prints_the_same_rows_for_lines_their_rate_does_not_explain(
    statement: Statement,
) -> None:
    lines = list(statement.lines.select_related("commission").order_by("position"))
    explained = [line for line in lines if not is_plain(line.commission.because)]
    page = page_of(statement)
    assert [list(note.rows) for note in page.notes] == [wanted(line.commission) for line in explained]
    assert [note.mark for note in page.notes] == [f"[{number}]" for number in range(1, len(explained) + 1)]
    assert (
        len(explained) == 12
    )  # of 14; of the others base and rate tell all, and a line of zero is not printed
    marked = [line.text for line in page.lines if "[" in line.text]
    assert len(marked) == len(explained)


@pytest.mark.needs_pango
def test_the_printed_document_holds_every_row(statement: Statement) -> None:
    reader = PdfReader(io.BytesIO(pdf.render(statement)))
    text = "".join("".join(page.extract_text().split()) for page in reader.pages)
    for note in page_of(statement).notes:
        for row in note.rows:
            assert "".join("".join(row).split()) in text, row


def test_a_statement_as_a_table_says_why_in_one_line(statement: Statement) -> None:
    told = csv.render(statement).decode()
    assert "Recovery" not in told
    for line in statement.lines.select_related("commission"):
        for label, _note, amount in wanted(line.commission):
            assert f"{label}: {amount}" in told if amount else label in told


def test_what_a_recruit_sold_and_to_whom_stays_with_the_recruit(found: EveryKind) -> None:
    line = found.of("override")
    client = Client()
    client.force_login(ana())
    page = words(client.get(f"/portal/earnings/{line.public_id}/"))
    assert "Partner BOB20: sale on 2 March 2026." in page
    assert "•••" not in page and "£100.00" not in page
    told = words(client.get("/portal/earnings/"))
    assert "Partner Partner BOB20" not in told and "Partner BOB20" in told and "Override, Sale" in told
    by_customer = client.get("/portal/earnings/", {"q": "•••100"}).context["page"].rows
    assert by_customer and line.public_id not in " ".join(row.href for row in by_customer)
    by_name = client.get("/portal/earnings/", {"q": "partner bob"}).context["page"].rows
    assert [row.order for row in by_name] == ["bobs-1"]


def test_a_key_without_the_scope_reads_no_commission(found: EveryKind) -> None:
    assert api_answer(found.lines[0], "conversions:read")["code"] == "missing_scope"


def test_the_answer_of_the_api_tells_a_line_of_a_month_from_one_of_an_event(found: EveryKind) -> None:
    retainer = api_answer(found.of("retainer"))
    assert (retainer["conversion"], retainer["event_id"], retainer["window"]) == (None, "", "2026-03")
    assert retainer["why"] == [
        "Your fixed amount for March 2026.",
        "Fixed amount for March 2026: £250.00 (Rule “Retainer”, version 3, in force since 1 Jan 2026)",
        "Commission: £250.00",
    ]
    back = api_answer(found.of("reversal"))
    assert back["reverses"] == found.lines[2].public_id
    assert (back["amount"], back["amount_minor"], back["event_id"]) == ("-18.02", -18_02, "back-1")


def test_nobody_is_told_of_a_commission_that_is_not_there(found: EveryKind) -> None:
    found.lines[0].public_id = "com_nothing"
    assert api_answer(found.lines[0])["code"] == "not_found"
