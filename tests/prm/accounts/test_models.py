from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from prm.accounts.models import ApiKey, User, known_time_zone
from tests.factories.prm import NOW, ApiKeyFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_an_address_is_kept_as_typed_and_compared_folded() -> None:
    user = UserFactory(email="Ana.Kovač@Example.org")

    assert user.email == "Ana.Kovač@Example.org"
    assert User.objects.get_by_natural_key("ANA.KOVAČ@example.ORG") == user


def test_accounts_user_email_folded_unique_refuses_another_spelling_of_a_mailbox() -> None:
    UserFactory(email="ana@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ANA@example.org")
    assert User.objects.count() == 1


def test_accounts_user_email_unique_refuses_the_same_address() -> None:
    UserFactory(email="ana@example.org")
    other = UserFactory(email="ben@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=other.pk).update(email="ana@example.org")
    other.refresh_from_db()
    assert other.email == "ben@example.org"


def test_accounts_user_email_folded_present_refuses_nobody() -> None:
    user = UserFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(email_folded="")
    user.refresh_from_db()
    assert user.email_folded != ""


def test_accounts_user_language_known_refuses_a_language_we_do_not_speak() -> None:
    user = UserFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(language="xx")
    user.refresh_from_db()
    assert user.language == "en"


def test_saving_only_the_address_keeps_the_fold_in_step() -> None:
    user = UserFactory(email="ana@example.org")
    user.email = "New@Example.org"
    user.save(update_fields=["email"])

    user.refresh_from_db()
    assert user.email_folded == "new@example.org"


def test_a_person_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("  ")


def test_a_person_without_a_password_cannot_sign_in_with_one() -> None:
    assert not User.objects.create_user("ana@example.org").has_usable_password()


def test_a_superuser_is_staff() -> None:
    root = User.objects.create_superuser("root@example.org", "correct horse battery")
    assert root.is_staff
    assert root.is_superuser


def test_a_time_zone_must_exist() -> None:
    known_time_zone("Europe/London")
    with pytest.raises(ValidationError):
        known_time_zone("Europe/Atlantis")


def test_accounts_apikey_prefix_unique_refuses_a_prefix_twice() -> None:
    key = ApiKeyFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKeyFactory(prefix=key.prefix)
    assert ApiKey.objects.count() == 1


def test_accounts_apikey_revoked_together_refuses_a_when_without_a_who() -> None:
    key = ApiKeyFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=NOW)
    key.refresh_from_db()
    assert key.revoked_at is None


def test_accounts_apikey_expires_after_created_refuses_a_key_born_expired() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKeyFactory(created_at=NOW, expires_at=NOW - timedelta(days=1))
    assert ApiKey.objects.count() == 0
