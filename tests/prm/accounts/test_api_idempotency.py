"""A retry under an idempotency key is answered as the first call, once for ever in a week, and never for another call."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from prm.accounts import api_idempotency
from prm.accounts.models import IdempotencyKey
from prm.accounts.tasks import forget_answers
from referrals.models import Conversion
from tests.factories.prm import ApiKeyFactory
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db
URL = "/api/v1/conversions"
EVENT = {
    "event_id": "A1",
    "kind": "sale",
    "occurred_at": "2026-11-01T10:00:00+01:00",
    "amount": "12.50",
    "currency": "GBP",
}


@pytest.fixture
def shop() -> Client:
    key = ApiKeyFactory.create(scopes=["conversions:write"])
    return Client(headers={"authorization": f"Bearer {ApiKeyFactory.text_of(key)}"})


def send(shop: Client, body: Any, name: str, url: str = URL) -> Any:
    return shop.post(
        url, json.dumps(body), content_type="application/json", headers={"idempotency-key": name}
    )


def test_the_same_key_and_body_give_the_first_answer_again(shop: Client) -> None:
    first = send(shop, EVENT, "k1")
    again = send(shop, dict(reversed(EVENT.items())), "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Conversion.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "url"), [({"amount": "1.00"}, URL), ({}, f"{URL}?strict=true"), ({}, f"{URL}/batch")]
)
def test_the_same_key_for_another_call_is_422_and_does_nothing(
    shop: Client, change: dict[str, str], url: str
) -> None:
    send(shop, EVENT, "k1")
    body = {"events": [EVENT]} if url.endswith("batch") else EVENT | {"event_id": "A2"} | change
    answer = send(shop, body, "k1", url)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert answer.json()["faults"][0]["field"] == "Idempotency-Key"
    assert Conversion.objects.count() == 1


def test_what_failed_is_not_kept_so_that_it_can_be_put_right(shop: Client) -> None:
    assert send(shop, EVENT | {"code": "NOBODY"}, "k1").status_code == 422
    assert send(shop, EVENT | {"amount": "x"}, "k1").status_code == 400
    atomic = {"events": [EVENT, {}], "atomic": True}
    assert send(shop, atomic, "k1", f"{URL}/batch").status_code == 422
    assert not IdempotencyKey.objects.exists()
    assert not Conversion.objects.exists()
    assert send(shop, EVENT, "k1").status_code == 201


def test_another_caller_may_use_the_same_key(shop: Client) -> None:
    send(shop, EVENT, "k1")
    key = ApiKeyFactory.create(scopes=["conversions:write"])
    other = Client(headers={"authorization": f"Bearer {ApiKeyFactory.text_of(key)}"})
    assert send(other, EVENT, "k1").status_code == 200


@pytest.mark.parametrize("name", ["", "x" * 256, "a b", "é"])
def test_a_key_that_is_none_is_refused(shop: Client, name: str) -> None:
    answer = send(shop, EVENT, name)
    assert answer.status_code == 400
    assert answer.json()["faults"][0]["code"] == "bad_idempotency_key"
    assert not Conversion.objects.exists()


def test_answers_are_kept_for_a_week(shop: Client) -> None:
    send(shop, EVENT, "old")
    send(shop, EVENT | {"event_id": "A2"}, "new")
    just = timezone.now() - api_idempotency.KEPT
    IdempotencyKey.objects.filter(key="old").update(created_at=just - timedelta(seconds=1))
    IdempotencyKey.objects.filter(key="new").update(created_at=just + timedelta(minutes=1))
    assert forget_answers() == 1
    assert IdempotencyKey.objects.get().key == "new"


def kept(**fields: Any) -> IdempotencyKey:
    facts = {"method": "POST", "path": URL, "body_sha256": "0" * 64, "created_at": timezone.now()}
    return IdempotencyKey.objects.create(**{"key": "k1", **facts, **fields})


def test_accounts_idempotencykey_once() -> None:
    key = ApiKeyFactory.create()
    kept(api_key=key)
    assert_refused("accounts_idempotencykey_once", IdempotencyKey, lambda: kept(api_key=key))


def test_accounts_idempotencykey_named() -> None:
    assert_refused(
        "accounts_idempotencykey_named", IdempotencyKey, lambda: kept(api_key=ApiKeyFactory.create(), key="")
    )
