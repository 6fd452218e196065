"""Documents and files print the stored amounts, the same bytes each time, in a form their readers accept."""

from __future__ import annotations

import csv as csv_reader
import io
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from pypdf import PdfReader

from payouts import documents
from payouts.exports import csv, pdf, xlsx
from payouts.models import Statement
from prm import documents as press
from prm.lib.cells import formula_safe
from prm.lib.periods import Month
from tests.factories.payouts import close_months, give_account
from tests.house import House, open_house

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent.parent / "golden"
MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MARCH = Month(2026, 3)
# To write the golden files anew after a change that was meant: WRITE_GOLDEN=1 pytest tests/payouts/test_exports.py
WRITE = bool(os.environ.get("WRITE_GOLDEN"))


@pytest.fixture
def house() -> House:
    house = open_house(percent="5", flat_minor=2_00, slug="influencers")
    membership = house.member("ANA10", at=MARCH_1)
    give_account(membership, at=APRIL_3)
    house.sale("=1+1", "1000.00", "ANA10", MARCH_2)  # 5 % + 2.00 = 52.00
    house.sale("s2", "19.99", "ANA10", MARCH_2)  # 0.9995 + 2.00 = 3.00
    house.refund("r1", "10.10", "ANA10", MARCH_2)  # -0.505, half away from zero: -0.51; the flat part stays
    house.rate(APRIL_3)
    return house


@pytest.fixture
def statement(house: House) -> Statement:
    [statement] = close_months(house.program, MARCH, at=APRIL_3)
    return statement


def is_golden(content: bytes, name: str) -> bool:
    if WRITE:
        (GOLDEN / name).write_bytes(content)
    return content == (GOLDEN / name).read_bytes()


def rows(statement: Statement) -> list[dict[str, str]]:
    return list(csv_reader.DictReader(io.StringIO(csv.render(statement).decode())))


def test_the_rows_of_a_csv_add_up_to_the_closing_balance(statement: Statement) -> None:
    assert statement.closing_minor == 54_49
    amounts = [Decimal(row["amount"]) for row in rows(statement)]
    assert amounts == [Decimal("0.00"), Decimal("52.00"), Decimal("3.00"), Decimal("-0.51")]
    assert sum(amounts) == Decimal("54.49")
    assert rows(statement)[-1]["running_total"] == "54.49"


def test_a_csv_is_the_golden_file(statement: Statement) -> None:
    assert is_golden(csv.render(statement), "statement.csv")


def test_no_text_of_a_csv_can_become_a_formula(statement: Statement) -> None:
    assert [row["order"] for row in rows(statement)] == ["", "'=1+1", "s2", "r1"]
    assert csv.render(statement, with_bom=True).startswith(b"\xef\xbb\xbfstatement,line,")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a"])
def test_every_beginning_of_a_formula_is_disarmed(text: str) -> None:
    assert formula_safe(text) == f"'{text}"
    assert formula_safe(f"a{text}") == f"a{text}"


def test_a_workbook_holds_numbers_that_add_up_and_no_formula(statement: Statement) -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx.render(statement)))
    bridge, lines = book.worksheets
    labels = {row[0].value: row[1].value for row in bridge.iter_rows()}
    assert Decimal(str(labels["Closing balance"])) == Decimal("54.49")
    assert Decimal(str(labels["Reversals"])) == Decimal("-0.51")
    cells = list(lines.iter_rows(min_row=2))
    assert sum(Decimal(str(row[9].value)) for row in cells) == Decimal("54.49")
    order = cells[1][3]
    assert (order.value, order.data_type) == ("=1+1", "s")
    assert cells[1][9].number_format == "#,##0.00"


def test_a_workbook_is_the_same_each_time(statement: Statement) -> None:
    assert xlsx.render(statement) == xlsx.render(statement)


@pytest.mark.needs_pango
def test_a_pdf_says_what_the_statement_says(statement: Statement) -> None:
    reader = PdfReader(io.BytesIO(pdf.render(statement)))
    text = "\n".join(page.extract_text() for page in reader.pages)
    for wanted in (
        statement.number,
        "£54.49",
        "Halden Giftware Ltd",
        "Partner ANA10",
        "14 Apr 2026",
        "ending 5555",
        f"/v/{statement.number}/{statement.check_code}/",
        statement.sha256,
        "5% + 2.00",
        "−0.51",
    ):
        assert wanted in text, wanted
    assert reader.metadata is not None
    assert reader.metadata.title == f"Commission statement {statement.number}"
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  (a PDF boolean)
    assert root["/Lang"] == "en"


@pytest.mark.needs_pango
def test_a_pdf_uses_our_own_fonts_only(statement: Statement) -> None:
    reader = PdfReader(io.BytesIO(pdf.render(statement)))
    fonts = {
        str(font.get_object()["/BaseFont"]).split("+")[-1]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts and all(name.startswith("Statement-") for name in fonts), fonts


@pytest.mark.needs_pango
def test_a_pdf_is_the_same_each_time(statement: Statement) -> None:
    assert pdf.render(statement) == pdf.render(statement)


@pytest.mark.needs_pango
@pytest.mark.parametrize(
    "url", ["https://example.org/x.png", "file:///etc/passwd", "asset:../../prm/settings.py"]
)
def test_a_document_fetches_nothing_from_elsewhere(url: str) -> None:
    with pytest.raises((press.FetchesFromElsewhere, FileNotFoundError, SuspiciousOperation)):
        pdf.draw(f'<img alt="" src="{url}">', identifier=b"x")


@pytest.mark.needs_pango
def test_text_of_a_partner_cannot_bring_markup_into_a_document(house: House) -> None:
    partner = house.members["ANA10"].partner
    partner.name = '<img src="file:///etc/passwd"><b>Bold</b>'
    partner.save()
    [statement] = close_months(house.program, MARCH, at=APRIL_3)
    text = PdfReader(io.BytesIO(pdf.render(statement))).pages[0].extract_text()
    assert "<b>Bold</b>" in text.replace("\n", "")


@pytest.mark.needs_pango
def test_running_totals_are_carried_from_page_to_page(house: House) -> None:
    for number in range(90):
        house.sale(f"more-{number}", "100.00", "ANA10", MARCH_2)  # 7.00 each
    house.rate(APRIL_3)
    [statement] = close_months(house.program, MARCH, at=APRIL_3)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf.render(statement))).pages]
    assert len(pages) >= 2
    carried = pages[0].split("Carried forward ")[1].split()[0]
    assert f"Brought forward {carried}" in pages[1]
    assert "Brought forward" not in pages[0]
    assert "Carried forward" not in pages[-1]


@pytest.mark.needs_pango
def test_a_long_statement_is_added_up_by_day_and_names_the_file_with_every_line(house: House) -> None:
    for number in range(300):
        house.sale(f"more-{number}", "100.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    [statement] = close_months(house.program, MARCH, at=APRIL_3)
    assert statement.line_count == 303
    reader = PdfReader(io.BytesIO(pdf.render(statement)))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "303 orders" in text
    assert f"{statement.number}.csv" in text
    assert len(reader.pages) <= 2


@pytest.mark.needs_pango
def test_a_document_is_drawn_once_and_kept_with_its_hash(
    statement: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = documents.read_pdf(statement)
    monkeypatch.setattr(pdf, "render", lambda statement: pytest.fail("drawn again"))
    again = Statement.objects.get(pk=statement.pk)
    assert documents.read_pdf(again) == first
    with pytest.raises(IntegrityError, match="one document"), transaction.atomic():
        Statement.objects.filter(pk=statement.pk).update(pdf_sha256="0" * 64)


@pytest.mark.needs_pango
def test_a_damaged_document_is_not_shown(statement: Statement) -> None:
    documents.ensure_pdf(statement)
    with default_storage.open(statement.pdf.name, "wb") as file:
        file.write(b"%PDF something else")
    with pytest.raises(documents.DocumentDamaged):
        documents.read_pdf(statement)


def test_without_pango_it_is_said_in_words(statement: Statement, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoPress:
        def __init__(self) -> None:
            raise OSError("cannot load library")

    monkeypatch.setattr(press, "_Press", NoPress)
    press._press.cache_clear()
    with pytest.raises(pdf.PdfNotPossible, match="Pango"):
        documents.read_pdf(statement)
    assert not pdf.is_possible()
