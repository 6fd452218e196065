"""The rooms in which partners introduce people, meet each other and counter what was proposed to them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from partners import introductions, negotiation
from partners.models import CounterProposal, Member, Prospect
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, words
from tests.factories.prm import UserFactory
from tests.factories.recruiting import ProspectFactory
from tests.house import House, open_house
from tests.people import ada, ana, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", owner=ana())
    return house


def signed_in(role: str, house: House) -> Client:
    client = Client()
    if role == "owner":
        client.force_login(ana())
        return client
    user = UserFactory(email=f"{role}@studio.example")
    partner = house.members["ANA10"].partner
    Member.objects.create(partner=partner, user=user, role=role, joined_at=timezone.now())
    client.force_login(user)
    return client


def test_somebody_is_introduced_by_name_and_stands_in_the_list(house: House) -> None:
    client = signed_in("sales", house)
    given = {"full_name": "Karl Weber", "email": "karl@weber.example", "why": "=cmd|' /C calc'!A0"}
    refused = client.post("/portal/introductions/new/", given)
    assert (refused.status_code, "Ask the person first" in words(refused)) == (422, True)
    client.post("/portal/introductions/new/", {**given, "agreed": "on"})
    prospect = Prospect.objects.get()
    assert prospect.introducer == house.members["ANA10"]
    page = words(client.get("/portal/introductions/"))
    assert "Karl Weber" in page
    assert "Received" in page
    assert "?via=" in client.get("/portal/introductions/").content.decode()


def test_whom_we_know_already_looks_received_for_a_week(house: House) -> None:
    client = signed_in("sales", house)
    ProspectFactory(program=house.program, email="karl@weber.example")
    given = {"full_name": "Karl Weber", "email": "karl@weber.example", "why": "A shop.", "agreed": "on"}
    client.post("/portal/introductions/new/", given)
    page = words(client.get("/portal/introductions/"))
    assert ("Received" in page, "Not pursued" in page) == (True, False)
    week = timezone.now() - timedelta(days=7)
    Prospect.objects.filter(introducer=house.members["ANA10"]).update(created_at=week)
    assert "Not pursued" in words(client.get("/portal/introductions/"))


def test_who_only_looks_introduces_nobody(house: House) -> None:
    client = signed_in("read_only", house)
    assert client.get("/portal/introductions/").status_code == 200
    assert client.get("/portal/introductions/new/").status_code == 403
    assert client.get("/portal/introductions/ask/").status_code == 403


def test_another_partner_is_shown_by_name_and_reason_until_both_agree(house: House) -> None:
    ben = UserFactory(email="ben@workshop.example", full_name="Ben Moss")
    other = house.member("BEN10", owner=ben).partner
    at = timezone.now()
    mine = house.members["ANA10"].partner
    found = introductions.propose(mine, other, reason="A workshop.", by=mats(), at=at)
    client, address = signed_in("owner", house), f"/portal/introductions/{found.public_id}/"
    body = client.get(address).content.decode()
    assert ("Partner BEN10" in body, "Ben Moss" in body, "ben@" in body) == (True, False, False)
    client.post(address, {"answer": "yes"})
    introductions.answer(found, partner=other, wants=True, by=ben, at=at)
    assert "ben@workshop.example" in client.get(address).content.decode()
    stranger = house.member("CYD10", owner=UserFactory(email="cyd@x.example")).partner.members.get().user
    elsewhere = Client()
    elsewhere.force_login(stranger)
    assert elsewhere.get(address).status_code == 404


def test_own_terms_are_countered_and_staff_goes_on_from_there(house: House) -> None:
    membership, at = house.members["ANA10"], timezone.now()
    draft = negotiation.begin(membership, by=ada(), at=at)
    draft.rules.update(rate=Decimal("9"))
    negotiation.propose(draft, effective_at=at + timedelta(days=1), by=ada(), at=at)
    client = signed_in("owner", house)
    address = f"/portal/proposals/{draft.public_id}/counter/"
    assert client.post(address, {"text": ""}).status_code == 422
    assert signed_in("finance", house).post(address, {"text": "Ten."}).status_code == 403
    client.post(address, {"text": "Ten percent."})
    counter = CounterProposal.objects.get()
    draft.refresh_from_db()
    assert (counter.text, counter.plan_version, draft.state) == ("Ten percent.", draft, "draft")
    assert OutgoingMail.objects.get(kind="counter_received").to == ada().email
    assert not OutgoingMail.objects.filter(kind="proposal_answered").exists()
    desk = at_desk(ada())
    page = f"/admin/partners/counterproposal/{counter.pk}/change/"
    assert "Ten percent." in words(desk.get(page))
    answer = desk.post(page, {"do": "draft", "answer": ""})
    assert answer.headers["Location"] == f"/admin/tiers/planversion/{draft.pk}/change/"
    counter.refresh_from_db()
    assert counter.answered_by == ada()
