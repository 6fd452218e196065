"""Signals tell a reviewer what to look at; they decide nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partners import screening
from partners.choices import MembershipState, TeamRole
from tests.factories.partners import ApplicationFactory, MemberFactory, MembershipFactory, PartnerFactory
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://www.Lima.example/about?x=1", "lima.example"),
        ("lima.example", "lima.example"),
        ("ana@mail.lima.example", "lima.example"),
        ("https://shop.acme.co.uk", "acme.co.uk"),
        ("https://a.b.acme.com.pl:8443/", "acme.com.pl"),
        ("https://user@host.example/@ana", "host.example"),
        ("http://[broken", ""),
    ],
)
def test_the_domain_of_an_address(address: str, expected: str) -> None:
    assert screening.domain_of(address) == expected


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Lima Reviews Ltd.", True),
        ("LIMA  REVIEWS", True),
        ("Lima-Reviews, S.A.", False),  # "S.A." falls apart into letters, which are kept
        ("Lima Review", False),
    ],
)
def test_names_are_compared_without_legal_form_case_and_punctuation(name: str, same: bool) -> None:
    assert (screening.name_key(name) == screening.name_key("Lima Reviews Limited")) is same


def test_a_name_that_is_only_a_legal_form_stays() -> None:
    assert screening.name_key("SAS") == "sas"


@pytest.mark.parametrize(
    ("email", "expected"),
    [("x@mailinator.com", True), ("x@eu.YOPMAIL.com", True), ("x@lima.example", False)],
)
def test_throw_away_mailboxes_are_known(email: str, expected: bool) -> None:
    assert screening.is_disposable(email) is expected


def codes(application: object) -> dict[str, str]:
    return {signal.code: signal.level for signal in screening.signals(application)}  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_plain_application_warns_of_nothing() -> None:
    found = codes(ApplicationFactory(email="ana@lima.example", address="203.0.113.7"))
    assert found == {"email_confirmed": "ok", "same_domain": "ok", "own_address": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"email_confirmed_at": None}, "email_not_confirmed"),
        ({"email": "ana@mailinator.com"}, "disposable_email"),
        ({"email": "ana@gmail.com"}, "public_mailbox"),
        ({"email": "ana@elsewhere.example"}, "other_domain"),
        ({"how_promote": "Ads"}, "short_text"),
    ],
)
def test_each_oddity_of_the_answers_is_named(values: dict[str, object], code: str) -> None:
    found = codes(ApplicationFactory(**{"email": "ana@lima.example", **values}))
    assert found[code] == "warn"


@pytest.mark.django_db
def test_a_channel_on_a_platform_has_no_domain_to_compare() -> None:
    found = codes(ApplicationFactory(email="ana@gmail.com", website="https://www.youtube.com/@ana"))
    assert not {"public_mailbox", "other_domain", "same_domain"} & set(found)


@pytest.mark.django_db
def test_the_same_company_and_the_same_website_are_found() -> None:
    PartnerFactory(name="LIMA Reviews Ltd")
    PartnerFactory(name="Quite Other", website="http://www.lima.example/shop")
    PartnerFactory(name="Lima Bakery", website="https://notlima.example")
    application = ApplicationFactory(company="Lima reviews", website="https://lima.example")
    texts = [signal.text for signal in screening.signals(application) if signal.code.startswith("same_")]
    assert any("LIMA Reviews Ltd" in text for text in texts)
    assert any("Quite Other" in text for text in texts)
    assert not any("Bakery" in text for text in texts)


@pytest.mark.django_db
def test_a_known_mailbox_and_its_history_are_named() -> None:
    member = MemberFactory(user=UserFactory(email="ana@lima.example"), role=TeamRole.MARKETING)
    MembershipFactory(partner=member.partner, state=MembershipState.BANNED)
    ApplicationFactory(email="ANA@lima.example", state="withdrawn")
    found = codes(ApplicationFactory(email="ana@lima.example"))
    assert {"known_mailbox", "ended_by_us", "earlier_application"} <= set(found)


@pytest.mark.django_db
def test_a_shared_network_address_counts_for_three_months() -> None:
    near = ApplicationFactory(address="203.0.113.7")
    far = ApplicationFactory(address="203.0.113.9", created_at=EPOCH)
    assert codes(ApplicationFactory(address="203.0.113.7"))["same_address"] == "warn"
    assert codes(ApplicationFactory(address="203.0.113.9"))["own_address"] == "ok"
    assert near.created_at - far.created_at > timedelta(days=90)


@pytest.mark.django_db
def test_warnings_come_first() -> None:
    levels = [signal.level for signal in screening.signals(ApplicationFactory(email="ana@gmail.com"))]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == "warn"
