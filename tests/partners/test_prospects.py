"""Prospects: kept by those who may, touched, moved by what they do themselves, and introduced by partners."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partners import prospect_watch, prospects
from partners.models import Prospect
from prm.accounts import policy
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory
from tests.factories.recruiting import ProspectFactory
from tests.house import open_house
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
KARL = prospects.Introduced("Karl Weber", "Weber Garten", "karl@weber.example", "Sells tools.", True)


def test_a_prospect_is_kept_once_per_mailbox_by_those_who_may() -> None:
    with pytest.raises(policy.Forbidden):
        prospects.add(by=fiona(), at=NOW, full_name="Ana")
    with pytest.raises(prospects.NoName):
        prospects.add(by=mats(), at=NOW, phone="1")
    program = open_house().program
    first = prospects.add(by=mats(), at=NOW, program=program, email="ines@rocha.example")
    with pytest.raises(prospects.AlreadyProspect):
        prospects.add(by=mats(), at=NOW, program=program, email="INES@rocha.example")
    assert (first.owner, Prospect.objects.count()) == (mats(), 1)


def test_a_first_contact_moves_the_stage_and_plans_the_next() -> None:
    prospect = ProspectFactory()
    prospects.touch(prospect, kind="note", text="Seen at the fair.", by=mats(), at=NOW)
    prospect.refresh_from_db()
    assert prospect.stage == "identified"
    prospects.touch(
        prospect, kind="call", text="Interested.", by=mats(), at=NOW, next_touch_on=date(2026, 6, 8)
    )
    prospect.refresh_from_db()
    assert (prospect.stage, prospect.next_touch_on) == ("contacted", date(2026, 6, 8))
    assert not Prospect.objects.filter(prospect_watch.overdue(date(2026, 6, 8))).exists()
    assert Prospect.objects.filter(prospect_watch.overdue(date(2026, 6, 9))).exists()
    with pytest.raises(prospects.NothingSaid):
        prospects.touch(prospect, kind="call", text=" ", by=mats(), at=NOW)


def test_who_applies_or_joins_moves_on_and_never_back() -> None:
    house = open_house()
    applied = ProspectFactory(program=house.program, email="ines@rocha.example", stage="contacted")
    joined = ProspectFactory(program=house.program, email="ana@studio.example", stage="applied")
    other = ProspectFactory(program=house.program, email="x@x.example")
    application = ApplicationFactory(program=house.program, email="INES@rocha.example", submitted_at=NOW)
    membership = house.member("ANA10", owner=ana())
    assert prospect_watch.follow(at=NOW) == 2
    assert prospect_watch.follow(at=NOW) == 0
    for row in (applied, joined, other):
        row.refresh_from_db()
    assert (applied.stage, applied.application) == ("applied", application)
    assert (joined.stage, joined.membership) == ("joined", membership)
    assert other.stage == "identified"


def test_an_application_that_does_not_count_yet_moves_nobody() -> None:
    program = open_house().program
    prospect = ProspectFactory(program=program, email="ines@rocha.example")
    unconfirmed = ApplicationFactory(
        program=program, email="ines@rocha.example", submitted_at=NOW, email_confirmed_at=None
    )
    assert prospect_watch.follow_application(unconfirmed.pk, at=NOW) == 0
    prospect.refresh_from_db()
    assert prospect.stage == "identified"


def test_who_introduced_somebody_is_named_on_the_application_and_on_the_membership() -> None:
    house = open_house()
    above = house.member("ABOVE")
    ProspectFactory(program=house.program, email="ines@rocha.example", introducer=above)
    ProspectFactory(program=house.program, email="ana@studio.example", introducer=above)
    application = ApplicationFactory(program=house.program, email="ines@rocha.example", submitted_at=NOW)
    below = house.member("BELOW", owner=ana(), at=NOW)
    prospect_watch.follow(at=NOW)
    application.refresh_from_db()
    below.refresh_from_db()
    assert (application.introducer, below.recruiter, below.recruited_at) == (above, above, NOW)


def test_a_partner_introduces_people_who_agreed_up_to_twenty_a_day() -> None:
    house = open_house()
    membership = house.member("ANA10", owner=ana())
    membership.partner.account_manager = mats()
    membership.partner.save()
    with pytest.raises(prospects.NotAgreed):
        prospects.introduce(
            membership, prospects.Introduced("K", "", "k@x.example", "", False), by=ana(), at=NOW
        )
    made = prospects.introduce(membership, KARL, by=ana(), at=NOW)
    assert (made.introducer, made.owner, made.source, made.stage) == (
        membership,
        mats(),
        "partner",
        "identified",
    )
    assert OutgoingMail.objects.get(kind="introduction_received").to == mats().email
    with pytest.raises(prospects.IntroducedBefore):
        prospects.introduce(membership, KARL, by=ana(), at=NOW)
    for number in range(19):
        ProspectFactory(
            program=house.program, introducer=membership, created_at=NOW, email=f"p{number}@x.example"
        )
    someone = prospects.Introduced("Eve", "", "eve@x.example", "", True)
    with pytest.raises(prospects.TooMany):
        prospects.introduce(membership, someone, by=ana(), at=NOW)
    prospects.introduce(membership, someone, by=ana(), at=NOW + timedelta(days=1))


def test_whom_we_know_already_stays_with_who_brought_them_first() -> None:
    house = open_house()
    first, second = house.member("FIRST"), house.member("SECOND", owner=ana())
    known = ProspectFactory(program=house.program, email=KARL.email, introducer=first)
    late = prospects.introduce(second, KARL, by=ana(), at=NOW)
    known.refresh_from_db()
    assert (late.stage, known.stage, known.introducer) == ("lost", "identified", first)
    assert not OutgoingMail.objects.exists()


def test_customers_are_written_down_once_per_program() -> None:
    program = open_house().program
    assert prospects.of_customers(["c-1", "c-2", "c-1"], program=program, by=mats(), at=NOW) == (2, 0)
    assert prospects.of_customers(["c-2", "c-3"], program=program, by=mats(), at=NOW) == (1, 1)
    row = Prospect.objects.get(customer_reference="c-3")
    assert (row.source, row.name, row.email) == ("customer", "c-3", "")
