"""The accrual pack as a workbook: balances by age, expected claw-backs with their sample, the journal and the trial balance. Amounts are
numbers with the currency's decimals, and no text can become a formula or a link."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from payouts.accrual_pack.clawbacks import METHOD, ClawBacks
from payouts.accrual_pack.journal import USE
from payouts.accrual_pack.pack import Pack
from payouts.choices import AccountKind
from prm.lib.money import Money, exponent

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OPTIONS = {
    "constant_memory": True,
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "remove_timezone": True,
}

Cell = str | int | Decimal | Money | None


def render(pack: Pack) -> bytes:
    """Return the workbook; the same pack gives the same bytes."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, _OPTIONS) as book:
        made = datetime.combine(pack.month.last_on, time(0), tzinfo=UTC)
        book.set_properties({"title": pack.name, "created": made})
        writer = _Writer(book)
        _balances(writer, pack)
        _claw_backs(writer, pack)
        _journal(writer, pack)
        _trial(writer, pack)
    return target.getvalue()


class _Writer:
    """Writes one sheet after the other, row by row."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self.bold = book.add_format({"bold": True})
        self.formats: dict[str, xlsxwriter.format.Format] = {}
        self.sheet: Any = None
        self.row = 0

    def begin(self, name: str, widths: Sequence[int]) -> None:
        self.sheet, self.row = self.book.add_worksheet(name[:31]), 0
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)

    def head(self, *cells: str) -> None:
        for column, text in enumerate(cells):
            self.sheet.write_string(self.row, column, text, self.bold)
        self.row += 1

    def line(self, *cells: Cell) -> None:
        for column, cell in enumerate(cells):
            if isinstance(cell, Money):
                self.sheet.write_number(self.row, column, cell.decimal(), self._amount(cell.currency))
            elif isinstance(cell, str):
                self.sheet.write_string(self.row, column, cell)
            elif cell is not None:
                self.sheet.write_number(self.row, column, cell)
        self.row += 1

    def _amount(self, currency: str) -> xlsxwriter.format.Format:
        if currency not in self.formats:
            places = exponent(currency)
            pattern = "#,##0" + ("." + "0" * places if places else "")
            self.formats[currency] = self.book.add_format({"num_format": pattern})
        return self.formats[currency]


def _balances(writer: _Writer, pack: Pack) -> None:
    writer.begin(_("Balances"), (24, 18, 10, 16, 16, 16, 16, 16, 20, 10))
    writer.line(_("Legal entity"), pack.legal_entity.name)
    writer.line(_("Month"), str(pack.month))
    writer.line(_("State"), _("closed") if pack.is_final else _("open: figures still change"))
    writer.row += 1
    ages = ("0-30", "31-60", "61-90", "> 90")
    writer.head(
        _("Program"),
        _("Account"),
        _("Currency"),
        *(_("%(age)s days") % {"age": age} for age in ages),
        _("Balance"),
        _("Of it owed by partners"),
        _("Accounts"),
    )
    for each in pack.programs:
        for row in each.ageing:
            names = (each.program.name, row.label, row.currency)
            writer.line(*names, *row.amounts, row.total, row.owed_to_us, row.accounts)
    for row in pack.totals:
        names = (_("All programs"), row.label, row.currency)
        writer.line(*names, *row.amounts, row.total, row.owed_to_us, row.accounts)


def _claw_backs(writer: _Writer, pack: Pack) -> None:
    writer.begin(_("Expected claw-backs"), (24, 12, 12, 18, 18, 24, 18, 24))
    writer.line(str(METHOD))
    for each in pack.programs:
        for currency in each.without_history:
            writer.row += 1
            writer.line(each.program.name, currency, _("no history: nothing is expected"))
        for found in each.expected:
            writer.row += 1
            _of_currency(writer, each.program.name, found)


def _of_currency(writer: _Writer, program: str, found: ClawBacks) -> None:
    writer.head(
        _("Program"),
        _("Currency"),
        _("Sample, lines"),
        _("Earned"),
        _("Taken back"),
        _("Months"),
        _("Expected"),
        _("Taken back, no sale named"),
    )
    months = f"{found.sample_first} – {found.sample_last}"
    writer.line(
        program,
        found.currency,
        found.sample_lines,
        found.sample_earned,
        found.sample_taken,
        months,
        found.expected,
        found.unnamed,
    )
    writer.head("", _("Age, months"), "", _("Earned"), _("Taken back"), _("Share"))
    for share in found.shares:
        writer.line(None, share.age, None, share.earned, share.taken, str(share.share))
    writer.head("", _("Month"), "", _("Earned"), "", _("Share still to come"), _("Expected"))
    for cohort in found.cohorts:
        writer.line(
            None,
            str(cohort.month),
            None,
            cohort.earned,
            None,
            str(cohort.share),
            cohort.expected,
        )


def _journal(writer: _Writer, pack: Pack) -> None:
    writer.begin(_("Journal"), (24, 14, 28, 16, 16, 10, 44))
    writer.line(str(USE))
    writer.row += 1
    writer.head(_("Program"), _("Account"), _("Name"), _("Debit"), _("Credit"), _("Currency"), _("Text"))
    for row in pack.journal:
        writer.line(row.program, row.code, row.name, row.debit, row.credit, row.currency, row.text)


def _trial(writer: _Writer, pack: Pack) -> None:
    writer.begin(_("Trial balance"), (28, 10, 18))
    writer.head(_("Account"), _("Currency"), _("Credits less debits"))
    for (kind, currency), minor in pack.trial.items():
        writer.line(str(AccountKind(kind).label), currency, Money(minor, currency))
