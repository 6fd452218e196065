"""Who is credited when a membership was suspended or has ended: the moment of the event decides, not the moment it came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners import leaving
from referrals import door
from referrals.models import Click, Credit, Link
from tests.house import House, open_house
from tests.people import ana, mats

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
STOP, GO = datetime(2026, 6, 10, 9, tzinfo=UTC), datetime(2026, 6, 20, 9, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", owner=ana())
    return house


def credited(house: House, *moments: datetime) -> list[bool]:
    """Record one order at each of the moments, all of them coming in now, and say which brought a credit."""
    start = Credit.objects.count()
    for number, moment in enumerate(moments):
        house.sale(f"s-{start}-{number}-{moment.isoformat()}", "100.00", "ANA10", moment)
    found = {credit.occurred_at for credit in Credit.objects.all()}
    return [moment in found for moment in moments]


def test_only_what_happened_outside_the_suspension_is_credited_whenever_it_comes_in(house: House) -> None:
    membership = house.members["ANA10"]
    leaving.suspend(membership, reason="spam", by=mats(), at=STOP)
    # Suspended now: what happened before still counts, what happens now does not.
    assert credited(house, STOP - INSTANT, STOP, STOP + HOUR) == [True, False, False]
    leaving.reinstate(membership, by=mats(), at=GO)
    assert credited(house, STOP - HOUR, STOP + 2 * HOUR, GO - INSTANT, GO, GO + HOUR) == [
        True,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("end", ["ban", "leave"])
def test_what_happened_before_the_end_is_credited_and_nothing_after_it(house: House, end: str) -> None:
    membership = house.members["ANA10"]
    if end == "ban":
        leaving.ban(membership, reason="fraud", by=mats(), at=STOP)
    else:
        leaving.leave(membership, by=ana(), at=STOP)
    assert credited(house, STOP - INSTANT, STOP, STOP + HOUR) == [True, False, False]


def test_an_announced_end_counts_from_its_moment_also_before_the_sweep_comes(house: House) -> None:
    membership = house.members["ANA10"]
    ending = leaving.leave(membership, by=ana(), at=STOP - 40 * 24 * HOUR, on=STOP.date())
    assert credited(house, ending.effective_at - INSTANT, ending.effective_at) == [True, False]
    assert leaving.carry_out(at=STOP) == 1
    assert credited(house, ending.effective_at - HOUR, ending.effective_at + HOUR) == [True, False]


def test_links_of_who_is_suspended_lead_to_the_shop_and_count_nothing(house: House) -> None:
    membership = house.members["ANA10"]
    Link.objects.create(
        membership=membership,
        slug="ana",
        label="Home",
        destination_url="https://shop.halden.example/",
        created_at=STOP,
    )
    leaving.suspend(membership, reason="spam", by=mats(), at=STOP)
    visit = {"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": "Mozilla/5.0"}
    reply = door.follow(visit, "ana", at=STOP + HOUR)
    assert (reply.status, dict(reply.headers)["Location"]) == (302, "https://shop.halden.example/")
    assert not Click.objects.exists()
    leaving.reinstate(membership, by=mats(), at=GO)
    assert "prm_click=" in dict(door.follow(visit, "ana", at=GO).headers)["Location"]


def test_the_intervals_of_a_batch_are_read_in_one_query(house: House) -> None:
    from referrals.attribution.apply import Candidates

    def count(events: int) -> int:
        batch = [house.event(f"e-{n}", "10.00", f"CODE{n}", STOP) for n in range(events)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            Candidates.of(batch)
        return len(queries)

    for number in range(8):
        leaving.suspend(house.member(f"CODE{number}"), reason="spam", by=mats(), at=STOP)
    assert count(1) == count(8) == 4  # the codes, the programs' rules, the members, and the intervals


def test_a_recruiter_earns_nothing_on_what_happens_while_suspended() -> None:
    from payouts.accrual.terms import Terms

    house = open_house()
    house.member("TOP"), house.member("NEW")
    house.recruit("NEW", by="TOP")
    leaving.suspend(house.members["TOP"], reason="spam", by=mats(), at=STOP)
    leaving.reinstate(house.members["TOP"], by=mats(), at=GO)
    terms = Terms.load([house.members["NEW"].pk])
    terms.members[house.members["TOP"].pk] = house.members["TOP"]
    from partners.intervals import gaps_of

    terms._levels[house.program.pk] = 1
    terms._gaps = gaps_of([house.members["TOP"].pk])
    new = terms.members[house.members["NEW"].pk]
    who = [[m.pk for _d, m in terms.recruiters(new, at)] for at in (STOP - INSTANT, STOP, GO)]
    top = house.members["TOP"].pk
    assert who == [[top], [], [top]]
