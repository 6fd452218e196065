"""What the printed statement says, as ready texts in the partner's language. All amounts come from the frozen statement; a long one
is summarised and names the file that holds every line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import segno
from babel.numbers import NumberPattern, parse_pattern
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.choices import CommissionKind
from payouts.explained import bridge as terms
from payouts.explained import subject
from payouts.explained.facts import Row
from payouts.explained.line import is_plain, rows_of_line
from payouts.explained.sentence import sentence_of
from payouts.models import Statement, StatementLine
from payouts.reading import locale_for
from prm.lib import l10n
from prm.lib.money import Money, exponent
from prm.lib.periods import Month, local_day

LINES_AT_MOST = 300
NOTES_AT_MOST = 60
# Columns of a line in the fixed-width face: date, order, customer, base, rate, commission, running total.
_WIDTHS = (14, 18, 12, 13, 15, 15, 16)
_TO_THE_RIGHT = 3


@dataclass(frozen=True, slots=True)
class Term:
    label: str
    amount: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PrintedLine:
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


@dataclass(frozen=True, slots=True)
class Party:
    role: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatementPage:
    language: str
    number: str
    title: str
    program: str
    facts: tuple[tuple[str, str], ...]
    parties: tuple[Party, ...]
    total_label: str
    total: str
    total_note: str
    bridge: tuple[Term, ...]
    rates: tuple[tuple[str, str, str, str], ...]
    lines_title: str
    lines_note: str
    header: str
    lines: tuple[PrintedLine, ...]
    notes: tuple[Note, ...]
    notes_left_out: str
    contact: str
    check_url: str
    check_qr: str
    sha256: str
    created: str


def page_of(statement: Statement) -> StatementPage:
    """Return the texts of a statement; the language to write in is active."""
    writer = _Writer(statement)
    facts = statement.facts
    month = Month.parse(facts["period"])
    url = check_url(statement)
    found = statement.lines.select_related(*(f"commission__{name}" for name in subject.READ_WITH))
    lines = list(found.order_by("position"))
    return StatementPage(
        language=statement.language,
        number=statement.number,
        title=_("Commission statement"),
        program=facts["program"]["name"],
        facts=writer.key_facts(month),
        parties=(_party(_("From"), facts["issuer"]), _party(_("For"), facts["partner"])),
        total_label=_("To be paid") if statement.due_on else _("Closing balance"),
        total=writer.money(statement.closing_minor),
        total_note=writer.what_happens(),
        bridge=writer.bridge(month),
        rates=writer.rates(),
        lines_title=_("Every commission"),
        lines_note=writer.lines_note(lines),
        header=_columns(
            _("Date"),
            _("Order number"),
            _("Customer"),
            _("Base"),
            _("Rate"),
            _("Commission"),
            _("Total so far"),
        ),
        lines=writer.printed(lines),
        notes=writer.notes(lines),
        notes_left_out=writer.notes_left_out(lines),
        contact=facts["issuer"]["email"],
        check_url=url,
        check_qr=segno.make(url, error="m").svg_data_uri(border=0, scale=3),
        sha256=statement.sha256,
        created=statement.issued_at.isoformat(),
    )


def check_url(statement: Statement) -> str:
    """Return the address at which anybody who holds the document can check it."""
    return f"{settings.SITE_URL.rstrip('/')}/v/{statement.number}/{statement.check_code}/"


class _Writer:
    """Writes amounts, days and sentences of one statement."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.language = locale_for(statement.language)
        self.currency = statement.currency
        self.zone = ZoneInfo(statement.facts["program"]["time_zone"])

    def money(self, minor: int) -> str:
        return l10n.money_text(Money(minor, self.currency), self.language)

    def amount(self, minor: int) -> str:
        """Write an amount without its currency, which the head of the column names."""
        pattern = _amount_pattern(self.language, exponent(self.currency))
        text: str = pattern.apply(Money(minor, self.currency).decimal(), l10n.locale_of(self.language))
        return text.replace("-", l10n.MINUS)

    def day(self, day: date) -> str:
        return l10n.date_text(day, self.language)

    def local(self, instant: datetime) -> str:
        return self.day(local_day(instant, self.zone))

    def key_facts(self, month: Month) -> tuple[tuple[str, str], ...]:
        statement = self.statement
        found = [
            (_("Number"), statement.number),
            (_("Period"), f"{self.day(month.first_on)} – {self.day(month.last_on)}"),
            (_("Issued"), self.local(statement.issued_at)),
        ]
        if statement.due_on:
            found.append((_("Payment date"), self.day(statement.due_on)))
        if statement.facts["tier"]:
            found.append((_("Tier"), statement.facts["tier"]))
        return tuple(found)

    def what_happens(self) -> str:
        statement = self.statement
        if statement.due_on:
            ending = statement.facts["account_ending"]
            values = {"day": self.day(statement.due_on), "ending": ending}
            if ending:
                return _("Paid on %(day)s to the account ending %(ending)s.") % values
            return _("To be paid on %(day)s. Add your bank details first.") % values
        if statement.closing_minor < 0:
            return _("It will be taken from your next commissions.")
        if statement.closing_minor == 0:
            return _("Nothing to pay this month.")
        minimum = self.money(statement.facts["minimum_minor"])
        return _("Payments start at %(minimum)s. It stays yours and moves to the next statement.") % {
            "minimum": minimum
        }

    def bridge(self, month: Month) -> tuple[Term, ...]:
        return tuple(
            Term(term.label, self.money(term.amount.minor), self._note(term, month))
            for term in terms.bridge_of(self.statement)
        )

    def _note(self, term: terms.Term, month: Month) -> str:
        count = {"count": term.lines}
        if term.key == terms.OPENING and term.amount:
            name = l10n.month_text(month.previous(), self.language)
            return _("Closing balance of %(month)s") % {"month": name}
        if term.key == terms.COMMISSIONS:
            text = ngettext(
                "%(count)s commission ready to pay", "%(count)s commissions ready to pay", term.lines
            )
            return text % count
        if term.key == terms.REVERSALS and term.lines:
            return ngettext("%(count)s refund", "%(count)s refunds", term.lines) % count
        if term.key == terms.PAID and term.amount:
            return _("Payments sent, less payments that came back")
        return ngettext("%(count)s line", "%(count)s lines", term.lines) % count if term.lines else ""

    def rates(self) -> tuple[tuple[str, str, str, str], ...]:
        return tuple(
            (
                self._rule(row),
                l10n.number_text(row["lines"], self.language),
                self.money(row["base_minor"]),
                self.money(row["amount_minor"]),
            )
            for row in self.statement.facts["rates"]
        )

    def _rule(self, row: dict[str, Any]) -> str:
        """Name a rule, and what its lines are unless that is the rate itself."""
        rate = self.rate(Decimal(row["percent"]), row["flat_minor"])
        is_plain = row["kind"] == CommissionKind.EARNED
        what = rate if is_plain else str(CommissionKind(row["kind"]).label)
        return f"{row['name']}, {what}" if what not in ("", row["name"]) else str(row["name"])

    def rate(self, percent: Decimal, flat_minor: int) -> str:
        """Write a rate; nothing for a line whose amount has none, such as one through several steps."""
        parts = [l10n.percent_text(percent / 100, self.language)] if percent else []
        if flat_minor:
            parts.append(self.amount(abs(flat_minor)))
        return " + ".join(parts)

    def lines_note(self, lines: Sequence[StatementLine]) -> str:
        where = _("Amounts in %(currency)s, days in %(zone)s.") % {
            "currency": self.currency,
            "zone": self.statement.facts["program"]["time_zone"],
        }
        if not lines:
            return _("No commission became ready to pay this month.")
        if len(lines) <= LINES_AT_MOST:
            return where
        summed = _("%(count)s commissions, added up by day. Every single one is in %(file)s.") % {
            "count": l10n.number_text(len(lines), self.language),
            "file": f"{self.statement.number}.csv",
        }
        return f"{summed} {where}"

    def printed(self, lines: Sequence[StatementLine]) -> tuple[PrintedLine, ...]:
        rows = self._single(lines) if len(lines) <= LINES_AT_MOST else self._by_day(lines)
        running = 0
        found = []
        for *texts, minor in rows:
            running += minor
            total = self.amount(running)
            found.append(
                PrintedLine(
                    text=_columns(*texts, self.amount(minor), total),
                    brought=_("Brought forward %(total)s") % {"total": total},
                    carried=_("Carried forward %(total)s") % {"total": total},
                )
            )
        if found:  # nothing is carried beyond the last line
            found[-1] = PrintedLine(text=found[-1].text, brought="", carried="")
        return tuple(found)

    def notes(self, lines: Sequence[StatementLine]) -> tuple[Note, ...]:
        marks = marks_of(lines)
        return tuple(self._note_on(line, marks[line.pk]) for line in lines if line.pk in marks)

    def _note_on(self, line: StatementLine, mark: str) -> Note:
        commission = line.commission
        rows = rows_of_line(commission, self.zone)
        return Note(
            mark=mark,
            title=line.order_id or _kind_text(line.kind),
            sentence=sentence_of(commission, self.zone),
            rows=tuple((row.label, row.note, self._row_amount(row)) for row in rows),
            total=self.money(line.amount_minor),
        )

    def _row_amount(self, row: Row) -> str:
        return self.money(row.amount.minor) if row.amount is not None else ""

    def notes_left_out(self, lines: Sequence[StatementLine]) -> str:
        """Say where the other explanations are, when there are more than a document can hold."""
        if sum(not is_plain(line.commission.because) for line in lines) <= len(marks_of(lines)):
            return ""
        return _("How every single amount came about is in %(file)s.") % {
            "file": f"{self.statement.number}.csv"
        }

    def _single(self, lines: Sequence[StatementLine]) -> Iterable[tuple[str, str, str, str, str, int]]:
        marks = marks_of(lines)
        for line in lines:
            yield (
                self.local(line.occurred_at),
                line.order_id or _kind_text(line.kind),
                _kind_text(line.kind) or line.customer if line.order_id else "",
                self.amount(line.base_minor),
                f"{marks.get(line.pk, '')} {self.rate(line.rate, line.flat_minor)}".strip(),
                line.amount_minor,
            )

    def _by_day(self, lines: Iterable[StatementLine]) -> Iterable[tuple[str, str, str, str, str, int]]:
        days: dict[date, list[StatementLine]] = {}
        for line in lines:
            days.setdefault(local_day(line.occurred_at, self.zone), []).append(line)
        for day, those in sorted(days.items()):
            orders = ngettext("%(count)s order", "%(count)s orders", len(those)) % {"count": len(those)}
            base = sum(line.base_minor for line in those)
            yield self.day(day), orders, "", self.amount(base), "", sum(line.amount_minor for line in those)


def marks_of(lines: Sequence[StatementLine]) -> dict[int, str]:
    """Return the mark of each line that has a note, by line: those whose columns do not explain the amount."""
    if len(lines) > LINES_AT_MOST:
        return {}
    explained = [line for line in lines if not is_plain(line.commission.because)][:NOTES_AT_MOST]
    return {line.pk: f"[{number}]" for number, line in enumerate(explained, start=1)}


def _kind_text(kind: str) -> str:
    """Return what a line is in a word that fits its column; nothing for what a sale earns."""
    words = {
        CommissionKind.TRUE_UP: _("Correction"),
        CommissionKind.BONUS: _("Bonus"),
        CommissionKind.OVERRIDE: _("Override"),
        CommissionKind.RETAINER: _("Retainer"),
        CommissionKind.FLOOR: _("Minimum"),
        CommissionKind.DRAW: _("Advance"),
        CommissionKind.RECOVERY: _("Paid back"),
    }
    return words.get(CommissionKind(kind), "")


def _party(role: str, facts: dict[str, str]) -> Party:
    vat = _("VAT number %(number)s") % {"number": facts["vat_number"]} if facts["vat_number"] else ""
    texts = (facts["name"], facts["street"], facts["place"], facts["country"], vat, facts["email"])
    return Party(role=role, lines=tuple(text for text in texts if text))


def _columns(*texts: str) -> str:
    """Set texts side by side in the fixed-width face; what does not fit is cut, as the CSV has it whole."""
    cells = []
    for position, (text, width) in enumerate(zip(texts, _WIDTHS, strict=True)):
        fitting = text if len(text) < width else text[: width - 2] + "…"
        cells.append(fitting.rjust(width) if position >= _TO_THE_RIGHT else fitting.ljust(width))
    return "".join(cells).rstrip()


@lru_cache(maxsize=64)
def _amount_pattern(language: str, decimals: int) -> NumberPattern:
    pattern = parse_pattern(l10n.locale_of(language).decimal_formats[None].pattern)
    pattern.frac_prec = (decimals, decimals)
    return pattern
