"""What becomes of the money of who leaves, is suspended or banned: told beforehand from the books, and done to the last penny."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import leaving
from partners.models import Membership
from payouts import ledger, pauses, pay_runs, release, settlement
from payouts.choices import AccountKind, LeftOut, StatementState
from payouts.models import Commission, Pause, Statement
from prm.lib.periods import Month
from tests.factories.payouts import close_months, exported, give_account, prepared
from tests.house import House, open_house
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
APRIL, MAY = Month(2026, 4), Month(2026, 5)


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    """8 %, on hold for 14 days, paid from 50.00 on; the books begin in April."""
    house = open_house()
    give_account(house.member("ANA10", at=on(4, 1), owner=ana()), at=on(4, 2))
    return house


@pytest.fixture
def membership(house: House) -> Membership:
    return house.members["ANA10"]


def owed(membership: Membership) -> int:
    kinds = (AccountKind.PENDING, AccountKind.PAYABLE, AccountKind.IN_PAYMENT)
    return sum(ledger.balance(ledger.partner_account(membership, kind)).minor for kind in kinds)


def test_who_leaves_with_money_on_hold_is_paid_all_of_it_however_little(
    house: House, membership: Membership
) -> None:
    house.sale("s-1", "500.00", "ANA10", on(4, 20))  # 40.00, less than the minimum, ready on 4 May
    house.rate(on(4, 20))
    said = leaving.settlement(membership, "ended", at=on(4, 21))
    assert said[0] == "£40.00 is on hold; the last of it becomes ready to pay on 4 May 2026."
    assert "also what is less than the minimum of £50.00" in said[1]
    leaving.leave(membership, by=ana(), at=on(4, 21))
    house.sale("s-2", "500.00", "ANA10", on(4, 22))  # too late: earns nothing
    house.rate(on(4, 22))
    assert Commission.objects.count() == 1

    close_months(house.program, APRIL, at=on(5, 2))
    assert release.release_due(at=on(5, 5)) == 1
    close_months(house.program, MAY, at=on(6, 2))
    last = Statement.objects.get(period__month=5)
    assert (last.closing_minor, last.state, str(last.due_on)) == (40_00, StatementState.ISSUED, "2026-06-14")
    run = exported(house.program.legal_entity, at=on(6, 12))
    pay_runs.settle(run, by=fiona(), at=on(6, 16))
    assert [payment.amount_minor for payment in run.payments.all()] == [40_00]
    assert owed(membership) == 0


def test_suspended_means_not_paid_and_reinstated_means_paid(house: House, membership: Membership) -> None:
    other = house.member("BEN10", at=on(4, 1))
    give_account(other, at=on(4, 2), iban="GB29NWBK60161331926819")
    for code in ("ANA10", "BEN10"):
        house.sale(f"s-{code}", "1000.00", code, on(4, 3))  # 80.00 each, ready on 17 April
    house.rate(on(4, 3))
    leaving.suspend(membership, reason="fake_traffic", by=mats(), at=on(4, 10))
    close_months(house.program, APRIL, at=on(5, 2))
    run = prepared(house.program.legal_entity, at=on(5, 5))
    left_out = run.exceptions.get()
    assert (left_out.membership, left_out.reason, left_out.amount_minor) == (
        membership,
        LeftOut.MEMBERSHIP_PAUSED,
        80_00,
    )
    assert [payment.membership for payment in run.payments.all()] == [other]
    pay_runs.cancel(run, by=fiona(), at=on(5, 5))
    leaving.reinstate(membership, by=mats(), at=on(5, 6))
    run = prepared(house.program.legal_entity, at=on(5, 7))
    assert sorted(payment.amount_minor for payment in run.payments.all()) == [80_00, 80_00]


def test_leaving_does_not_free_the_money_of_who_is_suspended(house: House, membership: Membership) -> None:
    house.sale("s-1", "1000.00", "ANA10", on(4, 3))
    house.rate(on(4, 3))
    leaving.suspend(membership, reason="fraud", by=mats(), at=on(4, 10))
    assert any("also after the end" in said for said in leaving.settlement(membership, "ended", at=on(4, 11)))
    leaving.leave(membership, by=ana(), at=on(4, 11))
    assert settlement.stopped([membership.pk]) == {membership.pk}
    leaving.reinstate(membership, by=mats(), at=on(4, 12))
    assert settlement.stopped([membership.pk]) == set()


def test_after_a_ban_nothing_is_paid_until_finance_lets_it_go(house: House, membership: Membership) -> None:
    house.sale("s-1", "500.00", "ANA10", on(4, 3))  # 40.00
    house.rate(on(4, 3))
    leaving.ban(membership, reason="fraud", by=mats(), at=on(4, 10))
    assert settlement.hold_for_finance(at=on(4, 10)) == 1
    assert settlement.hold_for_finance(at=on(4, 11)) == 0
    pause = Pause.objects.get(membership=membership)
    assert (str(pause.review_on), pause.paused_by) == ("2026-04-24", None)
    close_months(house.program, APRIL, at=on(5, 2))
    with pytest.raises(pay_runs.NothingToPay):
        prepared(house.program.legal_entity, at=on(5, 5))
    pauses.resume(pause, outcome="The orders are real.", by=fiona(), at=on(5, 6))
    assert settlement.hold_for_finance(at=on(5, 6)) == 0
    run = prepared(house.program.legal_entity, at=on(5, 7))
    assert [payment.amount_minor for payment in run.payments.all()] == [40_00]


def test_debts_and_nothing_are_told_as_what_they_are(house: House, membership: Membership) -> None:
    assert (
        leaving.settlement(membership, "ended", at=on(4, 2))[0] == "Nothing is owed now, in either direction."
    )
    house.sale("s-1", "1000.00", "ANA10", on(4, 3))
    house.refund("r-1", "1500.00", "ANA10", on(4, 4))  # 80.00 - 120.00
    house.rate(on(4, 4))
    said = leaving.settlement(membership, "terminated", at=on(4, 5))
    assert any("The balance of −£40.00 is less than nothing" in sentence for sentence in said)


def test_what_is_told_costs_few_queries_whatever_the_history(
    house: House, membership: Membership, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        house.sale(f"s-{number}", "10.00", "ANA10", on(4, 3) + timedelta(hours=number))
    house.rate(on(4, 4))
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        leaving.settlement(membership, "ended", at=on(4, 5))
