"""The page “Why not me?” and the question that follows, to the line that comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partners.choices import TeamRole
from partners.models import Member
from payouts import disputes, reconcile
from payouts.disputes import about_credit
from payouts.models import Commission, Dispute
from prm.mail.models import OutgoingMail
from referrals import conversions
from referrals.attribution import inquiry
from referrals.attribution.correct import Share, correct
from referrals.choices import CreditRole
from referrals.models import Click, Conversion, Link
from tests.house import START, House, open_house
from tests.people import ana, felix, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    """An order with Ana's click and a rival's code on it, an hour ago."""
    house = open_house(percent="10")
    house.member("ANA10", owner=ana())
    house.member("RIVAL99")
    now = timezone.now()
    link = Link.objects.create(
        membership=house.members["ANA10"],
        slug="ana",
        label="Home",
        destination_url="https://shop.halden.example/",
        created_at=START,
    )
    click = Click.objects.create(
        click_id="01J0000000000000000000CLCK", link=link, clicked_at=now - timedelta(days=2, hours=1)
    )
    event = house.event("order-1", "100.00", "RIVAL99", now - timedelta(hours=1))
    conversions.record(replace(event, click_id=click.click_id), at=now)
    house.rate(now)
    return house


@pytest.fixture
def client(house: House) -> Client:
    client = Client()
    client.force_login(ana())
    return client


def look_up(client: Client) -> str:
    return client.post(reverse("portal:why_not"), {"order": "order-1"}).content.decode()


def ask(client: Client, text: str = "My visitor bought.") -> Dispute:
    look_up(client)
    about = Conversion.objects.get(external_id="order-1").public_id
    client.post(reverse("portal:why_not_ask"), {"about": about, "text": text})
    return Dispute.objects.get()


def assert_no_rival(page: str) -> None:
    assert "RIVAL99" not in page and "Partner RIVAL99" not in page and "rival99" not in page


def test_the_page_says_what_was_seen_what_won_and_why_not_this(client: Client) -> None:
    page = look_up(client)
    assert "It is credited to another partner, whose code was on the order." in page
    assert "A code on the order comes first by the program&#x27;s rules, and there was one." in page
    assert "2 days and 0 hours before" in page and "Click: ana" in page
    assert_no_rival(page)


def test_nothing_asked_is_told_beside_the_field(client: Client) -> None:
    answer = client.post(reverse("portal:why_not"), {"order": ""})
    assert answer.status_code == 422
    assert "Enter an order number, a day or an e-mail address." in answer.content.decode()
    assert client.get(reverse("portal:why_not") + "?order=17").content.decode().count('value="17"') == 1


def test_one_click_asks_with_what_was_read_and_a_second_one_asks_once(client: Client, house: House) -> None:
    felix()  # nobody looks after the partner: finance is told
    made = ask(client)
    assert made.commission is None and made.conversion is not None and made.cause == "credit"
    read = inquiry.read(made.inquiry)
    assert read.stories[0].contacts[0].entry["why"] == "lower_precedence"
    client.post(
        reverse("portal:why_not_ask"), {"about": made.conversion.public_id, "text": "My visitor bought."}
    )
    again = client.post(
        reverse("portal:why_not_ask"), {"about": made.conversion.public_id, "text": "Once more."}, follow=True
    )
    assert Dispute.objects.count() == 1 and "has asked about this order already" in again.content.decode()
    page = client.get(reverse("portal:question", args=[made.public_id])).content.decode()
    assert "Your question about who is credited" in page and "What you had read" in page
    assert_no_rival(page)
    assert "order-1" in client.get(reverse("portal:questions")).content.decode()
    assert OutgoingMail.objects.filter(kind="question_asked").exists()


def test_a_question_without_what_was_read_is_not_taken(client: Client) -> None:
    answer = client.post(reverse("portal:why_not_ask"), {"about": "", "text": "Why?"}, follow=True)
    assert "Look it up once more" in answer.content.decode() and not Dispute.objects.exists()


def test_who_only_looks_may_look_it_up_and_not_ask(client: Client) -> None:
    Member.objects.filter(user=ana()).update(role=TeamRole.READ_ONLY)
    assert "Ask about this" not in look_up(client)
    assert client.post(reverse("portal:why_not_ask"), {"about": "", "text": "Why?"}).status_code == 403


def test_an_accepted_question_becomes_credit_and_lines_and_the_partner_reads_them(
    client: Client, house: House
) -> None:
    made = ask(client)
    now = timezone.now()
    assert made.conversion is not None
    credits = about_credit.shares_with(made, made.conversion, Decimal("0.4"))
    disputes.accept_with_credits(made, credits=credits, note="You opened the door.", by=mats(), at=now)
    house.rate(now)
    for name in ("ANA10", "RIVAL99"):
        reconcile.reconcile(house.members[name], at=now)
    earned = {
        name: sum(line.amount_minor for line in Commission.objects.filter(membership=house.members[name]))
        for name in house.members
    }
    # 10 % of 40.00, and of the 60.00 that stay with the other one.
    assert earned == {"ANA10": 400, "RIVAL99": 600}
    made.refresh_from_db()
    assert made.state == "accepted" and made.decided_by == mats()
    page = client.get(reverse("portal:question", args=[made.public_id])).content.decode()
    assert "£4.00" in page and "You opened the door." in page
    assert_no_rival(page)
    mail = OutgoingMail.objects.get(kind="question_decided")
    assert "You were right about order-1" in mail.subject and "RIVAL99" not in mail.text
    with pytest.raises(disputes.AlreadyDecided):
        disputes.refuse(made, reason="No.", by=mats(), at=now)


def test_others_keep_their_proportions_and_helpers_stay(client: Client, house: House) -> None:
    made = ask(client)
    third = house.member("THIRD30")
    helper = house.member("HELP40")
    assert made.conversion is not None
    standing = [
        Share(house.members["RIVAL99"], Decimal("0.75")),
        Share(third, Decimal("0.25")),
        Share(helper, Decimal("0.1"), CreditRole.ASSISTED),
    ]
    correct(made.conversion, credits=standing, by=mats(), reason="Three.", at=timezone.now())
    found = about_credit.shares_with(made, made.conversion, Decimal("0.333333"))
    assert [(each.membership, each.share) for each in found] == [
        (house.members["ANA10"], Decimal("0.333333")),
        (house.members["RIVAL99"], Decimal("0.5")),  # 0.75 of 0.666667 is 0.50000025
        (third, Decimal("0.166667")),
        (helper, Decimal("0.1")),
    ]


def test_a_refused_question_changes_nothing(client: Client, house: House) -> None:
    made = ask(client)
    disputes.refuse(made, reason="The code decides, as the rules say.", by=mats(), at=timezone.now())
    assert not Commission.objects.filter(membership=house.members["ANA10"]).exists()
    page = client.get(reverse("portal:question", args=[made.public_id])).content.decode()
    assert "The code decides, as the rules say." in page


def test_an_order_nobody_knew_is_named_when_it_is_accepted(client: Client, house: House) -> None:
    client.post(reverse("portal:why_not"), {"order": "order-9"})
    client.post(reverse("portal:why_not_ask"), {"about": "", "text": "It is missing."})
    made = Dispute.objects.get()
    assert made.conversion is None
    with pytest.raises(disputes.WhichOrder):
        about_credit.order_of(made, "order-9")
    now = timezone.now()
    house.sale("order-9", "50.00", "", now)
    conversion = about_credit.order_of(made, "order-9")
    credits = about_credit.shares_with(made, conversion, Decimal(1))
    disputes.accept_with_credits(
        made, credits=credits, note="It came late.", by=mats(), at=now, order="order-9"
    )
    house.rate(now)
    assert [line.amount_minor for line in Commission.objects.filter(membership=house.members["ANA10"])] == [
        500
    ]
    assert about_credit.corrected_order(made) == conversion
