"""The partner's pages about what it did besides selling: told, changed, taken back, and read only by the own team."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partners.engagement import activities
from partners.models import Activity
from prm.accounts.models import User
from tests.desk import words
from tests.factories.partners import MemberFactory
from tests.factories.tiering import ActivityFactory
from tests.house import House, open_house
from tests.pages import submit, went_on
from tests.people import ana, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
HOME = "/portal/activities/"
GIVEN = {"kind": "webinar", "title": "Gifts for offices", "held_on": "2026-06-01"}


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=datetime(2026, 2, 1, 12, tzinfo=UTC), owner=ana())
    return house


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client(house: House) -> Client:
    return signed_in(ana())


@time_machine.travel(NOW, tick=False)
def test_an_activity_is_told_changed_and_taken_back(client: Client) -> None:
    assert "Nothing told yet" in words(client.get(HOME))
    file = SimpleUploadedFile("guests.pdf", PDF, "application/pdf")
    assert went_on(submit(client, f"{HOME}new/", GIVEN, file=file)) == HOME
    activity = Activity.objects.get()
    page = f"{HOME}{activity.public_id}/"
    assert "We have not looked at it yet." in words(client.get(page))
    answer = client.get(f"{page}file/")
    assert answer["Content-Disposition"] == 'attachment; filename="guests.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert went_on(submit(client, f"{page}change/", title="Lights for offices", without_file="on")) == page
    activity.refresh_from_db()
    assert (activity.title, activity.file_name) == ("Lights for offices", "")
    assert client.get(f"{page}file/").status_code == 404
    client.post(f"{page}withdraw/")
    activity.refresh_from_db()
    assert activity.state == "withdrawn"
    assert went_on(client.get(f"{page}change/")) == page  # nothing to change any more


@time_machine.travel(NOW, tick=False)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(client: Client) -> None:
    answer = submit(client, f"{HOME}new/", {**GIVEN, "held_on": "2026-06-11", "url": "https://x.example/1"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This day has not come yet" in words(answer)
    assert 'href="#id_held_on"' in page
    assert "https://x.example/1" in page
    assert page.split("<title>")[1].startswith("Error: ")
    file = SimpleUploadedFile("guests.pdf", b"MZ nothing", "application/pdf")
    assert "Only PDF, PNG, JPEG and WebP" in words(submit(client, f"{HOME}new/", GIVEN, file=file))
    assert not Activity.objects.exists()


@time_machine.travel(NOW, tick=False)
def test_the_reason_of_a_no_is_read_and_it_can_be_told_again(house: House, client: Client) -> None:
    activity = ActivityFactory(membership=house.members["ANA10"], told_by=ana(), held_on=date(2026, 6, 1))
    activities.decline(activity, reason="Nobody is named <b>here</b>.", by=mats(), at=NOW)
    answer = client.get(f"{HOME}{activity.public_id}/")
    assert "Nobody is named <b>here</b>." in words(answer)
    assert "<b>here</b>" not in answer.content.decode()
    assert "Tell it again" in words(answer)


def test_only_the_own_team_sees_it_and_only_some_of_it_tell(house: House) -> None:
    activity = ActivityFactory(membership=house.members["ANA10"])
    reader = MemberFactory(partner=activity.membership.partner, role="read_only").user
    other = house.member("BEN10", owner=MemberFactory().user)
    stranger = other.partner.members.get().user
    page = f"{HOME}{activity.public_id}/"
    looking = signed_in(reader)
    shown = looking.get(page)
    assert shown.status_code == 200
    assert "Change it" not in words(shown)
    for refused in (f"{HOME}new/", f"{page}change/"):
        assert looking.get(refused).status_code == 403
    assert looking.post(f"{page}withdraw/").status_code == 403
    for address in (page, f"{page}file/", f"{page}change/"):
        assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(stranger).post(f"{page}withdraw/").status_code == 404
    activity.refresh_from_db()
    assert activity.state == "waiting"


def test_the_list_asks_the_database_as_often_for_many_as_for_one(house: House, client: Client) -> None:
    ActivityFactory(membership=house.members["ANA10"])
    client.get(HOME)
    with CaptureQueriesContext(connection) as one:
        client.get(HOME)
    for number in range(60):
        ActivityFactory(membership=house.members["ANA10"], title=f"Webinar {number}")
    with CaptureQueriesContext(connection) as many:
        page = client.get(HOME)
    assert len(many) == len(one)
    assert "1 to 50 of 61" in words(page)
