"""The pages of postbacks: set, shown once, changed, tried, removed, by those of the team who may."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from partners.choices import TeamRole
from partners.models import Member
from payouts.models import Postback, PostbackDelivery
from tests.factories.tracking import PostbackFactory
from tests.portal.scene import Scene, new_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return new_partner()


@pytest.fixture
def client(scene: Scene) -> Client:
    client = Client()
    client.force_login(scene.ana)
    return client


def test_a_postback_is_set_and_its_secret_shown_once(client: Client, scene: Scene) -> None:
    given = {"url": "https://partner.example/hook?c={click_id}", "events": ["sale", "commission"]}
    answer = client.post(reverse("portal:postback_add"), given, follow=True)
    made = Postback.objects.get()
    assert made.membership == scene.membership and made.events == ["sale", "commission"]
    page = answer.content.decode()
    assert made.secret in page
    assert made.secret not in client.get(reverse("portal:postback", args=[made.public_id])).content.decode()
    listed = client.get(reverse("portal:postbacks")).content.decode()
    assert "https://partner.example/hook?c={click_id}" in listed


def test_a_bad_address_is_told_beside_its_field_and_nothing_is_kept(client: Client) -> None:
    given = {"url": "http://10.0.0.1/hook", "events": ["sale"]}
    answer = client.post(reverse("portal:postback_add"), given)
    page = answer.content.decode()
    assert answer.status_code == 422 and not Postback.objects.exists()
    assert "Use an https address on the public internet" in page
    assert 'value="http://10.0.0.1/hook"' in page


def test_events_are_changed_a_test_is_sent_a_secret_made_and_all_of_it_removed(
    client: Client, scene: Scene
) -> None:
    row = PostbackFactory(membership=scene.membership, created_by=scene.ana)
    here = reverse("portal:postback", args=[row.public_id])
    client.post(here, {"events": ["lead"]})
    client.post(reverse("portal:postback_act", args=[row.public_id, "test"]))
    call = PostbackDelivery.objects.get()
    assert '"test":true' in call.body and "Test" in client.get(here).content.decode()
    before = row.secret
    page = client.post(reverse("portal:postback_act", args=[row.public_id, "rotate"]), follow=True)
    row.refresh_from_db()
    assert row.events == ["lead"] and row.secret != before and row.secret in page.content.decode()
    client.post(reverse("portal:postback_act", args=[row.public_id, "remove"]))
    row.refresh_from_db()
    assert row.removed_at is not None and row.secret == ""
    assert client.get(here).status_code == 404


def test_a_call_is_made_again_under_its_own_name(client: Client, scene: Scene) -> None:
    row = PostbackFactory(membership=scene.membership)
    call = PostbackDelivery.objects.create(
        postback=row,
        event="sale",
        key="sale:x",
        body="{}",
        state="given_up",
        created_at=row.created_at,
        attempts=9,
    )
    client.post(reverse("portal:postback_repeat", args=[row.public_id, call.public_id]))
    call.refresh_from_db()
    assert (call.state, call.attempts) == ("queued", 0)


def test_another_partner_s_postback_does_not_exist(client: Client) -> None:
    other = PostbackFactory()
    for method, where in (
        ("get", reverse("portal:postback", args=[other.public_id])),
        ("post", reverse("portal:postback_act", args=[other.public_id, "remove"])),
        ("post", reverse("portal:postback_act", args=[other.public_id, "nonsense"])),
    ):
        assert getattr(client, method)(where).status_code == 404
    other.refresh_from_db()
    assert other.removed_at is None


@pytest.mark.parametrize("role", [TeamRole.FINANCE, TeamRole.READ_ONLY])
def test_who_only_looks_changes_nothing(client: Client, scene: Scene, role: str) -> None:
    Member.objects.filter(user=scene.ana).update(role=role)
    row = PostbackFactory(membership=scene.membership)
    here = reverse("portal:postback", args=[row.public_id])
    page = client.get(here)
    assert page.status_code == 200 and not re.search(r"<button[^>]*danger", page.content.decode())
    assert client.get(reverse("portal:postback_add")).status_code == 403
    assert client.post(here, {"events": ["lead"]}).status_code == 403
    assert client.post(reverse("portal:postback_act", args=[row.public_id, "remove"])).status_code == 403
    row.refresh_from_db()
    assert row.events == ["sale"] and row.removed_at is None
