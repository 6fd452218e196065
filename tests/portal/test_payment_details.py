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
from tests.factories.payouts import IBANS
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene

pytestmark = pytest.mark.django_db

URL = "/portal/payment-details/change/"
GOOD = {"holder": "Ana Prado", "iban": "GB29 NWBK 6016 1331 9268 19", "bic": ""}


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
    assert "No bank account yet" in html
    assert "Add bank details" in html


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
