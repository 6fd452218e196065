"""Leads, introductions and deals as they are told: once per reference, never rewritten, withdrawn with a reason."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

import pytest

from partners.models import Membership
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from referrals import identity, touches
from referrals.models import Touch
from tests.factories.referrals import NOW, CustomerFactory, new_membership
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


def lead(membership: Membership, **changes: Any) -> touches.Told:
    values = {"kind": "lead", "reference": "L-1", "touched_at": NOW - A_DAY, "by": None, "at": NOW}
    return touches.tell(membership, **{**values, **changes})


def test_the_same_again_answers_the_same_and_other_facts_are_named() -> None:
    membership, customer = new_membership(), CustomerFactory.create()
    first = lead(membership, email="Ana@Studio.example ", note="A stall.")
    assert first.is_new
    digest = hashlib.sha256(b"ana@studio.example").hexdigest()
    again = lead(membership, reference=" L-1 ", email_sha256=digest.upper(), note="Another note.")
    assert (again.touch, again.is_new) == (first.touch, False)
    with pytest.raises(touches.ToldDifferently) as refusal:
        lead(membership, email="ana@studio.example", customer=customer, touched_at=NOW)
    assert refusal.value.differs == ["customer", "touched_at"]
    assert Touch.objects.count() == 1
    assert lead(new_membership()).is_new and lead(membership, kind="intro").is_new


def test_of_an_address_only_a_key_is_kept() -> None:
    touch = lead(new_membership(), email="ana@studio.example").touch
    assert touch.email_key == identity.email_key("ANA@studio.example")
    event = AuditEvent.objects.get(action="touch.told")
    assert "studio" not in str(event.details) and event.actor_id is None


def test_what_makes_no_sense_is_refused_by_field_and_nothing_is_written() -> None:
    membership, asleep = new_membership(), new_membership(state="suspended")
    # The member joined 400 days before NOW, in London.
    for refusal, changes in (
        (touches.UnknownKind, {"kind": "click"}),
        (touches.NoReference, {"reference": "  "}),
        (touches.NoReference, {"reference": "x" * 61}),
        (touches.BadHash, {"email_sha256": "abc"}),
        (touches.TwoAddresses, {"email": "a@x.example", "email_sha256": "0" * 64}),
        (touches.InTheFuture, {"touched_at": NOW + A_DAY}),
        (touches.BeforeJoining, {"touched_at": NOW - 401 * A_DAY}),
        (touches.OnlyDealsEnd, {"ends_on": date(2026, 12, 1)}),
        (touches.EndsBeforeItBegins, {"kind": "deal", "ends_on": date(2026, 11, 18)}),
        (touches.NoteTooLong, {"note": "x" * 201}),
        (Forbidden, {"by": fiona()}),
    ):
        with pytest.raises(refusal) as refused:
            lead(membership, **changes)
        assert refusal is Forbidden or refused.value.field
    with pytest.raises(touches.NotActive):
        lead(asleep)
    assert not Touch.objects.exists()


def test_a_deal_may_end_on_the_day_it_was_made() -> None:
    assert lead(new_membership(), kind="deal", ends_on=date(2026, 11, 19)).touch.ends_on == date(2026, 11, 19)


def test_what_was_withdrawn_stays_on_record_and_its_reference_is_free_again() -> None:
    membership, by = new_membership(), mats()
    touch = lead(membership).touch
    with pytest.raises(touches.NoReasonGiven):
        touches.withdraw(touch, because=" ", by=by, at=NOW)
    with pytest.raises(Forbidden):
        touches.withdraw(touch, because="Theirs.", by=fiona(), at=NOW)
    touches.withdraw(touch, because="It was another company.", by=by, at=NOW)
    with pytest.raises(touches.WithdrawnAlready):
        touches.withdraw(touch, because="Again.", by=by, at=NOW)
    touch.refresh_from_db()
    assert (touch.withdrawn_by, touch.withdrawn_because) == (by, "It was another company.")
    assert lead(membership, touched_at=NOW).is_new
