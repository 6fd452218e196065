"""A partner's tax details hold from one moment to another, and the VAT on them follows by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from partners.models import Partner
from payouts.choices import VatMode
from payouts.models import TaxProfile
from payouts.tax import profiles
from payouts.tax.profiles import TaxFacts
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from tests.factories.prm import UserFactory
from tests.payouts.tax.billed import APRIL_3, BEFORE, FRENCH, billed
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db

LATER = APRIL_3 + timedelta(days=1)


@pytest.fixture
def partner() -> Partner:
    return billed(agreed=False).partner


def current(partner: Partner, at: datetime = LATER) -> TaxProfile:
    profile = profiles.in_force(partner, at=at)
    assert profile is not None
    return profile


def test_a_change_ends_one_row_and_begins_the_next(partner: Partner) -> None:
    before = current(partner)
    polish = TaxFacts(country_code="pl", status="business", vat_number="5260250995")
    after = profiles.set_profile(partner, polish, by=ana(), at=APRIL_3)
    before.refresh_from_db()
    assert (before.ends_at, after.starts_at, after.ends_at) == (APRIL_3, APRIL_3, None)
    assert (before.vat_mode, before.vat_rate) == (VatMode.DOMESTIC, Decimal("20.00"))
    assert (after.vat_mode, after.vat_rate, after.vat_number) == (
        VatMode.REVERSE_CHARGE,
        Decimal("0.00"),
        "PL5260250995",
    )
    assert profiles.in_force(partner, at=APRIL_3 - timedelta(seconds=1)) == before
    assert current(partner) == after
    partner.refresh_from_db()
    assert partner.vat_number == "PL5260250995"
    assert AuditEvent.objects.filter(action="tax_profile.set", object_pk=str(after.pk)).count() == 1


def test_the_same_details_again_change_nothing(partner: Partner) -> None:
    before = current(partner)
    assert profiles.set_profile(partner, TaxFacts(**FRENCH), by=ana(), at=APRIL_3) == before
    assert TaxProfile.objects.count() == 1


def test_staff_may_set_mode_and_rate_by_hand_and_the_partner_may_not(partner: Partner) -> None:
    overseas = TaxFacts(**FRENCH, mode="domestic", rate=Decimal("8.5"))
    with pytest.raises(Forbidden):
        profiles.set_profile(partner, overseas, by=ana(), at=APRIL_3)
    with pytest.raises(Forbidden):
        profiles.set_profile(partner, TaxFacts(**FRENCH, needs_form=False), by=ana(), at=APRIL_3)
    assert TaxProfile.objects.count() == 1
    profile = profiles.set_profile(partner, overseas, by=fiona(), at=APRIL_3)
    assert (profile.vat_mode, profile.vat_rate, profile.is_set_by_hand) == (
        "domestic",
        Decimal("8.50"),
        True,
    )


def test_whether_a_form_is_needed_stays_when_the_partner_changes_the_rest(partner: Partner) -> None:
    profiles.set_profile(partner, TaxFacts(**FRENCH, needs_form=True), by=fiona(), at=APRIL_3)
    changed = TaxFacts(country_code="FR", status="small_business", registration_number="303265045")
    profile = profiles.set_profile(partner, changed, by=ana(), at=LATER)
    assert profile.needs_form
    assert profile.vat_mode == VatMode.EXEMPT


def test_whoever_an_american_entity_pays_needs_a_form() -> None:
    them = billed(
        {"country_code": "US", "status": "business_abroad"}, agreed=False, entity={"country_code": "US"}
    )
    assert current(them.partner).needs_form


def test_others_set_nothing(partner: Partner) -> None:
    for stranger in (UserFactory.create(), mats()):
        with pytest.raises(profiles.NotYourTaxes):
            profiles.set_profile(partner, TaxFacts(**FRENCH), by=stranger, at=APRIL_3)


@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"country_code": "XX", "status": "business"}, profiles.UnknownCountry, "country_code"),
        ({"country_code": "FR", "status": "king"}, profiles.UnknownStatus, "status"),
        ({"country_code": "FR", "status": "business"}, profiles.VatNumberMissing, "vat_number"),
        ({"country_code": "PL", "status": "small_business"}, profiles.NumberMissing, "registration_number"),
        ({"country_code": "PL", "status": "business_abroad"}, profiles.NotAbroad, "status"),
        ({"country_code": "GB", "status": "business_abroad"}, profiles.NotAbroad, "status"),
        ({**FRENCH, "mode": "domestic"}, profiles.BadRate, "vat_rate"),
        ({**FRENCH, "mode": "domestic", "rate": Decimal("20.005")}, profiles.BadRate, "vat_rate"),
        ({**FRENCH, "mode": "domestic", "rate": Decimal("50.01")}, profiles.BadRate, "vat_rate"),
        ({**FRENCH, "mode": "reverse_charge", "rate": Decimal(1)}, profiles.BadRate, "vat_rate"),
        ({**FRENCH, "mode": "exempt"}, profiles.ReasonMissing, "exemption_reason"),
    ],
)
def test_what_cannot_be_right_is_refused_at_its_field(
    partner: Partner, facts: dict[str, object], refusal: type[Refused], field: str
) -> None:
    before = list(TaxProfile.objects.values())
    with pytest.raises(refusal) as refused:
        profiles.set_profile(partner, TaxFacts(**facts), by=fiona(), at=APRIL_3)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert list(TaxProfile.objects.values()) == before
    partner.refresh_from_db()
    assert partner.vat_number == "FR40303265045"


def test_before_the_first_details_nothing_is_in_force(partner: Partner) -> None:
    assert profiles.in_force(partner, at=BEFORE - timedelta(seconds=1)) is None
