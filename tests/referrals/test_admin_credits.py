"""The page that corrects a credit: it asks, shows what it would do, and does it only then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from prm.accounts.models import User
from referrals.models import Conversion, Credit
from tests.desk import at_desk, links, words
from tests.factories.referrals import ConversionFactory
from tests.house import House, open_house
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Desk:
    """A sale by the code of one partner, and somebody who looks at it."""

    def __init__(self, user: User) -> None:
        self.house: House = open_house()
        self.ana, self.kim = self.house.member("ANA10"), self.house.member("KIM10")
        self.house.sale("S1", "100.00", "ANA10", MARCH)
        self.row = Conversion.objects.get()
        self.client: Client = at_desk(user)
        self.url = reverse("admin:referrals_conversion_credits", args=[self.row.pk])

    def send(self, **changes: Any) -> Any:
        """Send the form: half for each partner, unless told otherwise."""
        values = {"reason": "Both worked on it."}
        for at in range(4):
            values |= {f"partner_{at}": "", f"share_{at}": "", f"role_{at}": "sourced"}
        values |= {
            "partner_0": str(self.ana.pk),
            "share_0": "50",
            "partner_1": str(self.kim.pk),
            "share_1": "50.0000",
        }
        return self.client.post(self.url, values | changes)

    def credited(self) -> set[tuple[int, str]]:
        rows = Credit.objects.standing().filter(conversion=self.row)
        return {(row.membership_id, f"{row.share.normalize():f}") for row in rows}


@pytest.fixture
def desk() -> Desk:
    return Desk(mats())


def test_the_page_of_an_event_leads_to_its_correction(desk: Desk) -> None:
    page = desk.client.get(reverse("admin:referrals_conversion_change", args=[desk.row.pk]))
    assert desk.url in links(page)
    assert desk.url not in links(
        at_desk(fiona()).get(reverse("admin:referrals_conversion_change", args=[desk.row.pk]))
    )


def test_the_form_begins_with_who_is_credited_now(desk: Desk) -> None:
    page = desk.client.get(desk.url)
    assert "Partner ANA10, Halden affiliates: 100 %, Sourced" in words(page)
    assert f'<option value="{desk.ana.pk}" selected>' in page.content.decode()


def test_what_it_does_is_shown_before_anything_is_written(desk: Desk) -> None:
    desk.house.refund("R1", "10.00", "", MARCH, of="S1")
    page = desk.send(partner_0=str(desk.kim.pk), share_0="100", partner_1="", share_1="")
    text = words(page)
    assert "Credited afterwards Partner KIM10, Halden affiliates: 100 %, Sourced" in text
    assert "Partner ANA10: what this event earned is taken back" in text
    assert "1 refund or chargeback of it follows." in text
    assert desk.credited() == {(desk.ana.pk, "1")}
    again = desk.send(again="1")
    assert "Show what this does" in words(again)
    assert desk.credited() == {(desk.ana.pk, "1")}


def test_confirmed_it_is_done(desk: Desk) -> None:
    answer = desk.send(confirmed="1")
    assert answer.status_code == 302
    assert desk.credited() == {(desk.ana.pk, "0.5"), (desk.kim.pk, "0.5")}
    page = desk.client.get(answer["Location"])
    assert "Who is credited was corrected." in words(page)
    assert "Decided by a person" in words(page)


def test_nobody_may_be_the_answer(desk: Desk) -> None:
    nobody = {"partner_0": "", "share_0": "", "partner_1": "", "share_1": ""}
    assert "Credited afterwards Nobody" in words(desk.send(**nobody))
    desk.send(**nobody, confirmed="1")
    assert desk.credited() == set()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"share_1": "40"}, "The shares add up to 90"),
        ({"share_1": ""}, "Write the share of this partner."),
        ({"share_1": "0"}, "greater than or equal to 0.0001"),
        ({"share_1": "50.00001"}, "no more than 4 decimal places"),
        ({"share_1": "much"}, "Enter a number."),
        ({"partner_1": "999999"}, "Select a valid choice."),
        ({"role_1": "guessed"}, "Select a valid choice."),
        ({"reason": ""}, "This field is required."),
        ({"partner_1": "", "share_1": "", "share_0": "100"}, "nothing would change"),
    ],
)
def test_what_cannot_be_is_said_beside_the_form(desk: Desk, changes: dict[str, str], said: str) -> None:
    for sent in (changes, {**changes, "confirmed": "1"}):
        page = desk.send(**sent)
        assert page.status_code == 200
        assert said in words(page)
    assert desk.credited() == {(desk.ana.pk, "1")}


def test_the_page_needs_the_capability() -> None:
    desk = Desk(fiona())
    assert desk.client.get(desk.url).status_code == 403
    assert desk.send(confirmed="1").status_code == 403
    assert desk.credited() == {(desk.ana.pk, "1")}
    assert at_desk(ada()).get(desk.url).status_code == 200


def test_the_page_of_a_conversion_tells_what_rules_ask_about(desk: Desk) -> None:
    row = ConversionFactory.create(
        product="85123A",
        category="candles",
        quantity=6,
        tax_minor=2_00,
        cost_minor=50_00,
        sub_id="spring-mail",
        deal_key="D-7",
        attributes={"channel": "phone", "gift": True, "employees": 12},
    )
    text = words(desk.client.get(reverse("admin:referrals_conversion_change", args=[row.pk])))
    for said in ("85123A", "candles", "spring-mail", "D-7", "tax £2.00, cost of goods £50.00"):
        assert said in text
    assert "channel: phone, employees: 12, gift: yes" in text
