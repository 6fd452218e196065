"""The books agree with themselves after everything the product does, and a disagreement is found wherever it hides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from payouts import ledger, pay_runs, reconciliation
from payouts.calendar import month_of
from payouts.choices import AccountKind, TransactionKind
from payouts.models import Entry, Statement
from prm.lib.db import suspended_triggers
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.payouts import close_months, exported, give_account
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
APRIL_20 = datetime(2026, 4, 20, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
JUNE_4 = datetime(2026, 6, 4, 9, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    """Three partners: one paid, one whose payment failed, one in debt; with an adjustment and a month of each state."""
    house = open_house()
    for code in ("PAID1", "FAIL1", "DEBT1"):
        give_account(house.member(code, at=MARCH_1), at=APRIL_3)
    house.sale("s1", "1000.00", "PAID1", MARCH_2)
    house.sale("s2", "2000.00", "FAIL1", MARCH_2)
    house.refund("r1", "500.00", "DEBT1", MARCH_2)
    house.rate(APRIL_3)
    ledger.post(
        key="adjustment:1",
        kind=TransactionKind.ADJUSTMENT,
        period=month_of(house.program, Month(2026, 3)),
        effective_at=MARCH_2,
        at=MARCH_2,
        moves=[
            ledger.Move(
                debit=ledger.program_account(house.program, AccountKind.EXPENSE),
                credit=ledger.partner_account(house.members["PAID1"], AccountKind.PAYABLE),
                amount=Money(5_00, "GBP"),
            )
        ],
    )
    close_months(house.program, Month(2026, 3), at=APRIL_3)
    run = exported(house.program.legal_entity, at=APRIL_3)
    failing = run.payments.get(membership=house.members["FAIL1"])
    pay_runs.fail(failing, reason="Account closed", by=fiona(), at=APRIL_3)
    pay_runs.settle(run, by=fiona(), at=APRIL_3)
    house.refund("r2", "100.00", "PAID1", APRIL_3)
    house.sale("s3", "50.00", "PAID1", APRIL_20)
    house.rate(MAY_4)
    close_months(house.program, Month(2026, 4), at=MAY_4)
    exported(house.program.legal_entity, at=MAY_4)
    return house


def names() -> set[str]:
    return {finding.check for finding in reconciliation.check()}


def test_books_in_every_state_agree(house: House) -> None:
    assert Statement.objects.count() == 6
    assert reconciliation.check() == []


def test_empty_books_agree() -> None:
    assert reconciliation.check() == []


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (
            "UPDATE payouts_entry SET amount_minor = amount_minor + 1 WHERE transaction_id = {payment}",
            "pay_run_posted",
        ),
        ("UPDATE payouts_entry SET currency = 'EUR' WHERE transaction_id = {payment}", "entry_currency"),
        (
            "UPDATE payouts_entry SET amount_minor = amount_minor + 1 WHERE transaction_id = {release}",
            "payable_balance",
        ),
        (
            "UPDATE payouts_entry SET amount_minor = amount_minor + 1 WHERE transaction_id = {accrual}",
            "pending_balance",
        ),
        (
            "UPDATE payouts_commission SET amount_minor = amount_minor + 1 WHERE state = 'paid'",
            "statement_line",
        ),
        ("UPDATE payouts_statementline SET amount_minor = amount_minor + 1", "statement_lines"),
        (
            "UPDATE payouts_statement SET opening_minor = opening_minor + 1, earned_minor = earned_minor - 1 WHERE sequence = 5",
            "statement_chain",
        ),
        ("UPDATE payouts_statement SET sequence = 50 WHERE sequence = 5", "number_series"),
        ("UPDATE payouts_payrun SET total_minor = total_minor + 1", "pay_run_total"),
        ("UPDATE payouts_payment SET state = 'settled' WHERE state = 'sent'", "in_payment_balance"),
    ],
    ids=lambda text: "" if " " in text else text,
)
def test_a_figure_somebody_changed_in_the_database_is_found(house: House, spoil: str, found: str) -> None:
    ids = {
        "payment": _transaction("payment_instructed"),
        "release": _transaction("release"),
        "accrual": _transaction("accrual"),
    }
    with suspended_triggers(), connection.cursor() as cursor:
        cursor.execute(spoil.format(**ids))
    assert found in names()


def _transaction(kind: str) -> int:
    entry = Entry.objects.filter(transaction__kind=kind).order_by("pk").first()
    assert entry is not None
    return entry.transaction_id


def test_the_command_says_that_all_is_well(house: House) -> None:
    out = StringIO()
    call_command("verify_ledger", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["ok"] is True and told["findings"] == []
    assert told["balances"]["cash GBP"] == "85.00 GBP"


def test_the_command_ends_with_one_when_something_is_wrong(house: House) -> None:
    with suspended_triggers(), connection.cursor() as cursor:
        cursor.execute("UPDATE payouts_payrun SET total_minor = total_minor + 1")
    with pytest.raises(CommandError) as caught:
        call_command("verify_ledger", stdout=StringIO())
    assert caught.value.returncode == 1
