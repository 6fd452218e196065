"""Workers that rate at the same moment: nobody waits in a circle, and whoever the database sacrifices begins again."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction

from partners.models import Membership
from payouts import accrual, calendar
from payouts.models import Commission, Period
from prm.lib.db import persistently
from prm.lib.periods import Month
from tests.house import open_house
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
