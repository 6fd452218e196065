"""What the printed statement says, as ready texts in the partner's language. All amounts come from the frozen statement; a long one
is summarised and names the file that holds every line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import segno
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.choices import (
    CommissionKind,
    InvoiceKind,
    PaymentMethodKind,
    StatementKind,
    VatMode,
)
from payouts.explained import bridge as terms
from payouts.explained import subject
from payouts.exports import statement_lines
from payouts.exports.statement_lines import Note, PrintedLine
from payouts.exports.writing import Writer
from payouts.models import Statement
from prm.lib import l10n
from prm.lib.addresses import absolute
from prm.lib.periods import Month, local_day

_ACCOUNTS = (PaymentMethodKind.BANK_IBAN, PaymentMethodKind.US_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Term:
    label: str
    amount: str
    note: str = ""


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
    mentions: tuple[str, ...]
    total_label: str
    total: str
    total_notes: tuple[str, ...]
    bridge: tuple[Term, ...]
    payment: tuple[Term, ...]
    rates: tuple[tuple[str, str, str, str], ...]
    has_lines: bool
    lines_note: str
    header: str
    lines: tuple[PrintedLine, ...]
    notes: tuple[Note, ...]
    notes_left_out: str
    remarks: tuple[str, ...]
    contact: str
    check_url: str
    check_qr: str
    sha256: str
    created: str


def page_of(statement: Statement) -> StatementPage:
    """Return the texts of a statement; the language to write in is active."""
    page = _Page(statement)
    facts = statement.facts
    month = Month.parse(facts["period"])
    url = check_url(statement)
    found = statement.lines.select_related(*(f"commission__{name}" for name in subject.READ_WITH))
    lines = list(found.order_by("position"))
    return StatementPage(
        language=statement.language,
        number=statement.number,
        title=_("Credit note") if page.is_credit_note else _("Commission statement"),
        program=facts["program"]["name"],
        facts=page.key_facts(month),
        parties=(page.party(_("From"), facts["issuer"]), page.party(_("For"), facts["partner"])),
        mentions=tuple(page.mentions()),
        total_label=page.total_label(),
        total=page.money(statement.closing_minor),
        total_notes=tuple(page.what_happens()),
        bridge=page.bridge(month),
        payment=tuple(page.payment()),
        rates=page.rates(),
        has_lines=not page.is_credit_note,
        lines_note=statement_lines.introduction(page, lines),
        header=statement_lines.header(),
        lines=statement_lines.printed(page, lines),
        notes=statement_lines.notes(page, lines),
        notes_left_out=statement_lines.notes_left_out(page, lines),
        remarks=tuple(page.remarks()),
        contact=facts["issuer"]["email"],
        check_url=url,
        check_qr=segno.make(url, error="m").svg_data_uri(border=0, scale=3),
        sha256=statement.sha256,
        created=statement.issued_at.isoformat(),
    )


def check_url(statement: Statement) -> str:
    """Return the address at which anybody who holds the document can check it."""
    return absolute(f"/v/{statement.number}/{statement.check_code}/")


def ask_until(statement: Statement) -> date | None:
    """Return the last day on which a line of the statement can be asked about, in days where the program is."""
    days = statement.facts.get("dispute_days")
    if not days or statement.kind == StatementKind.CREDIT_NOTE:
        return None
    return local_day(statement.issued_at, Writer(statement).zone) + timedelta(days=days)


def source_text(source: str) -> str:
    """Say where an exchange rate comes from."""
    if source.casefold().startswith("ecb"):
        return _("European Central Bank")
    if source.startswith("cross"):
        return _("computed through the euro")
    return _("entered by us")


class _Page(Writer):
    """Writes the sentences of one statement."""

    @property
    def is_credit_note(self) -> bool:
        return self.statement.kind == StatementKind.CREDIT_NOTE

    def key_facts(self, month: Month) -> tuple[tuple[str, str], ...]:
        statement = self.statement
        found = [
            (_("Number"), statement.number),
            (_("Period"), f"{self.day(month.first_on)} – {self.day(month.last_on)}"),
            (_("Issued"), self.local(statement.issued_at)),
        ]
        if statement.due_on:
            found.append((_("Payment date"), self.day(statement.due_on)))
        if statement.facts["tier"] and not self.is_credit_note:
            found.append((_("Tier"), statement.facts["tier"]))
        return tuple(found)

    def mentions(self) -> Iterator[str]:
        """Say which other documents belong to this one."""
        correction = self.statement.facts.get("correction")
        if correction:
            takes_back = _("This credit note takes back statement %(number)s: %(reason)s")
            replaces = _("This statement replaces %(number)s, which was corrected: %(reason)s")
            yield (takes_back if self.is_credit_note else replaces) % correction
        for invoice in self.statement.invoices.order_by("pk"):
            credit = _("Self-billed credit note %(number)s belongs to this statement.")
            bill = _("Self-billed invoice %(number)s belongs to this statement.")
            said = credit if invoice.kind == InvoiceKind.CREDIT_NOTE else bill
            yield said % {"number": invoice.number}

    def total_label(self) -> str:
        if self.is_credit_note:
            return _("Taken back")
        return _("To be paid") if self.statement.due_on else _("Closing balance")

    def what_happens(self) -> Iterator[str]:
        statement = self.statement
        if self.is_credit_note:
            yield _("No money moves by this document. The new statement carries the same balance.")
        elif statement.due_on:
            yield self._payment_sentence(statement.due_on)
        elif statement.closing_minor < 0:
            yield _("It will be taken from your next commissions.")
        elif statement.closing_minor == 0:
            yield _("Nothing to pay this month.")
        else:
            minimum = self.money(statement.facts["minimum_minor"])
            stays = _("Payments start at %(minimum)s. It stays yours and moves to the next statement.")
            yield stays % {"minimum": minimum}

    def _payment_sentence(self, due_on: date) -> str:
        facts = self.statement.facts
        values = {"day": self.day(due_on), "ending": facts["account_ending"]}
        if not values["ending"]:
            return _("To be paid on %(day)s. Add your bank details first.") % values
        kind = facts.get("method") or PaymentMethodKind.BANK_IBAN
        if kind in _ACCOUNTS:
            return _("Paid on %(day)s to the account ending %(ending)s.") % values
        values["method"] = str(PaymentMethodKind(kind).label)
        return _("Paid on %(day)s: %(method)s, %(ending)s.") % values

    def payment(self) -> Iterator[Term]:
        """Say what is withheld from the payment, and what arrives in which currency."""
        expected, fx = self.statement.facts.get("expected"), self.statement.facts.get("fx")
        if expected and expected["withheld_minor"]:
            note = f"{self.percent(Decimal(expected['rate']))}, {expected['basis']}".strip(", ")
            yield Term(_("Tax withheld"), self.money(-expected["withheld_minor"]), note)
        if fx:
            values = {
                "base": fx["base"],
                "rate": self.number(Decimal(fx["rate"]).normalize()),
                "quote": fx["quote"],
                "day": self.day(date.fromisoformat(fx["rate_on"])),
                "source": source_text(fx["source"]),
            }
            note = _("1 %(base)s = %(rate)s %(quote)s on %(day)s, %(source)s") % values
            amount = self.money(fx["amount_minor"], fx["currency"])
            yield Term(_("You receive, in %(currency)s") % {"currency": fx["currency"]}, amount, note)
        elif expected and expected["withheld_minor"]:
            yield Term(_("You receive"), self.money(expected["sent_minor"]))

    def bridge(self, month: Month) -> tuple[Term, ...]:
        return tuple(
            Term(term.label, self.money(term.amount.minor), self._note(term, month))
            for term in terms.bridge_of(self.statement)
        )

    def _note(self, term: terms.Term, month: Month) -> str:
        if self.is_credit_note:
            return ""
        count = {"count": term.lines}
        if term.key == terms.OPENING and term.amount:
            name = l10n.month_text(month.previous(), self.language)
            return _("Closing balance, %(month)s") % {"month": name}
        if term.key == terms.COMMISSIONS:
            text = ngettext(
                "%(count)s commission ready to pay", "%(count)s commissions ready to pay", term.lines
            )
            return text % count
        if term.key == terms.REVERSALS and term.lines:
            return ngettext("%(count)s refund", "%(count)s refunds", term.lines) % count
        if term.key == terms.VAT:
            return self._vat_note()
        if term.key == terms.PAID and term.amount:
            return _("Payments sent, less payments that came back")
        return ngettext("%(count)s line", "%(count)s lines", term.lines) % count if term.lines else ""

    def _vat_note(self) -> str:
        tax = self.statement.facts.get("tax")
        if not tax:
            return ""
        if tax["vat_minor"]:
            values = {"rate": self.percent(Decimal(tax["rate"])), "net": self.money(tax["net_minor"])}
            if tax["vat_minor"] != self.statement.vat_minor:
                text = _("%(rate)s of %(net)s is %(vat)s; a correction is booked in the month it is made")
                return text % (values | {"vat": self.money(tax["vat_minor"])})
            return _("%(rate)s of %(net)s") % values
        return str(VatMode(tax["mode"]).label)

    def remarks(self) -> Iterator[str]:
        """Say what else a reader has to know: the reason no VAT is charged, and until when questions can be asked."""
        tax = self.statement.facts.get("tax")
        if tax and tax["note"]:
            yield tax["note"]
        until = ask_until(self.statement)
        if until is not None:
            day = l10n.date_text(until, self.language, "long")
            yield _("You can ask about a line until %(day)s.") % {"day": day}

    def rates(self) -> tuple[tuple[str, str, str, str], ...]:
        return tuple(
            (
                self._rule(row),
                self.number(row["lines"]),
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

    def party(self, role: str, facts: dict[str, str]) -> Party:
        """Return who is named on the document, the country in words."""
        vat = _("VAT number %(number)s") % {"number": facts["vat_number"]} if facts["vat_number"] else ""
        country = l10n.locale_of(self.language).territories.get(facts["country"], facts["country"])
        texts = (facts["name"], facts["street"], facts["place"], country, vat, facts["email"])
        return Party(role=role, lines=tuple(text for text in texts if text))
