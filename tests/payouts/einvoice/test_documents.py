"""The printed invoice: what it says in three languages, the message inside it, and that it is kept once."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import facturx
import pytest
from pypdf import PdfReader
from pytest_django.fixtures import Settings

from payouts.documents import DocumentDamaged
from payouts.einvoice import documents
from payouts.models import Invoice
from payouts.tasks_documents import render_invoice
from payouts.tax import invoices
from tests.payouts.tax.billed import APRIL_3, FRENCH, POLISH, billed

pytestmark = [pytest.mark.django_db, pytest.mark.needs_pango]


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def written(language: str = "en", facts: dict[str, Any] = FRENCH, vat_minor: int = 205_00) -> Invoice:
    statement = billed(facts, language=language).statement(("every-order", 1025_00), vat_minor=vat_minor)
    invoice = invoices.issue_for(statement, at=APRIL_3)
    assert invoice is not None
    return invoice


def text_of(content: bytes) -> str:
    program = shutil.which("pdftotext")
    assert program is not None
    done = subprocess.run([program, "-layout", "-", "-"], input=content, capture_output=True, check=True)
    return done.stdout.decode().replace("\u202f", " ").replace("\u00a0", " ")


def test_the_document_is_pdf_a_3_with_its_message_inside() -> None:
    invoice = written()
    content = documents.read_pdf(invoice)
    name, message = facturx.get_facturx_xml_from_pdf(content, check_xsd=True)
    assert name == "factur-x.xml"
    assert message == invoice.cii_xml.encode()
    catalogue: Any = PdfReader(io.BytesIO(content)).trailer["/Root"]
    assert "/AF" in catalogue
    assert "/OutputIntents" in catalogue
    described = catalogue["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in described
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in described
    assert "EN 16931" in described


def test_the_paper_says_the_same_sums_as_the_message() -> None:
    text = text_of(documents.read_pdf(written()))
    for said in ("€1,025.00", "VAT 20%", "€205.00", "€1,230.00", "HF-SB-0001-2026-0001", "Self-billing"):
        assert said in text
    assert "FR40303265045" in text
    assert "in the name and on behalf of Studio Prado SARL" in text


@pytest.mark.parametrize(
    ("language", "mention", "total"),
    [("fr", "Autofacturation", "1 025,00 €"), ("pl", "Samofakturowanie / ", "1025,00 €")],
)
def test_amounts_and_the_mention_are_in_the_partners_language(
    language: str, mention: str, total: str
) -> None:
    facts = (
        POLISH
        if language == "pl"
        else {"country_code": "FR", "status": "small_business"} | {"registration_number": "303265045"}
    )
    text = text_of(documents.read_pdf(written(language, facts, vat_minor=0)))
    assert mention.removesuffix(" / ") in text
    assert total.replace(" ", "") in text.replace(" ", "")


def test_a_document_is_drawn_once_and_damage_is_noticed(tmp_path: Path) -> None:
    invoice = written()
    render_invoice(invoice_id=invoice.pk)
    invoice.refresh_from_db()
    first = documents.read_pdf(invoice)
    assert documents.read_pdf(Invoice.objects.get()) == first
    [stored] = list(tmp_path.rglob("*.pdf"))
    stored.write_bytes(first + b" ")
    with pytest.raises(DocumentDamaged):
        documents.read_pdf(Invoice.objects.get())
    stored.unlink()
    with pytest.raises(DocumentDamaged):
        documents.read_pdf(Invoice.objects.get())


def test_without_a_message_there_is_paper_and_no_xml() -> None:
    statement = billed(POLISH, currency="KWD").statement(("every-order", 12_345))
    invoice = invoices.issue_for(statement, at=APRIL_3)
    assert invoice is not None
    assert documents.content_of(invoice, "pdf").startswith(b"%PDF")
    for kind in ("xml", "ubl"):
        with pytest.raises(documents.NoMessage):
            documents.content_of(invoice, kind)
