"""Take the shop's list of codes in, and hand ours out for the shop. Every fault is named by its line and column before anything is taken,
and the same list a second time changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from prm.accounts import policy
from prm.lib.cells import formula_safe
from prm.lib.errors import Refused
from prm.lib.money import BadAmount, Money
from referrals import code_terms, codes, listed_rows
from referrals.code_terms import Terms
from referrals.listed_rows import Fault, Row, day_before_end
from referrals.models import Code
from referrals.models.code import fold
from referrals.partner_cells import Known, look_up
from tiers.models import Program

if TYPE_CHECKING:
    from partners.models import Membership
    from prm.accounts.models import User

CAPABILITY = "import_codes"
NEEDED = ("code", "partner")
COLUMNS = (*NEEDED, "discount_percent", "discount_amount", "use_limit", "starts", "ends")
EXPORTED = (
    "action",
    "code",
    "partner",
    "discount_percent",
    "discount_amount",
    "currency",
    "use_limit",
    "starts",
    "ends",
    "state",
)
LONGEST_NUMBER = 12
_COLUMN_OF = {"starts_at": "starts", "ends_at": "ends"}


class Outcome(models.TextChoices):
    """What becomes of a row."""

    NEW = "new", _("Is made")
    CHANGED = "changed", _("Is changed")
    SAME = "same", _("There already")
    BAD = "bad", _("Left out")


class CodeState(models.TextChoices):
    """Whether a code works, in one word."""

    ON = "on", _("On")
    WAITING = "waiting", _("Not yet")
    OVER = "over", _("Over")
    USED_UP = "used_up", _("Used up")
    OFF = "off", _("Off")
    RETIRED = "retired", _("Retired")


class NotANumber(Refused):
    """A cell is no plain number."""

    message = _("Write a number in digits, with a point before decimals.")


class OthersCode(Refused):
    """The code is there and names somebody else."""

    message = _("This code names another partner. A code never changes hands.")
    field = "code"


@dataclass(frozen=True)
class Wanted:
    """A code somebody asks for, for one membership; `known` is the code when it is there."""

    membership: Membership
    code: str
    terms: Terms
    known: Code | None = None


@dataclass(frozen=True)
class Checked:
    """A row and what would become of it, or became of it."""

    row: Row
    outcome: Outcome
    wanted: Wanted | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class Taken:
    """What was done with a list, row by row; nothing is kept when `kept` is not set."""

    rows: list[Checked]
    kept: bool = True

    def count(self, outcome: Outcome) -> int:
        """Return how many rows came to this."""
        return sum(each.outcome == outcome for each in self.rows)

    @property
    def faults(self) -> list[Fault]:
        return [each.fault for each in self.rows if each.fault is not None]

    def as_json(self) -> dict[str, Any]:
        """Return the result in plain values."""
        return {
            "rows": len(self.rows),
            "kept": self.kept,
            **{str(outcome.value): self.count(outcome) for outcome in Outcome},
            "errors": [
                {"line": fault.line, "column": fault.column, "message": fault.message}
                for fault in self.faults
            ],
        }


class _NoneOfThem(Exception):
    """Leave the transaction without keeping anything."""


def parse(text: str) -> list[Row]:
    """Return the rows of a list of codes.

    Raises: EmptyList, TooLong, ColumnMissing, UnknownColumn, ColumnTwice, TooLarge, NotText.
    """
    return listed_rows.parse(text, needed=NEEDED, known=COLUMNS)


def check(program: Program, rows: Sequence[Row]) -> list[Checked]:
    """Say what would become of each row; the number of queries does not depend on how many there are."""
    known = look_up(program, (row.cell("partner") for row in rows))
    there = Code.objects.filter(code__in={fold(row.cell("code")) for row in rows}).select_related(
        "membership__program"
    )
    by_letters = {code.code: code for code in there}
    seen: dict[str, int] = {}
    return [_checked(program, row, known, by_letters, seen) for row in rows]


def take_all(
    program: Program, rows: Sequence[Row], *, by: User | None, at: datetime, atomic: bool = False
) -> Taken:
    """Make and change the codes of the rows that are in order, each in a transaction of its own, or with `atomic` all or none.

    Raises: Forbidden.
    """
    if by is not None:
        policy.require(by, CAPABILITY)
    found = check(program, rows)
    if not atomic:
        return Taken([_taken(each, by=by, at=at) for each in found])
    taken: list[Checked] = []
    try:
        with transaction.atomic():
            taken = [_taken(each, by=by, at=at) for each in found]
            if any(each.outcome == Outcome.BAD for each in taken):
                raise _NoneOfThem
    except _NoneOfThem:
        return Taken(taken, kept=False)
    return Taken(taken)


def state_of(code: Code, *, at: datetime) -> CodeState:
    """Return whether a code works at an instant, and if not why."""
    if code.retired_at is not None:
        return CodeState.RETIRED
    if not code.is_active:
        return CodeState.OFF
    if code.starts_at is not None and at < code.starts_at:
        return CodeState.WAITING
    if code.ends_at is not None and at >= code.ends_at:
        return CodeState.OVER
    return CodeState.ON if code_terms.is_usable(code, at=at) else CodeState.USED_UP


def export(program: Program, *, at: datetime) -> Iterator[str]:
    """Yield the lines of a CSV file of a program's codes: what the shop has to create, and what it has to deactivate."""
    yield _line(EXPORTED)
    rows = Code.objects.filter(membership__program=program).select_related("membership__partner")
    for code in rows.order_by("code").iterator(chunk_size=1_000):
        yield _line(_cells(code, program, at=at))


def _cells(code: Code, program: Program, *, at: datetime) -> list[str]:
    state = state_of(code, at=at)
    terms = code_terms.of_code(code, currency=program.currency)
    is_wanted = state in (CodeState.ON, CodeState.WAITING)
    starts_on = code.starts_at.astimezone(program.zone).date() if code.starts_at else ""
    return [
        "create" if is_wanted else "deactivate",
        code.code,
        code.membership.partner.public_id,
        f"{terms.percent:f}" if terms.percent is not None else "",
        str(terms.amount.decimal()) if terms.amount is not None else "",
        program.currency,
        str(code.use_limit or ""),
        str(starts_on),
        str(day_before_end(code.ends_at, program.zone) or ""),
        str(state.value),
    ]


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([formula_safe(cell) for cell in cells])
    return out.getvalue()


def _taken(each: Checked, *, by: User | None, at: datetime) -> Checked:
    wanted = each.wanted
    if wanted is None or each.outcome not in (Outcome.NEW, Outcome.CHANGED):
        return each
    try:
        if wanted.known is None:
            codes.make(wanted.membership, code=wanted.code, terms=wanted.terms, by=by, at=at)
        else:
            codes.change(wanted.known, wanted.terms, by=by, at=at)
    except policy.Forbidden:
        raise
    except Refused as refusal:  # somebody was faster
        return replace(each, outcome=Outcome.BAD, fault=_fault(each.row, refusal))
    return each


def _checked(
    program: Program, row: Row, known: Known, there: Mapping[str, Code], seen: dict[str, int]
) -> Checked:
    membership, why = known.of(row.cell("partner"))
    if membership is None:
        return Checked(row, Outcome.BAD, fault=Fault(row.line, "partner", why))
    try:
        letters = codes.letters_of(row.cell("code"))
        code = there.get(letters)
        terms = _terms(program, row)
        code_terms.require_sound(terms, currency=program.currency, uses=code.uses if code else 0)
        if code is not None:
            _require_own(code, membership)
    except Refused as refusal:
        return Checked(row, Outcome.BAD, fault=_fault(row, refusal))
    if letters in seen:
        message = str(_("Line %(line)s names the same code.") % {"line": seen[letters]})
        return Checked(row, Outcome.BAD, fault=Fault(row.line, "code", message))
    seen[letters] = row.line
    return Checked(row, _outcome(code, terms), Wanted(membership, letters, terms, code))


def _require_own(code: Code, membership: Membership) -> None:
    if code.retired_at is not None:
        raise codes.CodeRetired
    if code.membership_id != membership.pk:
        raise OthersCode


def _outcome(code: Code | None, terms: Terms) -> Outcome:
    if code is None:
        return Outcome.NEW
    is_same = all(getattr(code, name) == value for name, value in terms.columns().items())
    return Outcome.SAME if is_same else Outcome.CHANGED


def _terms(program: Program, row: Row) -> Terms:
    limit = _number(row, "use_limit")
    if limit is not None and limit != int(limit):
        raise NotANumber(field="use_limit")
    return Terms(
        percent=_number(row, "discount_percent"),
        amount=_amount(row.cell("discount_amount"), program.currency),
        use_limit=int(limit) if limit is not None else None,
        starts_at=listed_rows.first_instant(row.cell("starts"), program.zone, column="starts"),
        ends_at=listed_rows.end_of(row.cell("ends"), program.zone, column="ends"),
    )


def _number(row: Row, column: str) -> Decimal | None:
    cell = row.cell(column)
    if not cell:
        return None
    whole, _point, part = cell.partition(".")
    is_plain = cell.isascii() and whole.isdecimal() and (part.isdecimal() or "." not in cell)
    if not is_plain or len(cell) > LONGEST_NUMBER:
        raise NotANumber(field=column)
    return Decimal(cell)


def _amount(cell: str, currency: str) -> Money | None:
    if not cell:
        return None
    try:
        return Money.parse(cell, currency)
    except BadAmount:
        raise NotANumber(field="discount_amount") from None


def _fault(row: Row, refusal: Refused) -> Fault:
    name = refusal.field or ""
    return Fault(row.line, _COLUMN_OF.get(name, name), str(refusal))
