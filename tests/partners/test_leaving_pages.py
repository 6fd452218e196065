"""The back office's pages that suspend, end and ban: what they say before their button, who may press it, and what it does."""

from __future__ import annotations

import pytest
from django.urls import reverse

from partners import leaving
from partners.models import Ending, Membership, Suspension
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, links, words
from tests.factories.tiers import EPOCH
from tests.house import open_house
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def membership() -> Membership:
    return open_house().member("ANA10", owner=ana())


def address(membership: Membership, step: str) -> str:
    return reverse(f"admin:partners_membership_{step}", args=[membership.pk])


def test_the_membership_offers_the_steps_that_make_sense(membership: Membership) -> None:
    desk = at_desk(mats())
    page = desk.get(reverse("admin:partners_membership_change", args=[membership.pk]))
    assert {address(membership, step) for step in ("suspend", "notice", "ban")} <= links(page)
    assert address(membership, "reinstate") not in links(page)
    for_finance = at_desk(fiona()).get(reverse("admin:partners_membership_change", args=[membership.pk]))
    assert address(membership, "suspend") not in links(for_finance)
    assert at_desk(fiona()).get(address(membership, "suspend")).status_code == 403
    assert desk.get(address(membership, "reinstate")).status_code == 404


def test_a_suspension_is_shown_with_its_mail_and_then_done(membership: Membership) -> None:
    desk = at_desk(mats())
    there = address(membership, "suspend")
    empty = desk.post(there, {})
    assert empty.status_code == 422
    shown = desk.post(there, {"reason": "spam", "note": "Stop mailing.", "preview": "1"})
    text = words(shown)
    assert "Unwanted messages in our name" in text
    assert "Stop mailing." in text
    assert "To ana@studio.example" in text
    assert not Suspension.objects.exists()
    done = desk.post(there, {"reason": "spam", "note": "Stop mailing."}, follow=True)
    assert "Suspended since" in words(done)
    assert Suspension.objects.get().note == "Stop mailing."
    [told] = OutgoingMail.objects.filter(kind="membership_suspended")
    assert "Stop mailing." in told.text
    assert desk.post(address(membership, "reinstate")).status_code == 302
    membership.refresh_from_db()
    assert membership.state == "active"


def test_a_day_too_early_is_refused_at_its_field_and_no_day_means_the_first(membership: Membership) -> None:
    desk = at_desk(mats())
    there = address(membership, "notice")
    too_early = desk.post(there, {"reason": "inactive", "effective_on": "2026-01-01"})
    assert too_early.status_code == 422
    assert "30 days of notice" in words(too_early)
    assert desk.post(there, {"reason": "inactive"}).status_code == 302
    ending = Ending.objects.get()
    assert (ending.kind, ending.done_at) == ("terminated", None)
    assert desk.post(address(membership, "cancel_notice")).status_code == 302
    ending.refresh_from_db()
    assert ending.cancelled_by == mats()


def test_a_ban_says_that_finance_decides_and_ends_the_membership(membership: Membership) -> None:
    desk = at_desk(mats())
    page = desk.get(address(membership, "ban"))
    assert "Nothing is paid until finance has decided" in words(page)
    assert desk.post(address(membership, "ban"), {"reason": "fraud"}).status_code == 302
    membership.refresh_from_db()
    assert membership.state == "banned"
    assert desk.get(address(membership, "ban")).status_code == 404


def test_the_list_of_memberships_is_narrowed_by_state(membership: Membership) -> None:
    leaving.suspend(membership, reason="spam", by=mats(), at=EPOCH)
    desk = at_desk(mats())
    there = reverse("admin:partners_membership_changelist")
    assert "Partner ANA10" in words(desk.get(there, {"state__exact": "suspended"}))
    assert "Partner ANA10" not in words(desk.get(there, {"state__exact": "active"}))
