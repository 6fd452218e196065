"""Keep one PDF per statement: drawn once, stored with its hash, and never drawn again. What is served is checked against the hash."""

from __future__ import annotations

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from payouts.exports import pdf
from payouts.models import Statement
from prm.lib.errors import Refused


class DocumentDamaged(Refused):
    message = _("The stored document does not match what was issued. It is not shown; please tell us.")


def ensure_pdf(statement: Statement) -> Statement:
    """Draw and store the statement's document unless that was done.

    Raises: PdfNotPossible.
    """
    if statement.pdf_sha256:
        return statement
    content = pdf.render(statement)
    name = default_storage.save(
        f"statements/{statement.year}/{statement.public_id}.pdf", ContentFile(content)
    )
    digest = hashlib.sha256(content).hexdigest()
    kept = Statement.objects.filter(pk=statement.pk, pdf_sha256="").update(pdf=name, pdf_sha256=digest)
    if not kept:  # another worker was faster; its file is the one that counts
        default_storage.delete(name)
    statement.refresh_from_db(fields=["pdf", "pdf_sha256"])
    return statement


def read_pdf(statement: Statement) -> bytes:
    """Return the stored document, drawing it if this is the first time anybody asks.

    Raises: PdfNotPossible, DocumentDamaged.
    """
    ensure_pdf(statement)
    try:
        with default_storage.open(str(statement.pdf.name)) as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise DocumentDamaged from error
    if hashlib.sha256(content).hexdigest() != statement.pdf_sha256:
        raise DocumentDamaged
    return content
