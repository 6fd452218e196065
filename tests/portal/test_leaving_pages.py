"""Leaving a program in the portal: what the page says, the typed confirmation, and what stays open to who has left or is suspended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partners import leaving
from partners.models import Ending, Member
from tests.desk import links, words
from tests.people import ana, mats
from tests.portal.scene import Scene, new_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return new_partner()


def signed_in(scene: Scene) -> Client:
    client = Client()
    client.force_login(scene.ana)
    return client


def test_leaving_asks_for_the_programs_name_and_says_what_happens_to_the_money(scene: Scene) -> None:
    client = signed_in(scene)
    there = reverse("portal:leave")
    assert there in links(client.get(reverse("portal:account")))
    page = client.get(there)
    assert "Nothing is owed now, in either direction." in words(page)
    refused = client.post(there, {"confirmation": "yes"})
    assert refused.status_code == 422
    assert "Error:" in words(refused)
    assert not Ending.objects.exists()
    done = client.post(there, {"confirmation": scene.house.program.name.upper()}, follow=True)
    assert f"You have left {scene.house.program.name}." in words(done)
    scene.membership.refresh_from_db()
    assert scene.membership.state == "ended"
    assert client.get(there).status_code == 410


def test_who_leaves_on_a_later_day_sees_it_everywhere_and_may_stay(scene: Scene) -> None:
    client = signed_in(scene)
    later = (timezone.now() + timedelta(days=20)).date()
    client.post(reverse("portal:leave"), {"confirmation": scene.house.program.name, "on": later.isoformat()})
    page = client.get(reverse("portal:links"))
    assert "Your membership ends on" in words(page)
    assert "Stay after all" in words(page)
    client.post(reverse("portal:leave_stay"))
    assert "Your membership ends on" not in words(client.get(reverse("portal:links")))
    assert Ending.objects.get().cancelled_by == ana()


def test_only_owners_leave(scene: Scene) -> None:
    Member.objects.filter(user=scene.ana).update(role="finance")
    client = signed_in(scene)
    assert client.get(reverse("portal:leave")).status_code == 403
    assert reverse("portal:leave") not in links(client.get(reverse("portal:account")))


def test_a_suspension_is_explained_on_every_page_and_no_link_can_be_made(scene: Scene) -> None:
    scene.house.program.contact_email = "partners@halden.example"
    scene.house.program.save()
    leaving.suspend(
        scene.membership, reason="spam", note="Two shops complained.", by=mats(), at=timezone.now()
    )
    client = signed_in(scene)
    for name in ("home", "earnings", "statements"):
        text = words(client.get(reverse(f"portal:{name}")))
        assert text.count("Your membership is suspended.") == 1
        assert "Unwanted messages in our name" in text
        assert "Two shops complained." in text
        assert "partners@halden.example" in text
    assert reverse("portal:link_new") not in links(client.get(reverse("portal:links")))
    made = client.post(reverse("portal:link_new"), {"label": "New", "destination_url": ""})
    assert "Only an active membership can have links and codes." in words(made)


@pytest.mark.parametrize("end", ["leave", "ban"])
def test_who_has_left_still_signs_in_and_reads(scene: Scene, end: str) -> None:
    if end == "leave":
        leaving.leave(scene.membership, by=ana(), at=timezone.now())
    else:
        leaving.ban(scene.membership, reason="fraud", by=mats(), at=timezone.now())
    client = signed_in(scene)
    for name in ("home", "statements", "tax", "earnings", "links", "team", "rates", "payment_details"):
        assert client.get(reverse(f"portal:{name}")).status_code == 200, name
    assert reverse("portal:link_new") not in links(client.get(reverse("portal:links")))
    made = client.post(reverse("portal:link_new"), {"label": "New", "destination_url": ""})
    assert "Only an active membership can have links and codes." in words(made)
