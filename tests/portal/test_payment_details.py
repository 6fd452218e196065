"""The account money goes to: masked, changed only after signing in anew, and used after a wait."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.internal.flows import login
from django.test import Client

from payouts.models import PaymentMethod
from prm.mail.models import OutgoingMail
from tests.factories.money_rows import FxRateFactory
from tests.factories.payouts import IBANS
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene

pytestmark = pytest.mark.django_db

URL = "/portal/payment-details/change/"
ADDRESS = {
    "street": "Calle del Prado",
    "building_number": "12",
    "postcode": "28014",
    "town": "Madrid",
    "country": "Spain",
}
GOOD = {
    "kind": "bank_iban",
    "holder": "Ana Prado",
    "payout_currency": "GBP",
    "iban": "GB29 NWBK 6016 1331 9268 19",
    "bic": "",
    **ADDRESS,
}
REMOVE = "/portal/payment-details/remove/"


@pytest.fixture
def just_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand where a person stands who has just given the password again."""
    from allauth.account.internal.flows import reauthentication

    def fresh(*args: Any, **kwargs: Any) -> bool:
        return False

    monkeypatch.setattr(reauthentication, "is_reauthentication_required", fresh)


def test_the_number_is_shown_by_its_last_four_characters_only(busy: Scene) -> None:
    html = signed_in(busy).get("/portal/payment-details/").content.decode()
    assert "IBAN ending 5555" in html
    assert IBANS[0] not in html and IBANS[0][4:] not in html
    assert "In use" in html


def test_without_an_account_the_page_says_what_it_is_for(newcomer: Scene) -> None:
    html = signed_in(newcomer).get("/portal/payment-details/").content.decode()
    assert "No payment details yet" in html
    assert "Add payment details" in html


def test_a_change_asks_who_is_there_before_the_form_is_shown(busy: Scene) -> None:
    client = signed_in(busy)
    for answer in (client.get(URL), client.post(URL, GOOD)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert PaymentMethod.objects.count() == 1


def test_who_signs_in_with_codes_only_signs_in_anew_for_a_change(busy: Scene) -> None:
    busy.ana.set_unusable_password()
    busy.ana.save()
    for ask in (lambda client: client.get(URL), lambda client: client.post(URL, GOOD)):
        client = signed_in(busy)
        answer = ask(client)
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={URL}")
        assert "_auth_user_id" not in client.session
    assert PaymentMethod.objects.count() == 1
    client = signed_in(busy)
    session = client.session
    session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "code", "at": time.time()}]
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(busy.ana.pk)
    session.save()
    assert client.get(URL).status_code == 200


@pytest.mark.usefixtures("just_signed_in")
def test_a_new_account_waits_72_hours_and_everybody_concerned_is_told(busy: Scene) -> None:
    client: Client = signed_in(busy)
    mails = OutgoingMail.objects.count()
    answer = client.post(URL, GOOD, follow=True)
    html = answer.content.decode()
    method = PaymentMethod.objects.current().get()
    assert (method.iban, method.ending) == ("GB29NWBK60161331926819", "6819")
    assert method.usable_at == NOW + timedelta(hours=72)
    assert "Payments go to IBAN ending 6819 from 23 June 2026, 10:12 (Europe/London)." in html
    assert "Waiting" in html and "Used before" in html
    assert OutgoingMail.objects.count() > mails
    home = client.get("/portal/").context["page"].payment
    assert [check.ok for check in home.checks] == [True, False]


@pytest.mark.usefixtures("just_signed_in")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"iban": "GB29 NWBK 6016 1331 9268 18"}, "check digits"),
        ({"iban": "GB29 NWBK"}, "not an IBAN"),
        ({"iban": "DE89 3704 0044 0532 0130 0"}, "has 22 characters, this one has 21"),
        ({"bic": "WRONG"}, "A BIC has 8 or 11 characters"),
        ({"holder": ""}, "This field is required."),
        ({"kind": "mattress"}, "Select a valid choice"),
        ({"street": ""}, "This field is required."),
        ({"town": "x" * 36}, "at most 35 characters"),
        ({"kind": "paypal", "email": "ana"}, "Write the e-mail address"),
        ({"kind": "wise"}, "This field is required."),
        ({"kind": "other", "instructions": " "}, "This field is required."),
        (
            {"kind": "us_account", "routing_number": "021000021"},
            "Select a valid choice",
        ),  # no rate to dollars
        ({"payout_currency": "USD"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_old_account_stays(
    busy: Scene, change: dict[str, str], error: str
) -> None:
    answer = signed_in(busy).post(URL, {**GOOD, **change})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert error in html and "<title>Error:" in html
    assert 'value="Ana Prado"' in html or "holder" in change
    assert PaymentMethod.objects.get().iban == IBANS[0]


@pytest.mark.usefixtures("just_signed_in")
def test_the_address_is_asked_for_banks_and_kept_with_the_account(busy: Scene) -> None:
    signed_in(busy).post(URL, GOOD)
    busy.membership.partner.refresh_from_db()
    partner = busy.membership.partner
    assert {name: getattr(partner, name) for name in ADDRESS} == ADDRESS
    html = signed_in(busy).get("/portal/payment-details/").content.decode()
    assert "Calle del Prado 12, 28014 Madrid, Spain" in html


@pytest.mark.usefixtures("just_signed_in")
def test_paypal_needs_an_address_of_mail_and_nothing_a_bank_asks_for(busy: Scene) -> None:
    faulty = {**GOOD, "iban": "wrong", "street": "x" * 99, "kind": "paypal", "email": "ana@prado.example"}
    html = signed_in(busy).post(URL, faulty, follow=True).content.decode()
    method = PaymentMethod.objects.current().get()
    assert (method.kind, method.ending, method.iban) == ("paypal", "a•••@prado.example", "")
    assert "Payments go to PayPal a•••@prado.example from" in html and "ana@prado.example" not in html


@pytest.mark.usefixtures("just_signed_in")
def test_dollars_are_offered_when_there_is_a_rate_and_the_page_says_which_counts(busy: Scene) -> None:
    day = NOW.date()
    FxRateFactory.create(base="EUR", quote="USD", rate="1.1", rate_on=day, source="ECB")
    FxRateFactory.create(base="EUR", quote="GBP", rate="0.8", rate_on=day, source="ECB")
    account = {"kind": "us_account", "routing_number": "021000021", "account_number": "1234567890"}
    signed_in(busy).post(URL, {**GOOD, **account, "account_type": "savings"})
    method = PaymentMethod.objects.current().get()
    assert (method.kind, method.payout_currency, method.ending) == ("us_account", "USD", "7890")
    html = signed_in(busy).get("/portal/payment-details/").content.decode()
    assert "US account ending 7890" in html and "1234567890" not in html
    assert "From GBP, at the rate of the day your payment is prepared." in html
    sentence = signed_in(busy).get("/portal/").context["page"].payment.sentence
    assert sentence.endswith("by bank transfer to US account ending 7890. It is converted to USD.")


@pytest.mark.usefixtures("just_signed_in")
def test_the_account_can_be_removed_and_everybody_is_told(busy: Scene) -> None:
    client = signed_in(busy)
    assert "Nothing is paid to IBAN ending 5555 any more" in client.get(REMOVE).content.decode()
    html = client.post(REMOVE, follow=True).content.decode()
    assert not PaymentMethod.objects.current().exists()
    assert "No payment details yet" in html and "Removed" in html
    assert OutgoingMail.objects.filter(kind="bank_details_removed").exists()
    assert client.post(REMOVE).status_code == 302


def test_removing_asks_who_is_there(busy: Scene) -> None:
    answer = signed_in(busy).post(REMOVE)
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert PaymentMethod.objects.current().exists()
