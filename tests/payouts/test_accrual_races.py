"""Workers that rate at the same moment: nobody waits in a circle, and whoever the database sacrifices begins again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction
from django.db.models import Q, Sum

from partners.models import Membership
from payouts import accrual, calendar, reconcile, reconciliation
from payouts.accrual import batch
from payouts.accrual.happenings import Happening
from payouts.choices import PeriodState
from payouts.models import Commission, Period
from prm.lib.db import persistently
from prm.lib.periods import Month
from tests.house import House, open_house
from tests.payouts.test_reconcile import MONTHLY, house_with
from tiers.models import Program

JANUARY_5 = datetime(2026, 1, 5, 12, tzinfo=UTC)
JANUARY_10 = datetime(2026, 1, 10, 12, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, 12, tzinfo=UTC)

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]


def test_two_batches_that_need_the_same_months_in_different_orders_are_both_rated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = open_house(slug="here")
    there = open_house(slug="there", entity=here.program.legal_entity)
    for house, letter in ((here, "H"), (there, "T")):
        house.member(f"{letter}1")
        house.member(f"{letter}2")
    one = [here.sale("h1", "10.00", "H1", JANUARY_5), there.sale("t1", "10.00", "T1", JANUARY_10)]
    two = [there.sale("t2", "10.00", "T2", JANUARY_5), here.sale("h2", "10.00", "H2", JANUARY_10)]
    meeting = Barrier(2)
    real = calendar.month_of

    def slow(program: Program, month: Month) -> Period:
        made = real(program, month)
        with suppress(BrokenBarrierError):  # each has its first month in hand when both go on
            meeting.wait(timeout=1)
        return made

    monkeypatch.setattr(calendar, "month_of", slow)

    def rate(ids: Iterable[int | None]) -> accrual.Accrued:
        try:
            return accrual.accrue([pk for pk in ids if pk is not None], at=FEBRUARY)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        batches = [[outcome.conversion_id for outcome in outcomes] for outcomes in (one, two)]
        done = [each.result(timeout=60) for each in [pool.submit(rate, ids) for ids in batches]]
    assert [each.rated for each in done] == [2, 2]
    assert Commission.objects.count() == 4
    assert Period.objects.count() == 2


def test_a_transaction_the_database_gives_up_for_another_begins_again() -> None:
    house = open_house()
    first, second = house.member("A").pk, house.member("B").pk
    meeting = Barrier(2)
    begun: list[int] = []

    def both(one: int, other: int) -> str:
        def work() -> str:
            begun.append(one)
            with transaction.atomic():
                Membership.objects.filter(pk=one).update(tags=[str(one)])
                with suppress(BrokenBarrierError):
                    meeting.wait(timeout=1)
                Membership.objects.filter(pk=other).update(tags=[str(one)])
            return "done"

        try:
            return persistently(work)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(both, first, second), pool.submit(both, second, first)]
        assert [each.result(timeout=60) for each in futures] == ["done", "done"]
    assert len(begun) == 3, "one of the two was sacrificed and began again"


def test_another_error_of_the_database_is_not_tried_again() -> None:
    begun: list[int] = []

    def work() -> None:
        begun.append(1)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SET statement_timeout = 1")
            try:
                cursor.execute("SELECT pg_sleep(1)")
            finally:
                cursor.execute("SET statement_timeout = 0")

    with pytest.raises(OperationalError):
        persistently(work)
    assert begun == [1]


def at_once(batches: Sequence[Sequence[int]]) -> None:
    """Rate batches in as many threads, which begin together."""
    start = Barrier(len(batches))

    def rate(ids: Sequence[int]) -> None:
        try:
            start.wait(timeout=20)
            accrual.accrue(ids, at=FEBRUARY)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(batches)) as pool:
        for each in [pool.submit(rate, ids) for ids in batches]:
            each.result(timeout=120)


def sold(house: House, count: int, code: str = "ANA", amount: str = "100.00", prefix: str = "s") -> list[int]:
    """Record sales by one partner, a minute apart, and return them."""
    found = [
        house.sale(f"{prefix}{number}", amount, code, JANUARY_5 + timedelta(minutes=number))
        for number in range(count)
    ]
    return [outcome.conversion_id for outcome in found if outcome.conversion_id is not None]


def dealt(ids: Sequence[int], hands: int = 8) -> list[list[int]]:
    return [list(ids[hand::hands]) for hand in range(hands)]


def total(**wanted: object) -> int:
    return int(Commission.objects.filter(**wanted).aggregate(total=Sum("amount_minor"))["total"] or 0)


def assert_nothing_differs(house: House) -> None:
    for member in house.members.values():
        assert reconcile.difference(member, at=FEBRUARY) == []
    assert reconciliation.check() == []


def test_eight_threads_cannot_break_a_cap() -> None:
    limits = {"limits": {"window_max": 10_000, "window": MONTHLY}}
    house = house_with([{"key": "capped", "kind": "percent", "rate": 10, "params": limits}])
    at_once(dealt(sold(house, 40)))  # 40 times 10.00
    assert (total(), Commission.objects.count()) == (10_000, 40)
    assert_nothing_differs(house)


def test_eight_threads_cannot_break_a_budget_that_partners_share() -> None:
    limits = {"limits": {"budget_max": 10_000, "budget_window": {"kind": "lifetime"}}}
    house = house_with([{"key": "pot", "kind": "percent", "rate": 10, "params": limits}], "ANA", "IVY")
    at_once(dealt([*sold(house, 20), *sold(house, 20, "IVY", prefix="i")]))
    assert total() == 10_000
    assert_nothing_differs(house)


def test_eight_threads_reach_a_milestone_once() -> None:
    steps = [{"from": 10, "flat": 5_000}, {"from": 30, "flat": 20_000}]
    params = {"metric": "sales", "window": MONTHLY, "steps": steps}
    house = house_with([{"key": "many", "kind": "milestone", "params": params}])
    at_once(dealt(sold(house, 40)))
    assert total() == 20_000
    assert_nothing_differs(house)


def test_eight_threads_add_up_to_what_a_graduated_window_is_owed() -> None:
    steps = [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "10"}]
    params = {"metric": "revenue", "window": MONTHLY, "steps": steps}
    house = house_with([{"key": "steps", "kind": "graduated", "params": params}])
    at_once(dealt(sold(house, 40, amount="99.99")))  # 3,999.60: 50.00 and 10 % of 2,999.60
    assert total() == 34_996
    assert_nothing_differs(house)


def test_eight_threads_take_back_a_sale_in_parts_exactly_once() -> None:
    house = open_house()
    house.member("ANA")
    accrual.accrue(sold(house, 1, amount="99.99"), at=FEBRUARY)  # 8.00
    parts = [house.refund(f"r{number}", "11.11", "", JANUARY_10, of="s0") for number in range(9)]
    at_once([[pk] for part in parts if (pk := part.conversion_id) is not None])
    assert total() == 0
    assert Commission.objects.filter(kind="reversal").count() == 9
    assert_nothing_differs(house)


def test_partners_and_who_recruited_them_are_rated_at_once() -> None:
    rules: list[dict[str, Any]] = [
        {"key": "ten", "kind": "percent", "rate": 10, "params": {"limits": {"window_max": 10_000}}},
        {"key": "up", "kind": "override", "params": {"levels": ["10"], "override_of": "commission"}},
    ]
    house = house_with(rules, "TOP", "ANA", "IVY")
    for code in ("ANA", "IVY"):
        house.recruit(code, by="TOP")
    own = sold(house, 4, "TOP", prefix="t")
    at_once(dealt([*sold(house, 20), *sold(house, 20, "IVY", prefix="i"), *own]))
    assert [total(membership=house.members[code]) for code in ("ANA", "IVY")] == [10_000, 10_000]
    assert total(membership=house.members["TOP"]) == 4_000 + 2_000
    assert_nothing_differs(house)


def test_a_sale_that_a_close_overtakes_goes_into_the_next_month(monkeypatch: pytest.MonkeyPatch) -> None:
    house = open_house()
    house.member("ANA")
    [pk] = sold(house, 1)
    january = calendar.month_of(house.program, Month(2026, 1))
    real, closed = batch.claim, []

    def overtaken(wanted: Q) -> list[Happening]:
        if not closed:  # between the look at the calendar and the posting, on another connection
            with ThreadPoolExecutor(1) as pool:
                closed.append(pool.submit(shut, january.pk).result(timeout=20))
        return real(wanted)

    monkeypatch.setattr(batch, "claim", overtaken)
    assert accrual.accrue([pk], at=FEBRUARY).rated == 1
    assert Commission.objects.get().period.as_month == Month(2026, 2)


def shut(pk: int) -> bool:
    try:
        return Period.objects.filter(pk=pk).update(state=PeriodState.CLOSING) == 1
    finally:
        connection.close()
