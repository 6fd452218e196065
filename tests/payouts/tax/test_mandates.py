"""A partner agrees to self-billing itself, to exactly the text it was shown, and either side ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partners.models import Partner
from payouts.models import NumberSeries, SelfBillingMandate
from payouts.tax import agreement, mandates, profiles, terms_for
from payouts.tax.profiles import TaxFacts
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from tests.factories.prm import UserFactory
from tests.payouts.tax.billed import APRIL_3, BEFORE, FRENCH, MAY_4, Billed, billed
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def them() -> Billed:
    return billed(agreed=False)


def agree(them: Billed, **more: object) -> SelfBillingMandate:
    values: dict[str, object] = {"version": agreement.VERSION, "by": ana(), "at": APRIL_3, **more}
    return mandates.agree(
        them.partner,
        them.membership.program.legal_entity,
        address="192.0.2.7",
        **values,  # type: ignore[arg-type]
    )


def test_an_agreement_keeps_its_text_who_agreed_when_and_from_where(them: Billed) -> None:
    mandate = agree(them)
    assert mandate.agreement_text == agreement.text_for(them.partner, them.membership.program.legal_entity)
    assert "within 14 days" in mandate.agreement_text
    assert "Halden France SAS" in mandate.agreement_text
    assert (mandate.agreed_by, mandate.agreed_at, mandate.agreed_from) == (ana(), APRIL_3, "192.0.2.7")
    assert (mandate.series_prefix, mandate.accepts_after_days) == ("HF-SB-0001", 14)
    assert AuditEvent.objects.filter(action="mandate.agreed").count() == 1


def test_agreeing_twice_makes_one_agreement(them: Billed) -> None:
    assert agree(them) == agree(them, at=MAY_4)
    assert SelfBillingMandate.objects.count() == 1


def test_only_the_partner_agrees(them: Billed) -> None:
    for other in (UserFactory.create(), ada(), fiona(), mats()):
        with pytest.raises(mandates.OnlyThePartnerAgrees):
            agree(them, by=other)
    assert not SelfBillingMandate.objects.exists()


def _no_profile(them: Billed) -> None:
    them.partner.tax_profiles.update(ends_at=APRIL_3 - timedelta(days=1))


def _private(them: Billed) -> None:
    facts = TaxFacts(country_code="FR", status="private")
    profiles.set_profile(them.partner, facts, by=ana(), at=APRIL_3 - timedelta(days=1))


def _no_street(them: Billed) -> None:
    Partner.objects.filter(pk=them.partner.pk).update(street="")


def _entity_without_number(them: Billed) -> None:
    entity = them.membership.program.legal_entity
    type(entity).objects.filter(pk=entity.pk).update(vat_number="")
    entity.refresh_from_db()


@pytest.mark.parametrize(
    ("break_it", "refusal"),
    [
        (_no_profile, mandates.ProfileMissing),
        (_private, mandates.NotForPrivatePersons),
        (_no_street, mandates.AddressMissing),
        (_entity_without_number, mandates.EntityIncomplete),
    ],
)
def test_without_what_an_invoice_needs_there_is_no_agreement(
    them: Billed, break_it: object, refusal: type[Refused]
) -> None:
    break_it(them)  # type: ignore[operator]
    with pytest.raises(refusal):
        agree(them)
    assert not SelfBillingMandate.objects.exists()
    assert not NumberSeries.objects.filter(series="mandate").exists()


def test_a_text_that_has_changed_since_is_read_again(them: Billed) -> None:
    with pytest.raises(mandates.AnotherVersion):
        agree(them, version="2025-1")


@pytest.mark.parametrize("who", [ana, fiona])
def test_either_side_ends_it_once_and_the_next_has_a_series_of_its_own(them: Billed, who: object) -> None:
    mandate = agree(them)
    mandates.end(mandate, by=who(), at=MAY_4)  # type: ignore[operator]
    with pytest.raises(mandates.AlreadyEnded):
        mandates.end(mandate, by=fiona(), at=MAY_4)
    assert terms_for(them.membership, at=MAY_4) is None
    assert agree(them, at=MAY_4 + timedelta(days=1)).series_prefix == "HF-SB-0002"


def test_others_do_not_end_it(them: Billed) -> None:
    mandate = agree(them)
    for other in (UserFactory.create(), mats()):
        with pytest.raises(Forbidden):
            mandates.end(mandate, by=other, at=MAY_4)
    mandate.refresh_from_db()
    assert mandate.ended_at is None


def test_terms_need_a_mandate_and_details_in_force(them: Billed) -> None:
    assert terms_for(them.membership, at=APRIL_3) is None
    agree(them)
    assert terms_for(them.membership, at=BEFORE) is None
    found = terms_for(them.membership, at=APRIL_3)
    assert found is not None
    assert (found.mode, str(found.rate), found.note) == ("domestic", "20.00", "derived")
    _private(them)
    assert terms_for(them.membership, at=APRIL_3) is None


def test_terms_follow_the_entity_of_the_program_unless_set_by_hand(them: Billed) -> None:
    agree(them)
    entity = them.membership.program.legal_entity
    entity.country_code = "PL"
    found = terms_for(them.membership, at=APRIL_3)
    assert found is not None
    assert found.mode == "reverse_charge"
    by_hand = TaxFacts(**FRENCH, mode="exempt", exemption_reason="Article 261 C")
    profiles.set_profile(them.partner, by_hand, by=fiona(), at=MAY_4)
    found = terms_for(them.membership, at=MAY_4)
    assert found is not None
    assert (found.mode, found.note) == ("exempt", "by_hand")


def test_the_series_of_an_entity_with_a_long_prefix_still_fits(them: Billed) -> None:
    entity = them.membership.program.legal_entity
    type(entity).objects.filter(pk=entity.pk).update(number_prefix="HALDENFR")
    entity.refresh_from_db()
    assert agree(them).series_prefix == "HALDENFR-SB-0001"
    mandates.end(SelfBillingMandate.objects.get(), by=ana(), at=MAY_4)
    NumberSeries.objects.filter(series="mandate").update(last=9999)
    assert agree(them, at=MAY_4 + timedelta(days=1)).series_prefix == "HALDENFR-SB10000"
