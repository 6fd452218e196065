"""The rows of the page about taxes: forms with how long they hold, and invoices with their files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from payouts.choices import InvoiceKind
from payouts.models import Invoice, TaxForm
from portal.formats import date_text
from portal.rooms import Room
from prm.lib.money import Money
from prm.lib.periods import local_day

FILES = (("pdf", "PDF"), ("xml", "XML (CII)"), ("ubl", "XML (UBL)"))


@dataclass(frozen=True)
class FormRow:
    """One form: what it is, whose number is on it, and how long it holds."""

    name: str
    number: str
    signed_on: date
    state: str


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice; amounts of a credit note are shown as what they take."""

    number: str
    title: str
    issued_on: date
    net: Money
    vat: Money
    gross: Money
    files: tuple[tuple[str, str], ...]


def form_rows(forms: Iterable[TaxForm], room: Room) -> list[FormRow]:
    """Return the forms, the newest first."""
    today = local_day(room.at, room.zone)
    newest = sorted(forms, key=lambda form: (form.signed_on, form.pk), reverse=True)
    return [
        FormRow(
            name=str(form.get_kind_display()),
            number=f"•••• {form.tax_number_ending}" if form.tax_number_ending else "",
            signed_on=form.signed_on,
            state=state_of(form, today),
        )
        for form in newest
    ]


def state_of(form: TaxForm, today: date) -> str:
    """Say how long a form holds, or why it no longer does."""
    if form.revoked_at is not None:
        return _("Revoked")
    if form.expires_on is None:
        return _("Valid")
    day = {"day": date_text(form.expires_on)}
    return _("Expired on %(day)s") % day if form.expires_on < today else _("Valid until %(day)s") % day


def invoice_rows(invoices: Iterable[Invoice], room: Room) -> list[InvoiceRow]:
    """Return the invoices in the order given."""
    return [_invoice_row(invoice, room) for invoice in invoices]


def _invoice_row(invoice: Invoice, room: Room) -> InvoiceRow:
    sign = -1 if invoice.kind == InvoiceKind.CREDIT_NOTE else 1
    kinds = [pair for pair in FILES if invoice.cii_xml or pair[0] == "pdf"]
    return InvoiceRow(
        number=invoice.number,
        title=str(invoice.get_kind_display()),
        issued_on=local_day(invoice.issued_at, room.zone),
        net=Money(sign * invoice.net_minor, invoice.currency),
        vat=Money(sign * invoice.vat_minor, invoice.currency),
        gross=Money(sign * invoice.gross_minor, invoice.currency),
        files=tuple(
            (label, reverse("portal:invoice_file", args=[invoice.public_id, kind])) for kind, label in kinds
        ),
    )
