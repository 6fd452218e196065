"""What a day's figures count: worked by hand, from rows the product's own verbs wrote."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.models import Membership
from payouts.reports.counting import count
from payouts.reports.figures import Figures, Key
from prm.lib.money import Money
from referrals import conversions
from referrals.attribution.correct import Share, correct
from referrals.facts import Event, EventLine
from referrals.models import Click, Code, Conversion, Link
from tests.house import House, open_house
from tests.people import ada

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 15)
NOON = datetime(2026, 6, 15, 11, tzinfo=UTC)  # 12:00 in London


def click(link: Link, number: int, at: datetime, **told: str) -> str:
    row = Click.objects.create(
        click_id=f"click{number:021d}", link=link, clicked_at=at, **{"visitor": f"v{number:025d}", **told}
    )
    return row.click_id


def link_of(member: Membership) -> Link:
    return Link.objects.create(
        membership=member,
        slug=f"l-{member.pk}",
        label="Home",
        destination_url="https://shop.halden.example/",
        created_at=NOON,
    )


def tell(house: House, name: str, amount: str, **told: object) -> Conversion:
    facts = {"source": "shop", "external_id": name, "kind": "sale", "occurred_at": NOON, **told}
    amount_of = Money.parse(amount, house.program.currency)
    outcome = conversions.record(Event(amount=amount_of, **facts), at=NOON)  # type: ignore[arg-type]
    return Conversion.objects.get(public_id=outcome.public_id)


def row(house: House, member: Membership, dimension: str, key: str = "") -> Figures:
    found = count(house.program, DAY)
    return found.get(Key(member.pk, dimension, key, house.program.currency), Figures())


def test_a_day_of_clicks_and_what_came_of_them() -> None:
    house = open_house(percent="10")
    member = house.member("ANA10")
    link = link_of(member)
    # Two hits of one visitor, one without a number, a robot and a banner seen: 3 clicks, 2 visitors, 1 that does not count.
    first = click(link, 1, NOON - timedelta(minutes=90), sub_id="top", sub2="blue", country="FR")
    click(link, 2, NOON - timedelta(minutes=80), visitor=f"v{1:025d}", sub_id="top")
    click(link, 3, NOON - timedelta(minutes=70), visitor="")
    click(link, 4, NOON - timedelta(minutes=60), kind="bot")
    click(link, 5, NOON - timedelta(minutes=50), kind="view")
    # Yesterday in London, and today only in UTC, is another day.
    click(link, 6, datetime(2026, 6, 14, 22, 59, tzinfo=UTC))
    tell(house, "s1", "200.00", click_id=first, country="France", product="Desk")
    tell(house, "r1", "50.00", kind="refund", original_external_id="s1")
    tell(house, "q1", "0.00", kind="qualified_lead", code="ANA10")
    house.rate(NOON)

    code = Code.objects.get(code="ANA10")
    # Earned: 10 % of 200.00, less 10 % of 50.00.
    assert row(house, member, "all") == Figures(
        clicks=3,
        visitors=2,
        uncounted=1,
        leads=1,
        qualified=1,
        conversions=1,
        from_clicks=1,
        waited_minutes=80,  # the last click of the visitor is credited
        refunds=1,
        revenue_minor=150_00,
        earned_minor=15_00,
    )
    by_link = row(house, member, "link", link.public_id)
    assert (by_link.clicks, by_link.conversions, by_link.refunds, by_link.earned_minor) == (3, 1, 1, 15_00)
    by_code = row(house, member, "code", code.public_id)
    assert (by_code.clicks, by_code.leads, by_code.conversions, by_code.earned_minor) == (0, 1, 0, 0)
    top = row(house, member, "sub_id", "1:top")
    assert (top.clicks, top.visitors, top.conversions, top.revenue_minor) == (2, 1, 1, 150_00)
    assert row(house, member, "sub_id", "2:blue").clicks == 1
    assert row(house, member, "country", "FR").clicks == 1
    # The refund told no country and no product: it is that of its sale.
    assert row(house, member, "country", "France").revenue_minor == 150_00
    assert row(house, member, "product", "Desk").earned_minor == 15_00


def test_an_order_with_lines_is_one_of_each_product_and_its_shipping_of_none() -> None:
    house = open_house(percent="10")
    member = house.member("ANA10")
    lines = (EventLine(60_00, "Desk"), EventLine(30_00, "Lamp"), EventLine(20_00, "Desk"))
    tell(house, "s1", "120.00", code="ANA10", lines=lines)
    tell(house, "r1", "60.00", kind="refund", original_external_id="s1")
    # Desk 80.00, lamp 30.00, shipping 10.00; half of each went back.
    desk, lamp, rest = (row(house, member, "product", key) for key in ("Desk", "Lamp", ""))
    assert (desk.conversions, desk.refunds, desk.revenue_minor) == (1, 1, 40_00)
    assert (lamp.conversions, lamp.refunds, lamp.revenue_minor) == (1, 1, 15_00)
    assert (rest.conversions, rest.refunds, rest.revenue_minor) == (0, 0, 5_00)
    assert row(house, member, "all").conversions == 1


def test_a_split_sale_counts_for_both_and_its_amount_for_each_its_part() -> None:
    house = open_house(percent="10")
    ana, ben = house.member("ANA10"), house.member("BEN10")
    sale = tell(house, "s1", "100.01", code="ANA10")
    credits = [Share(member, Decimal("0.5")) for member in (ana, ben)]
    correct(sale, credits=credits, by=ada(), reason="Both brought it.", at=NOON + timedelta(hours=1))
    found = [row(house, member, "all") for member in (ana, ben)]
    assert [each.conversions for each in found] == [1, 1]
    assert sum(each.revenue_minor for each in found) == 100_01
    assert sorted(each.revenue_minor for each in found) == [50_00, 50_01]


def test_what_nobody_is_credited_for_is_counted_by_utc_days() -> None:
    house = open_house()
    house.member("ANA10")
    late = datetime(2026, 6, 15, 23, 30, tzinfo=UTC)  # the 16th in London
    tell(house, "s1", "80.00", occurred_at=late, country="France", campaign="spring")
    tell(house, "s2", "20.00", code="ANA10")
    tell(house, "r9", "5.00", kind="refund", original_external_id="not-here-yet")
    found = count(None, DAY)
    assert found[Key(None, "all", "", "GBP")] == Figures(conversions=1, revenue_minor=80_00)
    assert found[Key(None, "country", "France", "GBP")].revenue_minor == 80_00
    assert not [key for key in found if key.dimension == "campaign" and key.key]


def test_a_recruiter_earns_on_the_day_of_the_sale_and_learns_no_link() -> None:
    house = open_house(percent="10")
    member = house.member("ANA10")
    link = link_of(member)
    told = click(link, 1, NOON - timedelta(minutes=5), sub_id="secret")
    tell(house, "s1", "100.00", click_id=told)
    house.rate(NOON)
    line = Conversion.objects.get(external_id="s1").commissions.get()
    recruiter = house.member("REC10")
    line.pk, line.public_id, line.key, line.membership = None, "com_recruiter", "recruiter", recruiter
    line.amount_minor = 2_00
    line._state.adding = True
    line.save()
    found = count(house.program, DAY)
    mine = {
        (key.dimension, key.key): each.earned_minor
        for key, each in found.items()
        if key.membership == recruiter.pk
    }
    assert mine == {
        ("all", ""): 2_00,
        **dict.fromkeys([("link", ""), ("code", ""), ("campaign", ""), ("sub_id", "")], 2_00),
        **dict.fromkeys([("country", ""), ("product", "")], 2_00),
    }


def test_a_busy_day_takes_as_many_queries_as_a_quiet_one() -> None:
    house = open_house(percent="10")
    link = link_of(house.member("ANA10"))
    taken = []
    for first in (0, 3):
        for number in range(first, first * 5 + 3):
            told = click(link, number, NOON - timedelta(minutes=5), sub_id=f"s{number}", country="FR")
            tell(house, f"s{number}", "10.00", click_id=told, product=f"p{number}")
        house.rate(NOON)
        with CaptureQueriesContext(connection) as queries:
            count(house.program, DAY)
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 20
