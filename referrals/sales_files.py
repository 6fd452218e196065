"""Read a file of sales line by line. One bad line never spoils another, no line is held in memory beyond 64 kB, and every fault is
named by its line and column.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from referrals import buyers, reading
from referrals.choices import Channel
from referrals.facts import NOBODY_KNOWN, Attribute, Buyer, Event
from referrals.reading import BadValue, shown

LONGEST_LINE = 64 * 1024
REQUIRED = (
    "event_id",
    "kind",
    "occurred_at",
    "customer_id",
    "country",
    "partner_code",
    "amount",
    "currency",
)
# Columns that may be there, and how much fits into those that are texts.
TEXTS = {
    "click_id": 26,
    "product_code": 60,
    "category": 60,
    "sub_id": 80,
    "deal": 60,
    "campaign": 64,
    "lead": 60,
}
BUYER = ("customer_email", "customer_email_sha256")
PARTS = ("tax", "shipping", "discount", "cost")
OPTIONAL = ("original_event_id", *BUYER, *TEXTS, "quantity", *PARTS, "order_id")
UNUSED = ("line_count",)
# Such a column becomes an attribute of the event, a text; empty cells become none.
ATTRIBUTE = "attribute:"
AS_ATTRIBUTE = {"order_id": "order_id"}
_COLUMN_OF = {"code": "partner_code", "product": "product_code"}


class BadFile(Refused):
    """The file as a whole is not what the import reads; nothing of it was taken."""

    def __init__(self, message: str | Promise, *, line: int = 1, column: str = "", **params: object) -> None:
        super().__init__(message, code="bad_file", params={"line": line, "column": column, **params})
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class RowError:
    """One fault of one line."""

    line: int
    column: str
    code: str
    message: str

    def __str__(self) -> str:
        """Return the fault as one line of text."""
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line that can be recorded."""

    line: int
    event: Event


class SalesFile:
    """An open CSV file, plain or gzip, whose header has been read; iterate over it for rows and faults."""

    delimiter = ","

    def __init__(self, stream: BinaryIO, *, source: str, at: datetime) -> None:
        """Read the header.

        Raises: BadFile.
        """
        self.source = reading.word(source, field="source", longest=40, required=True)
        self.at = at
        self._stream = unpacked(stream)
        self.columns = self._header()
        known = {*REQUIRED, *OPTIONAL, *UNUSED}
        self.ignored = [name for name in self.columns if name not in known and not name.startswith(ATTRIBUTE)]
        self._place = {name: index for index, name in enumerate(self.columns)}
        self._attributes = _attribute_columns(self.columns)

    def column_of(self, name: str) -> str:
        """Return the column of the file a field of an event is read from."""
        return _COLUMN_OF.get(name, name)

    def __iter__(self) -> Iterator[Row | RowError]:
        line = 1
        while True:
            line += 1
            try:
                raw = self._stream.readline(LONGEST_LINE + 1)
                too_long = len(raw) > LONGEST_LINE and not raw.endswith(b"\n")
                if too_long:
                    self._skip_rest()
            except (OSError, EOFError, zlib.error):
                yield RowError(
                    line, "", "broken_gzip", str(_("The compressed file is damaged from here on."))
                )
                return
            if not raw:
                return
            if too_long:
                yield self._too_long(line, raw)
            elif raw.strip():
                yield self._row(line, raw)

    def _skip_rest(self) -> None:
        """Pass over the rest of a line that is too long, piece by piece."""
        while True:
            piece = self._stream.readline(LONGEST_LINE)
            if not piece or piece.endswith(b"\n"):
                return

    def _header(self) -> list[str]:
        try:
            raw = self._stream.readline(LONGEST_LINE + 1)
        except (OSError, EOFError, zlib.error):
            raise BadFile(_("The compressed file is damaged.")) from None
        if not raw.strip():
            raise BadFile(_("The file is empty: its first line must name the columns."))
        if len(raw) > LONGEST_LINE:
            raise BadFile(_("The first line is too long to be a list of columns."))
        try:
            cells = cells_of(raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), self.delimiter)
        except (UnicodeDecodeError, csv.Error):
            raise BadFile(_("The first line cannot be read as CSV in UTF-8.")) from None
        return self._checked([cell.strip() for cell in cells])

    def _checked(self, columns: list[str]) -> list[str]:
        require_once(columns)
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise BadFile(
                _("The header lacks the column %(missing)s. Needed: %(needed)s."),
                column=missing[0],
                missing=", ".join(missing),
                needed=", ".join(REQUIRED),
            )
        return columns

    def _row(self, line: int, raw: bytes) -> Row | RowError:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            column = self._column_after(raw[: error.start].decode("utf-8"))
            return RowError(line, column, "not_utf8", str(_("This is not UTF-8 text.")))
        try:
            cells = cells_of(text, self.delimiter)
        except csv.Error:
            column = self._column_after(text)
            return RowError(line, column, "bad_quotes", str(_("A quotation mark is not closed on its line.")))
        if "\0" in text:
            column = next((name for name, cell in zip(self.columns, cells, strict=False) if "\0" in cell), "")
            return RowError(line, column, "nul_byte", str(_("This contains a NUL byte.")))
        if len(cells) != len(self.columns):
            return self._wrong_width(line, len(cells))
        try:
            return Row(line, self._event(cells))
        except BadValue as fault:
            return RowError(line, self.column_of(fault.field or ""), fault.code, str(fault))

    def _event(self, cells: Sequence[str]) -> Event:
        place = self._place
        currency = reading.currency(cells[place["currency"]])
        kind = reading.kind(cells[place["kind"]])
        texts = {name: self._optional(cells, name, longest) for name, longest in TEXTS.items()}
        parts = {name: reading.part(self._cell(cells, name), currency, field=name) for name in PARTS}
        return Event(
            source=self.source,
            external_id=reading.word(cells[place["event_id"]], field="event_id", longest=100, required=True),
            kind=kind,
            occurred_at=reading.instant(cells[place["occurred_at"]], at=self.at),
            amount=reading.amount(cells[place["amount"]], currency),
            customer_id=reading.word(cells[place["customer_id"]], field="customer_id", longest=100),
            country=reading.word(cells[place["country"]], field="country", longest=64),
            code=reading.code(cells[place["partner_code"]], field="partner_code"),
            click_id=texts["click_id"],
            original_external_id=reading.original(self._cell(cells, "original_event_id"), kind),
            product=texts["product_code"],
            category=texts["category"],
            quantity=reading.quantity(self._cell(cells, "quantity")),
            tax_minor=parts["tax"],
            shipping_minor=parts["shipping"],
            discount_minor=parts["discount"],
            cost_minor=parts["cost"],
            sub_id=texts["sub_id"],
            deal=texts["deal"],
            attributes=self._told_attributes(cells),
            campaign=texts["campaign"],
            lead=texts["lead"],
            channel=Channel.FILE,
            buyer=self._buyer(cells),
        )

    def _buyer(self, cells: Sequence[str]) -> Buyer:
        email, digest = (self._cell(cells, name) for name in BUYER)
        return buyers.buyer_of(email=email, email_sha256=digest) if email or digest else NOBODY_KNOWN

    def _told_attributes(self, cells: Sequence[str]) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        for column, name in self._attributes.items():
            if text := cells[self._place[column]].strip():
                found |= reading.attributes({name: text}, field=column)
        return found

    def _cell(self, cells: Sequence[str], name: str) -> str:
        index = self._place.get(name)
        return "" if index is None else cells[index]

    def _optional(self, cells: Sequence[str], name: str, longest: int) -> str:
        text = self._cell(cells, name)
        return reading.word(text, field=name, longest=longest) if text else ""

    def _wrong_width(self, line: int, width: int) -> RowError:
        column = self.columns[width] if width < len(self.columns) else self.columns[-1]
        message = _("The line has %(given)s fields, the header has %(expected)s.") % {
            "given": width,
            "expected": len(self.columns),
        }
        return RowError(line, column, "wrong_width", message)

    def _too_long(self, line: int, raw: bytes) -> RowError:
        column = self._column_after(raw.decode("utf-8", errors="replace"))
        message = _("The line is longer than %(longest)s bytes.") % {"longest": LONGEST_LINE}
        return RowError(line, column, "line_too_long", message)

    def _column_after(self, text: str) -> str:
        """Return the name of the column in which `text` breaks off."""
        count = len(next(csv.reader([text], delimiter=self.delimiter), [""]))
        return self.columns[min(max(count, 1), len(self.columns)) - 1]


def _attribute_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return the columns that become attributes of the event, with the attribute's name."""
    named = {name: name.removeprefix(ATTRIBUTE) for name in columns if name.startswith(ATTRIBUTE)}
    named |= {column: name for column, name in AS_ATTRIBUTE.items() if column in columns}
    try:
        reading.attributes(dict.fromkeys(named.values(), ""))
    except BadValue as fault:
        raise BadFile(str(fault)) from None
    return named


def unpacked(stream: BinaryIO) -> BinaryIO:
    """Return `stream` from its start, decompressed when it is gzip, whatever its name says."""
    magic = stream.read(2)
    stream.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if magic == b"\x1f\x8b" else stream


def count_lines(stream: BinaryIO) -> int | None:
    """Return how many lines follow the first, None when that cannot be told, and rewind."""
    count, last = 0, b"\n"
    plain = unpacked(stream)
    try:
        while piece := plain.read(1 << 20):
            count += piece.count(b"\n")
            last = piece[-1:]
    except (OSError, EOFError, zlib.error):
        return None
    finally:
        stream.seek(0)
    return max(count - 1 + (last != b"\n"), 0)


def cells_of(text: str, delimiter: str) -> list[str]:
    """Return the cells of one line, which is parsed alone: no quotation mark left open can swallow the lines after it.

    Raises: csv.Error.
    """
    return next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter, strict=True), [])


def require_once(columns: list[str]) -> None:
    """Refuse a header that names a column twice.

    Raises: BadFile.
    """
    doubled = next((name for name in columns if columns.count(name) > 1), None)
    if doubled is not None:
        raise BadFile(_("The header names the column “%(column)s” twice."), column=shown(doubled))
