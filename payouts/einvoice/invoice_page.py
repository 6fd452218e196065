"""What the printed invoice says, as ready texts in the partner's language. Every figure comes from the frozen facts, as in the message the
document carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.choices import InvoiceKind, VatMode
from payouts.models import Invoice
from prm.lib import l10n
from prm.lib.money import Money


@dataclass(frozen=True, slots=True)
class PrintedParty:
    role: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrintedLine:
    name: str
    note: str
    quantity: str
    price: str
    amount: str


@dataclass(frozen=True, slots=True)
class InvoicePage:
    language: str
    number: str
    title: str
    mention: str
    program: str
    facts: tuple[tuple[str, str], ...]
    parties: tuple[PrintedParty, ...]
    total_label: str
    total: str
    total_note: str
    lines: tuple[PrintedLine, ...]
    sums: tuple[tuple[str, str], ...]
    vat_reason: str
    notes: tuple[str, ...]
    acceptance: str
    sha256: str
    created: str


def page_of(invoice: Invoice) -> InvoicePage:
    """Return the texts of an invoice; the language to write in is active."""
    facts = invoice.facts
    writer = _Writer(facts)
    return InvoicePage(
        language=invoice.language,
        number=invoice.number,
        title=title_of(invoice),
        mention=facts["mentions"][0],
        program=facts["program"],
        facts=writer.key_facts(),
        parties=(
            _party(_("Seller"), facts["seller"], writer),
            _party(_("Customer, who wrote this document"), facts["buyer"], writer),
        ),
        total_label=_("Taken back") if invoice.kind == InvoiceKind.CREDIT_NOTE else _("To be paid"),
        total=writer.money(facts["gross_minor"]),
        total_note=facts["payment_terms"],
        lines=tuple(writer.line(row) for row in facts["lines"]),
        sums=writer.sums(),
        vat_reason=facts["vat"]["reason"],
        notes=(*facts["mentions"][1:], *(text for _code, text in facts["terms"])),
        acceptance=writer.acceptance(),
        sha256=invoice.sha256,
        created=invoice.issued_at.isoformat(),
    )


def title_of(invoice: Invoice) -> str:
    """Return what the document is, in the active language."""
    is_credit = invoice.kind == InvoiceKind.CREDIT_NOTE
    return _("Self-billed credit note") if is_credit else _("Self-billed invoice")


class _Writer:
    """Writes amounts and days of one invoice."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.language = l10n.reader_locale(facts["language"])

    def money(self, minor: int) -> str:
        return l10n.money_text(Money(minor, self.facts["currency"]), self.language)

    def day(self, text: str) -> str:
        return l10n.date_text(date.fromisoformat(text), self.language)

    def key_facts(self) -> tuple[tuple[str, str], ...]:
        facts = self.facts
        first, last = facts["period"]
        found = [
            (_("Number"), facts["number"]),
            (_("Issued"), self.day(facts["issued_on"])),
            (_("Supplied"), f"{self.day(first)} – {self.day(last)}"),
        ]
        if facts["due_on"]:
            found.append((_("Due"), self.day(facts["due_on"])))
        found.append((_("Statement"), facts["statement"]))
        if facts["refers_to"]:
            named = facts["refers_to"]
            found.append((_("Refers to"), f"{named['number']}, {self.day(named['issued_on'])}"))
        if facts["reason"]:
            found.append((_("Reason"), facts["reason"]))
        return tuple(found)

    def line(self, row: dict[str, Any]) -> PrintedLine:
        many = {"count": l10n.number_text(row["count"], self.language)}
        minor = row["amount_minor"]
        return PrintedLine(
            name=row["name"],
            note=ngettext("%(count)s line", "%(count)s lines", row["count"]) % many,
            quantity=l10n.number_text(-1 if minor < 0 else 1, self.language),
            price=self.money(abs(minor)),
            amount=self.money(minor),
        )

    def sums(self) -> tuple[tuple[str, str], ...]:
        facts = self.facts
        return (
            (_("Net"), self.money(facts["net_minor"])),
            (self.vat_label(), self.money(facts["vat_minor"])),
            (_("Total"), self.money(facts["gross_minor"])),
        )

    def vat_label(self) -> str:
        if self.facts["vat"]["mode"] != VatMode.DOMESTIC:
            return _("VAT, not charged")
        rate = l10n.percent_text(Decimal(self.facts["vat"]["rate"]).normalize() / 100, self.language)
        return _("VAT %(rate)s") % {"rate": rate}

    def acceptance(self) -> str:
        mandate = self.facts["mandate"]
        values = {
            "series": mandate["series"],
            "agreed": self.day(mandate["agreed_on"]),
            "days": mandate["accepts_after_days"],
        }
        return (
            _(
                "Written under the self-billing agreement %(series)s of %(agreed)s. It counts as accepted unless the seller objects in writing within %(days)s days."
            )
            % values
        )


def _party(role: str, facts: dict[str, Any], writer: _Writer) -> PrintedParty:
    country = l10n.locale_of(writer.language).territories.get(facts["country"], facts["country"])
    found = [facts["street"], f"{facts['postcode']} {facts['town']}".strip(), country]
    if facts["vat_number"]:
        found.append(_("VAT number %(number)s") % {"number": facts["vat_number"]})
    if facts["registration"]:
        label = "SIREN %(number)s" if facts["registration_scheme"] else _("Registration number %(number)s")
        found.append(label % {"number": facts["registration"]})
    return PrintedParty(role, facts["name"], tuple(line for line in found if line))
