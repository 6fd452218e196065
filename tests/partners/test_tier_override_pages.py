"""A person changes a tier by hand, for good or until a day: what it does and its mail come first, and what holds can be ended."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from partners.models import Placement, TierOverride, TierReview
from partners.tier_reviews import overrides
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, words
from tests.factories.partners import TermsVersionFactory
from tests.pages import submit, went_on
from tests.partners.tier_scene import NOW, Ladder, a_ladder, the_cast
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
UNTIL = date(2027, 3, 31)


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ladder() -> Ladder:
    made = a_ladder(customers_keep_months=6)
    the_cast(made)
    return made


def change(ladder: Ladder, name: str) -> str:
    return reverse("admin:partners_membership_tier", args=[ladder.members[name].pk])


def standing(ladder: Ladder, name: str) -> Placement:
    return Placement.objects.get(membership=ladder.members[name], ends_at=None)


def test_what_a_change_does_and_its_mail_are_shown_before_anything_happens(ladder: Ladder) -> None:
    TermsVersionFactory.create(program=ladder.house.program, published=True, tier=ladder.silver)
    page = submit(
        at_desk(mats()), change(ladder, "RISER"), tier=ladder.silver.pk, because="A launch.", preview="1"
    )
    text = words(page)
    assert "New sales earn by Silver from then on: 8%, as now." in text
    assert "No commission that is booked changes, whatever its state." in text
    assert "Silver has terms of its own" in text
    assert "The next review looks at the figures as always." in text
    assert "You are in Silver now" in text
    assert "A launch." in text
    assert standing(ladder, "RISER").tier == ladder.start
    assert not OutgoingMail.objects.exists()


def test_a_change_for_good_is_placed_and_the_owners_read_why(ladder: Ladder) -> None:
    submit(at_desk(mats()), change(ladder, "RISER"), tier=ladder.silver.pk, because="A launch.")
    placed = standing(ladder, "RISER")
    assert (placed.tier, placed.because, placed.placed_by, placed.keeps_customers) == (
        ladder.silver,
        "A launch.",
        mats(),
        False,
    )
    mail = OutgoingMail.objects.get(kind="tier_changed")
    assert mail.to == "riser@owner.example"
    assert "A launch." in mail.text
    assert not TierOverride.objects.exists()


def test_a_fall_by_hand_leaves_customers_what_the_program_promises_them(ladder: Ladder) -> None:
    given = {"tier": ladder.start.pk, "because": "Agreed with the partner."}
    text = words(submit(at_desk(mats()), change(ladder, "STEADY"), given, preview="1"))
    assert "Customers from before keep earning by Silver until 20 May 2027." in text
    submit(at_desk(mats()), change(ladder, "STEADY"), given)
    placed = standing(ladder, "STEADY")
    assert placed.keeps_customers
    assert "Customers you brought before keep the terms of Silver" in OutgoingMail.objects.get().text


def test_with_a_day_it_is_a_decision_that_ends_by_itself(ladder: Ladder) -> None:
    ladder.review()
    given = {"tier": ladder.gold.pk, "because": "A joint launch.", "until": UNTIL.isoformat()}
    shown = words(submit(at_desk(mats()), change(ladder, "RISER"), given, preview="1"))
    assert "A review is open (Proposed): it is overtaken by this decision." in shown
    assert "Reviews go on for information" in shown
    client = at_desk(mats())
    answer = submit(client, change(ladder, "RISER"), given)
    assert "stands in Gold until the end of 31 March 2027" in words(client.get(went_on(answer)))
    made = TierOverride.objects.get()
    assert (made.kind, made.tier, made.reason, made.made_by) == (
        "override",
        ladder.gold,
        "A joint launch.",
        mats(),
    )
    assert TierReview.objects.get(membership=made.membership).state == "lapsed"
    assert OutgoingMail.objects.get().kind == "tier_by_hand"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"because": " "}, "Reason"),
        ({"because": "Why", "until": "2026-11-20"}, "Choose a day that lies ahead."),
        ({"because": "Why"}, "stands in this tier already"),
    ],
)
def test_what_cannot_be_is_refused_in_words(ladder: Ladder, given: dict[str, str], said: str) -> None:
    answer = submit(at_desk(mats()), change(ladder, "RISER"), {"tier": ladder.start.pk, **given})
    assert answer.status_code == 422
    assert said in words(answer)
    assert not TierOverride.objects.exists()
    assert standing(ladder, "RISER").tier == ladder.start


def test_a_case_beside_a_decision_by_hand_is_for_information(ladder: Ladder) -> None:
    overrides.override(
        ladder.members["FALLER"], tier=ladder.silver, reason="A launch.", until=UNTIL, by=mats(), at=NOW
    )
    ladder.review()
    case = ladder.case("FALLER")
    text = words(at_desk(mats()).get(reverse("admin:partners_tierreview_change", args=[case.pk])))
    assert "Placed by hand: Silver until 31 March 2027, because: A launch." in text
    assert "This case is for information" in text
    assert "Send the notice" not in text


def test_a_decision_by_hand_is_ended_before_its_day(ladder: Ladder) -> None:
    made = overrides.override(
        ladder.members["FALLER"], tier=ladder.silver, reason="A launch.", until=UNTIL, by=mats(), at=NOW
    )
    client = at_desk(mats())
    listed = reverse("admin:partners_tieroverride_changelist")
    assert "Partner FALLER" in words(client.get(listed))
    page = reverse("admin:partners_tieroverride_change", args=[made.pk])
    assert "A launch." in words(client.get(page))
    end = reverse("admin:partners_tieroverride_end", args=[made.pk])
    assert at_desk(fiona()).get(end).status_code == 403
    assert "decide again" in words(client.post(end, follow=True))
    made.refresh_from_db()
    assert (made.ended_at, made.ended_by) == (NOW, mats())
    assert (ladder.case("FALLER").round.kind, ladder.case("FALLER").state) == ("expiry", "proposed")
    assert "Partner FALLER" not in words(client.get(listed))
    assert "Partner FALLER" in words(client.get(listed, {"holds": "no"}))
