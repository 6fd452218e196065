"""Invitations and introductions that are answered in the same moment: one membership, one meeting, one prospect."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import counters, introductions, invitation_answers, invitations, prospects
from partners.invitation_answers import Reply
from partners.invitation_rows import word_of
from partners.models import Acceptance, CounterProposal, Introduction, Membership, Prospect
from prm.mail.models import OutgoingMail
from tests.factories.partners import TermsVersionFactory
from tests.factories.prm import UserFactory
from tests.house import open_house
from tests.partners.test_races import at_once
from tests.people import ana, mats

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 6, 1, 9, tzinfo=UTC)


def test_an_invitation_accepted_five_times_and_countered_in_one_moment_has_one_end() -> None:
    house = open_house()
    terms = TermsVersionFactory(program=house.program, published=True)
    guest = invitations.Guest("guest@x.example")
    invitation = invitations.invite(house.program, guest=guest, tier=house.tier, by=mats(), at=AT)
    token, reply = word_of(invitation), Reply("Guest", "+44 20 7946 0018", "Guest Ltd", "France")

    def accept() -> Membership:
        return invitation_answers.accept(token, reply=reply, terms_id=terms.public_id, shown="", at=AT)

    at_once(*[accept] * 5, lambda: counters.to_invitation(token, text="More.", at=AT))
    invitation.refresh_from_db()
    joined = invitation.state == "accepted"
    assert joined or invitation.state == "countered"
    assert Membership.objects.count() == Acceptance.objects.count() == int(joined)
    assert OutgoingMail.objects.filter(kind="program_invitation_welcome").count() == int(joined)
    assert CounterProposal.objects.count() == int(not joined)


def test_two_yeses_in_one_moment_make_one_meeting() -> None:
    house, one, other = open_house(), ana(), UserFactory(email="ben@workshop.example")
    first, second = house.member("ONE", owner=one).partner, house.member("TWO", owner=other).partner
    found = introductions.propose(first, second, reason="Both garden.", by=mats(), at=AT)
    at_once(
        lambda: introductions.answer(found, partner=first, wants=True, by=one, at=AT),
        lambda: introductions.answer(found, partner=second, wants=True, by=other, at=AT),
    )
    assert Introduction.objects.get().state == "introduced"
    assert OutgoingMail.objects.filter(kind="introduction_made").count() == 2


def test_somebody_introduced_four_times_in_one_moment_stands_in_the_list_once() -> None:
    house, owner = open_house(), ana()
    membership = house.member("ONE", owner=owner)
    karl = prospects.Introduced("Karl", "", "karl@x.example", "", True)
    at_once(*[lambda: prospects.introduce(membership, karl, by=owner, at=AT)] * 4)
    assert Prospect.objects.count() == 1
