"""Read a list of figures, pasted or from a file, and say of each row what is wrong with it before anything is entered. A faulty row holds up no
other, and is named by its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.engagement import figures
from partners.models import Membership, StaffFigure
from partners.own_team import OwnTeam
from partners.pasted_lists import cells_of
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

MOST_ROWS = 2_000
_DIGITS = 13
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COLUMNS = ("membership", "figure", "value", "day", "source")
# What the columns are called in lists people keep; in any order, with others beside them.
_HEADINGS = {
    "membership": {"membership", "membership id", "id"},
    "figure": {"figure", "metric"},
    "value": {"value", "number"},
    "day": {"day", "as of", "date", "counted_on"},
    "source": {"source", "note", "where it comes from"},
}


class EmptyList(Refused):
    message = gettext_lazy("There is no figure in the list.")
    field = "text"


class TooLong(Refused):
    message = gettext_lazy("A list may have up to 2,000 rows. Split it.")
    field = "text"


class ColumnMissing(Refused):
    message = gettext_lazy(
        "The first line has to name these columns: membership, figure, value, day, source."
    )
    field = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written."""

    line: int
    membership: str
    figure: str
    value: str
    day: str
    source: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A row with the membership it means and the number it holds; `fault` says what is wrong with it."""

    row: Row
    membership: Membership | None = None
    value: int = 0
    day: date | None = None
    fault: str = ""


def parse(text: str) -> list[Row]:
    """Return the rows of a list; its first line names the columns, parted by commas, semicolons or tabs.

    Raises: EmptyList, TooLong, TooLarge, NotText, ColumnMissing.
    """
    lines = cells_of(text)
    if not lines:
        raise EmptyList
    places = _places(lines[0][1])
    if len(lines) == 1:
        raise EmptyList
    if len(lines) - 1 > MOST_ROWS:
        raise TooLong
    return [
        Row(number, *(cells[places[name]] if places[name] < len(cells) else "" for name in _COLUMNS))
        for number, cells in lines[1:]
    ]


def check(rows: Sequence[Row], *, at: datetime) -> list[Checked]:
    """Say what is wrong with each row; the number of queries does not depend on how many there are."""
    named = {row.membership for row in rows}
    found = Membership.objects.filter(public_id__in=named).select_related("program", "partner")
    memberships = {each.public_id: each for each in found}
    known = _known(list(memberships.values()))
    seen: set[tuple[int, str, date]] = set()
    return [_checked(row, memberships, known, seen, at=at) for row in rows]


def enter_all(rows: Iterable[Row], *, by: User, at: datetime) -> tuple[int, list[Checked]]:
    """Enter the rows that are in order, each in a transaction of its own; return how many, and what was left out and why.

    Raises: Forbidden.
    """
    entered, left = 0, []
    for each in check(list(rows), at=at):
        if each.fault or each.membership is None or each.day is None:
            left.append(each)
            continue
        try:
            figures.enter(
                each.membership,
                metric=each.row.figure,
                value=each.value,
                counted_on=each.day,
                note=each.row.source,
                by=by,
                at=at,
            )
        except (OwnTeam, figures.EnteredAlready) as refusal:
            left.append(Checked(each.row, each.membership, fault=str(refusal)))
        else:
            entered += 1
    return entered, left


def _known(memberships: list[Membership]) -> dict[tuple[int, str, date], int]:
    """Return the values that stand, by membership, figure and day; of one day what was entered last."""
    rows = StaffFigure.objects.filter(membership__in=memberships).order_by("entered_at", "pk")
    return {(row.membership_id, row.metric, row.counted_on): row.value for row in rows}


def _checked(
    row: Row,
    memberships: Mapping[str, Membership],
    known: Mapping[tuple[int, str, date], int],
    seen: set[tuple[int, str, date]],
    *,
    at: datetime,
) -> Checked:
    membership = memberships.get(row.membership)
    if membership is None:
        return Checked(row, fault=_("No membership has this id."))
    if not (row.value.isascii() and row.value.isdecimal() and len(row.value) <= _DIGITS):
        return Checked(row, membership, fault=str(figures.BadValue()))
    value, day = int(row.value), _day(row.day)
    if day is None:
        return Checked(row, membership, fault=_("Write the day as 2026-03-31."))
    try:
        figures.check(membership, metric=row.figure, value=value, counted_on=day, note=row.source, at=at)
    except figures.UnknownFigure:
        names = ", ".join(figures.LABELS)
        return Checked(row, membership, fault=_("The figure is one of: %(names)s.") % {"names": names})
    except Refused as refusal:
        return Checked(row, membership, fault=str(refusal))
    place = (membership.pk, row.figure, day)
    if place in seen:
        return Checked(row, membership, fault=_("Stands in the list twice."))
    seen.add(place)
    if known.get(place) == value:
        return Checked(row, membership, fault=str(figures.EnteredAlready()))
    return Checked(row, membership, value, day)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _places(cells: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in _COLUMNS:
        place = next((at for at, cell in enumerate(cells) if cell.casefold() in _HEADINGS[name]), None)
        if place is None:
            raise ColumnMissing
        found[name] = place
    return found
