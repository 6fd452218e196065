"""Read a shop's own file by what was said of its columns. Every line is read as the product's own format is: values are brought into our
way of writing them first, and a value that is written otherwise than was said is a fault, never a guess."""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from referrals import buyers, mapping_guess, reading
from referrals.choices import Channel
from referrals.facts import NOBODY_KNOWN, Buyer, Event
from referrals.mapping import FileMapping, check
from referrals.sales_files import LONGEST_LINE, PARTS, BadFile, SalesFile, cells_of, require_once, unpacked
from tiers.choices import EventKind

LOOKED_AT = 50  # lines a guess is made from
_GROUPED = {
    ".": re.compile(r"-?[0-9]{1,3}(?:[, \u00a0\u202f'][0-9]{3})+(?:\.[0-9]+)?"),
    ",": re.compile(r"-?[0-9]{1,3}(?:[. \u00a0\u202f'][0-9]{3})+(?:,[0-9]+)?"),
}
_PLAIN = {".": re.compile(r"-?[0-9]+(?:\.[0-9]+)?"), ",": re.compile(r"-?[0-9]+(?:,[0-9]+)?")}
_NUMBERS = re.compile(
    r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})"
    r"(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ?([AaPp])\.?[Mm]\.?)?)?"
)
_NAIVE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?")
_SECONDS = re.compile(r"[0-9]{1,11}")
_KINDS = {
    "order": EventKind.SALE,
    "purchase": EventKind.SALE,
    "payment": EventKind.SALE,
    "return": EventKind.REFUND,
    "refunded": EventKind.REFUND,
    "credit": EventKind.REFUND,
    "credit note": EventKind.REFUND,
}
_TEXTS = {"click_id": 26, "product": 60, "category": 60, "sub_id": 80, "deal": 60, "lead": 60, "campaign": 64}


class MappedFile(SalesFile):
    """An open CSV file whose columns mean what a mapping says; iterate over it for rows and faults."""

    def __init__(self, stream: BinaryIO, *, source: str, at: datetime, mapping: FileMapping) -> None:
        """Read the header.

        Raises: BadFile, BadMapping.
        """
        self.mapping = mapping
        self.delimiter = mapping.delimiter
        super().__init__(stream, source=source, at=at)
        self._index = {name: self._place[column] for name, column in mapping.columns.items()}
        self._zone = ZoneInfo(mapping.zone)
        used = {*mapping.columns.values(), *mapping.attributes.values()}
        self.ignored = [name for name in self.columns if name not in used]
        self._attributes = {column: name for name, column in mapping.attributes.items()}

    def column_of(self, name: str) -> str:
        """Return the column of the file a field of an event is read from."""
        return self.mapping.columns.get(name, name)

    def _checked(self, columns: list[str]) -> list[str]:
        require_once(columns)
        check(self.mapping, columns)
        return columns

    def _cell(self, cells: Sequence[str], name: str) -> str:
        index = self._index.get(name)
        return self.mapping.constants.get(name, "") if index is None else cells[index].strip()

    def _event(self, cells: Sequence[str]) -> Event:
        currency = reading.currency(self._cell(cells, "currency").upper())
        kind, amount, is_turned = self._kind_and_amount(cells)
        texts = {name: self._optional(cells, name, longest) for name, longest in _TEXTS.items()}
        parts = {
            name: reading.part(
                self._number(self._cell(cells, name), name, is_turned=is_turned), currency, field=name
            )
            for name in PARTS
        }
        pieces = self._cell(cells, "quantity")
        return Event(
            source=self.source,
            external_id=reading.word(
                self._cell(cells, "event_id"), field="event_id", longest=100, required=True
            ),
            kind=kind,
            occurred_at=reading.instant(self._instant(self._cell(cells, "occurred_at")), at=self.at),
            amount=reading.amount(amount, currency),
            customer_id=reading.word(self._cell(cells, "customer_id"), field="customer_id", longest=100),
            country=reading.word(self._cell(cells, "country"), field="country", longest=64),
            code=reading.code(self._cell(cells, "code")),
            original_external_id=reading.original(self._cell(cells, "original_event_id"), kind),
            quantity=reading.quantity(pieces.removeprefix("-") if is_turned else pieces),
            tax_minor=parts["tax"],
            shipping_minor=parts["shipping"],
            discount_minor=parts["discount"],
            cost_minor=parts["cost"],
            click_id=texts["click_id"],
            product=texts["product"],
            category=texts["category"],
            sub_id=texts["sub_id"],
            deal=texts["deal"],
            lead=texts["lead"],
            campaign=texts["campaign"],
            attributes=self._told_attributes(cells),
            channel=Channel.FILE,
            buyer=self._buyer(cells),
        )

    def _kind_and_amount(self, cells: Sequence[str]) -> tuple[str, str, bool]:
        """Return the kind, the amount as text, and whether a sign was taken as "this takes a sale back"."""
        told = self._cell(cells, "kind").lower()
        kind = reading.kind(_KINDS.get(told, told))
        amount = self._number(self._cell(cells, "amount"), "amount")
        if self.mapping.negatives != "refund" or not amount.startswith("-"):
            return kind, amount, False
        is_sale = kind in (EventKind.SALE, EventKind.RENEWAL)
        return (EventKind.REFUND if is_sale else kind), amount.removeprefix("-"), True

    def _number(self, text: str, name: str, *, is_turned: bool = False) -> str:
        """Return an amount as we write amounts.

        Raises: BadValue when it is not written the way the file writes them.
        """
        mark = self.mapping.decimal
        if text.endswith("-") and self.mapping.negatives == "refund":
            text = f"-{text[:-1]}"
        if _PLAIN[mark].fullmatch(text):
            found = text.replace(mark, ".")
        elif _GROUPED[mark].fullmatch(text):
            whole, _mark, rest = text.partition(mark)
            found = re.sub(r"[^0-9-]", "", whole) + (f".{rest}" if rest else "")
        elif text:
            raise reading.BadValue(
                _("“%(value)s” is not an amount as the others of this file are written."),
                code="not_an_amount",
                field=name,
                value=text,
            )
        else:
            return ""
        return found.removeprefix("-") if is_turned else found

    def _instant(self, text: str) -> str:
        """Return a date as we write instants; a day alone is its beginning."""
        style = self.mapping.dates
        if style == "iso":
            return self._in_zone(text) if _NAIVE.fullmatch(text) else text
        if style == "unix":
            # An instant of its own: no zone is added to it.
            return datetime.fromtimestamp(int(text), tz=UTC).isoformat() if _SECONDS.fullmatch(text) else text
        found = _NUMBERS.fullmatch(text)
        if found is None:
            raise _not_a_date(text)
        first, second, year, hour, minute, seconds, half = found.groups()
        day, month = (first, second) if style == "dmy" else (second, first)
        hours = _hours(int(hour or 0), half or "")
        return self._in_zone(
            f"{year}-{int(month):02}-{int(day):02}T{hours:02}:{minute or '00'}:{seconds or '00'}"
        )

    def _in_zone(self, text: str) -> str:
        """Return a local time with its offset; of an hour the clocks go through twice it is the first."""
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self._zone).isoformat()
        except ValueError:
            raise _not_a_date(text) from None

    def _buyer(self, cells: Sequence[str]) -> Buyer:
        email, digest = self._cell(cells, "customer_email"), self._cell(cells, "customer_email_sha256")
        return buyers.buyer_of(email=email, email_sha256=digest) if email or digest else NOBODY_KNOWN


def _not_a_date(text: str) -> reading.BadValue:
    return reading.BadValue(
        _("“%(value)s” is not a date as the others of this file are written."),
        code="not_a_date",
        field="occurred_at",
        value=text,
    )


def _hours(hour: int, half: str) -> int:
    if not half:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0) if 1 <= hour <= 12 else 99


def look(stream: BinaryIO) -> tuple[str, list[str], list[list[str]]]:
    """Return what parts the columns of a file, their names and the first lines, and rewind.

    Raises: BadFile.
    """
    plain = unpacked(stream)
    try:
        raw = [plain.readline(LONGEST_LINE + 1) for _index in range(LOOKED_AT + 1)]
    except (OSError, EOFError, zlib.error):
        raise BadFile(_("The compressed file is damaged.")) from None
    finally:
        stream.seek(0)
    if len(raw[0]) > LONGEST_LINE:
        raise BadFile(_("The first line is too long to be a list of columns."))
    texts = _texts([line for line in raw if line.strip()])
    if not texts:
        raise BadFile(_("The file is empty: its first line must name the columns."))
    delimiter = mapping_guess.delimiter_of(texts[0])
    rows: list[list[str]] = []
    for text in texts:
        try:
            rows.append(cells_of(text, delimiter))
        except csv.Error:
            if not rows:
                raise BadFile(_("The first line cannot be read as CSV in UTF-8.")) from None
    header = [name.strip() for name in rows[0]]
    require_once(header)
    return delimiter, header, rows[1:]


def _texts(raw: list[bytes]) -> list[str]:
    """Return the lines that are UTF-8; the first must be."""
    found: list[str] = []
    for index, line in enumerate(raw):
        try:
            found.append((line.removeprefix(b"\xef\xbb\xbf") if index == 0 else line).decode("utf-8"))
        except UnicodeDecodeError:
            if index == 0:
                raise BadFile(_("The first line cannot be read as CSV in UTF-8.")) from None
    return found
