"""What partners read of money that people moved or kept back: booked adjustments with their reasons, and pauses with the day somebody looks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from payouts import adjustments, pauses, payable_dates
from payouts.models import Commission
from prm.lib.money import Money
from tests.desk import words
from tests.house import House, open_house
from tests.people import ana, felix, fiona, mats

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def house() -> House:
    house = open_house()
    house.program.second_person_above_minor = 100_00
    house.program.save()
    house.member("ANA10", at=NOW - timedelta(days=400), owner=ana())
    house.member("BEA10", at=NOW - timedelta(days=400))
    return house


@pytest.fixture
def portal(house: House) -> Client:
    client = Client()
    client.force_login(ana())
    return client


def put(house: House, amount: str, note: str, *, code: str = "ANA10", kind: str = "adjustment") -> None:
    adjustments.propose(
        house.members[code],
        kind=kind,
        amount=Money.parse(amount, "GBP"),
        reason="goodwill",
        note=note,
        internal_note="She called three times.",
        by=fiona(),
        at=NOW,
    )


def test_booked_adjustments_are_listed_with_their_words_and_their_sum(house: House, portal: Client) -> None:
    put(house, "50.00", "Thank you for spring.", kind="bonus")
    put(house, "-12.50", "Order 7 was counted twice.")
    put(house, "500.00", "Not decided yet.")
    put(house, "9.00", "For somebody else.", code="BEA10")
    said = words(portal.get(reverse("portal:adjustments")))
    assert "Thank you for spring. Bonus · Goodwill" in said
    assert "Order 7 was counted twice. Correction · Goodwill" in said
    assert "Total £37.50" in said
    for hidden in ("Not decided", "somebody else", "three times"):
        assert hidden not in said
    assert reverse("portal:adjustments") in portal.get(reverse("portal:earnings")).content.decode()


def test_nothing_booked_is_said_so(house: House, portal: Client) -> None:
    assert "Nothing so far" in words(portal.get(reverse("portal:adjustments")))


def test_a_paused_line_says_why_and_by_when_and_a_moved_date_both_days(house: House, portal: Client) -> None:
    house.sale("s1", "100.00", "ANA10", NOW)
    house.rate(NOW)
    line = Commission.objects.get()
    review_on = (NOW + timedelta(days=5)).date()
    pauses.pause_line(
        line, cause="risk", reason="We check the order.", review_on=review_on, by=mats(), at=NOW
    )
    payable_dates.move(
        [line], to=(NOW + timedelta(days=40)).date(), reason="Returns take longer.", by=felix(), at=NOW
    )
    listed = words(portal.get(reverse("portal:earnings")))
    assert "We check the order. Reviewed by" in listed
    shown = words(portal.get(reverse("portal:commission", args=[line.public_id])))
    assert "Paused: We check the order. Reviewed by" in shown
    assert ": Returns take longer." in shown
    assert "Ready to pay, if it is no longer paused by then" in shown
