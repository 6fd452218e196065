"""Whoever comes second finds the work done: numbers, approvals and exports under several hands at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from payouts import accrual, numbers, pay_runs, periods
from payouts.calendar import month_of
from payouts.choices import PayRunState, PeriodState
from payouts.models import Entry, NumberSeries, PaymentFile, PayRun, Period, Statement
from payouts.pay_runs.common import content_hash, payments_of
from prm.lib.errors import Refused
from prm.lib.periods import Month
from tests.factories.payouts import IBANS, close_months, give_account, looked_at, prepared
from tests.house import House, open_house
from tests.people import ada, felix, fiona

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)


def at_once(times: int, work: Callable[[], Any]) -> list[Any]:
    """Run `work` in several threads that begin together; refusals are results too."""
    start = Barrier(times)

    def one() -> Any:
        try:
            start.wait(timeout=20)
            return work()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [each.result(timeout=60) for each in [pool.submit(one) for _thread in range(times)]]


def ready() -> House:
    house = open_house()
    give_account(house.member("ANA10", at=MARCH_1), at=APRIL_3)
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    return house


def ready_run(house: House) -> PayRun:
    """Return a run that waits for its approval, with every check acknowledged."""
    return looked_at(prepared(house.program.legal_entity, at=APRIL_3), at=APRIL_3)


@pytest.mark.django_db(transaction=True)
def test_numbers_drawn_at_once_are_all_different_and_leave_no_gap() -> None:
    entity = open_house().program.legal_entity

    def draw() -> int:
        with transaction.atomic():
            return numbers.draw(entity, series="statement", year=2026)

    assert sorted(at_once(6, draw)) == [1, 2, 3, 4, 5, 6]
    assert NumberSeries.objects.get().last == 6


@pytest.mark.django_db(transaction=True)
def test_a_statement_issued_by_several_hands_is_one() -> None:
    house = ready()
    period = month_of(house.program, MARCH)
    found = at_once(4, lambda: periods.settle_membership(house.members["ANA10"], period, at=APRIL_3).pk)
    assert len(set(found)) == 1
    assert Statement.objects.count() == 1
    assert NumberSeries.objects.get().last == 1


@pytest.mark.django_db(transaction=True)
def test_a_run_approved_by_several_clicks_is_approved_once() -> None:
    house, approver = ready(), felix()
    close_months(house.program, MARCH, at=APRIL_3)
    run = looked_at(prepared(house.program.legal_entity, at=APRIL_3), at=APRIL_3)
    results = at_once(4, lambda: pay_runs.approve(PayRun.objects.get(pk=run.pk), by=approver, at=APRIL_3))
    assert sum(isinstance(each, PayRun) for each in results) == 1
    assert sum(isinstance(each, pay_runs.AlreadyApproved) for each in results) == 3


@pytest.mark.django_db(transaction=True)
def test_two_people_approving_at_once_make_one_approval() -> None:
    house, approvers = ready(), [felix(), ada()]
    close_months(house.program, MARCH, at=APRIL_3)
    run = ready_run(house)
    turns = iter([*approvers, *approvers])

    def approve() -> PayRun:
        return pay_runs.approve(PayRun.objects.get(pk=run.pk), by=next(turns), at=APRIL_3)

    # Ada entered the account the run pays to, so hers is refused whoever comes first.
    results = at_once(4, approve)
    assert [each.approved_by for each in results if isinstance(each, PayRun)] == [felix()]


@pytest.mark.django_db(transaction=True)
def test_a_payment_left_out_while_the_run_is_approved_leaves_no_approval_of_the_old_set() -> None:
    house, approver, other = ready(), felix(), fiona()
    give_account(house.member("BEN10", at=MARCH_1), at=APRIL_3, iban=IBANS[1])
    house.sale("s2", "1000.00", "BEN10", MARCH_2)
    house.rate(APRIL_3)
    close_months(house.program, MARCH, at=APRIL_3)
    run = ready_run(house)
    payment = run.payments.order_by("pk")[0]
    turns = iter(range(4))

    def one() -> Any:
        if next(turns) % 2:
            return pay_runs.approve(PayRun.objects.get(pk=run.pk), by=approver, at=APRIL_3)
        return pay_runs.leave_out(payment, reason="Under review.", by=other, at=APRIL_3)

    at_once(4, one)
    run.refresh_from_db()
    assert (run.payment_count, run.total_minor) == (1, 80_00)
    assert run.sha256 == content_hash(run, payments_of(run))
    assert run.state in (PayRunState.CHECKED, PayRunState.APPROVED)
    assert (run.state == PayRunState.APPROVED) == (run.approved_by == approver)


@pytest.mark.django_db(transaction=True)
def test_a_run_exported_by_several_clicks_moves_the_money_once() -> None:
    house, exporter = ready(), fiona()
    close_months(house.program, MARCH, at=APRIL_3)
    run = pay_runs.approve(ready_run(house), by=felix(), at=APRIL_3)
    results = at_once(4, lambda: pay_runs.export(PayRun.objects.get(pk=run.pk), by=exporter, at=APRIL_3))
    assert len({tuple(file.pk for file in files) for files in results}) == 1
    assert PaymentFile.objects.count() == 4  # for the bank, two tables, the journal
    assert Entry.objects.filter(transaction__kind="payment_instructed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_preparing_at_once_pay_a_statement_once() -> None:
    house = ready()
    close_months(house.program, MARCH, at=APRIL_3)
    fiona()
    results = at_once(3, lambda: prepared(house.program.legal_entity, at=APRIL_3))
    assert sum(isinstance(each, PayRun) for each in results) == 1
    assert sum(isinstance(each, pay_runs.OneAtATime) for each in results) == 2


@pytest.mark.django_db
def test_a_line_that_comes_due_while_a_month_is_being_closed_goes_onto_the_next_statement() -> None:
    house = ready()
    membership = house.members["ANA10"]
    period = month_of(house.program, MARCH)
    Period.objects.filter(pk=period.pk).update(state=PeriodState.CLOSING)
    period.refresh_from_db()
    march = periods.settle_membership(membership, period, at=APRIL_3)
    # The close stops here; a sale of March arrives, its hold long over, and the close goes on.
    house.sale("late", "500.00", "ANA10", MARCH_2)
    accrual.sweep(at=APRIL_3)
    assert periods.settle_membership(membership, period, at=APRIL_3) == march
    assert periods.close(house.program, MARCH, by=fiona(), at=APRIL_3).state == PeriodState.CLOSED
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert (march.closing_minor, april.earned_minor, april.closing_minor) == (80_00, 40_00, 120_00)
