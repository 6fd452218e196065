"""A run reconciles when ledger, files and payments, written apart, tell one story; when one of them is changed the difference shows it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from payouts import ledger, pay_runs
from payouts.calendar import for_posting
from payouts.choices import AccountKind, PaymentState, TransactionKind
from payouts.models import Payment, PayRun
from payouts.results import reconcile
from prm.lib.money import Money
from tests.factories.money_rows import FxRateFactory, WithholdingFactory
from tests.factories.payouts import prepared
from tests.house import House
from tests.payouts.results.bank import (
    APRIL_5,
    APRIL_7,
    APRIL_10,
    balance,
    on_its_way,
    owed,
    payment,
    table,
    take,
    written,
)
from tests.people import felix, fiona

pytestmark = pytest.mark.django_db


def gbp(minor: int) -> Money:
    return Money(minor, "GBP")


@pytest.fixture
def house() -> House:
    return owed()


@pytest.fixture
def run(house: House) -> PayRun:
    return on_its_way(house)


def test_a_run_is_followed_from_what_was_owed_to_what_arrived(run: PayRun) -> None:
    take(written("camt053_02.xml"))  # 80.00 and 160.00 paid, 0.35 charged
    take(written("camt053_08.xml"), at=APRIL_10)  # the 80.00 back, 1.50 charged
    run.refresh_from_db()
    found = reconcile.of(run)
    assert (found.gross, found.withheld, found.came_back) == (gbp(360_00), gbp(0), gbp(80_00))
    [pounds] = found.currencies
    assert (pounds.left, pounds.in_files, pounds.by_hand) == (gbp(360_00), gbp(360_00), gbp(0))
    assert (pounds.settled, pounds.failed, pounds.returned) == (gbp(240_00), gbp(0), gbp(80_00))
    assert (pounds.on_its_way, pounds.arrived, pounds.fees) == (gbp(120_00), gbp(160_00), gbp(1_85))
    assert (pounds.difference, found.difference, found.agrees, found.is_open) == (gbp(0), gbp(0), True, True)


def test_before_the_files_there_is_nothing_to_compare(house: House) -> None:
    found = reconcile.of(prepared(house.program.legal_entity, at=APRIL_5))
    assert (found.is_out, found.currencies, found.agrees) == (False, (), True)


def test_a_payment_marked_in_the_table_alone_shows_as_a_difference(run: PayRun) -> None:
    Payment.objects.filter(pk=payment("ANA").pk).update(state=PaymentState.SETTLED)
    [pounds] = reconcile.of(run).currencies
    # 80.00 that the ledger does not know as paid, and the same 80.00 it still has on its way.
    assert pounds.difference == gbp(160_00)
    assert [str(each.what) for each in pounds.comparisons if each.difference] == [
        "Ledger and payments: paid",
        "Ledger and payments: still on its way",
    ]


def test_a_posting_without_a_payment_shows_as_a_difference(house: House, run: PayRun) -> None:
    back = payment("ANA")
    ledger.post(
        key=f"payment_failed:{back.public_id}",
        kind=TransactionKind.PAYMENT_FAILED,
        period=for_posting(house.program, APRIL_7),
        effective_at=APRIL_7,
        at=APRIL_7,
        moves=[
            ledger.Move(
                debit=ledger.partner_account(back.membership, AccountKind.IN_PAYMENT),
                credit=ledger.partner_account(back.membership, AccountKind.PAYABLE),
                amount=gbp(79_00),
            )
        ],
    )
    found = reconcile.of(run)
    assert not found.agrees
    assert found.difference == gbp(79_00)
    assert found.currencies[0].difference == gbp(79_00 + 79_00)


def test_a_run_of_many_is_read_with_as_many_questions_as_one(
    house: House, run: PayRun, django_assert_num_queries: object
) -> None:
    take(table(*(f"{payment(code).end_to_end_id},failed,,AC01,,," for code in ("ANA", "BEN", "CLEO"))))
    second = on_its_way(house)
    run.refresh_from_db()
    with django_assert_num_queries(3):  # type: ignore[operator]
        first, other = reconcile.of_runs([run, second])
    assert (first.currencies[0].failed, other.currencies[0].on_its_way) == (gbp(360_00), gbp(360_00))
    assert first.agrees and other.agrees


def with_tax_and_euros(house: House) -> PayRun:
    """One of three partners has ten percent withheld; another one is paid in euros at 1.15."""
    WithholdingFactory.create(
        partner=house.members["ANA"].partner, rate=Decimal("10.00"), starts_on=date(2026, 1, 1)
    )
    FxRateFactory.create(base="GBP", quote="EUR", rate=Decimal("1.15"), rate_on=date(2026, 4, 2))
    method = house.members["BEN"].partner.payment_methods.get()
    type(method).objects.filter(pk=method.pk).update(payout_currency="EUR")
    run = pay_runs.approve(
        _looked_at(prepared(house.program.legal_entity, at=APRIL_5, execute_on=date(2026, 4, 7))),
        by=felix(),
        at=APRIL_5,
    )
    pay_runs.export(run, by=fiona(), at=APRIL_5)
    run.refresh_from_db()
    return run


def _looked_at(run: PayRun) -> PayRun:
    for check in run.checks.filter(acknowledged_at=None):
        pay_runs.acknowledge(check, note="seen", by=felix(), at=APRIL_5)
    return run


def test_tax_and_another_currency_come_back_exactly_as_they_went(house: House) -> None:
    run = with_tax_and_euros(house)
    ana, ben = payment("ANA"), payment("BEN")
    # 10 % of 80.00 kept; 160.00 x 1.15 = 184.00 euros.
    assert (ana.withheld_minor, ana.sent_minor) == (8_00, 72_00)
    assert (ben.sent_minor, ben.sent_currency) == (184_00, "EUR")
    take(table(*(f"{each.end_to_end_id},settled,,,,," for each in (ana, ben))))
    program = house.program
    in_euros = ledger.program_account(program, AccountKind.CASH, currency="EUR")
    assert (ledger.balance(in_euros), balance(house, AccountKind.CASH)) == (Money(184_00, "EUR"), 72_00)
    found = reconcile.of(run)
    assert (found.gross, found.withheld, found.converted) == (gbp(360_00), gbp(8_00), gbp(160_00))
    euros, pounds = found.currencies
    assert (euros.settled, pounds.settled, pounds.on_its_way) == (
        Money(184_00, "EUR"),
        gbp(72_00),
        gbp(120_00),
    )
    assert found.agrees
    take(table(*(f"{each.end_to_end_id},returned,,AC01,,," for each in (ana, ben))), at=APRIL_10)
    assert ledger.balance(in_euros) == Money(0, "EUR")
    assert balance(house, AccountKind.CASH) == balance(house, AccountKind.TAX_WITHHELD) == 0
    assert balance(house, AccountKind.PAYABLE, "ANA") == 80_00
    assert balance(house, AccountKind.PAYABLE, "BEN") == 160_00
    clearing = [
        ledger.program_account(program, AccountKind.FX_CLEARING, currency=code) for code in ("GBP", "EUR")
    ]
    assert [ledger.balance(each).minor for each in clearing] == [0, 0]
    run.refresh_from_db()
    assert reconcile.of(run).agrees
