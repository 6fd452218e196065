import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from prm.accounts import api_keys, policy
from prm.accounts.models import ApiKey, User
from prm.audit.models import AuditEvent
from tests.factories.prm import NOW, ApiKeyFactory, UserFactory

pytestmark = pytest.mark.django_db
PERSON = {"full_name": "Fiona", "language": "en", "time_zone": "Europe/London"}


@pytest.fixture(autouse=True)
def easy_staff(settings: Any) -> None:
    settings.PRM_STAFF_MFA = False


@pytest.fixture
def admin(client: Client) -> User:
    """An administrator who is signed in."""
    user: User = UserFactory(role=policy.ADMINISTRATOR)
    client.force_login(user)
    return user


class TestPeople:
    def test_an_administrator_opens_an_account_with_a_role_and_without_a_password(
        self, client: Client, admin: User
    ) -> None:
        client.post(
            "/admin/accounts/user/add/", {**PERSON, "email": "Fiona@example.org", "roles": [policy.FINANCE]}
        )

        fiona = User.objects.get(email_folded="fiona@example.org")
        assert (fiona.full_name, fiona.is_staff, fiona.has_usable_password()) == ("Fiona", True, False)
        assert policy.roles_held(fiona) == {policy.FINANCE}
        assert EmailAddress.objects.filter(user=fiona, primary=True).count() == 1
        assert set(AuditEvent.objects.values_list("action", flat=True)) >= {
            "account.opened",
            "account.roles_changed",
        }

    def test_another_spelling_of_a_taken_address_is_a_form_error(self, client: Client, admin: User) -> None:
        UserFactory(email="fiona@example.org")
        page = client.post("/admin/accounts/user/add/", {**PERSON, "email": "FIONA@example.org"})
        assert b"Somebody already signs in with this address." in page.content
        assert User.objects.filter(email_folded="fiona@example.org").count() == 1

    def test_changing_a_person_keeps_password_and_names_what_changed(
        self, client: Client, admin: User
    ) -> None:
        fiona = UserFactory(email="fiona@example.org", role=policy.FINANCE)
        client.post(
            f"/admin/accounts/user/{fiona.pk}/change/",
            {**PERSON, "email": "new@example.org", "roles": [policy.ACCOUNT_MANAGER]},
        )
        before, fiona = fiona.password, User.objects.get(pk=fiona.pk)
        assert (fiona.email, fiona.password, fiona.time_zone) == ("new@example.org", before, "Europe/London")
        assert policy.roles_held(fiona) == {policy.ACCOUNT_MANAGER}
        changed = AuditEvent.objects.get(action="account.changed")
        assert changed.details == {"fields": ["full_name", "time_zone"]}

    def test_nobody_gives_themselves_a_role(self, client: Client, admin: User) -> None:
        page = client.post(
            f"/admin/accounts/user/{admin.pk}/change/",
            {**PERSON, "email": admin.email, "roles": [policy.FINANCE, policy.ADMINISTRATOR]},
            follow=True,
        )
        assert b"Another administrator has to change your own roles." in page.content
        assert policy.roles_held(admin) == {policy.ADMINISTRATOR}

    def test_accounts_are_closed_and_never_deleted(self, client: Client, admin: User) -> None:
        fiona = UserFactory()
        client.post("/admin/accounts/user/", {"action": "close", "_selected_action": [fiona.pk, admin.pk]})
        assert not User.objects.get(pk=fiona.pk).is_active
        assert User.objects.get(pk=admin.pk).is_active
        assert client.post(f"/admin/accounts/user/{fiona.pk}/delete/", {"post": "yes"}).status_code == 403

    @pytest.mark.parametrize("role", [policy.FINANCE, policy.ACCOUNT_MANAGER])
    def test_other_roles_do_not_see_the_people(self, client: Client, role: str) -> None:
        client.force_login(UserFactory(role=role))
        assert client.get("/admin/accounts/user/").status_code == 403
        assert client.get("/admin/accounts/apikey/").status_code == 403


class TestKeys:
    def test_a_new_key_is_shown_on_the_answer_and_nowhere_else(self, client: Client, admin: User) -> None:
        answer = client.post(
            "/admin/accounts/apikey/add/",
            {"name": "Shop", "scopes": ["conversions:write"], "expires_at_0": "", "expires_at_1": ""},
        )
        found = re.search(r"prm_live_[a-z0-9]{10}_[\w-]{43}", answer.content.decode())
        assert found is not None
        assert "no-store" in answer["Cache-Control"]
        key = ApiKey.objects.get()
        assert api_keys.authenticate(found[0], at=NOW) == key
        assert found[0] not in client.get(f"/admin/accounts/apikey/{key.pk}/change/").content.decode()
        assert found[0] not in str(client.session.items())

    def test_keys_are_revoked_from_the_list(self, client: Client, admin: User) -> None:
        key = ApiKeyFactory()
        client.post("/admin/accounts/apikey/", {"action": "revoke", "_selected_action": [key.pk]})
        key.refresh_from_db()
        assert key.revoked_by == admin

    def test_a_key_that_is_there_is_not_edited(self, client: Client, admin: User) -> None:
        key = ApiKeyFactory(name="Shop")
        client.post(
            f"/admin/accounts/apikey/{key.pk}/change/", {"name": "Other", "scopes": ["conversions:read"]}
        )
        key.refresh_from_db()
        assert (key.name, key.scopes) == ("Shop", ["conversions:write"])

    def test_a_key_gets_a_new_secret_and_the_old_one_ends_later(self, client: Client, admin: User) -> None:
        key = ApiKeyFactory(name="Shop", created_at=timezone.now())
        page = f"/admin/accounts/apikey/{key.pk}/rotate/"
        assert "shown once" in client.get(page).content.decode()
        answer = client.post(page, {"hours": "24"})
        found = re.search(r"prm_live_[a-z0-9]{10}_[\w-]{43}", answer.content.decode())
        assert found is not None
        assert "no-store" in answer["Cache-Control"]
        later = timezone.now() + timedelta(hours=23)
        assert api_keys.authenticate(found[0], at=later) == key
        assert api_keys.authenticate(ApiKeyFactory.text_of(key), at=later) == key
        assert api_keys.authenticate(ApiKeyFactory.text_of(key), at=later + timedelta(hours=2)) is None
        assert (
            "opens the key until" in client.get(f"/admin/accounts/apikey/{key.pk}/change/").content.decode()
        )

    def test_a_key_gets_a_pace_of_its_own(self, client: Client, admin: User) -> None:
        key = ApiKeyFactory(created_at=timezone.now())
        page = f"/admin/accounts/apikey/{key.pk}/pace/"
        wrong = client.post(page, {"calls_per_minute": "0"})
        assert wrong.status_code == 422
        assert client.post(page, {"calls_per_minute": "90"}).status_code == 302
        key.refresh_from_db()
        assert key.calls_per_minute == 90

    @pytest.mark.parametrize("page", ["rotate", "pace"])
    def test_other_roles_do_not_touch_keys(self, client: Client, page: str) -> None:
        key = ApiKeyFactory()
        client.force_login(UserFactory(role=policy.FINANCE))
        assert client.post(f"/admin/accounts/apikey/{key.pk}/{page}/", {"hours": "0"}).status_code in (
            302,
            403,
        )
        key.refresh_from_db()
        assert (key.calls_per_minute, key.previous_ends_at) == (None, None)
