"""The payments of a run in one currency as a workbook, with the columns of the CSV. Amounts are numbers with the currency's decimals, and
no text can become a formula or a link."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC

import xlsxwriter

from payouts.exports.payments_csv import HEADER, facts_of
from payouts.models import Payment, PayRun
from prm.lib.money import Money, exponent

FORMAT = "payments_xlsx"
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {
    "constant_memory": True,
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "remove_timezone": True,
}


def render(run: PayRun, payments: Sequence[Payment]) -> bytes:
    """Return the workbook; the same payments give the same bytes."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        made_at = run.approved_at or run.prepared_at
        book.set_properties({"title": run.message_id, "created": made_at.astimezone(UTC)})
        sheet, bold = book.add_worksheet("Payments"), book.add_format({"bold": True})
        sheet.set_column(0, len(HEADER) - 1, 16)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(HEADER):
            sheet.write_string(0, column, name, bold)
        formats: dict[int, xlsxwriter.format.Format] = {}
        for number, payment in enumerate(payments, start=1):
            facts = facts_of(run, payment)
            for column, name in enumerate(HEADER):
                value = facts[name]
                if isinstance(value, Money):
                    places = exponent(value.currency)
                    if places not in formats:
                        formats[places] = book.add_format({"num_format": amount_format(places)})
                    sheet.write_number(number, column, value.decimal(), formats[places])
                else:
                    sheet.write_string(number, column, value)
    return target.getvalue()


def amount_format(places: int) -> str:
    """Return how a spreadsheet shows an amount with this many decimals."""
    return "#,##0" + ("." + "0" * places if places else "")
