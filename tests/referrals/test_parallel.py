"""Many workers telling overlapping events at once end with the books that one worker would have written."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from partners.models import Membership, Partner
from referrals import imports, refunds
from referrals.attribution.correct import NothingChanges, Share, correct
from referrals.conversions import record
from referrals.facts import Event, Outcome
from referrals.held import MoreThanSold
from referrals.models import Conversion, Credit, Customer
from tests.factories.referrals import NOW, CodeFactory, an_event
from tests.people import mats


def a_year(size: int) -> list[Event]:
    chance = random.Random(11)
    events: list[Event] = []
    for number in range(size):
        at = NOW - timedelta(days=200, minutes=-number)
        events.append(
            an_event(
                f"S{number:05}",
                amount="100.00",
                code=chance.choice(["ANA-1", "MATS-1", ""]),
                customer_id=f"C{number % 40}",
                country=chance.choice(["France", "Spain"]),
                occurred_at=at,
            )
        )
        if number % 4 == 0:
            events += [
                an_event(
                    f"R{number:05}-{part}",
                    kind="refund",
                    amount="50.00",
                    original_external_id=f"S{number:05}",
                    occurred_at=at + timedelta(days=part),
                )
                for part in (1, 2)
            ]
        if number % 4 == 1:
            events += charged_back_and_half_won(f"{number:05}", at)
    return events


def charged_back_and_half_won(number: str, at: datetime) -> list[Event]:
    """Return a chargeback, the parts of it that were won back, and a refund: in any order they leave 70.00 of 100.00 gone."""
    named = [("chargeback", "B", "S", "50.00"), ("chargeback_won", "V", "B", "20.00")]
    named += [("chargeback_won", "W", "S", "10.00"), ("refund", "R", "S", "50.00")]
    return [
        an_event(
            own + number,
            kind=kind,
            amount=amount,
            original_external_id=other + number,
            occurred_at=at + timedelta(days=day),
        )
        for day, (kind, own, other, amount) in enumerate(named)
    ]


def in_parallel(parts: list[list[Event]], *, size: int) -> None:
    """Import each part in a thread of its own, all starting together."""
    start = Barrier(len(parts))

    def work(events: list[Event]) -> None:
        try:
            start.wait()
            for begin in range(0, len(events), size):
                imports._record(events[begin : begin + size], at=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(work, parts))
    while refunds.sweep(at=NOW):
        pass


def expect_the_books_of_one_worker(events: list[Event], membership_of: dict[str, int]) -> None:
    by_id = {event.external_id: event for event in events}

    def sale_of(event: Event) -> Event:
        return sale_of(by_id[event.original_external_id]) if event.original_external_id else event

    code_of = {event.external_id: sale_of(event).code for event in events}
    assert Conversion.objects.count() == len(events)
    assert not Conversion.objects.waiting_for_original().exists()
    stored = dict(Credit.objects.values_list("conversion__external_id", "membership_id"))
    assert stored == {name: membership_of[code] for name, code in code_of.items() if code}
    assert Credit.objects.count() == len(stored)
    states = dict(Conversion.objects.values_list("external_id", "state"))
    expected = {
        name: ("refunded", "partially_refunded", "recorded", "recorded")[int(name[1:6]) % 4] for name in by_id
    }
    assert states == {name: state if name[0] == "S" else "recorded" for name, state in expected.items()}
    sales = {row.external_id: row.pk for row in Conversion.objects.filter(kind="sale")}
    joined = dict(Conversion.objects.exclude(original=None).values_list("external_id", "original"))
    assert joined == {
        event.external_id: sales[sale_of(event).external_id] for event in events if event.original_external_id
    }
    first_seen = {
        f"C{number}": min(event.occurred_at for event in events if event.customer_id == f"C{number}")
        for number in range(40)
    }
    assert dict(Customer.objects.values_list("external_id", "first_seen_at")) == first_seen


def overlapping_parts(events: list[Event], *, workers: int) -> list[list[Event]]:
    """Deal the events to the workers, shuffled, each event to two of them."""
    chance = random.Random(3)
    parts: list[list[Event]] = [[] for _worker in range(workers)]
    for _round in range(2):
        dealt = list(events)
        chance.shuffle(dealt)
        for index, event in enumerate(dealt):
            parts[index % workers].append(event)
    return parts


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [3])
def test_three_workers_with_overlapping_parts_write_the_books_of_one(workers: int) -> None:
    codes = {code: CodeFactory.create(code=code).membership_id for code in ("ANA-1", "MATS-1")}
    events = a_year(120)
    in_parallel(overlapping_parts(events, workers=workers), size=25)
    expect_the_books_of_one_worker(events, codes)


@pytest.mark.slow
@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [7, 100, 500])
def test_ten_workers_with_overlapping_parts_write_the_books_of_one(size: int) -> None:
    codes = {code: CodeFactory.create(code=code).membership_id for code in ("ANA-1", "MATS-1")}
    events = a_year(1000)
    in_parallel(overlapping_parts(events, workers=10), size=size)
    expect_the_books_of_one_worker(events, codes)


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_refunds_racing_for_one_sale_never_exceed_it(attempt: int) -> None:
    record(an_event("S1", amount="100.00"), at=NOW)
    start = Barrier(8)

    def take_back(number: int) -> Outcome | None:
        try:
            start.wait()
            return record(
                an_event(f"R{number}", kind="refund", amount="30.00", original_external_id="S1"), at=NOW
            )
        except MoreThanSold:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(take_back, range(8)))
    assert sum(outcome is not None for outcome in outcomes) == 3
    assert Conversion.objects.filter(kind="refund").count() == 3
    assert Conversion.objects.get(external_id="S1").state == "partially_refunded"


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_refunds_racing_with_corrections_are_credited_as_the_sale_is_in_the_end(attempt: int) -> None:
    code = CodeFactory.create(code="ANA-1")
    first, program, by = code.membership, code.membership.program, mats()
    second = Membership.objects.create(
        partner=Partner.objects.create(name="Second"), program=program, joined_at=first.joined_at
    )
    sale = Conversion.objects.get(pk=record(an_event("S1", code="ANA-1"), at=NOW).conversion_id)
    start = Barrier(8)

    def work(number: int) -> None:
        refund = an_event(f"R{number}", kind="refund", amount="10.00", original_external_id="S1")
        wanted = [Share((first, second)[number % 4 // 2], Decimal(1))]
        try:
            start.wait()
            if number % 2:
                record(refund, at=NOW)
            else:
                correct(sale, credits=wanted, by=by, reason="Again.", at=NOW)
        except NothingChanges:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    credits = Credit.objects.standing().values_list("conversion__external_id", "membership")
    (winner,) = {membership for name, membership in credits if name == "S1"}
    assert sorted(credits) == [(name, winner) for name in ("R1", "R3", "R5", "R7", "S1")]
