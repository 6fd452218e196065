"""The payments of a run as CSV and as a workbook: the same columns, exact amounts, nothing a spreadsheet could calculate."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal

import openpyxl

from payouts.exports import payments_csv, payments_xlsx
from payouts.models import Payment
from tests.payouts.exports.sent import GOLDEN, WRITE, by_iban, by_mail, is_golden, payment, run, to_us


def of_every_kind() -> list[Payment]:
    """Return payments sent in euros by every kind of method, 1,333.57 + 20.00 + 7.50 + 12.00 + 3.00 = 1,376.07."""
    [us, *_rest] = to_us()
    return [
        *by_iban(),
        *by_mail("paypal"),
        payment(4, 12_00, kind="us_account", details=us.details),
        payment(5, 3_00, kind="other", details='{"instructions": "=By cheque,\\nto the office"}'),
    ]


def members(content: bytes) -> dict[str, bytes]:
    """Return what a workbook holds, without the packing, which differs from one zlib to the next."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_the_csv_is_the_golden_file_and_its_amounts_add_up() -> None:
    content = payments_csv.render(run(), of_every_kind())
    assert is_golden(content, "payments.csv")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("1376.07")
    withheld = rows[2]
    assert (withheld["gross"], withheld["withheld"], withheld["amount"]) == ("110.00", "11.00", "99.00")
    exchanged = rows[4]
    assert (exchanged["gross"], exchanged["gross_currency"], exchanged["amount"], exchanged["currency"]) == (
        "6.52",
        "GBP",
        "7.50",
        "EUR",
    )
    assert (exchanged["fx_rate"], exchanged["fx_day"], exchanged["fx_source"]) == (
        "1.15",
        "2026-05-08",
        "ecb",
    )
    assert [row["kind"] for row in rows] == [*["bank_iban"] * 3, "paypal", "paypal", "us_account", "other"]


def test_no_cell_of_the_csv_begins_like_a_formula() -> None:
    rows = csv.reader(io.StringIO(payments_csv.render(run(), of_every_kind()).decode()))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_the_workbook_is_the_golden_file_and_holds_numbers_and_no_formula() -> None:
    content = payments_xlsx.render(run(), of_every_kind())
    if WRITE:
        (GOLDEN / "payments.xlsx").write_bytes(content)
    assert members(content) == members((GOLDEN / "payments.xlsx").read_bytes())
    [sheet] = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    header, *rows = sheet.iter_rows()
    place = {cell.value: number for number, cell in enumerate(header)}
    assert tuple(place) == payments_csv.HEADER
    total = sum(Decimal(str(row[place["amount"]].value)) for row in rows)
    assert total == Decimal("1376.07")
    assert {cell.data_type for row in rows for cell in row} == {"s", "n"}
    assert rows[1][place["partner"]].value == "=Żółw & Syn"
    assert rows[0][place["amount"]].number_format == "#,##0.00"


def test_a_workbook_is_the_same_each_time() -> None:
    assert payments_xlsx.render(run(), by_iban()) == payments_xlsx.render(run(), by_iban())


def test_yen_have_no_decimals_in_either() -> None:
    some = [payment(1, 920, "JPY", iban="DE89370400440532013000")]
    [row] = csv.DictReader(io.StringIO(payments_csv.render(run("JPY"), some).decode()))
    assert row["amount"] == "920"
    [sheet] = openpyxl.load_workbook(io.BytesIO(payments_xlsx.render(run("JPY"), some))).worksheets
    cell = sheet.cell(row=2, column=payments_csv.HEADER.index("amount") + 1)
    assert (cell.value, cell.number_format) == (920, "#,##0")
