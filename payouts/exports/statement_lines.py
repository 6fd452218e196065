"""The lines of a printed statement with their running total, which begins with the balance carried in and ends with the one carried on,
and the notes on amounts that base and rate do not show. Too many lines are added up by day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.choices import CommissionKind, MoveKind
from payouts.explained.facts import Row
from payouts.explained.line import rows_of_line
from payouts.explained.listed import kind_label, needs_explaining
from payouts.explained.sentence import sentence_of
from payouts.exports.writing import Writer
from payouts.models import Commission, StatementLine
from prm.lib.periods import local_day

LINES_AT_MOST = 300
NOTES_AT_MOST = 60
# Columns of a line in the fixed-width face: date, order, customer, base, rate, amount, running total.
_WIDTHS = (14, 18, 12, 13, 15, 15, 16)
# The same for a line that is about no order: date, what it is, base, rate, amount, running total; and for one without a base.
_WIDE = (14, 30, 13, 15, 15, 16)
_WIDEST = (14, 58, 15, 16)
_OF_TEXTS = {len(widths) - 2: widths for widths in (_WIDTHS, _WIDE, _WIDEST)}
# How many columns on the right are figures, by how many there are.
_FIGURES = {len(_WIDTHS): 4, len(_WIDE): 4, len(_WIDEST): 2}


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One line as it is set, and what the page says when it ends before or begins after it."""

    text: str
    brought: str
    carried: str


@dataclass(frozen=True, slots=True)
class Note:
    """How an amount came about that base and rate do not show; `rows` are label, note and amount."""

    mark: str
    title: str
    sentence: str
    rows: tuple[tuple[str, str, str], ...]
    total: str


def header() -> str:
    """Return the heads of the columns."""
    texts = (
        _("Date"),
        _("Order number"),
        _("Customer"),
        _("Base"),
        _("Rate"),
        _("Amount"),
        _("Total so far"),
    )
    return _columns(texts, _WIDTHS)


def introduction(writer: Writer, lines: Sequence[StatementLine]) -> str:
    """Say what the amounts of the list are in, and where every line is when there are too many to print."""
    statement = writer.statement
    where = _("Amounts in %(currency)s, days in %(zone)s.") % {
        "currency": writer.currency,
        "zone": statement.facts["program"]["time_zone"],
    }
    if not lines:
        return _("Nothing moved the balance in this month.")
    if len(lines) <= LINES_AT_MOST:
        return where
    summed = _("%(count)s lines, added up by day. Every single one is in %(file)s.") % {
        "count": writer.number(len(lines)),
        "file": f"{statement.number}.csv",
    }
    return f"{summed} {where}"


def printed(writer: Writer, lines: Sequence[StatementLine]) -> tuple[PrintedLine, ...]:
    """Return the lines as they are set, the balance carried in first."""
    rows = _single(writer, lines) if len(lines) <= LINES_AT_MOST else _by_day(writer, lines)
    running = writer.statement.opening_minor
    found = []
    if running and lines:
        opening = ("", _("Opening balance"), "", writer.amount(running))
        found.append(_set(writer, _columns(opening, _WIDEST), running))
    for texts, minor in rows:
        running += minor
        widths = _OF_TEXTS[len(texts)]
        cells = (*texts, writer.amount(minor), writer.amount(running))
        found.append(_set(writer, _columns(cells, widths), running))
    if found:  # nothing is carried beyond the last line
        found[-1] = PrintedLine(text=found[-1].text, brought="", carried="")
    return tuple(found)


def notes(writer: Writer, lines: Sequence[StatementLine]) -> tuple[Note, ...]:
    """Return how amounts came about that base and rate do not show."""
    marks = _marks_of(lines)
    return tuple(
        _note_on(writer, line, line.commission, marks[line.pk])
        for line in lines
        if line.commission is not None and line.pk in marks
    )


def notes_left_out(writer: Writer, lines: Sequence[StatementLine]) -> str:
    """Say where the other explanations are, when there are more than a document can hold."""
    if sum(needs_explaining(line) for line in lines) <= len(_marks_of(lines)):
        return ""
    return _("How every single amount came about is in %(file)s.") % {
        "file": f"{writer.statement.number}.csv"
    }


def _set(writer: Writer, text: str, running: int) -> PrintedLine:
    total = {"total": writer.amount(running)}
    return PrintedLine(
        text=text,
        brought=_("Brought forward %(total)s") % total,
        carried=_("Carried forward %(total)s") % total,
    )


def _note_on(writer: Writer, line: StatementLine, commission: Commission, mark: str) -> Note:
    rows = rows_of_line(commission, writer.zone)
    return Note(
        mark=mark,
        title=line.order_id or _short(line),
        sentence=sentence_of(commission, writer.zone),
        rows=tuple((row.label, row.note, _row_amount(writer, row)) for row in rows),
        total=writer.money(line.amount_minor),
    )


def _row_amount(writer: Writer, row: Row) -> str:
    return writer.money(row.amount.minor) if row.amount is not None else ""


def _single(writer: Writer, lines: Sequence[StatementLine]) -> Iterator[tuple[tuple[str, ...], int]]:
    marks = _marks_of(lines)
    for line in lines:
        day, minor = writer.local(line.occurred_at), line.amount_minor
        base = writer.amount(line.base_minor) if line.base_minor else ""
        if line.commission_id is None:
            what = ", ".join(text for text in (_short(line), line.order_id) if text)
            yield ((day, what, base, writer.rate(line.rate, 0)) if base else (day, what)), minor
            continue
        rate = f"{marks.get(line.pk, '')} {writer.rate(line.rate, line.flat_minor)}".strip()
        beside = (_short(line) or line.customer) if line.order_id else ""
        yield (day, line.order_id or _short(line), beside, writer.amount(line.base_minor), rate), minor


def _by_day(writer: Writer, lines: Iterable[StatementLine]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Add commissions up by day; what else moved the balance keeps its own line."""
    days: dict[date, list[StatementLine]] = {}
    others = []
    for line in lines:
        if line.commission_id is None:
            others.append(line)
        else:
            days.setdefault(local_day(line.occurred_at, writer.zone), []).append(line)
    for day, those in sorted(days.items()):
        orders = ngettext("%(count)s order", "%(count)s orders", len(those)) % {"count": len(those)}
        base = writer.amount(sum(line.base_minor for line in those))
        yield (writer.day(day), orders, "", base, ""), sum(line.amount_minor for line in those)
    yield from _single(writer, others)


def _marks_of(lines: Sequence[StatementLine]) -> dict[int, str]:
    """Return the mark of each line that has a note, by line: those whose columns do not explain the amount."""
    if len(lines) > LINES_AT_MOST:
        return {}
    explained = [line for line in lines if needs_explaining(line)][:NOTES_AT_MOST]
    return {line.pk: f"[{number}]" for number, line in enumerate(explained, start=1)}


def _short(line: StatementLine) -> str:
    """Return what a line is in a word that fits its column; nothing for what a sale earns."""
    if line.commission_id is None:
        returned = _("Payment returned")
        return returned if line.kind == MoveKind.RETURNED else kind_label(line)
    words = {
        CommissionKind.TRUE_UP: _("Correction"),
        CommissionKind.BONUS: _("Bonus"),
        CommissionKind.OVERRIDE: _("Override"),
        CommissionKind.RETAINER: _("Retainer"),
        CommissionKind.FLOOR: _("Minimum"),
        CommissionKind.DRAW: _("Advance"),
        CommissionKind.RECOVERY: _("Paid back"),
    }
    return words.get(CommissionKind(line.kind), "")


def _columns(texts: Sequence[str], widths: Sequence[int]) -> str:
    """Set texts side by side in the fixed-width face; what does not fit is cut, as the CSV has it whole."""
    cells = []
    for position, (text, width) in enumerate(zip(texts, widths, strict=True)):
        fitting = text if len(text) < width else text[: width - 2] + "…"
        is_figure = position >= len(widths) - _FIGURES[len(widths)]
        cells.append(fitting.rjust(width) if is_figure else fitting.ljust(width))
    return "".join(cells).rstrip()
