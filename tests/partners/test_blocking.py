"""What is blocked warns in its program or everywhere, and signals see shared details of others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from partners import blocking, screening
from partners.models import Application
from tests.factories.partners import ApplicationFactory, MembershipFactory, PartnerFactory
from tests.factories.recruiting import ProspectFactory, ReferenceFactory
from tests.factories.tiers import ProgramFactory
from tests.people import mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def warned(application: Application) -> set[str]:
    return {each.code for each in screening.signals(application) if each.level == "warn"}


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("domain", "lima.example", "blocked_domain"),
        ("email", "ANA@lima.example", "blocked_email"),
        ("country", "pt", "blocked_country"),
    ],
)
def test_what_is_blocked_warns_where_it_is_blocked(kind: str, value: str, code: str) -> None:
    application = ApplicationFactory.create(email="ana@lima.example")
    elsewhere = ProgramFactory.create()
    blocking.block(kind=kind, value=value, reason="Spam", program=elsewhere, by=mats(), at=NOW)
    assert code not in warned(application)
    entry = blocking.block(kind=kind, value=value, reason="Spam", program=None, by=mats(), at=NOW)
    assert code in warned(application)
    blocking.unblock(entry, by=mats(), at=NOW)
    assert code not in warned(application)


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"kind": "domain", "value": "nothing"}, blocking.NothingToBlock),
        ({"kind": "email", "value": "no-at-sign"}, blocking.NothingToBlock),
        ({"kind": "country", "value": "Atlantis"}, blocking.NothingToBlock),
        ({"kind": "domain", "value": "gmail.com"}, blocking.WouldBlockEverybody),
        ({"kind": "domain", "value": "x.example", "reason": " "}, blocking.NoReasonGiven),
        ({"kind": "domain", "value": "www.twice.example"}, blocking.BlockedAlready),
    ],
)
def test_an_entry_without_sense_is_refused(values: dict[str, str], refusal: type[Exception]) -> None:
    given: dict[str, Any] = {"reason": "x", "program": None, "by": mats(), "at": NOW}
    blocking.block(**{**given, "kind": "domain", "value": "twice.example"})
    with pytest.raises(refusal):
        blocking.block(**{**given, **values})


@pytest.mark.parametrize(
    ("partner", "values", "code"),
    [
        ({"phone": "0044 20 7946-0000"}, {"phone": "+44 (20) 7946 0000"}, "same_phone"),
        ({"vat_number": "PT 501 964 843"}, {"vat_number": "pt501964843"}, "same_vat"),
        (
            {"street": "Rua Augusta 12", "postcode": "1100-048"},
            {"street": "rua augusta, 12", "postcode": "1100 048"},
            "same_place",
        ),
        ({"email": "team@agency.example"}, {"email": "bob@agency.example"}, "same_mail_domain"),
    ],
)
def test_details_of_a_partner_are_recognised_however_they_are_written(
    partner: dict[str, str], values: dict[str, str], code: str
) -> None:
    PartnerFactory.create(name="Quite Other", **partner)
    assert code in warned(ApplicationFactory.create(**values))
    assert code not in warned(ApplicationFactory.create(phone="", email="c@else.example", website=""))


def test_details_of_another_applicant_are_recognised_too() -> None:
    first = ApplicationFactory.create(phone="+351 21 999 9999", vat_number="PT501964843", email="a@x.example")
    second = ApplicationFactory.create(phone="00351219999999", vat_number="PT 501964843", email="b@y.example")
    for each in (first, second):
        assert {"same_phone", "same_vat"} <= warned(each)


def test_a_shared_public_provider_says_nothing() -> None:
    PartnerFactory.create(email="one@gmail.com")
    assert "same_mail_domain" not in warned(ApplicationFactory.create(email="two@gmail.com"))


def test_references_prospects_and_introducers_are_named() -> None:
    above = MembershipFactory.create(partner__name="Kite Labs")
    application = ApplicationFactory.create(introducer=above, program=above.program, email="p@x.example")
    ReferenceFactory.create(application=application, answer="denied", answered_at=NOW, full_name="Rui")
    ProspectFactory.create(email="p@x.example", competes_with="Garden Gifts")
    texts = {each.code: each.text for each in screening.signals(application)}
    assert texts["reference_denied"] == "Rui does not confirm."
    assert "Garden Gifts" in texts["competitor"]
    assert texts["introduced"] == "Introduced by Kite Labs."
