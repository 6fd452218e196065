"""Keep one PDF per invoice: drawn once, stored with its hash, and never drawn again. What is served is checked against the hash; the messages
are made from the frozen facts whenever they are asked for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from payouts import documents
from payouts.einvoice import facturx, ubl
from payouts.models import Invoice
from prm.lib.errors import Refused

KINDS = {
    "pdf": ("application/pdf", "pdf"),
    "xml": ("application/xml", "cii.xml"),
    "ubl": ("application/xml", "ubl.xml"),
}


class NoMessage(Refused):
    message = _(
        "The European standard knows no amounts with three decimals, so there is no XML of this invoice."
    )


def content_of(invoice: Invoice, kind: str) -> bytes:
    """Return the document (pdf), its message (xml) or the other syntax (ubl).

    Raises: PdfNotPossible, DocumentDamaged, NoMessage.
    """
    if kind == "pdf":
        return read_pdf(invoice)
    if not invoice.cii_xml:
        raise NoMessage
    return invoice.cii_xml.encode() if kind == "xml" else ubl.message(invoice.facts)


def file_name(invoice: Invoice, kind: str) -> str:
    return f"{invoice.number}.{KINDS[kind][1]}"


def ensure_pdf(invoice: Invoice) -> Invoice:
    """Draw and store the invoice's document unless that was done.

    Raises: PdfNotPossible.
    """
    documents.keep(invoice, folder="invoices", draw=lambda: facturx.render(invoice))
    return invoice


def read_pdf(invoice: Invoice) -> bytes:
    """Return the stored document, drawing it if this is the first time anybody asks.

    Raises: PdfNotPossible, DocumentDamaged.
    """
    return documents.read(ensure_pdf(invoice))
