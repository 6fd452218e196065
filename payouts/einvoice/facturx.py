"""The printed invoice that carries its own message: a PDF/A-3b with the EN 16931 XML inside, as Factur-X and ZUGFeRD want it. In a currency
the standard cannot express, the document is drawn without a message."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils import translation

from payouts.einvoice.invoice_page import page_of, title_of
from payouts.exports import pdf

if TYPE_CHECKING:
    from payouts.models import Invoice

CONTENT_TYPE = "application/pdf"
MESSAGE_NAME = "factur-x.xml"
_VARIANT = "pdf/a-3b"
_STYLE = "documents/invoice.css"
_TAGS = {"en": "en-GB", "fr": "fr-FR", "pl": "pl-PL"}
# It tells every step of every document, which is of no use to whoever reads our log.
logging.getLogger("factur-x").setLevel(logging.ERROR)


def render(invoice: Invoice) -> bytes:
    """Return the document with its message inside, in the language it was issued in.

    Raises: PdfNotPossible.
    """
    with translation.override(invoice.language):
        title = title_of(invoice)
        html = render_to_string("documents/invoice.html", {"page": page_of(invoice)})
    drawn = pdf.draw(html, identifier=invoice.sha256[:32].encode(), variant=_VARIANT, style=_STYLE)
    return _embedded(drawn, invoice, title) if invoice.cii_xml else drawn


def file_name(invoice: Invoice) -> str:
    return f"{invoice.number}.pdf"


def _embedded(drawn: bytes, invoice: Invoice, title: str) -> bytes:
    # The library loads its schemas when it is imported; only a worker that draws invoices needs them.
    from facturx import generate_from_binary

    named = f"{title} {invoice.number}"
    made: bytes = generate_from_binary(
        drawn,
        invoice.cii_xml.encode(),
        flavor="factur-x",
        level="en16931",
        check_xsd=True,
        check_schematron=False,  # it would ask a server for it; the tests run the rules
        lang=_TAGS.get(invoice.language, invoice.language),
        pdf_metadata={
            "author": invoice.facts["buyer"]["name"],
            "keywords": "Factur-X",
            "title": named,
            "subject": f"{named}, {invoice.facts['issued_on']}",
        },
        afrelationship="alternative",
    )
    return made
