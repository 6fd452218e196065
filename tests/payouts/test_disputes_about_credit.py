"""Questions about who is credited, as staff sees and decides them, and what the database says about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from payouts import disputes
from payouts.disputes import report
from payouts.models import Dispute
from referrals import conversions
from referrals.attribution import inquiry
from referrals.models import Click, Conversion, Credit, Link
from tests.desk import at_desk, words
from tests.factories.money_rows import DisputeFactory
from tests.factories.referrals import ConversionFactory, new_membership
from tests.house import START, House, open_house
from tests.people import ana, fiona, mats
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = open_house(percent="10")
    house.member("ANA10", owner=ana())
    house.member("RIVAL99")
    return house


def asked(house: House) -> Dispute:
    """Ana's click was beaten by the rival's code; she asks."""
    now = timezone.now()
    link = Link.objects.create(
        membership=house.members["ANA10"],
        slug="ana",
        label="Home",
        destination_url="https://shop.halden.example/",
        created_at=START,
    )
    click = Click.objects.create(
        click_id="01J0000000000000000000CLCK", link=link, clicked_at=now - timedelta(days=1)
    )
    conversions.record(
        replace(house.event("order-1", "100.00", "RIVAL99", now), click_id=click.click_id), at=now
    )
    found = inquiry.ask(house.members["ANA10"], by=ana(), at=now, order="order-1")
    about = found.stories[0].conversion
    return disputes.open_inquiry(
        house.members["ANA10"], found, conversion=about, text="My visitor bought.", by=ana(), at=now
    )


def page_of(found: Dispute) -> str:
    return reverse("admin:payouts_dispute_change", args=[found.pk])


def test_staff_sees_every_contact_and_what_the_partner_had_read(house: House) -> None:
    made = asked(house)
    desk = at_desk(mats())
    text = words(desk.get(page_of(made)))
    assert "Partner RIVAL99" in text and "Took the credit" in text and "Something else comes first" in text
    assert "What the partner asked and read" in text and "The order order-1" in text
    listed = words(desk.get(reverse("admin:payouts_dispute_changelist")))
    assert "order-1" in listed and "Somebody else was credited" in listed


def test_staff_corrects_the_credit_on_one_page_that_says_what_follows(house: House) -> None:
    made = asked(house)
    desk = at_desk(mats())
    where = reverse("admin:payouts_dispute_step", args=[made.pk, "credit"])
    before = words(desk.get(where))
    assert "Credited now: Partner RIVAL99 (100.000000 %)" in before or "Partner RIVAL99 (100" in before
    wrong = desk.post(where, {"share": "0", "note": "Both."})
    assert wrong.status_code == 422
    desk.post(where, {"share": "25", "note": "You opened the door."})
    made.refresh_from_db()
    assert made.state == "accepted"
    shares = Credit.objects.standing().order_by("share").values_list("membership__codes__code", "share")
    assert [(code, str(share)) for code, share in shares] == [("ANA10", "0.250000"), ("RIVAL99", "0.750000")]
    house.rate(timezone.now())
    assert "£2.50" in words(desk.get(page_of(made)))


def test_a_refusal_needs_no_line_and_no_amount_is_asked_for(house: House) -> None:
    made = asked(house)
    desk = at_desk(mats())
    assert desk.get(reverse("admin:payouts_dispute_step", args=[made.pk, "accept"])).status_code in (200, 302)
    desk.post(
        reverse("admin:payouts_dispute_step", args=[made.pk, "refuse"]), {"reason": "The code decides."}
    )
    made.refresh_from_db()
    assert made.state == "refused"
    with pytest.raises(disputes.NotAboutCredit):
        disputes.accept_with_credits(DisputeFactory(), credits=[], note="x", by=mats(), at=timezone.now())


def test_finance_does_not_change_who_is_credited(house: House) -> None:
    made = asked(house)
    desk = at_desk(fiona())
    desk.post(
        reverse("admin:payouts_dispute_step", args=[made.pk, "credit"]), {"share": "100", "note": "Yes."}
    )
    made.refresh_from_db()
    assert made.state == "opened"
    assert Credit.objects.standing().get().membership == house.members["RIVAL99"]


def test_the_report_of_causes_counts_it_without_money(house: House) -> None:
    made = asked(house)
    since = made.opened_at - timedelta(days=1)
    (row,) = report.causes(since=since, until=made.opened_at + timedelta(days=1))
    assert (row.cause, row.asked, row.in_question_minor) == ("credit", 1, 0)


def test_there_is_nothing_to_work_out_again(house: House) -> None:
    with pytest.raises(disputes.NothingToWorkOut):
        disputes.look_again(asked(house), by=mats(), at=timezone.now())


def test_payouts_dispute_one_open_per_order(house: House) -> None:
    made = asked(house)
    values = {
        "commission": None,
        "membership": made.membership,
        "conversion": made.conversion,
        "inquiry": {"a": 1},
    }
    assert_refused("payouts_dispute_one_open_per_order", Dispute, lambda: DisputeFactory(**values))
    disputes.withdraw(made, by=ana(), at=timezone.now())
    DisputeFactory(**values)
    assert Dispute.objects.open().count() == 1


@pytest.mark.parametrize(
    "wrong", [{"commission": None}, {"conversion": True}, {"commission": None, "conversion": True}]
)
def test_payouts_dispute_is_about_something(wrong: dict[str, object]) -> None:
    values = {**wrong, **({"conversion": ConversionFactory()} if "conversion" in wrong else {})}
    if "commission" in wrong:
        values["membership"] = new_membership()
    assert_refused("payouts_dispute_is_about_something", Dispute, lambda: DisputeFactory(**values))
    assert Conversion.objects.count() <= 3
