"""The page on which anybody checks a credential: what it says, and that it says nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from partners.models import Credential
from tests.desk import words
from tests.factories.prm import UserFactory
from tests.factories.tiering import CredentialFactory
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db


def held(**more: Any) -> Credential:
    today = timezone.localdate()
    given: dict[str, Any] = {
        "staff__full_name": "Karl Weber",
        "staff__email": "karl@secret.example",
        "staff__partner__name": "Studio Nord",
        "issuer": "Chamber of Secrets",
        "number": "S-1701",
        "earned_on": today - timedelta(days=30),
        "expires_on": today + timedelta(days=1),
    }
    return CredentialFactory.create(**{**given, **more})


def page(credential: Credential) -> Any:
    return Client().get(f"/credentials/{credential.public_id}/")


def test_it_says_who_is_certified_in_what_with_whom_and_until_when() -> None:
    found = page(held())
    said = words(found)
    assert "valid today" in said
    assert all(text in said for text in ("Karl Weber", "Sales specialist", "Studio Nord", "Valid until"))
    assert not any(text in said for text in ("secret.example", "Secrets", "S-1701", "United Kingdom"))
    assert found["X-Robots-Tag"] == "noindex, noarchive"


def test_it_says_that_a_credential_has_expired_or_was_revoked_and_not_why() -> None:
    assert "has expired" in words(page(held(expires_on=timezone.localdate())))
    revoked = held(state="revoked", reason="Cheated.", revoked_at=EPOCH, revoked_by=UserFactory())
    said = words(page(revoked))
    assert ("was revoked" in said, "Cheated" in said) == (True, False)


def test_without_an_end_it_says_so() -> None:
    assert "no end" in words(page(held(expires_on=None)))


@pytest.mark.parametrize("state", ["waiting", "refused"])
def test_what_was_never_given_is_not_confirmed(state: str) -> None:
    found = page(held(state=state))
    assert (found.status_code, "Karl" in words(found)) == (404, False)


def test_an_unknown_address_and_an_erased_person_say_the_same() -> None:
    unknown = Client().get("/credentials/crd_nothing/")
    erased = page(held(staff__full_name=""))
    assert (unknown.status_code, erased.status_code) == (404, 404)
    assert words(unknown) == words(erased)
    assert Client().post("/credentials/crd_nothing/").status_code == 405
