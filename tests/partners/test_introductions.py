"""Partners are introduced to each other when both agree, and learn nothing of each other's people before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import introductions, introductions_merging
from partners.merging import Merge
from partners.models import Introduction, Partner
from partners.team import NotYours
from prm.accounts import policy
from prm.accounts.models import User
from prm.mail.models import OutgoingMail
from tests.factories.prm import UserFactory
from tests.factories.recruiting import ProspectFactory
from tests.house import House, open_house
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def pair() -> tuple[House, Partner, Partner, User, User]:
    house = open_house()
    ben = UserFactory(email="ben@workshop.example", full_name="Ben Moss")
    first = house.member("ANA10", owner=ana()).partner
    second = house.member("BEN10", owner=ben).partner
    return house, first, second, ana(), ben


def propose(first: Partner, second: Partner) -> Introduction:
    return introductions.propose(first, second, reason="Readers and a workshop.", by=mats(), at=NOW)


def test_contacts_are_passed_on_when_both_said_yes_and_not_before() -> None:
    _house, first, second, one, other = pair()
    found = propose(second, first)
    asked = list(OutgoingMail.objects.filter(kind="introduction_proposed").order_by("to"))
    assert [mail.to for mail in asked] == ["ana@studio.example", "ben@workshop.example"]
    assert "ben@workshop.example" not in asked[0].text + asked[0].html
    introductions.answer(found, partner=first, wants=True, by=one, at=NOW)
    assert not OutgoingMail.objects.filter(kind="introduction_made").exists()
    made = introductions.answer(found, partner=second, wants=True, by=other, at=NOW)
    assert (made.state, made.first_agreed_by, made.second_agreed_by) == ("introduced", one, other)
    told = {mail.to: mail.text for mail in OutgoingMail.objects.filter(kind="introduction_made")}
    assert "Ben Moss, ben@workshop.example" in told["ana@studio.example"]
    assert "Ana Prado, ana@studio.example" in told["ben@workshop.example"]


def test_a_no_of_either_closes_it_and_passes_nothing_on() -> None:
    _house, first, second, one, other = pair()
    found = propose(first, second)
    introductions.answer(found, partner=first, wants=True, by=one, at=NOW)
    introductions.answer(found, partner=second, wants=False, by=other, at=NOW)
    with pytest.raises(introductions.NotOpen):
        introductions.answer(found, partner=second, wants=True, by=other, at=NOW)
    found.refresh_from_db()
    assert found.state == "declined"
    assert not OutgoingMail.objects.filter(kind="introduction_made").exists()


def test_only_an_owner_answers_for_the_own_partner() -> None:
    _house, first, second, one, _other = pair()
    found = propose(first, second)
    with pytest.raises(NotYours):
        introductions.answer(found, partner=second, wants=True, by=one, at=NOW)
    with pytest.raises(policy.Forbidden):
        introductions.propose(first, second, reason="Why not.", by=fiona(), at=NOW)
    with pytest.raises(introductions.AlreadyProposed):
        propose(second, first)
    with pytest.raises(introductions.SamePartner):
        propose(first, first)
    introductions.withdraw(found, by=mats(), at=NOW)
    with pytest.raises(introductions.NotOpen):
        introductions.withdraw(found, by=mats(), at=NOW)
    assert list(introductions.of(first)) == []


def test_a_partner_asks_to_meet_others_five_times_a_day() -> None:
    _house, first, _second, one, _other = pair()
    first.account_manager = mats()
    first.save()
    for number in range(5):
        introductions.wish(first, text=f"Gardeners {number}", by=one, at=NOW.replace(minute=number))
    with pytest.raises(introductions.TooMany):
        introductions.wish(first, text="More", by=one, at=NOW)
    with pytest.raises(NotYours):
        introductions.wish(first, text="More", by=mats(), at=NOW)
    assert OutgoingMail.objects.filter(kind="introduction_wished", to=mats().email).count() == 5


def test_the_balance_counts_what_was_given_and_got() -> None:
    house, first, second, _one, _other = pair()
    propose(first, second)
    member = house.members["ANA10"]
    ProspectFactory(program=house.program, introducer=member)
    ProspectFactory(program=house.program, introducer=member, stage="joined")
    assert introductions.balance(first) == introductions.Balance(
        met=0, waiting=1, brought=2, brought_joined=1
    )


def test_a_merge_keeps_what_was_introduced_and_takes_back_what_waits() -> None:
    house, first, second, one, other = pair()
    made = propose(first, second)
    introductions.answer(made, partner=first, wants=True, by=one, at=NOW)
    introductions.answer(made, partner=second, wants=True, by=other, at=NOW)
    open_one = propose(first, second)
    into = house.member("KEPT").partner
    ended, goes_on = house.members["ANA10"], house.members["KEPT"]
    brought = ProspectFactory(program=house.program, introducer=ended)
    merge = Merge(first, into, mats(), NOW, ((ended, goes_on),))
    assert introductions_merging.move(merge) == [
        "1 introduction of Partner ANA10 that waits for answers is withdrawn."
    ]
    for row in (made, open_one, brought):
        row.refresh_from_db()
    assert (made.state, {made.first, made.second}) == ("introduced", {into, second})
    assert (open_one.state, brought.introducer) == ("withdrawn", goes_on)
