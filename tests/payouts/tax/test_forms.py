"""Tax forms come with a file, end by themselves or by being revoked, and decide who may be paid."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from pytest_django.fixtures import Settings

from partners.models import Partner
from payouts import notices_tax
from payouts.models import TaxForm
from payouts.tax import forms, profiles
from payouts.tax.profiles import TaxFacts
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.factories.prm import UserFactory
from tests.payouts.tax.billed import APRIL_3, FRENCH, billed
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db

SIGNED = date(2024, 2, 29)
PDF = b"%PDF-1.4 signed"


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def partner() -> Partner:
    partner = billed(agreed=False).partner
    profiles.set_profile(partner, TaxFacts(**FRENCH, needs_form=True), by=fiona(), at=APRIL_3)
    return partner


def give(partner: Partner, kind: str = "w8bene", signed_on: date = SIGNED, **more: object) -> TaxForm:
    values: dict[str, object] = {"document": ContentFile(PDF, name="W-8 signed.pdf"), "by": ana(), **more}
    return forms.receive(partner, kind=kind, signed_on=signed_on, at=APRIL_3, **values)  # type: ignore[arg-type]


def test_a_w8_holds_to_the_end_of_the_third_year_after_its_signature(partner: Partner) -> None:
    form = give(partner)
    assert form.expires_on == date(2027, 12, 31)
    assert forms.is_covered(partner, on=date(2027, 12, 31))
    assert not forms.is_covered(partner, on=date(2028, 1, 1))
    assert not forms.is_covered(partner, on=SIGNED - timedelta(days=1))


def test_a_w9_does_not_end_and_its_number_is_checked(partner: Partner) -> None:
    assert give(partner, "w9", tax_number="91-1144442").expires_on is None
    assert forms.is_covered(partner, on=date(2060, 1, 1))
    with pytest.raises(forms.BadTaxNumber):
        give(partner, "w9", tax_number="91-114444")


def test_the_number_is_stored_encrypted_and_shown_by_its_ending(partner: Partner) -> None:
    form = give(partner, tax_number="98-7654321")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tax_number FROM payouts_taxform")
        [(stored,)] = cursor.fetchall()
    assert "7654321" not in stored
    assert TaxForm.objects.get().tax_number == "98-7654321"
    assert form.tax_number_ending == "4321"
    assert "7654321" not in str(AuditEvent.objects.values_list("details", flat=True))


def test_the_file_is_kept_as_it_came_under_a_name_of_ours(partner: Partner) -> None:
    form = give(partner)
    assert form.document.read() == PDF
    assert form.document_name == "W-8 signed.pdf"
    assert "signed" not in str(form.document.name)


def test_a_revoked_form_counts_no_longer(partner: Partner) -> None:
    form = give(partner)
    forms.revoke(form, by=fiona(), at=APRIL_3)
    assert not forms.is_covered(partner, on=date(2026, 4, 4))
    with pytest.raises(forms.AlreadyRevoked):
        forms.revoke(form, by=fiona(), at=APRIL_3)


def test_who_needs_no_form_is_covered(partner: Partner) -> None:
    assert not forms.is_covered(partner, on=date(2026, 4, 4))
    other = TaxFacts(**FRENCH, needs_form=False)
    profiles.set_profile(partner, other, by=fiona(), at=APRIL_3 + timedelta(hours=1))
    assert forms.is_covered(partner, on=date(2026, 4, 4))


def test_many_partners_are_asked_about_at_once(partner: Partner) -> None:
    assert forms.uncovered([partner.pk, partner.pk + 1], on=date(2026, 4, 4)) == {partner.pk}


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"kind": "napkin"}, forms.UnknownForm, "kind"),
        ({"signed_on": date(2026, 4, 4)}, forms.SignedLater, "signed_on"),
        ({"kind": "residence"}, forms.ExpiryMissing, "expires_on"),
        ({"kind": "residence", "expires_on": SIGNED}, forms.ExpiredBefore, "expires_on"),
        ({"document": None}, forms.DocumentMissing, "document"),
        ({"document": ContentFile(b"", name="a.pdf")}, forms.BadDocument, "document"),
        ({"document": ContentFile(b"MZ\x90\x00", name="a.pdf")}, forms.BadDocument, "document"),
        ({"tax_number": "<1>"}, forms.TaxNumberTooLong, "tax_number"),
        ({"kind": "w9"}, forms.BadTaxNumber, "tax_number"),
    ],
)
def test_what_is_no_form_is_refused_at_its_field(
    partner: Partner, tmp_path: Path, values: dict[str, object], refusal: type[Refused], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        give(partner, **values)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert not TaxForm.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_others_neither_give_nor_revoke(partner: Partner) -> None:
    form = give(partner)
    for stranger in (UserFactory.create(), mats()):
        with pytest.raises(profiles.NotYourTaxes):
            give(partner, by=stranger)
        with pytest.raises(Forbidden):
            forms.revoke(form, by=stranger, at=APRIL_3)
    with pytest.raises(Forbidden):
        forms.revoke(form, by=ana(), at=APRIL_3)
    assert TaxForm.objects.count() == 1


def test_a_form_that_ends_soon_is_told_about_once_and_not_after_a_new_one_came(partner: Partner) -> None:
    give(partner, signed_on=date(2023, 5, 2))  # holds until 31 December 2026
    assert notices_tax.remind(on=date(2026, 10, 31)) == 0  # 61 days before
    assert notices_tax.remind(on=date(2026, 11, 1)) == 1
    assert notices_tax.remind(on=date(2026, 11, 2)) == 1
    mail = OutgoingMail.objects.get(kind="tax_form_expiring")
    assert mail.to == "ana@studio.example"
    assert "31 Dec 2026" in mail.subject
    assert "wait until we have a new one" in mail.text
    give(partner, signed_on=date(2025, 5, 2))
    assert notices_tax.remind(on=date(2026, 11, 3)) == 0
