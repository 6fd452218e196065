"""Keep one PDF per document: drawn once, stored with its hash, and never drawn again. What is served is checked against the hash. Statements
and invoices are kept the same way."""

from __future__ import annotations

from collections.abc import Callable

from payouts.exports import pdf
from payouts.models import Invoice, Statement
from prm import documents
from prm.documents import DocumentDamaged

__all__ = ["DocumentDamaged", "ensure_pdf", "keep", "read", "read_pdf"]

Document = Statement | Invoice


def ensure_pdf(statement: Statement) -> Statement:
    """Draw and store the statement's document unless that was done.

    Raises: PdfNotPossible.
    """
    keep(statement, folder="statements", draw=lambda: pdf.render(statement))
    return statement


def read_pdf(statement: Statement) -> bytes:
    """Return the stored document, drawing it if this is the first time anybody asks.

    Raises: PdfNotPossible, DocumentDamaged.
    """
    return read(ensure_pdf(statement))


def keep(document: Document, *, folder: str, draw: Callable[[], bytes]) -> None:
    """Store what `draw` gives as the document's PDF, unless one is stored."""
    name = f"{folder}/{document.year}/{document.public_id}.pdf"
    documents.keep(document, name=name, draw=draw)


def read(document: Document) -> bytes:
    """Return the PDF that is stored for a document, if it is still what was stored.

    Raises: DocumentDamaged.
    """
    return documents.read(document)
