"""Keep one PDF per document: drawn once, stored with its hash, and never drawn again. What is served is checked against the hash. Statements
and invoices are kept the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from payouts.exports import pdf
from payouts.models import Invoice, Statement
from prm.lib.errors import Refused

Document = Statement | Invoice


class DocumentDamaged(Refused):
    message = _("The stored document does not match what was issued. It is not shown; please tell us.")


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
    """Store what `draw` gives as the document's PDF, unless one is stored; of several workers the first counts."""
    if document.pdf_sha256:
        return
    content = draw()
    name = default_storage.save(f"{folder}/{document.year}/{document.public_id}.pdf", ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    waiting = type(document).objects.filter(pk=document.pk, pdf_sha256="")
    if not waiting.update(
        pdf=name, pdf_sha256=digest
    ):  # another worker was faster; its file is the one that counts
        default_storage.delete(name)
    document.refresh_from_db(fields=["pdf", "pdf_sha256"])


def read(document: Document) -> bytes:
    """Return the PDF that is stored for a document, if it is still what was stored.

    Raises: DocumentDamaged.
    """
    try:
        with default_storage.open(str(document.pdf.name)) as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise DocumentDamaged from error
    if hashlib.sha256(content).hexdigest() != document.pdf_sha256:
        raise DocumentDamaged
    return content
