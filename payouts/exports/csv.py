"""A statement as CSV: UTF-8, commas, a point for decimals, ISO dates with the program's offset. The header names never change."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from django.utils.translation import override

from payouts.exports.rows import HEADER, Row, rows_of
from payouts.models import Statement
from prm.lib.cells import formula_safe

CONTENT_TYPE = "text/csv; charset=utf-8"


def render(statement: Statement, *, with_bom: bool = False) -> bytes:
    """Return the statement's rows as a file; some spreadsheet programs need the byte order mark to read UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    with override(statement.language):
        for row in rows_of(statement):
            writer.writerow(_cells(statement, row))
    return text.getvalue().encode("utf-8-sig" if with_bom else "utf-8")


def file_name(statement: Statement) -> str:
    return f"{statement.number}.csv"


def _cells(statement: Statement, row: Row) -> list[str]:
    return [
        formula_safe(statement.number),
        "" if row.line is None else str(row.line),
        row.happened_at.isoformat() if row.happened_at else "",
        formula_safe(row.order),
        formula_safe(row.customer),
        row.kind,
        _number(row.base),
        _number(row.rate_percent),
        _number(row.flat),
        _number(row.amount),
        statement.currency,
        _number(row.running_total),
        "" if row.from_earlier_month is None else ("yes" if row.from_earlier_month else "no"),
        formula_safe(row.why),
    ]


def _number(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")
