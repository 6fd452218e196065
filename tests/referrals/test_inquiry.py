"""“Why not me?”: what a partner is told of an order, and what never: whose it became, and anything of orders nothing of its own is on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from partners.models import Membership
from prm.audit.models import AuditEvent
from referrals import conversions, identity
from referrals.attribution import correct, inquiry
from referrals.attribution.correct import Share
from referrals.attribution.inquiry import Inquiry
from referrals.facts import Buyer
from referrals.models import Click, Code, Conversion, Link
from tests.house import START, House, open_house
from tests.people import ada, ana, mats

pytestmark = pytest.mark.django_db

MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 9, 12, tzinfo=UTC)
VISITOR = "01J00000000000000000000VIS"


@pytest.fixture
def house() -> House:
    """Ana and a rival, whose name, code and link must be nowhere in what Ana is told."""
    house = open_house(percent="10")
    house.member("ANA10", owner=ana())
    house.member("RIVAL99")
    return house


def own(house: House) -> Membership:
    return house.members["ANA10"]


def link_of(house: House, code: str) -> Link:
    return Link.objects.create(
        membership=house.members[code],
        slug=f"to-{code.lower()}",
        label="Home",
        destination_url="https://shop.halden.example/",
        created_at=START,
    )


def click(house: House, code: str, at: datetime, name: str, **facts: str) -> Click:
    link = Link.objects.filter(membership=house.members[code]).first() or link_of(house, code)
    return Click.objects.create(
        click_id=f"01J{name:0>23}", link=link, visitor=facts.pop("visitor", VISITOR), clicked_at=at, **facts
    )


def ask(house: House, **what: object) -> Inquiry:
    return inquiry.ask(own(house), by=ana(), at=LATER, **what)  # type: ignore[arg-type]


def assert_tells_nothing_of_the_rival(found: Inquiry) -> None:
    rival = house_names()
    told = json.dumps(found.as_json())
    assert not [name for name in rival if name in told]


def house_names() -> list[str]:
    rival = Membership.objects.get(codes__code="RIVAL99")
    return ["RIVAL99", "rival99", rival.partner.name, rival.public_id, rival.partner.public_id]


def test_a_click_that_was_beaten_by_a_code_says_so_and_names_nobody(house: House) -> None:
    mine = click(house, "ANA10", MARCH_2 - timedelta(days=3), "A", sub_id="mail")
    event = house.event("order-1", "100.00", "RIVAL99", MARCH_2)
    conversions.record(replace(event, click_id=mine.click_id), at=MARCH_2)
    found = ask(house, order="order-1")
    (story,) = found.stories
    (contact,) = story.contacts
    assert (story.outcome, story.decided_by) == ("others", ("code",))
    assert (contact.name, contact.sub_id) == ("to-ana10", "mail")
    assert (contact.entry["why"], contact.entry["with"]["by"]) == ("lower_precedence", "code")
    assert_tells_nothing_of_the_rival(found)


def test_a_click_outside_the_window_says_how_long_the_window_is(house: House) -> None:
    mine = click(house, "ANA10", MARCH_2 - timedelta(days=31, hours=2), "A")
    conversions.record(
        replace(house.event("order-1", "100.00", "", MARCH_2), click_id=mine.click_id), at=MARCH_2
    )
    (story,) = ask(house, order="order-1").stories
    assert (story.outcome, story.contacts[0].entry["why"]) == ("nobody", "outside_window")
    assert story.contacts[0].entry["with"]["window_hours"] == 30 * 24


def test_what_one_is_credited_for_is_told_with_the_share_and_a_correction_with_its_day(house: House) -> None:
    house.sale("order-1", "100.00", "ANA10", MARCH_2)
    (story,) = ask(house, order="order-1").stories
    assert (story.outcome, story.share, story.corrected_at) == ("credited", "1.000000", None)
    half = [Share(house.members[code], Decimal("0.5")) for code in ("ANA10", "RIVAL99")]
    conversion = Conversion.objects.get(external_id="order-1")
    correct.correct(conversion, credits=half, by=mats(), reason="Both of RIVAL99 and Ana", at=LATER)
    found = ask(house, order="order-1")
    assert (found.stories[0].share, found.stories[0].corrected_at) == ("0.500000", LATER)
    assert_tells_nothing_of_the_rival(found)


def test_an_order_nothing_of_one_s_own_is_on_is_known_and_no_more(house: House) -> None:
    house.sale("order-1", "100.00", "RIVAL99", MARCH_2)
    found = ask(house, order="order-1")
    assert (found.is_known, found.stories) == (True, ())
    unknown = ask(house, order="order-2")
    assert (unknown.is_known, unknown.stories) == (False, ())


def test_a_day_shows_the_orders_one_was_on_and_the_clicks_that_led_nowhere(house: House) -> None:
    # 1 March, 23:30 in Utc, is still the 1st in London; the click of the day before stays out.
    night = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    bought = click(house, "ANA10", night, "A")
    click(house, "ANA10", night - timedelta(hours=1), "B", visitor="01J00000000000000000000OTH")
    click(house, "ANA10", night - timedelta(days=1), "C", visitor="01J00000000000000000000OLD")
    click(house, "ANA10", night, "D", kind="bot", visitor="")
    conversions.record(
        replace(house.event("order-1", "10.00", "", night + timedelta(minutes=5)), click_id=bought.click_id),
        at=MARCH_2,
    )
    house.sale("order-2", "10.00", "RIVAL99", night)
    found = ask(house, day=date(2026, 3, 1))
    assert [story.order for story in found.stories] == ["order-1"]
    assert [loose.at for loose in found.loose] == [night - timedelta(hours=1)]
    assert found.uncounted == {"bot": 1}


def test_a_customer_s_address_finds_orders_one_was_on_and_is_kept_nowhere(house: House) -> None:
    buyer = Buyer(email_key=identity.email_key("buyer@firm.example"))
    event = replace(house.event("order-1", "10.00", "ANA10", MARCH_2), buyer=buyer)
    conversions.record(event, at=MARCH_2)
    theirs = replace(house.event("order-2", "10.00", "RIVAL99", MARCH_2), buyer=buyer)
    conversions.record(theirs, at=MARCH_2)
    found = ask(house, email=" Buyer@Firm.example ")
    assert [story.order for story in found.stories] == ["order-1"]
    kept = json.dumps([found.as_json(), *AuditEvent.objects.values_list("details", flat=True)])
    assert "firm.example" not in kept.lower()
    nobody = ask(house, email="somebody@else.example")
    assert (nobody.stories, nobody.is_known) == ((), False)


def test_a_refund_is_told_by_the_decision_about_its_order(house: House) -> None:
    house.sale("order-1", "100.00", "ANA10", MARCH_2)
    house.refund("back-1", "40.00", "", LATER, of="order-1")
    (story,) = ask(house, order="back-1").stories
    assert (story.refunds, story.outcome) == ("order-1", "credited")
    assert story.contacts[0].name == "ANA10"


def test_what_was_read_is_the_same_when_it_is_read_again_from_where_it_was_kept(house: House) -> None:
    mine = click(house, "ANA10", MARCH_2 - timedelta(days=3), "A")
    conversions.record(
        replace(house.event("order-1", "1.00", "RIVAL99", MARCH_2), click_id=mine.click_id), at=MARCH_2
    )
    for found in (ask(house, order="order-1"), ask(house, day=date(2026, 3, 2))):
        assert inquiry.read(json.loads(json.dumps(found.as_json()))) == found


@pytest.mark.parametrize(
    "what",
    [{}, {"order": "  "}, {"order": "1", "email": "a@b.example"}, {"day": date(2026, 3, 1), "order": "1"}],
)
def test_one_thing_is_asked_at_a_time(house: House, what: dict[str, object]) -> None:
    with pytest.raises(inquiry.AskOneThing):
        ask(house, **what)
    with pytest.raises(inquiry.TooLong):
        ask(house, order="1" * 101)


def test_numbers_cannot_be_tried_out_one_after_the_other(house: House) -> None:
    for number in range(inquiry.MOST_AN_HOUR):
        ask(house, order=str(number))
    with pytest.raises(inquiry.TooOften):
        ask(house, order="one more")
    # Another partner's questions are its own.
    inquiry.ask(house.members["RIVAL99"], by=ada(), at=LATER, order="one more")


def test_a_code_switched_off_and_a_partner_without_anything(house: House) -> None:
    Code.objects.filter(code="ANA10").update(is_active=False)
    house.sale("order-1", "100.00", "ANA10", MARCH_2)
    (story,) = ask(house, order="order-1").stories
    assert (story.outcome, story.contacts[0].entry["why"]) == ("nobody", "code_off")
    other = inquiry.ask(house.members["RIVAL99"], by=ada(), at=LATER, order="order-1")
    assert (other.stories, other.is_known) == ((), True)
