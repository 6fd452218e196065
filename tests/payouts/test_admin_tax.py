"""The back office's pages about taxes: who may open them, what they set, and that no page shows a tax number."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django.fixtures import Settings

from payouts.models import Invoice, SelfBillingMandate, TaxForm, TaxProfile, Withholding
from payouts.tax import forms, invoices
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from tests.desk import at_desk
from tests.payouts.tax.billed import APRIL_3, Billed, billed
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def them() -> Billed:
    return billed()


def url(name: str, *args: object) -> str:
    return reverse(f"admin:payouts_{name}", args=args)


def given(them: Billed) -> TaxForm:
    return forms.receive(
        them.partner,
        kind="w8bene",
        signed_on=date(2024, 1, 5),
        tax_number="98-7654321",
        document=ContentFile(b"%PDF-1.4 x", name="w8.pdf"),
        by=ana(),
        at=APRIL_3,
    )


def invoiced(them: Billed) -> Invoice:
    invoice = invoices.issue_for(them.statement(("every-order", 1000_00), vat_minor=200_00), at=APRIL_3)
    assert invoice is not None
    return invoice


def test_finance_sets_details_by_hand(them: Billed) -> None:
    desk = at_desk(fiona())
    address = url("taxprofile_set", them.partner.pk)
    assert "Halden France SAS" in desk.get(address).content.decode()
    values = {"country_code": "FR", "status": "business", "vat_number": "FR40303265045", "mode": "domestic"}
    refused = desk.post(address, values)  # no rate
    assert "Domestic VAT has a rate" in refused.content.decode()
    desk.post(address, values | {"rate": "8.5", "needs_form": "on"})
    profile = TaxProfile.objects.get(ends_at=None)
    assert (str(profile.vat_rate), profile.is_set_by_hand, profile.needs_form) == ("8.50", True, True)


def test_finance_withholds_and_ends(them: Billed) -> None:
    desk = at_desk(fiona())
    values = {"rate": "10", "basis": "Treaty, article 12", "starts_on": "2026-04-01"}
    desk.post(url("withholding_set", them.partner.pk), values)
    row = Withholding.objects.get()
    assert "Withhold no longer" in desk.get(url("withholding_change", row.pk)).content.decode()
    desk.post(url("withholding_end", row.pk), {"ends_on": "2026-07-01"})
    row.refresh_from_db()
    assert row.ends_on == date(2026, 7, 1)


def test_finance_keeps_a_form_takes_its_file_and_revokes_it(them: Billed) -> None:
    desk = at_desk(fiona())
    file = SimpleUploadedFile("w9.pdf", b"%PDF-1.4 x")
    values = {"kind": "w9", "signed_on": "2026-01-05", "tax_number": "91-1144442", "document": file}
    desk.post(url("taxform_receive", them.partner.pk), values)
    form = TaxForm.objects.get()
    answer = desk.get(url("taxform_file", form.pk))
    assert answer["Content-Disposition"] == 'attachment; filename="w9.pdf"'
    assert AuditEvent.objects.filter(action="tax_form.file_taken").count() == 1
    assert desk.get(url("taxform_revoke", form.pk)).status_code == 200
    desk.post(url("taxform_revoke", form.pk))
    form.refresh_from_db()
    assert form.revoked_by == fiona()


def test_no_page_shows_a_tax_number(them: Billed) -> None:
    form = given(them)
    desk = at_desk(ada())
    pages = [
        url("taxform_changelist"),
        url("taxform_change", form.pk),
        reverse("admin:partners_partner_change", args=[them.partner.pk]),
    ]
    for address in pages:
        html = desk.get(address).content.decode()
        assert "7654321" not in html, address
    assert "•••• 4321" in desk.get(pages[0]).content.decode()


def test_the_list_of_forms_that_end_soon(them: Billed, monkeypatch: pytest.MonkeyPatch) -> None:
    given(them)  # until 31 December 2027
    desk = at_desk(fiona())
    for kind, shown in (("soon", False), ("valid", True), ("over", False)):
        html = desk.get(url("taxform_changelist"), {"validity": kind}).content.decode()
        assert ("•••• 4321" in html) is shown, kind


def test_an_agreement_is_ended_by_staff(them: Billed) -> None:
    desk = at_desk(fiona())
    mandate = SelfBillingMandate.objects.get()
    assert "End the agreement" in desk.get(url("selfbillingmandate_change", mandate.pk)).content.decode()
    desk.post(url("selfbillingmandate_end", mandate.pk))
    mandate.refresh_from_db()
    assert mandate.ended_by == fiona()


def test_an_invoice_is_shown_with_its_files_and_taking_one_is_recorded(them: Billed) -> None:
    invoice = invoiced(them)
    desk = at_desk(fiona())
    html = desk.get(url("invoice_change", invoice.pk)).content.decode()
    assert invoice.number in html
    assert "€1,200.00" in html
    assert "does not say what was issued" not in html
    answer = desk.get(url("invoice_file", invoice.pk, "xml"))
    assert answer.content == invoice.cii_xml.encode()
    assert desk.get(url("invoice_file", invoice.pk, "exe")).status_code == 404
    assert AuditEvent.objects.filter(action="invoice.file_taken").count() == 1
    assert "€1,200.00" in desk.get(url("invoice_changelist")).content.decode()


@pytest.mark.parametrize(("who", "status"), [(fiona, 200), (ada, 200), (mats, 403)])
def test_taxes_are_for_finance_and_administrators(them: Billed, who: object, status: int) -> None:
    person: User = who()  # type: ignore[operator]
    form, mandate = given(them), SelfBillingMandate.objects.get()
    desk = at_desk(person)
    for address in (
        url("taxprofile_changelist"),
        url("taxform_changelist"),
        url("withholding_changelist"),
        url("selfbillingmandate_changelist"),
        url("taxprofile_set", them.partner.pk),
        url("withholding_set", them.partner.pk),
        url("taxform_receive", them.partner.pk),
        url("taxform_revoke", form.pk),
        url("taxform_file", form.pk),
        url("selfbillingmandate_end", mandate.pk),
    ):
        assert desk.get(address).status_code == status, address


def test_the_page_of_a_partner_leads_to_its_taxes(them: Billed) -> None:
    html = (
        at_desk(fiona())
        .get(reverse("admin:partners_partner_change", args=[them.partner.pk]))
        .content.decode()
    )
    assert "Business registered for VAT, FR" in html
    assert "HF-SB-0001" in html
    assert url("taxprofile_set", them.partner.pk) in html
