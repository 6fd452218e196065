"""Members hear of a new version when it changes something for them: once, in their words, and it is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from partners import notices
from partners.models import Member, Membership
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from prm.wiring import tell_members_of_version
from tests.factories.prm import UserFactory
from tests.house import START, House, open_house
from tests.people import ada, ana
from tiers import publishing
from tiers.events import PlanVersionPublished
from tiers.models import Plan, PlanVersion

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
JULY = datetime(2026, 6, 30, 23, tzinfo=UTC)  # midnight in London


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", owner=ana())
    return house


def publish(rate: str = "12.5", *, effective_at: datetime = JULY, **values: Any) -> PlanVersion:
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=AT)
    version.rules.update(rate=Decimal(rate))
    PlanVersion.objects.filter(pk=version.pk).update(**values)
    return publishing.publish(version, effective_at=effective_at, by=ada(), at=AT)


def test_a_member_reads_what_goes_what_comes_and_when(house: House) -> None:
    version = publish()
    assert notices.tell_of_version(version.pk, at=AT) == 1
    mail = OutgoingMail.objects.get(kind="plan_changed")
    assert (mail.to, mail.about, mail.subject) == (
        ana().email,
        version.public_id,
        "What you earn changes: Halden affiliates",
    )
    for body in (mail.text, mail.html):
        assert "1 July 2026" in body
        assert body.index("12.5%") < body.index("Until then, and no longer after:") < body.index("8%")
        assert "/portal/rates/" in body
    version.refresh_from_db()
    assert version.notice_sent_at == AT
    event = AuditEvent.objects.get(action="plan_version.announced")
    assert event.details == {"mails": 1}


def test_a_second_call_tells_nobody_again(house: House) -> None:
    version = publish()
    notices.tell_of_version(version.pk, at=AT)
    assert notices.tell_of_version(version.pk, at=AT) == 0
    PlanVersion.objects.filter(pk=version.pk).update(notice_sent_at=None)  # a worker that died on the way
    notices.tell_of_version(version.pk, at=AT)
    assert OutgoingMail.objects.count() == 1


def test_owners_and_finance_are_told_else_the_contact_address(house: House) -> None:
    membership = house.members["ANA10"]
    for role in ("finance", "marketing"):
        user = UserFactory.create(email=f"{role}@studio.example")
        Member.objects.create(partner=membership.partner, user=user, role=role, joined_at=START)
    house.member("BO20")
    notices.tell_of_version(publish().pk, at=AT)
    assert set(OutgoingMail.objects.values_list("to", flat=True)) == {
        ana().email,
        "finance@studio.example",
        "bo20@x.example",
    }


def test_who_is_not_concerned_hears_nothing(house: House) -> None:
    """A partner that left, one that is suspended and one with terms of its own."""
    for code, state in (("LEFT", "ended"), ("STOP", "suspended")):
        Membership.objects.filter(pk=house.member(code).pk).update(
            state=state, ended_at=AT if state == "ended" else None
        )
    own = house.member("OWN")
    PlanVersion.objects.create(
        plan=Plan.objects.get(),
        number=7,
        member_key=own.public_id,
        state="published",
        effective_at=AT,
        published_at=AT,
        published_by=ada(),
    )
    notices.tell_of_version(publish().pk, at=AT)
    assert [mail.to for mail in OutgoingMail.objects.all()] == [ana().email]


def test_partners_who_keep_their_version_hear_nothing_and_the_notice_is_still_recorded(house: House) -> None:
    version = publish(grandfather="memberships")
    assert notices.tell_of_version(version.pk, at=AT) == 0
    version.refresh_from_db()
    assert version.notice_sent_at == AT and not OutgoingMail.objects.exists()


def test_the_mail_says_that_older_customers_keep_their_version(house: House) -> None:
    notices.tell_of_version(publish(grandfather="customers").pk, at=AT)
    text = OutgoingMail.objects.get().text
    assert "For customers who bought before that moment nothing changes." in text


def test_a_version_that_begins_during_the_day_says_the_hour(house: House) -> None:
    notices.tell_of_version(publish(effective_at=JULY + timedelta(hours=9, minutes=30)).pk, at=AT)
    assert "1 July 2026, 09:30" in OutgoingMail.objects.get().text


def test_the_same_rates_in_a_new_version_are_said_to_be_the_same(house: House) -> None:
    notices.tell_of_version(publish("8").pk, at=AT)
    assert "What you earn is the same as before." in OutgoingMail.objects.get().text


def test_a_first_version_changes_nothing_for_anybody(house: House) -> None:
    first = PlanVersion.objects.get(number=1)
    assert notices.tell_of_version(first.pk, at=AT) == 0
    assert notices.sweep(at=START) == 0


def test_the_sweep_finds_what_the_bell_missed_but_no_old_news(house: House) -> None:
    publish()
    assert notices.sweep(at=AT + timedelta(days=8)) == 0
    assert notices.sweep(at=AT + timedelta(days=6)) == 1
    assert notices.sweep(at=AT + timedelta(days=6)) == 0


def test_a_publication_rings_the_bell(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr("prm.wiring.ring_now", lambda task, **kwargs: rung.append((task, kwargs)))
    tell_members_of_version(PlanVersionPublished(7))
    assert rung == [("partners.tell_of_version", {"version_id": 7})]
