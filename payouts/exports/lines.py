"""Every line of a program's statements in one file, however many there are: CSV by COPY on PostgreSQL, row by row on SQLite, the same bytes
on both. Memory does not grow with the rows, amounts are those that were stated, and no cell is a formula."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, Any

from django.db import connection

from payouts.exports.xlsx_stream import Sheets, Value
from payouts.models import Period
from prm.lib.cells import FORMULA_SIGNS, formula_safe
from prm.lib.db import as_of_one_moment
from prm.lib.money import exponent

HEADER = (
    "statement",
    "partner",
    "partner_id",
    "month",
    "line",
    "happened_at",
    "order",
    "customer",
    "kind",
    "base",
    "rate_percent",
    "flat",
    "amount",
    "currency",
    "from_earlier_month",
)
_NUMBERS = frozenset({4, 9, 10, 11, 12})
_AT_ONCE = 2000
_FROM = """
FROM payouts_statementline l
JOIN payouts_statement s ON s.id = l.statement_id
JOIN partners_membership m ON m.id = s.membership_id
JOIN partners_partner p ON p.id = m.partner_id
WHERE s.period_id = {period} AND s.kind = 'statement' AND s.state <> 'credited'
ORDER BY s.year, s.sequence, l.position
"""


@dataclass
class Manifest:
    """What a file holds: its rows, the sum of its amounts in minor units, and the hash of its bytes."""

    rows: int
    total_minor: int
    currency: str
    sha256: str = ""


@dataclass
class _Hashing(io.RawIOBase):
    """Passes bytes on, counts line ends and keeps the hash."""

    target: IO[bytes]
    digest: Any = field(default_factory=hashlib.sha256)
    line_ends: int = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        taken = bytes(data)
        self.digest.update(taken)
        self.line_ends += taken.count(b"\n")
        return self.target.write(taken)


def write_csv(period: Period, target: IO[bytes]) -> Manifest:
    """Write all statement lines of the month as CSV: UTF-8, a point for decimals, instants in UTC."""
    out = _Hashing(target)
    with as_of_one_moment():
        manifest = _counted(period)
        if connection.vendor == "postgresql":
            _copy(period, out)
        else:
            _write(period, out)
    manifest.sha256 = out.digest.hexdigest()
    return manifest


def write_xlsx(period: Period, target: IO[bytes]) -> Manifest:
    """Write all statement lines of the month as a workbook; a sheet takes about a million, the next one goes on."""
    out = _Hashing(target)
    with as_of_one_moment():
        manifest = _counted(period)
        places = exponent(period.program.currency)
        with Sheets(out, title=str(period), header=HEADER, numbers=_NUMBERS) as sheets:
            for row in _rows(period, places, is_neutral=False):
                sheets.add(row)
    manifest.sha256 = out.digest.hexdigest()
    return manifest


def _counted(period: Period) -> Manifest:
    lines = _FROM.split("ORDER BY")[0].format(period=int(period.pk))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), coalesce(sum(l.amount_minor), 0) {lines}")
        rows, minor = cursor.fetchone()
    return Manifest(rows=int(rows), total_minor=int(minor), currency=period.program.currency)


def _copy(period: Period, out: _Hashing) -> None:
    query = _select_postgresql(period)
    with connection.cursor() as cursor:
        # What COPY sends is already what the file holds: nothing of it passes through Python row by row.
        out.write((",".join(HEADER) + "\n").encode())
        cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", out)


def _write(period: Period, out: _Hashing) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for number, row in enumerate(_rows(period, exponent(period.program.currency), is_neutral=True), start=1):
        writer.writerow(row)
        if number % _AT_ONCE == 0:
            _flush(text, out)
    _flush(text, out)


def _flush(text: io.StringIO, out: _Hashing) -> None:
    out.write(text.getvalue().encode())
    text.seek(0)
    text.truncate()


def _rows(period: Period, places: int, *, is_neutral: bool) -> Iterator[list[Value]]:
    """Yield the rows with numbers as plain text; `is_neutral` puts an apostrophe before what looks like a formula."""
    query = _select_plain() + _FROM.format(period=int(period.pk))
    mark = formula_safe if is_neutral else str
    month = str(period)
    with closing(_streaming_cursor()) as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(_AT_ONCE):
            for row in rows:
                yield [
                    row[0],
                    mark(row[1]),
                    row[2],
                    month,
                    str(row[3]),
                    _instant(row[4]),
                    mark(row[5]),
                    mark(row[6]),
                    row[7],
                    _decimal(row[8], places),
                    _plain_rate(str(row[9])),
                    _decimal(row[10], places),
                    _decimal(row[11], places),
                    row[12],
                    "yes" if row[13] else "no",
                ]


def _streaming_cursor() -> Any:
    """Return a cursor that keeps no more rows in memory than it is asked for."""
    if connection.vendor == "postgresql":
        return connection.chunked_cursor()
    return connection.cursor()


def _select_plain() -> str:
    return (
        "SELECT s.number, p.name, p.public_id, l.position, l.occurred_at, l.order_id, l.customer, l.kind,"
        " l.base_minor, l.rate, l.flat_minor, l.amount_minor, s.currency, l.from_earlier_period"
    )


def _select_postgresql(period: Period) -> str:
    places = exponent(period.program.currency)
    return (
        "SELECT s.number, "
        + ", ".join(_neutral_sql(column) for column in ("p.name",))
        + f", p.public_id, '{period}', l.position"
        + ", to_char(l.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        + f", {_neutral_sql('l.order_id')}, {_neutral_sql('l.customer')}, l.kind"
        + f", {_decimal_sql('l.base_minor', places)}, trim_scale(l.rate)::text"
        + f", {_decimal_sql('l.flat_minor', places)}, {_decimal_sql('l.amount_minor', places)}, s.currency"
        + ", CASE WHEN l.from_earlier_period THEN 'yes' ELSE 'no' END"
        + _FROM.format(period=int(period.pk))
    )


def _neutral_sql(column: str) -> str:
    signs = ", ".join(f"U&'\\{ord(sign):04X}'" for sign in FORMULA_SIGNS)
    return f"CASE WHEN left({column}, 1) IN ({signs}) THEN '''' || {column} ELSE {column} END"


def _decimal_sql(column: str, places: int) -> str:
    return f"({column}::numeric / {10**places})::numeric(30, {places})::text" if places else f"{column}::text"


def _decimal(minor: int, places: int) -> str:
    if not places:
        return str(minor)
    digits = str(abs(minor)).rjust(places + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _plain_rate(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _instant(value: Any) -> str:
    text = value if isinstance(value, str) else value.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text[:10]}T{text[11:19]}Z"
