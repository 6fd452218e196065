"""Read a list of people to invite, pasted or from a file, and say of each row what would become of it before anything is sent. A faulty row
holds up no other, and is named by its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners import invitations
from partners.application_forms.validators import one_line, printable
from partners.models import Application, ProgramInvitation
from partners.pasted_lists import cells_of
from prm.accounts.emails import fold_email
from prm.lib.errors import Refused
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from prm.accounts.models import User

MOST_ROWS = 500
_NAME, _COMPANY, _EMAIL = 120, 140, 254
# What the first line is called in lists people keep; in any order, with others beside them.
_HEADINGS = {
    "full_name": {"name", "full name", "full_name", "contact", "nom", "imię i nazwisko", "imie i nazwisko"},
    "email": {"email", "e-mail", "mail", "e-mail address", "email address", "adresse e-mail", "adres e-mail"},
    "company": {"company", "organisation", "organization", "société", "societe", "entreprise", "firma"},
}


class Outcome(models.TextChoices):
    """What would become of a row."""

    NEW = "new", _("Gets an invitation")
    MEMBER = "member", _("Is in the program already")
    APPLIED = "applied", _("Has applied: decide on the application")
    INVITED = "invited", _("Is invited already")
    TWICE = "twice", _("Stands in the list twice")
    BAD = "bad", _("Cannot be read")


class EmptyList(Refused):
    message = _("There is nobody in the list.")
    field = "text"


class TooLong(Refused):
    message = _("A list may have up to %(count)s rows. Split it.")
    field = "text"


class NoMailColumn(Refused):
    message = _("The first line names no column for the e-mail address. Call it “email”.")
    field = "text"


@dataclass(frozen=True)
class Row:
    """One row as it was read; `fault` says what is wrong with it."""

    line: int
    full_name: str
    email: str
    company: str
    fault: str = ""


@dataclass(frozen=True)
class Checked:
    """A row, and what would become of it."""

    row: Row
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True)
class Sent:
    """What was done with a list."""

    invited: int
    refused: list[tuple[Row, str]]


def parse(text: str) -> list[Row]:
    """Return the rows of a list: name, e-mail and company, parted by commas, semicolons or tabs; a first line of headings is optional.

    Raises: EmptyList, TooLong, NoMailColumn, TooLarge.
    """
    lines = cells_of(text)
    if not lines:
        raise EmptyList
    columns = _columns(lines[0][1])
    if columns is not None:
        lines = lines[1:]
        if not lines:
            raise EmptyList
    if len(lines) > MOST_ROWS:
        raise TooLong(params={"count": MOST_ROWS})
    return [_row(number, cells, columns) for number, cells in lines]


def check(program: Program, rows: Sequence[Row]) -> list[Checked]:
    """Say what would become of each row; the number of queries does not depend on how many there are."""
    mailboxes = {fold_email(row.email) for row in rows if not row.fault}
    living = ProgramInvitation.objects.living().filter(program=program, email_folded__in=mailboxes)
    applied = Application.objects.undecided().filter(program=program, email_folded__in=mailboxes)
    known = {
        Outcome.MEMBER: invitations.members(program, mailboxes),
        Outcome.APPLIED: set(applied.values_list("email_folded", flat=True)),
        Outcome.INVITED: set(living.values_list("email_folded", flat=True)),
    }
    seen: set[str] = set()
    return [_checked(row, known, seen) for row in rows]


def invite_all(
    program: Program,
    rows: Iterable[Row],
    *,
    tier: Tier,
    language: str,
    message: str,
    addendum: str,
    by: User,
    at: datetime,
) -> Sent:
    """Invite those of the rows who can be, each in a transaction of its own; who cannot is named with the reason.

    Raises: Forbidden.
    """
    invited, refused = 0, []
    for each in check(program, list(rows)):
        row = each.row
        if each.outcome != Outcome.NEW:
            refused.append((row, each.why or str(each.outcome.label)))
            continue
        guest = invitations.Guest(row.email, row.full_name, row.company, language, message, addendum)
        try:
            invitations.invite(program, guest=guest, tier=tier, by=by, at=at)
        except invitations.CANNOT_BE_INVITED as refusal:
            refused.append((row, str(refusal)))
        else:
            invited += 1
    return Sent(invited, refused)


def _checked(row: Row, known: dict[Outcome, set[str]], seen: set[str]) -> Checked:
    if row.fault:
        return Checked(row, Outcome.BAD, row.fault)
    folded = fold_email(row.email)
    if folded in seen:
        return Checked(row, Outcome.TWICE)
    seen.add(folded)
    found = next((outcome for outcome, mailboxes in known.items() if folded in mailboxes), Outcome.NEW)
    return Checked(row, found)


def _columns(cells: list[str]) -> dict[str, int] | None:
    """Return where each column stands when the line is one of headings, None when it is a row already."""
    if any("@" in cell for cell in cells):
        return None
    found: dict[str, int] = {}
    for name, headings in _HEADINGS.items():
        position = next((at for at, cell in enumerate(cells) if cell.casefold() in headings), None)
        if position is not None:
            found[name] = position
    if "email" in found:
        return found
    if found:
        raise NoMailColumn
    return None


def _row(number: int, cells: list[str], columns: dict[str, int] | None) -> Row:
    if columns is None:
        columns = _guessed(cells)
    values = {
        name: cells[position] if (position := columns.get(name, -1)) >= 0 and position < len(cells) else ""
        for name in ("full_name", "email", "company")
    }
    return Row(number, fault=_fault(values), **values)


def _guessed(cells: list[str]) -> dict[str, int]:
    """Return where things stand in a line without headings: the address is what has an @, before it the name, after it the company."""
    mail = next((at for at, cell in enumerate(cells) if "@" in cell), 1)
    return {"full_name": 0 if mail else 1, "email": mail, "company": 2 if mail < 2 else 1}


def _fault(values: dict[str, str]) -> str:
    if not values["email"]:
        return str(_("E-mail: there is none."))
    try:
        validate_email(values["email"])
    except ValidationError:
        return str(_("E-mail: this is no address."))
    lengths = (
        (_("Name"), "full_name", _NAME),
        (_("Company"), "company", _COMPANY),
        (_("E-mail"), "email", _EMAIL),
    )
    for label, name, longest in lengths:
        if len(values[name]) > longest:
            text = _("%(field)s: up to %(count)s characters.")
            return str(text) % {"field": label, "count": longest}
        try:
            printable(values[name])
            one_line(values[name])
        except ValidationError as error:
            return f"{label}: {error.messages[0]}"
    return ""
