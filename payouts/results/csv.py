"""Read results somebody wrote down, or a provider exported, as CSV. The header is required; every fault is named by row and column, and
one fault refuses the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext as _

from payouts.results import xml
from payouts.results.facts import Amount, Booking, Faults, NotRead, Says, WrongRows

REQUIRED = ("end_to_end_id", "outcome")
OPTIONAL = (
    "reference",
    "reason_code",
    "reason",
    "booked_on",
    "amount",
    "currency",
    "fee",
    "fee_currency",
)
OUTCOMES = {
    "settled": Says.PAID,
    "failed": Says.CAME_BACK,
    "returned": Says.CAME_BACK,
    "pending": Says.WAITING,
}
_COLUMNS = frozenset((*REQUIRED, *OPTIONAL))


def bookings(content: bytes) -> list[Booking]:
    """Return the rows of a file; the header is row 1.

    Raises: NotRead, WrongRows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotRead(_("it is not written in UTF-8.")) from error
    header = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if header.count(";") > header.count(",") else ","
    )
    faults = Faults()
    try:
        _look_at_header(reader.fieldnames or ())
        found = list(_rows(reader, faults))
    except csv.Error as error:
        raise NotRead(_("row %(row)s is no CSV.") % {"row": reader.line_num}) from error
    if faults.count:
        raise WrongRows(faults)
    return found


def _look_at_header(names: object) -> None:
    known = [str(name).strip() for name in names] if isinstance(names, list | tuple) else []
    missing = [name for name in REQUIRED if name not in known]
    unknown = [name for name in known if name not in _COLUMNS]
    if missing:
        raise NotRead(_("the header lacks %(columns)s.") % {"columns": ", ".join(missing)})
    if unknown or len(set(known)) != len(known):
        raise NotRead(
            _("the header has columns that are not known or come twice: %(columns)s.")
            % {"columns": ", ".join(unknown or known)[:200]}
        )


def _rows(reader: csv.DictReader[str], faults: Faults) -> Iterator[Booking]:
    for cells in reader:
        row = reader.line_num
        if None in cells or None in cells.values():
            faults.add(row, _("columns"), _("there are not as many cells as columns."))
            continue
        given = {name.strip(): value.strip() for name, value in cells.items()}
        if not any(given.values()):
            continue
        before = faults.count
        booking = Booking(
            row=row,
            says=_says(given, row, faults),
            end_to_end_id=_id(given, row, faults),
            amount=_amount(given, "amount", "currency", row, faults),
            fee=_amount(given, "fee", "fee_currency", row, faults),
            code=given.get("reason_code", "").upper()[:12],
            reason=given.get("reason", "")[:200],
            reference=given.get("reference", "")[:60],
            booked_on=_day(given, row, faults),
        )
        if faults.count == before:
            yield booking


def _says(given: dict[str, str], row: int, faults: Faults) -> Says:
    found = OUTCOMES.get(given["outcome"].casefold())
    if found is None:
        faults.add(
            row,
            "outcome",
            _("%(value)s is none of %(known)s.")
            % {"value": repr(given["outcome"][:20]), "known": ", ".join(OUTCOMES)},
        )
    return found or Says.WAITING


def _id(given: dict[str, str], row: int, faults: Faults) -> str:
    if not given["end_to_end_id"]:
        faults.add(row, "end_to_end_id", _("it is empty."))
    return given["end_to_end_id"].upper()


def _amount(given: dict[str, str], name: str, currency: str, row: int, faults: Faults) -> Amount | None:
    if not given.get(name):
        return None
    try:
        return xml.number(given[name], given.get(currency, "").upper())
    except NotRead:
        faults.add(
            row,
            name,
            _("%(value)s is no amount: write it as 1234.50.") % {"value": repr(given[name][:20])},
        )
        return None


def _day(given: dict[str, str], row: int, faults: Faults) -> date | None:
    written = given.get("booked_on", "")
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        faults.add(
            row,
            "booked_on",
            _("%(value)s is no date: write it as 2026-12-14.") % {"value": repr(written[:20])},
        )
        return None
