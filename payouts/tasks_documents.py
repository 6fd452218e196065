"""The door Celery enters by to draw documents. Drawing one twice is harmless: it is stored once."""

from __future__ import annotations

import logging

from celery import shared_task

from payouts import documents
from payouts.einvoice import documents as invoice_documents
from payouts.exports.pdf import PdfNotPossible
from payouts.models import Invoice, Statement

log = logging.getLogger(__name__)


@shared_task(name="payouts.render_statement")
def render_statement(*, statement_id: int) -> None:
    try:
        documents.ensure_pdf(Statement.objects.get(pk=statement_id))
    except PdfNotPossible:
        # Whoever asks for the file is told; a worker has nobody to tell.
        log.warning("Statement %s has no PDF: the Pango libraries are missing.", statement_id)


@shared_task(name="payouts.render_invoice")
def render_invoice(*, invoice_id: int) -> None:
    try:
        invoice_documents.ensure_pdf(Invoice.objects.get(pk=invoice_id))
    except PdfNotPossible:
        log.warning("Invoice %s has no PDF: the Pango libraries are missing.", invoice_id)
