"""Counters by membership and month, worked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from partners.models import Membership
from prm.lib.periods import Month
from referrals.metrics import Metrics, first_sales, metrics_by_month
from referrals.models import Conversion
from tests.factories.referrals import ConversionFactory, CreditFactory, CustomerFactory, new_membership

pytestmark = pytest.mark.django_db

LONDON = ZoneInfo("Europe/London")
LATER = datetime(2027, 1, 1, tzinfo=UTC)
JANUARY, FEBRUARY, MARCH, APRIL = (Month(2026, month) for month in (1, 2, 3, 4))


def an_instant(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def happened(
    at: datetime, minor: int, *credited: Membership, kind: str = "sale", role: str = "sourced", **facts: Any
) -> Conversion:
    """Write an event, credited in equal parts."""
    row = ConversionFactory.create(occurred_at=at, amount_minor=minor, kind=kind, **facts)
    for membership in credited:
        share = Decimal(1) / len(credited)
        CreditFactory.create(
            conversion=row, membership=membership, share=share.quantize(Decimal("0.000001")), role=role
        )
    return row


def taken_back(
    sale: Conversion, at: datetime, minor: int, *credited: Membership, kind: str = "refund", quantity: int = 0
) -> Conversion:
    return happened(
        at,
        minor,
        *credited,
        kind=kind,
        quantity=quantity,
        original=sale,
        original_external_id=sale.external_id,
    )


def test_sales_leads_and_pieces_are_counted_in_the_month_they_happened() -> None:
    ana, mats = new_membership(), new_membership()
    happened(an_instant(1, 5), 100_00, ana, quantity=3)
    happened(an_instant(1, 6), 50_50, ana, kind="renewal")
    happened(an_instant(1, 7), 1_000_00, ana, kind="qualified_lead")  # what a lead may be worth is no revenue
    happened(an_instant(1, 8), 5_00, ana, kind="custom")  # revenue, and no sale
    happened(an_instant(2, 1), 7_00, ana)
    happened(an_instant(1, 5), 20_00, mats)
    happened(an_instant(1, 5), 9_00, new_membership())
    assert metrics_by_month([ana.pk, mats.pk], zone=LONDON, until=LATER) == {
        (ana.pk, JANUARY): Metrics(revenue=155_50, sales=2, leads=1, units=4),
        (ana.pk, FEBRUARY): Metrics(revenue=7_00, sales=1, units=1),
        (mats.pk, JANUARY): Metrics(revenue=20_00, sales=1, units=1),
    }


def test_months_are_those_of_the_zone_and_what_is_not_before_the_end_is_left_out() -> None:
    ana = new_membership()
    happened(datetime(2026, 3, 31, 23, 30, tzinfo=UTC), 1_00, ana)  # half past midnight on 1 April in London
    happened(datetime(2026, 3, 31, 22, 59, tzinfo=UTC), 2_00, ana)
    happened(an_instant(4, 10), 4_00, ana)
    found = metrics_by_month([ana.pk], zone=LONDON, until=an_instant(4, 10))
    assert {month: figures.revenue for (_, month), figures in found.items()} == {MARCH: 2_00, APRIL: 1_00}


def test_a_refund_counts_back_in_its_own_month_and_the_sale_when_all_of_it_is_back() -> None:
    ana = new_membership()
    sale = happened(an_instant(1, 5), 100_00, ana, quantity=4)
    taken_back(sale, an_instant(2, 5), 30_00, ana, quantity=1)
    taken_back(
        sale, an_instant(3, 5), 70_00, ana
    )  # tells no pieces: with the last pound the other three are back
    assert metrics_by_month([ana.pk], zone=LONDON, until=LATER) == {
        (ana.pk, JANUARY): Metrics(revenue=100_00, sales=1, units=4),
        (ana.pk, FEBRUARY): Metrics(revenue=-30_00, units=-1),
        (ana.pk, MARCH): Metrics(revenue=-70_00, sales=-1, units=-3),
    }
    # Asked for a moment before the last refund, the answer is what it was then.
    before = metrics_by_month([ana.pk], zone=LONDON, until=an_instant(3, 5))
    assert (ana.pk, MARCH) not in before
    assert before[ana.pk, JANUARY].sales == 1


def test_a_chargeback_won_gives_the_sale_back() -> None:
    ana = new_membership()
    sale = happened(an_instant(1, 5), 100_00, ana, quantity=2)
    taken_back(sale, an_instant(2, 5), 100_00, ana, kind="chargeback")
    taken_back(sale, an_instant(3, 5), 100_00, ana, kind="chargeback_won")
    assert metrics_by_month([ana.pk], zone=LONDON, until=LATER) == {
        (ana.pk, JANUARY): Metrics(revenue=100_00, sales=1, units=2),
        (ana.pk, FEBRUARY): Metrics(revenue=-100_00, sales=-1, units=-2),
        (ana.pk, MARCH): Metrics(revenue=100_00, sales=1, units=2),
    }


def test_a_refund_that_names_no_sale_lowers_revenue_and_the_pieces_it_tells() -> None:
    ana = new_membership()
    happened(an_instant(1, 5), 100_00, ana, kind="refund", quantity=2)
    assert metrics_by_month([ana.pk], zone=LONDON, until=LATER) == {
        (ana.pk, JANUARY): Metrics(revenue=-100_00, units=-2)
    }


def test_a_split_sale_is_revenue_in_parts_that_add_up_and_goes_back_in_the_same_parts() -> None:
    ana, mats, otto = new_membership(), new_membership(), new_membership()
    sale = happened(an_instant(1, 5), 100, ana, mats, otto)  # 100 pence: 34, 33 and 33
    taken_back(sale, an_instant(2, 5), 50, ana, mats, otto)  # 50 pence: 17, 17 and 16
    taken_back(sale, an_instant(3, 5), 50, ana, mats, otto)  # the rest: 17, 16 and 17
    found = metrics_by_month([ana.pk, mats.pk, otto.pk], zone=LONDON, until=LATER)
    by_month = {
        month: [found[membership.pk, month].revenue for membership in (ana, mats, otto)]
        for month in (JANUARY, FEBRUARY, MARCH)
    }
    assert by_month == {JANUARY: [34, 33, 33], FEBRUARY: [-17, -17, -16], MARCH: [-17, -16, -17]}


def test_assists_declined_events_and_superseded_credits_count_nowhere() -> None:
    ana = new_membership()
    happened(an_instant(1, 5), 1_00, ana, role="assisted")
    happened(an_instant(1, 5), 2_00, ana, state="rejected", kind="refund")
    row = happened(an_instant(1, 5), 4_00)
    CreditFactory.create(conversion=row, membership=ana, superseded_at=timezone.now())
    assert metrics_by_month([ana.pk], zone=LONDON, until=LATER) == {}


def test_a_customer_is_new_once_for_whoever_brought_the_first_order() -> None:
    ana, mats = new_membership(), new_membership()
    kim, lee = CustomerFactory.create(), CustomerFactory.create()
    first = [
        happened(an_instant(1, 5), 10_00, ana, customer=kim) for _line in range(3)
    ]  # one order, three lines
    happened(an_instant(1, 9), 10_00, mats, customer=kim)
    happened(an_instant(1, 2), 10_00, customer=lee)  # came by itself
    happened(an_instant(1, 9), 10_00, ana, customer=lee)
    found = metrics_by_month([ana.pk, mats.pk], zone=LONDON, until=LATER)
    assert (found[ana.pk, JANUARY].new_customers, found[mats.pk, JANUARY].new_customers) == (1, 0)

    for line in first[:2]:
        taken_back(line, an_instant(2, 5), 10_00, ana)
    found = metrics_by_month([ana.pk], zone=LONDON, until=LATER)
    assert (ana.pk, FEBRUARY) in found
    assert found[ana.pk, FEBRUARY].new_customers == 0
    taken_back(first[2], an_instant(3, 5), 10_00, ana)  # now all of the first order is back
    found = metrics_by_month([ana.pk], zone=LONDON, until=LATER)
    assert (found[ana.pk, JANUARY].new_customers, found[ana.pk, MARCH].new_customers) == (1, -1)


def test_the_first_sale_of_a_customer_is_the_earliest_whoever_brought_it() -> None:
    kim, lee, max_ = CustomerFactory.create_batch(3)
    happened(an_instant(2, 5), 10_00, new_membership(), customer=kim)
    happened(an_instant(1, 5), 10_00, customer=kim, kind="renewal")
    happened(an_instant(1, 1), 0, customer=kim, kind="signup")
    happened(an_instant(1, 1), 0, customer=lee, kind="signup")
    assert first_sales([kim.pk, lee.pk, max_.pk]) == {kim.pk: an_instant(1, 5)}
    assert first_sales([]) == {}


def test_the_number_of_queries_does_not_grow(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    members = [new_membership() for _ in range(4)]
    for month in range(1, 11):
        for membership in members:
            sale = happened(an_instant(month, 5), 10_00, membership, customer=CustomerFactory.create())
            taken_back(sale, an_instant(month + 1, 5), 5_00, membership)
    with django_assert_max_num_queries(8):
        found = metrics_by_month([membership.pk for membership in members], zone=LONDON, until=LATER)
    assert len(found) == 4 * 11
