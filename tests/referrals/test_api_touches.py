"""Contacts told by a server: once, found again by a repeat, refused with other facts, and never with an address kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from partners.models import Membership
from prm.audit.models import AuditEvent
from referrals.models import Touch
from tests.factories.prm import ApiKeyFactory
from tests.factories.referrals import CustomerFactory, new_membership

pytestmark = pytest.mark.django_db
URL = "/api/v1/touches"


@pytest.fixture
def membership() -> Membership:
    found: Membership = new_membership()
    return found


def shop(*scopes: str) -> Client:
    key = ApiKeyFactory.create(scopes=list(scopes or ("touches:write",)))
    return Client(headers={"authorization": f"Bearer {ApiKeyFactory.text_of(key)}"})


def send(client: Client, partner: Membership, /, **change: Any) -> Any:
    told = {
        "membership": partner.public_id,
        "kind": "deal",
        "reference": "D-1",
        "touched_at": "2026-11-20T09:00:00Z",
        "ends_on": "2027-05-20",
        "customer_email": "Jo.Doe@mail.example",
    }
    return client.post(URL, json.dumps(told | change), content_type="application/json")


def test_a_contact_is_told_once_and_a_repeat_is_answered_the_same(membership: Membership) -> None:
    client = shop()
    first, again = send(client, membership), send(client, membership)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    touch = Touch.objects.get()
    assert (touch.kind, touch.reference, touch.membership, touch.recorded_by) == (
        "deal",
        "D-1",
        membership,
        None,
    )
    assert len(touch.email_key) == 64
    said = (
        first.content.decode()
        + str(Touch.objects.values().get())
        + str(AuditEvent.objects.values_list("details"))
    )
    assert "doe@" not in said.lower()


def test_other_facts_under_the_same_reference_are_refused(membership: Membership) -> None:
    client = shop()
    send(client, membership)
    answer = send(client, membership, ends_on="2027-06-20")
    assert (answer.status_code, answer.json()["code"]) == (422, "told_differently")
    assert Touch.objects.get().ends_on.isoformat() == "2027-05-20"


@pytest.mark.parametrize(
    ("change", "status", "field", "code"),
    [
        ({"membership": "mem_nobody"}, 422, "membership", "unknown_membership"),
        ({"customer_id": "C404"}, 422, "customer_id", "unknown_customer"),
        ({"kind": "lead"}, 422, "ends_on", "only_deals_end"),
        ({"touched_at": "2019-01-01T00:00:00Z", "ends_on": ""}, 422, "touched_at", "before_joining"),
        ({"kind": "hello"}, 400, "kind", "invalid_choice"),
        ({"reference": ""}, 400, "reference", "blank"),
        ({"ends_on": "20270520"}, 400, "ends_on", "not_a_date"),
        ({"touched_at": "2026-11-20"}, 400, "touched_at", "not_a_date"),
        ({"touched_at": "2099-01-01T00:00:00Z"}, 400, "touched_at", "in_the_future"),
        ({"customer_email": "nobody"}, 400, "customer_email", "not_an_email"),
        ({"customer_email": "", "customer_email_sha256": "x"}, 400, "customer_email_sha256", "not_a_hash"),
        ({"refrence": "D-1"}, 400, "refrence", "unknown_field"),
    ],
)
def test_what_cannot_be_told_says_why(
    membership: Membership, change: dict[str, Any], status: int, field: str, code: str
) -> None:
    answer = send(shop(), membership, **change)
    assert answer.status_code == status, answer.content
    assert [(each["field"], each["code"]) for each in answer.json()["faults"]] == [(field, code)]
    assert not Touch.objects.exists()


def test_a_customer_of_the_shop_is_named_by_its_id(membership: Membership) -> None:
    customer = CustomerFactory.create(source="shop", external_id="C1")
    answer = send(shop(), membership, source="shop", customer_id="C1", customer_email="")
    assert (answer.status_code, answer.json()["customer_id"]) == (201, "C1")
    assert Touch.objects.get().customer == customer


def test_a_key_without_the_scope_is_refused(membership: Membership) -> None:
    assert send(shop("conversions:write"), membership).status_code == 403
    assert not Touch.objects.exists()
