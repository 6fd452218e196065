from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from prm.accounts import api_keys, policy
from prm.accounts.choices import Scope
from prm.accounts.models import ApiKey
from prm.audit.models import AuditEvent
from tests.factories.prm import NOW, ApiKeyFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_key_is_shown_once_and_only_its_hash_is_kept() -> None:
    admin = UserFactory(role=policy.ADMINISTRATOR)

    issued = api_keys.issue(name="Shop", scopes=[Scope.CONVERSIONS_WRITE], by=admin, at=NOW)

    assert api_keys.KEY_TEXT.fullmatch(issued.text)
    secret = issued.text.rsplit(f"{issued.key.prefix}_", 1)[1]
    stored = ApiKey.objects.filter(pk=issued.key.pk).values().get()
    assert secret not in str(stored)
    assert secret not in repr(issued)
    assert secret not in str(AuditEvent.objects.values_list("details", flat=True))
    assert api_keys.authenticate(issued.text, at=NOW) == issued.key
    assert AuditEvent.objects.get(action="api_key.issued").actor == admin


@pytest.mark.parametrize("scopes", [[], ["everything"], ["conversions:write", "everything"]])
def test_a_key_needs_scopes_the_product_knows(scopes: list[str]) -> None:
    with pytest.raises(api_keys.UnknownScope):
        api_keys.issue(name="Shop", scopes=scopes, by=UserFactory(role=policy.ADMINISTRATOR), at=NOW)
    assert ApiKey.objects.count() == 0


def test_only_administrators_issue_and_revoke_keys() -> None:
    fiona, key = UserFactory(role=policy.FINANCE), ApiKeyFactory()

    with pytest.raises(policy.Forbidden):
        api_keys.issue(name="Shop", scopes=["conversions:read"], by=fiona, at=NOW)
    with pytest.raises(policy.Forbidden):
        api_keys.revoke(key, by=fiona, at=NOW)
    key.refresh_from_db()
    assert key.revoked_at is None
    assert ApiKey.objects.count() == 1


def test_a_revoked_key_opens_nothing_and_is_revoked_once() -> None:
    admin, key = UserFactory(role=policy.ADMINISTRATOR), ApiKeyFactory()
    api_keys.revoke(key, by=admin, at=NOW, note="left the company")

    assert api_keys.authenticate(ApiKeyFactory.text_of(key), at=NOW) is None
    with pytest.raises(api_keys.AlreadyRevoked):
        api_keys.revoke(key, by=admin, at=NOW)
    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 1


def test_a_key_ends_at_its_expiry_to_the_instant() -> None:
    key = ApiKeyFactory(expires_at=NOW + timedelta(hours=1))
    text = ApiKeyFactory.text_of(key)

    assert api_keys.authenticate(text, at=NOW + timedelta(minutes=59, seconds=59)) == key
    assert api_keys.authenticate(text, at=NOW + timedelta(hours=1)) is None


@pytest.mark.parametrize(
    "text",
    ["", "prm_live_", "prm_live_k000000000_" + "x" * 43, "prm_live_K_é", "\0", "prm_live_" + "a" * 10_000],
)
def test_what_is_no_key_opens_nothing(text: str) -> None:
    ApiKeyFactory(prefix="k000000000")
    assert api_keys.authenticate(text, at=NOW) is None


def test_the_last_use_is_kept_to_the_minute() -> None:
    key = ApiKeyFactory()
    text = ApiKeyFactory.text_of(key)

    for seconds in (0, 20, 40):
        api_keys.authenticate(text, at=NOW + timedelta(seconds=seconds))
    key.refresh_from_db()
    assert key.last_used_at == NOW
    api_keys.authenticate(text, at=NOW + timedelta(seconds=61))
    key.refresh_from_db()
    assert key.last_used_at == NOW + timedelta(seconds=61)


def test_a_wrong_secret_writes_nothing() -> None:
    key = ApiKeyFactory()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        api_keys.authenticate(f"prm_live_{key.prefix}_" + "x" * 43, at=NOW)
    assert [query["sql"][:6] for query in queries] == ["SELECT"]


def test_both_secrets_open_a_rotated_key_until_the_instant_the_old_one_ends() -> None:
    admin, key = UserFactory(role=policy.ADMINISTRATOR), ApiKeyFactory()
    old = ApiKeyFactory.text_of(key)

    issued = api_keys.rotate(key, by=admin, at=NOW, overlap=timedelta(days=7))

    last = NOW + timedelta(days=7) - timedelta(microseconds=1)
    assert api_keys.authenticate(old, at=last) == key
    assert api_keys.authenticate(old, at=NOW + timedelta(days=7)) is None
    assert api_keys.authenticate(issued.text, at=NOW + timedelta(days=8)) == key
    secret = issued.text.rsplit("_", 1)[1]
    assert secret not in str(AuditEvent.objects.values_list("details", flat=True))
    assert AuditEvent.objects.get(action="api_key.rotated").actor == admin


def test_a_key_rotated_twice_has_two_secrets_and_not_three() -> None:
    admin, key = UserFactory(role=policy.ADMINISTRATOR), ApiKeyFactory()
    first = ApiKeyFactory.text_of(key)
    second = api_keys.rotate(key, by=admin, at=NOW, overlap=timedelta(days=1)).text
    third = api_keys.rotate(key, by=admin, at=NOW, overlap=timedelta(days=1)).text
    assert [api_keys.authenticate(text, at=NOW) for text in (first, second, third)] == [None, key, key]


def test_without_an_overlap_the_old_secret_ends_at_once() -> None:
    admin, key = UserFactory(role=policy.ADMINISTRATOR), ApiKeyFactory()
    api_keys.rotate(key, by=admin, at=NOW)
    assert api_keys.authenticate(ApiKeyFactory.text_of(key), at=NOW) is None


def test_what_cannot_be_rotated_or_paced_is_refused() -> None:
    admin, key = UserFactory(role=policy.ADMINISTRATOR), ApiKeyFactory()
    for overlap in (timedelta(days=7, seconds=1), timedelta(seconds=-1)):
        with pytest.raises(api_keys.LongOverlap):
            api_keys.rotate(key, by=admin, at=NOW, overlap=overlap)
    for calls in (0, -1, api_keys.MOST_CALLS + 1):
        with pytest.raises(api_keys.BadPace):
            api_keys.set_pace(key, calls_per_minute=calls, by=admin, at=NOW)
    with pytest.raises(policy.Forbidden):
        api_keys.rotate(key, by=UserFactory(role=policy.FINANCE), at=NOW)
    api_keys.revoke(key, by=admin, at=NOW)
    with pytest.raises(api_keys.AlreadyRevoked):
        api_keys.rotate(key, by=admin, at=NOW)
    with pytest.raises(api_keys.KeyExpired):
        api_keys.rotate(
            ApiKeyFactory(expires_at=NOW + timedelta(hours=1)), by=admin, at=NOW + timedelta(hours=1)
        )
