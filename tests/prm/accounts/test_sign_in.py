import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.http import HttpRequest
from django.test import Client
from pytest_django.fixtures import Settings

from prm.accounts import policy, signup
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from tests.factories.prm import NOW, PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def easy_staff(settings: Settings) -> None:
    settings.PRM_STAFF_MFA = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def last_code() -> str:
    found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found is not None, mail.outbox[-1].body
    return found.group(1)


def test_a_partner_signs_in_with_any_spelling_of_the_address_and_lands_in_the_portal(client: Client) -> None:
    UserFactory(email="Ana@example.org")
    answer = sign_in(client, "ANA@example.org")
    assert (answer.status_code, answer["Location"]) == (302, "/portal/")
    assert AuditEvent.objects.filter(action="account.signed_in").count() == 1


def test_staff_land_in_the_back_office(client: Client) -> None:
    user = UserFactory(role=policy.FINANCE)
    assert sign_in(client, user.email)["Location"] == "/admin/"


def test_signing_in_with_a_code_from_the_mail(client: Client) -> None:
    user = UserFactory(email="ana@example.org", password=None)
    client.post("/accounts/login/code/", {"email": "ana@example.org"})

    assert mail.outbox[-1].to == ["ana@example.org"]
    assert mail.outbox[-1].subject == "Your sign-in code"
    answer = client.post("/accounts/login/code/confirm/", {"code": last_code()})
    assert answer["Location"] == "/portal/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_wrong_code_lets_nobody_in(client: Client) -> None:
    UserFactory(email="ana@example.org")
    client.post("/accounts/login/code/", {"email": "ana@example.org"})
    client.post("/accounts/login/code/confirm/", {"code": "WRONG1"})
    assert "_auth_user_id" not in client.session


def test_known_and_unknown_addresses_get_the_same_answer(client: Client) -> None:
    UserFactory(email="ana@example.org")
    answers = []
    for email in ("ana@example.org", "nobody@example.org"):
        reply = Client().post("/accounts/login/code/", {"email": email})
        answers.append((reply.status_code, reply["Location"]))
        wrong = sign_in(Client(), email, "not the password")
        answers.append((wrong.status_code, re.sub(r'value="[^"]*"', "", wrong.content.decode())))
        reset = Client().post("/accounts/password/reset/", {"email": email})
        answers.append((reset.status_code, reset["Location"]))
    assert answers[0] == answers[3]
    assert answers[1] == answers[4]
    assert answers[2] == answers[5]


def test_an_unconfirmed_address_is_confirmed_with_a_code_before_anyone_is_in(client: Client) -> None:
    user = UserFactory(email="ana@example.org", confirmed=False)
    sign_in(client, "ana@example.org")
    assert "_auth_user_id" not in client.session

    client.post("/accounts/confirm-email/", {"code": last_code()})
    assert EmailAddress.objects.get(user=user).verified


def test_nobody_signs_up_without_an_invitation(client: Client) -> None:
    page = client.get("/accounts/signup/")
    client.post("/accounts/signup/", new_account("eve@example.org"))
    assert b"password1" not in page.content
    assert not User.objects.filter(email_folded="eve@example.org").exists()


def test_an_invitation_opens_an_account_for_its_address_and_for_no_other(client: Client) -> None:
    invite(client, "Ana@example.org")

    client.post("/accounts/signup/", new_account("eve@example.org"))
    assert User.objects.count() == 0

    client.post("/accounts/signup/", new_account("ana@example.org"))
    user = User.objects.get()
    assert (user.email_folded, user.full_name) == ("ana@example.org", "Ana Kovač")
    assert EmailAddress.objects.get(user=user).verified
    assert client.session["_auth_user_id"] == str(user.pk)
    assert signup.SESSION_KEY not in client.session


def test_an_invitation_that_proves_no_mailbox_asks_for_a_code(client: Client) -> None:
    invite(client, "ana@example.org", proven=False)
    client.post("/accounts/signup/", new_account("ana@example.org"))
    assert "_auth_user_id" not in client.session
    assert last_code()


def test_the_back_office_has_no_door_of_its_own(client: Client) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=%2Fadmin%2F")
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/")


def test_partners_are_refused_at_the_back_office(client: Client) -> None:
    client.force_login(UserFactory())
    assert client.get("/admin/login/").status_code == 403


def test_a_closed_account_is_out_with_the_next_request(client: Client) -> None:
    user = UserFactory(role=policy.ADMINISTRATOR)
    client.force_login(user)
    assert client.get("/admin/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def test_a_mail_server_that_is_away_is_no_error_page(client: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.prm.mail.backends.Broken"
    UserFactory(email="ana@example.org")
    assert client.post("/accounts/login/code/", {"email": "ana@example.org"}).status_code == 302


def test_security_mails_have_two_parts_and_stay_out_of_the_outbox(client: Client) -> None:
    from prm.mail.models import OutgoingMail

    UserFactory(email="ana@example.org")
    client.post("/accounts/login/code/", {"email": "ana@example.org"})
    message = mail.outbox[-1]
    assert [kind for _body, kind in message.alternatives] == ["text/html"]  # type: ignore[attr-defined]
    assert last_code() in str(message.alternatives[0][0])  # type: ignore[attr-defined]
    assert OutgoingMail.objects.count() == 0


def test_what_guards_the_account_asks_again_five_minutes_after_signing_in(client: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in(client, UserFactory().email)
        clock.shift(timedelta(seconds=299))
        assert client.get("/accounts/2fa/totp/activate/").status_code == 200
        clock.shift(timedelta(seconds=1))
        assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")


class TestSecondFactor:
    @pytest.fixture(autouse=True)
    def demanded(self, settings: Settings, easy_staff: None) -> None:
        settings.PRM_STAFF_MFA = True

    def test_staff_without_one_get_no_further_than_the_page_to_add_it(self, client: Client) -> None:
        client.force_login(UserFactory(role=policy.FINANCE))
        for address in ("/admin/", "/admin/accounts/user/", "/portal/"):
            assert client.get(address)["Location"] == "/accounts/2fa/"
        assert client.get("/accounts/2fa/").status_code == 200

    def test_partners_are_not_asked(self, client: Client) -> None:
        client.force_login(UserFactory())
        assert client.get("/admin/login/").status_code == 403

    def test_recovery_codes_alone_are_no_second_factor(self, client: Client) -> None:
        user = UserFactory(role=policy.FINANCE)
        Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={})
        client.force_login(user)
        assert client.get("/admin/").status_code == 302

    def test_signing_in_takes_password_and_code(self, client: Client) -> None:
        user = UserFactory(role=policy.FINANCE)
        secret = generate_totp_secret()
        TOTP.activate(user, secret)
        assert secret not in str(Authenticator.objects.values_list("data", flat=True))

        sign_in(client, user.email)
        assert "_auth_user_id" not in client.session
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
        assert "_auth_user_id" not in client.session
        counter = next(iter(yield_hotp_counters_from_time()))
        client.post("/accounts/2fa/authenticate/", {"code": f"{hotp_value(secret, counter):06}"})
        assert client.session["_auth_user_id"] == str(user.pk)
        assert client.get("/admin/").status_code == 200

    def test_staff_cannot_remove_their_last_factor(self, client: Client) -> None:
        from allauth.mfa.adapter import get_adapter

        fiona, ana = UserFactory(role=policy.FINANCE), UserFactory()
        only = TOTP.activate(fiona, generate_totp_secret()).instance
        partners = TOTP.activate(ana, generate_totp_secret()).instance
        assert not get_adapter().can_delete_authenticator(only)
        assert get_adapter().can_delete_authenticator(partners)


def invite(client: Client, email: str, *, proven: bool = True) -> None:
    request = HttpRequest()
    session = client.session
    request.session = session
    signup.allow(request, email, proven=proven)
    session.save()


def new_account(email: str) -> dict[str, str]:
    return {
        "email": email,
        "full_name": "Ana Kovač",
        "password1": "a long enough one",
        "password2": "a long enough one",
    }
