"""The road of money under several hands at once: whoever comes second finds the work done or is refused, nothing moves twice, and a
claw-back, a correction or an adjustment that meets a payment on its way out is booked beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from payouts import accrual, adjustments, ledger, pay_runs, periods, reconciliation, statements
from payouts.calendar import month_of
from payouts.choices import AccountKind, PaymentState, PayRunState, PeriodState, StatementState
from payouts.models import Entry, PaymentFile, PayRun, Period, Statement, Transaction
from payouts.pay_runs.common import content_hash, payments_of
from payouts.results import import_file
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.payouts import IBANS, close_months, give_account, looked_at, prepared
from tests.factories.prm import UserFactory
from tests.house import House, open_house
from tests.payouts.results.test_races import at_once
from tests.people import felix, fiona

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)
CODES = ("ANA10", "BEN10", "CLEO10", "DORA10")


def ready() -> House:
    """Four partners with 80.00 each in March: 8 % of 1,000.00."""
    house = open_house()
    for place, code in enumerate(CODES):
        give_account(house.member(code, at=MARCH_1), at=APRIL_3, iban=IBANS[place])
        house.sale(f"s-{code}", "1000.00", code, MARCH_2)
    house.rate(APRIL_3)
    return house


def closed() -> House:
    house = ready()
    close_months(house.program, MARCH, at=APRIL_3)
    return house


def checked(house: House) -> PayRun:
    return looked_at(prepared(house.program.legal_entity, at=APRIL_3), at=APRIL_3)


def approved(house: House) -> PayRun:
    return pay_runs.approve(checked(house), by=felix(), at=APRIL_3)


def again(run: PayRun) -> PayRun:
    return PayRun.objects.get(pk=run.pk)


def payable(house: House, code: str) -> int:
    return ledger.balance(ledger.partner_account(house.members[code], AccountKind.PAYABLE)).minor


def happened(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def exporting(run: PayRun) -> Callable[[], Any]:
    by = fiona()
    return lambda: pay_runs.export(again(run), by=by, at=APRIL_3)


def test_workers_that_close_one_month_issue_every_statement_once() -> None:
    house, by = ready(), fiona()
    month_of(house.program, MARCH)
    ended = at_once(*[lambda: periods.close(house.program, MARCH, by=by, at=APRIL_3)] * 4)
    assert {each.state for each in ended} == {PeriodState.CLOSED}
    issued = Statement.objects.order_by("sequence").values_list("sequence", "closing_minor")
    assert list(issued) == [(1, 80_00), (2, 80_00), (3, 80_00), (4, 80_00)]
    assert Statement.objects.values("membership").distinct().count() == 4
    assert (happened("period.closing"), happened("period.closed")) == (1, 1)
    assert reconciliation.check() == []


def test_two_approvers_one_of_whom_clicks_three_times_make_one_approval() -> None:
    run = checked(closed())
    one, other = felix(), UserFactory(email="grace@halden.example", role=policy.FINANCE)
    people = [one, one, one, other]
    ended = at_once(
        *[
            lambda who=who: pay_runs.approve(again(run), by=who, at=APRIL_3)  # type: ignore[misc]
            for who in people
        ]
    )
    done = [each for each in ended if isinstance(each, PayRun)]
    assert len(done) == 1
    assert sum(isinstance(each, pay_runs.AlreadyApproved) for each in ended) == 3
    found = again(run)
    assert (found.state, found.approved_by) == (PayRunState.APPROVED, done[0].approved_by)
    assert happened("pay_run.approved") == 1


@pytest.mark.parametrize("attempt", range(3))
def test_a_claw_back_while_the_run_is_exported_leaves_the_payment_whole_and_a_debt(attempt: int) -> None:
    house = closed()
    run = approved(house)
    refunds = [house.refund(f"r-{code}", "250.00", code, APRIL_3, of=f"s-{code}") for code in CODES]
    ids = [each.conversion_id for each in refunds if each.conversion_id is not None]
    at_once(
        exporting(run),
        lambda: accrual.accrue(ids[:2], at=APRIL_3),
        lambda: accrual.accrue(ids[2:], at=APRIL_3),
        exporting(run),
    )
    run = again(run)
    assert (run.state, run.total_minor) == (PayRunState.EXPORTED, 320_00)
    sent = Entry.objects.filter(transaction__kind="payment_instructed")
    assert sorted(sent.values_list("amount_minor", flat=True)) == [80_00] * 4
    assert PaymentFile.objects.count() == 4
    house.rate(APRIL_3)  # what a beaten worker left to the sweep
    [april] = {each.closing_minor for each in close_months(house.program, APRIL, at=MAY_4)}
    assert april == -20_00  # 8 % of the 250.00 that came back
    assert reconciliation.check() == []


@pytest.mark.parametrize("attempt", range(3))
def test_a_payment_left_out_while_the_run_is_exported_is_in_the_files_or_free(attempt: int) -> None:
    house = closed()
    run = approved(house)
    payment, by = run.payments.order_by("pk")[0], fiona()
    at_once(exporting(run), lambda: pay_runs.leave_out(payment, reason="Under review.", by=by, at=APRIL_3))
    run = again(run)
    payment.refresh_from_db()
    assert run.sha256 == content_hash(run, payments_of(run))
    if run.state == PayRunState.EXPORTED:
        assert (payment.state, run.total_minor) == (PaymentState.SENT, 320_00)
    else:
        assert (run.state, payment.state) == (PayRunState.CHECKED, PaymentState.CANCELLED)
        assert (run.total_minor, PaymentFile.objects.count()) == (240_00, 0)
    assert reconciliation.check() == []


@pytest.mark.parametrize("attempt", range(3))
def test_a_statement_corrected_while_it_is_paid_is_paid_once(attempt: int) -> None:
    house = closed()
    run = approved(house)
    statement, by = Statement.objects.order_by("pk")[0], fiona()

    def correct() -> Statement:
        return statements.correct(statement, reason="Wrong name", by=by, at=APRIL_3)

    ended = at_once(exporting(run), correct, correct)
    assert sum(isinstance(each, Statement) for each in ended) == 1
    assert sum(isinstance(each, statements.AlreadyCorrected) for each in ended) == 1
    in_force = Statement.objects.in_force().get(membership=statement.membership, period=statement.period)
    assert in_force.corrects == statement
    assert [payable(house, code) for code in CODES] == [0] * 4
    pay_runs.settle(again(run), by=by, at=APRIL_3)
    in_force.refresh_from_db()
    assert in_force.state == StatementState.PAID
    with pytest.raises(pay_runs.NothingToPay):
        prepared(house.program.legal_entity, at=APRIL_3)
    assert reconciliation.check() == []


@pytest.mark.parametrize("attempt", range(3))
def test_an_adjustment_while_a_month_is_closed_is_on_exactly_one_statement(attempt: int) -> None:
    house, by = ready(), fiona()
    house.program.second_person_above_minor = 10_00
    house.program.save()
    month_of(house.program, MARCH)
    bonus = Money(5_00, "GBP")
    last = datetime(2026, 3, 31, 12, tzinfo=UTC)
    propose = [
        lambda code=code: adjustments.propose(  # type: ignore[misc]
            house.members[code], kind="bonus", amount=bonus, reason="goodwill", note="Thanks.", by=by, at=last
        )
        for code in CODES
    ]
    at_once(lambda: periods.close(house.program, MARCH, by=by, at=APRIL_3), *propose)
    assert Transaction.objects.filter(kind="adjustment").count() == 4
    close_months(house.program, APRIL, at=MAY_4)
    issued = Statement.objects.order_by("pk")
    assert sum(issued.values_list("adjusted_minor", flat=True)) == 4 * 5_00
    assert set(issued.filter(period__month=4).values_list("closing_minor", flat=True)) == {85_00}
    assert reconciliation.check() == []


@pytest.mark.parametrize("attempt", range(3))
def test_a_run_that_leaves_while_the_next_month_is_closed_is_on_exactly_one_statement(attempt: int) -> None:
    house = closed()
    run = approved(house)
    by = fiona()
    month_of(house.program, APRIL)
    ended = at_once(
        exporting(run), lambda: periods.close(house.program, APRIL, by=by, at=MAY_4), exporting(run)
    )
    for each in ended:
        assert not isinstance(each, Exception), each
    close_months(house.program, Month(2026, 5), at=datetime(2026, 6, 3, tzinfo=UTC))
    assert Period.objects.filter(state=PeriodState.CLOSED).count() == 3
    issued = Statement.objects.order_by("pk")
    assert sum(issued.values_list("paid_minor", flat=True)) == -320_00
    assert set(issued.filter(period__month=5).values_list("closing_minor", flat=True)) == {0}
    assert reconciliation.check() == []


def shut(pk: int) -> None:
    try:
        Period.objects.filter(pk=pk).update(state=PeriodState.CLOSING)
    finally:
        connection.close()


def settling(run: PayRun) -> object:
    return pay_runs.settle(run, by=fiona(), at=APRIL_3)


def failing(run: PayRun) -> object:
    return pay_runs.fail(run.payments.order_by("pk")[0], reason="Account closed", by=fiona(), at=APRIL_3)


def importing(run: PayRun) -> object:
    first = run.payments.order_by("pk")[0]
    content = f"end_to_end_id,outcome\r\n{first.end_to_end_id},settled\r\n".encode()
    return import_file(run.legal_entity, name="bank.csv", content=content, by=fiona(), at=APRIL_3)


@pytest.mark.parametrize("verb", [None, settling, failing, importing])
def test_what_a_close_overtakes_is_posted_into_the_next_month(
    verb: Callable[[PayRun], object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = closed()
    run, by = approved(house), fiona()
    april = month_of(house.program, APRIL)
    if verb is not None:
        pay_runs.export(run, by=by, at=APRIL_3)
        run.refresh_from_db()
    real, overtaken = ledger.post_many, []

    def late(*arguments: Any, **named: Any) -> Any:
        if not overtaken:  # between the look at the calendar and the posting, on another connection
            with ThreadPoolExecutor(1) as pool:
                overtaken.append(pool.submit(shut, april.pk).result(timeout=20))
        return real(*arguments, **named)

    monkeypatch.setattr(ledger, "post_many", late)
    if verb is None:
        pay_runs.export(run, by=by, at=APRIL_3)
    else:
        verb(run)
    last = Transaction.objects.order_by("-pk")[0]
    assert last.period.as_month == Month(2026, 5)
    assert len(overtaken) == 1
    assert reconciliation.check() == []
