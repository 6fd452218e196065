"""A statement as a workbook: the bridge on one sheet, every row on another. Amounts are numbers with the currency's decimals, and
no text can become a formula or a link."""

from __future__ import annotations

import io
from datetime import UTC

import xlsxwriter
from django.utils.translation import gettext as _
from django.utils.translation import override

from payouts.explained.bridge import bridge_of
from payouts.exports.rows import HEADER, Row, decimal_of, rows_of
from payouts.models import Statement
from prm.lib.money import exponent

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDTHS = (16, 6, 18, 14, 12, 16, 12, 12, 10, 12, 9, 14, 12, 80)


def render(statement: Statement) -> bytes:
    """Return the workbook; the same statement gives the same bytes."""
    target = io.BytesIO()
    options = {
        "constant_memory": True,
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with (
        xlsxwriter.Workbook(target, {**options, "remove_timezone": True}) as book,
        override(statement.language),
    ):
        book.set_properties({"title": statement.number, "created": statement.issued_at.astimezone(UTC)})
        bold = book.add_format({"bold": True})
        amount = book.add_format({"num_format": _amount_format(exponent(statement.currency))})
        _write_bridge(book, statement, bold, amount)
        _write_rows(book, statement, bold, amount)
    return target.getvalue()


def file_name(statement: Statement) -> str:
    return f"{statement.number}.xlsx"


def _amount_format(places: int) -> str:
    return "#,##0" + ("." + "0" * places if places else "")


def _write_bridge(
    book: xlsxwriter.Workbook,
    statement: Statement,
    bold: xlsxwriter.format.Format,
    amount: xlsxwriter.format.Format,
) -> None:
    sheet = book.add_worksheet(_("Statement")[:31])
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 22)
    facts = [
        (_("Statement"), statement.number),
        (_("Program"), statement.facts["program"]["name"]),
        (_("Partner"), statement.facts["partner"]["name"]),
        (_("Month"), statement.facts["period"]),
        (_("Currency"), statement.currency),
    ]
    for row, (label, value) in enumerate(facts):
        sheet.write_string(row, 0, label, bold)
        sheet.write_string(row, 1, value)
    places = exponent(statement.currency)
    for row, term in enumerate(bridge_of(statement), start=len(facts) + 1):
        sheet.write_string(row, 0, term.label, bold)
        sheet.write_number(row, 1, decimal_of(term.amount.minor, places), amount)


def _write_rows(
    book: xlsxwriter.Workbook,
    statement: Statement,
    bold: xlsxwriter.format.Format,
    amount: xlsxwriter.format.Format,
) -> None:
    sheet = book.add_worksheet(_("Lines")[:31])
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(HEADER):
        sheet.write_string(0, column, name, bold)
    for number, row in enumerate(rows_of(statement), start=1):
        _write_row(sheet, number, statement, row, amount, moment)


def _write_row(
    sheet: xlsxwriter.worksheet.Worksheet,
    number: int,
    statement: Statement,
    row: Row,
    amount: xlsxwriter.format.Format,
    moment: xlsxwriter.format.Format,
) -> None:
    texts = {
        0: statement.number,
        3: row.order,
        4: row.customer,
        5: row.kind,
        10: statement.currency,
        13: row.why,
    }
    numbers = {6: row.base, 8: row.flat, 9: row.amount, 11: row.running_total}
    for column in range(len(HEADER)):  # constant_memory wants the cells of a row from left to right
        if column in texts:
            sheet.write_string(number, column, texts[column])
        elif numbers.get(column) is not None:
            sheet.write_number(number, column, numbers[column], amount)
        elif column == 1 and row.line is not None:
            sheet.write_number(number, column, row.line)
        elif column == 2 and row.happened_at is not None:
            sheet.write_datetime(number, column, row.happened_at, moment)
        elif column == 7 and row.rate_percent is not None:
            sheet.write_number(number, column, row.rate_percent)
        elif column == 12 and row.from_earlier_month is not None:
            sheet.write_boolean(number, column, row.from_earlier_month)
