"""The portal's room for taxes: details and what follows from them, forms, the agreement, and invoices nobody else can take."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from partners.choices import TeamRole
from partners.models import Member
from payouts.models import Invoice, SelfBillingMandate, TaxForm, TaxProfile
from payouts.tax import agreement, invoices
from prm.audit.models import AuditEvent
from tests.factories.partners import MembershipFactory
from tests.factories.prm import UserFactory
from tests.payouts.tax.billed import APRIL_3, BEFORE, MAY_4, POLISH, Billed, billed
from tests.people import ana

pytestmark = pytest.mark.django_db

DETAILS = {
    "country_code": "PL",
    "status": "business",
    "vat_number": "PL5260250995",
    "registration_number": "",
    "street": "Aleja Jana Pawła II",
    "building_number": "22",
    "postcode": "00-133",
    "town": "Warszawa",
}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.rooms.clock", lambda: MAY_4)


def signed_in(person: object = None) -> Client:
    client = Client()
    client.force_login(person or ana())  # type: ignore[arg-type]
    return client


def page(name: str, *args: str) -> str:
    return reverse(f"portal:{name}", args=args)


def invoiced(at: datetime = APRIL_3) -> tuple[Billed, Invoice]:
    them = billed()
    invoice = invoices.issue_for(them.statement(("every-order", 1000_00), vat_minor=200_00), at=at)
    assert invoice is not None
    return them, invoice


def test_details_are_entered_and_what_follows_is_said() -> None:
    them = billed(agreed=False)
    client = signed_in()
    answer = client.post(page("tax_profile"), DETAILS, follow=True)
    html = answer.content.decode()
    assert "Saved. VAT on your commissions: Reverse charge." in html
    profile = TaxProfile.objects.get(ends_at=None)
    assert (profile.partner, profile.set_by, profile.vat_number) == (them.partner, ana(), "PL5260250995")
    them.partner.refresh_from_db()
    assert (them.partner.town, them.partner.country) == ("Warszawa", "Poland")


def test_who_has_no_details_yet_begins_with_what_is_known() -> None:
    them = billed(agreed=False)
    them.partner.tax_profiles.update(ends_at=APRIL_3)
    html = signed_in().get(page("tax_profile")).content.decode()
    assert '<option value="GB" selected>' in html
    assert "No tax details yet" in signed_in().get(page("tax")).content.decode()


def test_a_mistyped_number_is_said_at_its_field_and_nothing_is_kept() -> None:
    billed(agreed=False)
    answer = signed_in().post(page("tax_profile"), DETAILS | {"vat_number": "PL5260250996", "town": "Kraków"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="id_vat_number_error"' in html
    assert "This number has a wrong check digit" in html
    assert TaxProfile.objects.count() == 1


def test_a_form_is_sent_and_shown_by_its_ending(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    billed(agreed=False)
    file = SimpleUploadedFile("w8.pdf", b"%PDF-1.4 signed")
    values = {"kind": "w8ben", "signed_on": "2026-01-05", "tax_number": "98-7654321", "document": file}
    html = signed_in().post(page("tax_form"), values, follow=True).content.decode()
    assert "Form W-8BEN is stored." in html
    assert "•••• 4321" in html
    assert "7654321" not in html
    assert "Valid until 31 Dec 2029" in html
    assert TaxForm.objects.get().received_by == ana()


def test_a_program_in_disguise_is_no_form(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    billed(agreed=False)
    file = SimpleUploadedFile("w8.pdf", b"MZ\x90\x00\x03")
    values = {"kind": "w8ben", "signed_on": "2026-01-05", "document": file}
    answer = signed_in().post(page("tax_form"), values)
    assert answer.status_code == 422
    assert 'id="id_document_error"' in answer.content.decode()
    assert not TaxForm.objects.exists()


def test_the_agreement_is_read_agreed_to_and_ended() -> None:
    them = billed(agreed=False)
    client = signed_in()
    shown = client.get(page("tax_self_billing")).content.decode()
    assert "Halden France SAS writes the invoices" in shown
    untick = client.post(page("tax_self_billing"), {"version": agreement.VERSION})
    assert untick.status_code == 422
    assert not SelfBillingMandate.objects.exists()
    values = {"version": agreement.VERSION, "agreed": "on"}
    html = client.post(
        page("tax_self_billing"), values, REMOTE_ADDR="192.0.2.9", follow=True
    ).content.decode()
    assert "Your invoices are numbered HF-SB-0001." in html
    mandate = SelfBillingMandate.objects.get()
    assert (mandate.partner, mandate.agreed_by, mandate.agreed_from) == (them.partner, ana(), "192.0.2.9")
    assert client.get(page("tax_self_billing")).status_code == 302
    assert "Either side can end" in client.get(page("tax_mandate_text")).content.decode()
    assert client.get(page("tax_self_billing_end")).status_code == 200
    client.post(page("tax_self_billing_end"))
    mandate.refresh_from_db()
    assert mandate.ended_by == ana()


def test_without_an_address_the_page_says_what_is_missing() -> None:
    them = billed(agreed=False)
    type(them.partner).objects.update(street="")
    html = signed_in().get(page("tax_self_billing")).content.decode()
    assert "An invoice needs your full address" in html
    assert 'name="agreed"' not in html


def test_an_invoice_is_listed_and_taken_in_both_syntaxes() -> None:
    _them, invoice = invoiced()
    client = signed_in()
    html = client.get(page("tax")).content.decode()
    assert invoice.number in html
    assert "€1,200.00" in html
    xml = client.get(page("invoice_file", invoice.public_id, "xml"))
    assert b"".join(xml) == invoice.cii_xml.encode()  # type: ignore[arg-type]
    assert xml["Content-Disposition"] == f'attachment; filename="{invoice.number}.cii.xml"'
    ubl = client.get(page("invoice_file", invoice.public_id, "ubl"))
    assert b"<cbc:PayableAmount" in b"".join(ubl)  # type: ignore[arg-type]
    assert client.get(page("invoice_file", invoice.public_id, "exe")).status_code == 404
    assert AuditEvent.objects.filter(action="invoice.file_taken").count() == 2


@pytest.mark.needs_pango
def test_the_printed_invoice_is_taken(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    _them, invoice = invoiced()
    answer = signed_in().get(page("invoice_file", invoice.public_id, "pdf"))
    assert b"".join(answer).startswith(b"%PDF")  # type: ignore[arg-type]


def test_nobody_else_takes_it() -> None:
    _them, invoice = invoiced()
    stranger = UserFactory.create()
    elsewhere = MembershipFactory.create()
    Member.objects.create(partner=elsewhere.partner, user=stranger, role="owner", joined_at=BEFORE)
    for kind in ("pdf", "xml", "ubl"):
        url = page("invoice_file", invoice.public_id, kind)
        assert signed_in(stranger).get(url).status_code == 404
        assert Client().get(url).status_code == 302
    assert not AuditEvent.objects.filter(action="invoice.file_taken").exists()


def test_each_role_finds_the_doors_it_may_open() -> None:
    them, invoice = invoiced()
    looks = {TeamRole.OWNER, TeamRole.FINANCE, TeamRole.READ_ONLY}
    changes = {TeamRole.OWNER, TeamRole.FINANCE}
    for role in TeamRole:
        Member.objects.filter(partner=them.partner).update(role=role)
        client = signed_in()
        for name in ("tax", "tax_mandate_text"):
            assert (client.get(page(name)).status_code == 200) is (role in looks), (role, name)
        file = client.get(page("invoice_file", invoice.public_id, "xml"))
        assert (file.status_code == 200) is (role in looks), role
        for name in ("tax_profile", "tax_form", "tax_self_billing", "tax_self_billing_end"):
            is_open = client.get(page(name)).status_code != 403
            assert is_open is (role in changes), (role, name)
            if role not in changes:
                assert client.post(page(name), {}).status_code == 403, (role, name)
    assert SelfBillingMandate.objects.get().ended_at is None


def test_a_reverse_charge_partner_reads_so_on_its_page() -> None:
    billed(POLISH)
    html = signed_in().get(page("tax")).content.decode()
    assert "Reverse charge" in html
    assert "The first one comes with your next statement." in html
