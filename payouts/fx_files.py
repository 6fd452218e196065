"""Read the files in which the European Central Bank publishes its reference rates: XML of a day, of 90 days or of all days, and CSV.
A file is read day by day and never as a whole; what is no rate is refused with the place where it stands."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.parsers import expat

from django.utils.translation import gettext_lazy as _

from prm.lib.currencies import EXPONENTS
from prm.lib.errors import Refused

_ECB = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"
_LARGEST = Decimal(10) ** 10
_CODE = re.compile(r"[A-Z]{3}")
_CHUNK = 64 * 1024
_GAPS = frozenset({"", "N/A", "-"})


class BadRates(Refused):
    message = _("This is not a file of reference rates of the European Central Bank.")
    field = "file"


class BadRate(BadRates):
    message = _("Line %(line)s: %(text)s is not a rate of %(currency)s.")


class BadDay(BadRates):
    message = _("Line %(line)s: %(text)s is not a day.")


class DayTwice(BadRates):
    message = _("%(day)s stands in the file twice.")


@dataclass
class Day:
    """The rates of one day: units of each currency for one euro."""

    on: date
    rates: dict[str, Decimal] = field(default_factory=dict)
    unknown: int = 0  # rates of currencies that are no longer in use

    def add(self, currency: str, text: str, *, line: int) -> None:
        """Take one rate; a gap is no rate.

        Raises: BadRate.
        """
        value = text.strip()
        if value in _GAPS:
            return
        rate = _rate(value)
        if rate is None or not _CODE.fullmatch(currency) or self.rates.get(currency, rate) != rate:
            raise BadRate(params={"line": line, "text": repr(value[:40]), "currency": currency[:10]})
        if currency not in EXPONENTS:
            self.unknown += 1
        else:
            self.rates[currency] = rate


def days_of(content: bytes) -> Iterator[Day]:
    """Yield the days of a file in its order.

    Raises: BadRates and its kinds.
    """
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    seen: set[date] = set()
    for day in _xml(content) if start.startswith(b"<") else _csv(content):
        if day.on in seen:
            raise DayTwice(params={"day": day.on.isoformat()})
        seen.add(day.on)
        yield day


def count_days(content: bytes) -> int:
    """Return about how many days a file has, to show progress by."""
    return content.count(b"time=") or max(0, content.count(b"\n") - 1)


def _csv(content: bytes) -> Iterator[Day]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRates from error
    rows = csv.reader(io.StringIO(text, newline=""))
    head = [name.strip() for name in next(rows, [])]
    if not head or head[0] != "Date" or not all(_CODE.fullmatch(name) for name in head[1:] if name):
        raise BadRates
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _csv_day(head, row, line=rows.line_num)
    except csv.Error as error:
        raise BadRates from error


def _csv_day(head: list[str], row: list[str], *, line: int) -> Day:
    day = Day(_day(row[0], line=line))
    for currency, cell in zip(head[1:], row[1:], strict=False):
        if currency:
            day.add(currency, cell, line=line)
    return day


class _Cubes:
    """What the parser of XML calls; finished days wait in `days`."""

    def __init__(self) -> None:
        self.days: list[Day] = []
        self._open: list[str] = []
        self._day: Day | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.refuse  # no document type, so no entity and no address

    def refuse(self, *_args: Any) -> None:
        """Refuse what has no place in such a file."""
        raise BadRates

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin a day or take a rate."""
        self._open.append(name)
        if len(self._open) > 10:
            raise BadRates
        if name != _ECB:
            return
        line = self.parser.CurrentLineNumber
        if "time" in attributes:
            self._day = Day(_day(attributes["time"], line=line))
        elif "currency" in attributes:
            if self._day is None:
                raise BadRates
            self._day.add(attributes["currency"], attributes.get("rate", "?"), line=line)

    def end(self, name: str) -> None:
        """End a day when the element that began it ends."""
        self._open.pop()
        if name == _ECB and self._day is not None and self._open.count(_ECB) == 1:
            self.days.append(self._day)
            self._day = None


def _xml(content: bytes) -> Iterator[Day]:
    cubes, found = _Cubes(), False
    for start in range(0, len(content), _CHUNK):
        _feed(cubes, content[start : start + _CHUNK], is_last=start + _CHUNK >= len(content))
        found = found or bool(cubes.days)
        yield from cubes.days
        cubes.days.clear()
    if not found:
        raise BadRates


def _feed(cubes: _Cubes, part: bytes, *, is_last: bool) -> None:
    try:
        cubes.parser.Parse(part, is_last)
    except expat.ExpatError as error:
        raise BadRates from error


def _rate(text: str) -> Decimal | None:
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,10})?", text):
        return None
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    return rate if 0 < rate < _LARGEST else None


def _day(text: str, *, line: int) -> date:
    value = text.strip()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    try:
        return datetime.strptime(value, "%d %B %Y").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise BadDay(params={"line": line, "text": repr(value[:40])}) from None
