"""Read lists of links and codes: a first line that names the columns, then a row a line. A fault is named by its line and its column, and
holds up no other row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from django.utils.translation import gettext_lazy as _

from partners.pasted_lists import cells_of
from prm.lib.errors import Refused
from prm.lib.periods import start_of_day

MOST_ROWS = 2_000
FIRST_YEAR, LAST_YEAR = 2000, 2200
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class EmptyList(Refused):
    """There is nothing below the first line."""

    message = _("There is no row in the list.")
    field = "text"


class TooLong(Refused):
    """The list is longer than a page can show."""

    message = _("A list may have up to %(count)s rows. Split it.")
    field = "text"


class ColumnMissing(Refused):
    """A column is missing without which no row says anything."""

    message = _("The first line has to name the column %(missing)s. Needed: %(needed)s.")
    field = "text"


class UnknownColumn(Refused):
    """A column nobody reads; it may be a known one, misspelt."""

    message = _("The first line names the column “%(name)s”, which means nothing here. Known: %(known)s.")
    field = "text"


class ColumnTwice(Refused):
    """A column stands in the list twice."""

    message = _("The first line names the column “%(name)s” twice.")
    field = "text"


class BadDay(Refused):
    """A day is not written as one."""

    message = _("Write the day as 2026-03-31.")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written, by the names of its columns."""

    line: int
    cells: Mapping[str, str]

    def cell(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, and where."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        """Return the fault as one line of text."""
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.message}"


def parse(text: str, *, needed: Sequence[str], known: Sequence[str]) -> list[Row]:
    """Return the rows of a list; its first line names the columns, in any order.

    Raises: EmptyList, TooLong, ColumnMissing, UnknownColumn, ColumnTwice, TooLarge, NotText.
    """
    lines = cells_of(text)
    if not lines:
        raise EmptyList
    names = [cell.casefold() for cell in lines[0][1]]
    _check_columns(names, needed=needed, known=known)
    if len(lines) == 1:
        raise EmptyList
    if len(lines) - 1 > MOST_ROWS:
        raise TooLong(params={"count": MOST_ROWS})
    return [Row(number, dict(zip(names, cells, strict=False))) for number, cells in lines[1:]]


def first_instant(cell: str, zone: tzinfo, *, column: str) -> datetime | None:
    """Return when a day that was written begins in `zone`; nothing for nothing.

    Raises: BadDay.
    """
    return start_of_day(_day(cell, column), zone) if cell else None


def end_of(cell: str, zone: tzinfo, *, column: str) -> datetime | None:
    """Return the first instant after a day that was written, in `zone`: the whole day still counts.

    Raises: BadDay.
    """
    return start_of_day(_day(cell, column) + timedelta(days=1), zone) if cell else None


def day_before_end(instant: datetime | None, zone: tzinfo) -> date | None:
    """Return the last whole day before an end, as a list or a form says it."""
    return (instant.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone).date() if instant else None


def _day(cell: str, column: str) -> date:
    try:
        found = date.fromisoformat(cell) if _DAY.fullmatch(cell) else None
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise BadDay(field=column)
    return found


def _check_columns(names: Sequence[str], *, needed: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownColumn(params={"name": name[:40], "known": ", ".join(known)})
        if names.count(name) > 1:
            raise ColumnTwice(params={"name": name})
    for name in needed:
        if name not in names:
            raise ColumnMissing(params={"missing": name, "needed": ", ".join(needed)})
