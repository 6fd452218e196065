"""Who agrees on own terms: staff propose, an owner of the partner's team answers, and each side hears of the other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import negotiation
from partners.models import Member, Membership
from partners.team import NotYours
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.factories.prm import UserFactory
from tests.factories.tiers import ProgramFactory
from tests.house import START, House, open_house
from tests.people import ada, ana, mats
from tiers.models import PlanVersion

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
JULY = datetime(2026, 6, 30, 23, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", owner=ana())
    return house


def proposal(house: House) -> PlanVersion:
    version = negotiation.begin(house.members["ANA10"], by=ada(), at=AT)
    version.rules.update(rate=15)
    return negotiation.propose(version, effective_at=JULY, by=ada(), at=AT)


def test_owners_hear_of_a_proposal_and_staff_of_the_answer(house: House) -> None:
    finance = UserFactory.create(email="money@studio.example")
    Member.objects.create(
        partner=house.members["ANA10"].partner, user=finance, role="finance", joined_at=START
    )
    version = proposal(house)
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to, mail.about) == ("terms_proposed", ana().email, version.public_id)
    assert "from 1 July 2026 on" in mail.text and f"/portal/proposals/{version.public_id}/" in mail.text
    negotiation.accept(version, shown=version.sha256, by=ana(), at=AT)
    answer = OutgoingMail.objects.get(kind="proposal_answered")
    assert (answer.to, answer.subject) == (ada().email, "Accepted: own terms of Partner ANA10")
    assert "Ana Prado accepted the terms" in answer.text and "from 1 July 2026 on" in answer.text
    event = AuditEvent.objects.get(action="membership.terms_agreed")
    assert event.details == {"version": version.public_id}


def test_a_decline_is_sent_on_with_its_reason(house: House) -> None:
    negotiation.decline(proposal(house), reason="We agreed on 20 %.", by=ana(), at=AT)
    mail = OutgoingMail.objects.get(kind="proposal_answered")
    assert (mail.to, mail.subject) == (ada().email, "Declined: own terms of Partner ANA10")
    assert "We agreed on 20 %." in mail.text


@pytest.mark.parametrize("role", ["finance", "marketing", "sales", "read_only"])
def test_only_owners_answer(house: House, role: str) -> None:
    version = proposal(house)
    user = UserFactory.create()
    Member.objects.create(partner=house.members["ANA10"].partner, user=user, role=role, joined_at=START)
    with pytest.raises(NotYours):
        negotiation.accept(version, shown=version.sha256, by=user, at=AT)
    with pytest.raises(NotYours):
        negotiation.decline(version, reason="No", by=user, at=AT)
    assert PlanVersion.objects.get(pk=version.pk).state == "proposed"


def test_neither_staff_nor_another_partner_nor_a_former_owner_answers(house: House) -> None:
    version = proposal(house)
    rival, former = UserFactory.create(), UserFactory.create()
    house.member("BO20", owner=rival)
    partner = house.members["ANA10"].partner
    ended = {"ended_at": AT, "ended_by": ana()}
    Member.objects.create(partner=partner, user=former, role="owner", joined_at=START, **ended)
    for user in (ada(), rival, former):
        with pytest.raises(NotYours):
            negotiation.accept(version, shown=version.sha256, by=user, at=AT)
    assert PlanVersion.objects.get(pk=version.pk).state == "proposed"


def test_a_partner_that_has_left_agrees_on_nothing(house: House) -> None:
    version = proposal(house)
    Membership.objects.filter(pk=house.members["ANA10"].pk).update(state="ended", ended_at=AT)
    with pytest.raises(negotiation.MembershipOver):
        negotiation.accept(version, shown=version.sha256, by=ana(), at=AT)
    with pytest.raises(negotiation.MembershipOver):
        negotiation.begin(Membership.objects.get(), by=ada(), at=AT)


def test_a_program_without_a_plan_has_nothing_to_agree_on(house: House) -> None:
    membership = house.members["ANA10"]
    membership.program = ProgramFactory.create()
    with pytest.raises(negotiation.NoPlan):
        negotiation.begin(membership, by=ada(), at=AT)


def test_drafting_is_for_who_may_publish(house: House) -> None:
    with pytest.raises(Forbidden):
        negotiation.begin(house.members["ANA10"], by=mats(), at=AT)
    assert PlanVersion.objects.count() == 1


def test_what_waits_and_what_was_agreed_is_found_for_its_membership_only(house: House) -> None:
    other = house.member("BO20")
    version = proposal(house)
    assert negotiation.waiting(house.members["ANA10"]) == version
    assert negotiation.waiting(other) is None
    negotiation.withdraw(version, by=ada(), at=AT)
    assert negotiation.waiting(house.members["ANA10"]) is None
    assert list(negotiation.versions_of(house.members["ANA10"])) == [version]
