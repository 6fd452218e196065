"""All lines of a month in one file: the statements' own amounts, no formulas, the same bytes whichever database wrote them, and memory
that does not grow with the rows."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tracemalloc
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from payouts import release
from payouts.exports import lines
from payouts.exports.xlsx_stream import Sheets
from payouts.models import Period, Statement
from prm.lib.periods import Month
from tests.factories.payouts import close_months
from tests.house import open_house

MARCH = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
APRIL = datetime(2026, 4, 3, tzinfo=UTC)


@pytest.fixture
def march(db: None) -> Period:
    """Two partners, one with a name that looks like a formula: 100.00 and 33.33 at 8 % are 8.00 and 2.67 (2.6664 rounded)."""
    house = open_house(hold_days=0)
    for code, name in (("MARTA", '=HYPERLINK("http://x")'), ("ANA", 'Studio "Prado", Ltd')):
        member = house.member(code, at=MARCH)
        member.partner.name = name
        member.partner.save()
    house.sale("+o-1", "100.00", "MARTA", MARCH)
    house.sale("o-2", "33.33", "ANA", MARCH)
    house.rate(MARCH)
    release.release_due(at=APRIL)
    close_months(house.program, Month(2026, 3), at=APRIL)
    return Period.objects.select_related("program").get(year=2026, month=3)


def test_the_csv_says_what_the_statements_say(march: Period) -> None:
    target = io.BytesIO()
    manifest = lines.write_csv(march, target)
    numbers = list(
        Statement.objects.order_by("sequence").values_list("number", "membership__partner__public_id")
    )
    expected = [
        f'{numbers[0][0]},"\'=HYPERLINK(""http://x"")",{numbers[0][1]},2026-03,1,2026-03-02T23:30:00Z,\'+o-1',
        f'{numbers[1][0]},"Studio ""Prado"", Ltd",{numbers[1][1]},2026-03,1,2026-03-02T23:30:00Z,o-2',
    ]
    head, *rows = target.getvalue().decode().splitlines()
    assert head == ",".join(lines.HEADER)
    assert [row[: len(start)] for row, start in zip(rows, expected, strict=True)] == expected
    assert [row.split(",")[-7:] for row in rows] == [
        ["earned", "100.00", "8", "0.00", "8.00", "GBP", "no"],
        ["earned", "33.33", "8", "0.00", "2.67", "GBP", "no"],
    ]
    assert (manifest.rows, manifest.total_minor, manifest.currency) == (2, 10_67, "GBP")
    assert manifest.sha256 == hashlib.sha256(target.getvalue()).hexdigest()


def test_the_workbook_holds_the_same_rows_as_texts_and_numbers(march: Period) -> None:
    table, book = io.BytesIO(), io.BytesIO()
    lines.write_csv(march, table)
    manifest = lines.write_xlsx(march, book)
    sheet = load_workbook(io.BytesIO(book.getvalue())).active
    assert sheet is not None
    head, *rows = sheet.iter_rows(values_only=True)
    assert head == lines.HEADER
    written = list(csv.DictReader(io.StringIO(table.getvalue().decode())))
    assert [str(row[0]) for row in rows] == [row["statement"] for row in written]
    assert [row[1] for row in rows] == ['=HYPERLINK("http://x")', 'Studio "Prado", Ltd']
    assert [sheet.cell(number, 2).data_type for number in (2, 3)] == ["s", "s"]  # a text, never a formula
    assert [row[12] for row in rows] == [8, 2.67]
    assert manifest.sha256 == hashlib.sha256(book.getvalue()).hexdigest()


def test_a_sheet_that_is_full_goes_on_in_another() -> None:
    target = io.BytesIO()
    with Sheets(target, title="2026-03", header=("text", "number"), numbers={1}, rows_of_a_sheet=3) as sheets:
        for number in range(5):
            sheets.add([f"a<b&\x00{number}", f"{number}.50"])
    book = load_workbook(io.BytesIO(target.getvalue()))
    found = [[list(row) for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in book]
    assert book.sheetnames == ["2026-03", "2026-03 (2)", "2026-03 (3)"]
    assert found == [
        [["a<b&0", 0.5], ["a<b&1", 1.5]],
        [["a<b&2", 2.5], ["a<b&3", 3.5]],
        [["a<b&4", 4.5]],
    ]


def test_a_long_workbook_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        with (
            (tmp_path / "long.xlsx").open("wb") as file,
            Sheets(file, title="x", header=lines.HEADER, numbers={4, 9, 10, 11, 12}) as sheets,
        ):
            for number in range(rows):
                sheets.add(["HG-2026-00001", "Partner", "ptn", "2026-03", str(number), "x", "o", "c", "earned",
                            "100.00", "8", "0.00", "8.00", "GBP", "no"])  # fmt: skip
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(12_000) <= 1.5 * peak(4_000)


def test_the_command_writes_a_whole_file_or_none(march: Period, tmp_path: Path) -> None:
    out = StringIO()
    target = tmp_path / "march.csv"
    call_command(
        "export_lines", "2026-03", "--program", "affiliates", "--output", str(target), "--json", stdout=out
    )
    told = json.loads(out.getvalue())
    assert (told["rows"], told["total_minor"]) == (2, 10_67)
    assert told["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(CommandError, match="no month 2026-09") as refusal:
        call_command(
            "export_lines", "2026-09", "--program", "affiliates", "--output", str(target), stderr=StringIO()
        )
    assert refusal.value.returncode == 2
