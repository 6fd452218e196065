"""Points toward tiers: frozen when they are earned, taken back as they were earned, and never earned twice."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from partners import metrics
from partners.models import Activity, Credential, Membership, Partner
from referrals import points, points_of_people
from referrals.attribution.correct import Share, correct
from referrals.conversions import record_many
from referrals.models import Conversion, PointEntry
from tests.factories.referrals import (
    NOW,
    CodeFactory,
    ConversionFactory,
    CreditFactory,
    CustomerFactory,
    an_event,
    new_membership,
)
from tests.factories.tiering import (
    ActivityFactory,
    CertificationFactory,
    CredentialFactory,
    StaffFactory,
    TierSchemeFactory,
)
from tests.people import mats
from tiers.models import TierScheme
from tiers.qualify import Ask, PointRate, Question, Requirement, Scheme, Window, dump

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 10, 1, 12, tzinfo=UTC)
REVENUE = PointRate(
    "revenue", Fraction(5), per=100_00, multipliers=(("FR", Fraction(2)), ("Spain", Fraction("1.5")))
)


def with_rates(membership: Membership, *rates: PointRate, effective_at: datetime | None = None) -> TierScheme:
    """Put rates in force, instead of those that were before."""
    TierScheme.objects.filter(program=membership.program, state="published").update(state="superseded")
    more = {"effective_at": effective_at} if effective_at else {}
    definition = dump(Scheme(points=rates))
    return TierSchemeFactory(published=True, program=membership.program, definition=definition, **more)


def sold(
    membership: Membership, minor: int, *, at: datetime = DAY, role: str = "sourced", **more: Any
) -> Conversion:
    """Return a sale credited to a membership."""
    share = more.pop("share", Decimal(1))
    sale = ConversionFactory.create(amount_minor=minor, occurred_at=at, **more)
    CreditFactory.create(conversion=sale, membership=membership, role=role, share=share)
    return sale


def moved(sale: Conversion, minor: int, *, days: int, kind: str = "refund") -> Conversion:
    """Return what goes back of a sale, or comes back to it, credited as the sale is."""
    move = ConversionFactory.create(
        kind=kind, amount_minor=minor, occurred_at=sale.occurred_at + timedelta(days=days), original=sale
    )
    for credit in sale.credits.filter(superseded_at=None).order_by("pk"):
        CreditFactory.create(
            conversion=move,
            membership=credit.membership,
            role=credit.role,
            share=credit.share,
            reason="original",
        )
    return move


def milli(membership: Membership, source: str = "") -> int:
    rows = PointEntry.objects.filter(membership=membership)
    return sum(row.milli_points for row in (rows.filter(source=source) if source else rows))


def earned(*sales: Conversion) -> int:
    return points.earn([sale.pk for sale in sales], at=NOW)


def test_a_sale_earns_by_the_multiplier_of_its_market_cut_off_at_thousandths() -> None:
    membership = new_membership()
    with_rates(membership, REVENUE)
    # 5 points for each 100.00: 123.45 come to 6.1725 points, in France twice, in Spain one and a half times as many.
    for country, expected in (("", 6172), ("France", 12_345), ("ES", 9258), ("Brazil", 6172)):
        sale = sold(membership, 123_45, country=country)
        earned(sale)
        (entry,) = PointEntry.objects.filter(reference__startswith=sale.public_id)
        assert (entry.milli_points, entry.earned_at) == (expected, DAY)
    markets = set(PointEntry.objects.values_list("market", "multiplier"))
    assert markets == {("", "1"), ("FR", "2"), ("ES", "3/2"), ("BR", "1")}


def test_other_multipliers_change_nothing_that_was_earned_and_its_refund_follows_the_old_one() -> None:
    membership = new_membership()
    first = with_rates(membership, REVENUE)
    sale = sold(membership, 100_00, country="FR")
    earned(sale)
    later = with_rates(
        membership, PointRate("revenue", Fraction(1), per=100_00), effective_at=DAY + timedelta(days=5)
    )
    moved(sale, 25_00, days=10)
    points.sweep(at=NOW)
    new = sold(membership, 100_00, at=DAY + timedelta(days=6), country="FR")
    earned(new)
    rows = PointEntry.objects.order_by("pk").values_list("scheme", "multiplier", "milli_points")
    assert list(rows) == [(first.pk, "2", 10_000), (first.pk, "2", -2_500), (later.pk, "1", 1_000)]


def test_refunds_in_parts_take_back_to_the_last_thousandth_in_whatever_order_they_come() -> None:
    membership = new_membership()
    with_rates(membership, PointRate("revenue", Fraction(1), per=3))
    sale = sold(membership, 100)
    assert milli(membership) == 0
    earned(sale)
    assert milli(membership) == 33_333
    parts = [moved(sale, minor, days=day) for minor, day in ((7, 3), (60, 2), (33, 1))]
    for part in parts:
        earned(part)
    assert milli(membership) == 0
    assert earned(sale, *parts) == points.sweep(at=NOW) == 0


def test_a_piece_is_taken_back_when_nothing_of_it_is_left_and_given_back_with_a_chargeback_won() -> None:
    membership = new_membership()
    with_rates(membership, PointRate("sale", Fraction(3)), PointRate("new_customer", Fraction(10)), REVENUE)
    sale = sold(membership, 200_00, customer=CustomerFactory.create())
    earned(sale)
    assert (milli(membership, "sale"), milli(membership, "new_customer")) == (3_000, 10_000)
    moved(sale, 150_00, days=1)
    points.sweep(at=NOW)
    assert (milli(membership, "sale"), milli(membership, "revenue")) == (3_000, 2_500)
    moved(sale, 50_00, days=2, kind="chargeback")
    points.sweep(at=NOW)
    assert milli(membership) == 0
    moved(sale, 50_00, days=3, kind="chargeback_won")
    points.sweep(at=NOW)
    assert (milli(membership, "sale"), milli(membership, "new_customer")) == (3_000, 10_000)
    assert milli(membership, "revenue") == 2_500


def test_roles_earn_by_their_own_rates_and_a_split_sale_by_parts() -> None:
    first, second = new_membership(), None
    second = Membership.objects.create(
        partner=Partner.objects.create(name="Second"), program=first.program, joined_at=first.joined_at
    )
    per = {"per": 1_00}
    with_rates(
        first,
        PointRate("revenue", Fraction(3), role="assisted", **per),
        PointRate("revenue", Fraction(1), role="influenced", **per),
        PointRate("revenue", Fraction(5), **per),
    )
    sale = ConversionFactory.create(amount_minor=1_01, occurred_at=DAY)
    for member, role in ((first, "sourced"), (second, "influenced")):
        CreditFactory.create(conversion=sale, membership=member, share=Decimal("0.5"), role=role)
    helped = sold(second, 2_00, role="assisted")
    earned(sale, helped)
    # 1.01 in halves is 0.51 and 0.50; an assist counts the whole 2.00.
    assert (milli(first), milli(second)) == (2_550, 500 + 6_000)
    with_rates(first, PointRate("revenue", Fraction(5), per=1), effective_at=DAY + timedelta(days=1))
    assert earned(sold(second, 2_00, role="assisted", at=DAY + timedelta(days=2))) == 0


def test_a_corrected_sale_is_taken_back_on_its_own_day_and_earned_by_whoever_is_credited_then() -> None:
    wrong = CodeFactory.create(code="ANA-1").membership
    right = Membership.objects.create(
        partner=Partner.objects.create(name="Right"), program=wrong.program, joined_at=wrong.joined_at
    )
    with_rates(wrong, REVENUE, PointRate("new_customer", Fraction(1)))
    told = [
        an_event("S", code="ANA-1", customer_id="C", occurred_at=DAY),
        an_event(
            "R", kind="refund", amount="40.00", original_external_id="S", occurred_at=DAY + timedelta(1)
        ),
    ]
    record_many(told, at=NOW)
    points.sweep(at=NOW)
    assert milli(wrong) == 3_000 + 1_000
    for member in (right, wrong, right):
        correct(
            Conversion.objects.get(external_id="S"),
            credits=[Share(member, Decimal(1))],
            by=mats(),
            reason="It was theirs.",
            at=NOW,
        )
        points.sweep(at=NOW)
    assert (milli(wrong), milli(right)) == (0, 3_000 + 1_000)
    by_day = Counter[datetime]()
    for row in PointEntry.objects.filter(membership=wrong):
        by_day[row.earned_at] += row.milli_points
    assert set(by_day.values()) == {0}
    assert points.sweep(at=NOW) == 0


def test_a_customer_is_new_once_for_the_first_sale_that_has_earned() -> None:
    first = new_membership()
    second = Membership.objects.create(
        partner=Partner.objects.create(name="Second"), program=first.program, joined_at=first.joined_at
    )
    with_rates(first, PointRate("new_customer", Fraction(10)))
    customer, other = CustomerFactory.create_batch(2)
    earned(sold(first, 1_00, customer=customer), sold(second, 1_00, customer=customer, at=DAY + timedelta(1)))
    assert (milli(first), milli(second)) == (10_000, 0)
    late = sold(second, 1_00, customer=customer, at=DAY - timedelta(days=9))  # told too late
    assert earned(late, sold(second, 1_00, customer=other)) == 1
    assert (milli(first), milli(second)) == (10_000, 10_000)


def test_activities_and_credentials_earn_when_they_are_confirmed_and_lose_it_when_revoked() -> None:
    membership = new_membership()
    partner = membership.partner
    Partner.objects.filter(pk=partner.pk).update(country="France")
    with_rates(
        membership,
        PointRate("activity", Fraction(20), kind="case_study"),
        PointRate("activity", Fraction(7), multipliers=(("FR", Fraction(3)),)),
        PointRate("credential", Fraction(4)),
    )
    by = mats()
    told = ActivityFactory(membership=membership, kind="webinar", told_by=by)
    ActivityFactory(
        membership=membership, kind="case_study", state="confirmed", decided_at=DAY, decided_by=by
    )
    credential = CredentialFactory(
        certification=CertificationFactory(program=membership.program, created_by=by),
        staff=StaffFactory(partner=partner, added_by=by),
        given_at=DAY,
    )
    assert points_of_people.sweep(at=NOW) == 2
    Activity.objects.filter(pk=told.pk).update(state="confirmed", decided_at=DAY, decided_by=by)
    assert (points_of_people.sweep(at=NOW), points_of_people.sweep(at=NOW)) == (1, 0)
    assert (milli(membership, "activity"), milli(membership, "credential")) == (41_000, 4_000)
    Credential.objects.filter(pk=credential.pk).update(
        state="revoked", revoked_at=DAY, revoked_by=by, reason="Somebody else sat the test."
    )
    assert (points_of_people.sweep(at=NOW), points_of_people.sweep(at=NOW)) == (1, 0)
    assert milli(membership, "credential") == 0


def test_without_rates_nothing_is_written_and_nothing_that_happened_before_them_earns() -> None:
    membership = new_membership()
    sale = sold(membership, 100_00)
    assert earned(sale) == points.sweep(at=NOW) == 0
    with_rates(membership, REVENUE, effective_at=DAY + timedelta(seconds=1))
    assert earned(sale) == points.sweep(at=NOW) == 0


def test_points_are_measured_as_they_were_earned_with_what_they_were_earned_by() -> None:
    membership = new_membership()
    with_rates(membership, REVENUE)
    sale = sold(membership, 300_00)
    back = moved(sale, 100_00, days=40)
    points.sweep(at=NOW)
    question = Question("points", Window("trailing", 1))
    group = metrics.Group(membership.program, membership.pk, membership.pk)
    ask = Scheme(asks={"gold": Ask((Requirement("p", question, "at_least", Fraction(1)),))})
    # The last month as of 2 October holds the sale, as of 20 November what went back of it.
    for at, expected in ((DAY + timedelta(days=1), {sale.public_id: 15}), (NOW, {back.public_id: -5})):
        rows = metrics.rows_behind(membership.pk, question, membership.program, at=at)
        assert {row.what: row.value for row in rows} == expected
        figure = metrics.measure(group, ask, at=at)(membership.pk)[question.key]
        assert (figure.value, figure.rows) == (sum(expected.values()), 1)


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(2))
def test_workers_that_overlap_write_the_points_of_one(attempt: int) -> None:
    dice = random.Random(attempt)
    members = [new_membership()]
    for name in ("Second", "Third"):
        members.append(
            Membership.objects.create(
                partner=Partner.objects.create(name=name),
                program=members[0].program,
                joined_at=members[0].joined_at,
            )
        )
    with_rates(members[0], REVENUE, PointRate("sale", Fraction(1)), PointRate("new_customer", Fraction(7)))
    customers = CustomerFactory.create_batch(5)
    rows: list[Conversion] = []
    for number in range(30):
        at = DAY + timedelta(hours=number)
        sale = sold(dice.choice(members), 99_99, at=at, customer=dice.choice(customers))
        backs = ((33_33, 2), (66_66, 3))[: dice.randint(0, 2)]
        rows += [sale, *(moved(sale, minor, days=days) for minor, days in backs)]
    start = Barrier(5)

    def work(number: int) -> int:
        mine = random.Random(number).sample([row.pk for row in rows], len(rows))
        try:
            start.wait()
            if number == 0:
                return points.sweep(at=NOW)
            return sum(points.earn(mine[part::4], at=NOW) for part in range(4))
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        written = sum(pool.map(work, range(5)))
    assert written == PointEntry.objects.count()
    assert points.sweep(at=NOW) == points.earn([row.pk for row in rows], at=NOW) == 0
    by_source = Counter[str]()
    for row in PointEntry.objects.all():
        by_source[row.source] += row.milli_points
    sales = [row for row in rows if row.original is None]
    gone = Counter(row.original for row in rows if row.original is not None)
    # 99.99 earn 4.9995 points, cut off to 4.999; a third of it taken back leaves 4.999 less 1.666 cut off.
    left = {0: 4_999, 1: 4_999 - 1_666, 2: 0}
    assert by_source["revenue"] == sum(left[gone[sale]] for sale in sales)
    assert by_source["sale"] == sum(gone[sale] < 2 for sale in sales) * 1_000
    firsts = {sale.customer: sale for sale in reversed(sales)}
    assert by_source["new_customer"] == sum(gone[sale] < 2 for sale in firsts.values()) * 7_000
