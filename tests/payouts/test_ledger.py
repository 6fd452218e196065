"""The ledger balances, is only added to, and posts each fact once. Each refusal is the database's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from payouts import ledger
from payouts.calendar import month_of
from payouts.choices import AccountKind, TransactionKind
from payouts.ledger import Move
from payouts.models import Account, Entry, Period, Transaction
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10")
    return house


def earn(house: House, pence: int, *, key: str = "test:1", period: Period | None = None) -> Transaction:
    """Post a gain for Ana."""
    return ledger.post(
        key=key,
        kind=TransactionKind.ADJUSTMENT,
        period=period or month_of(house.program, Month(2026, 3)),
        effective_at=AT,
        at=AT,
        moves=[
            Move(
                debit=ledger.program_account(house.program, AccountKind.EXPENSE),
                credit=ledger.partner_account(house.members["ANA10"], AccountKind.PAYABLE),
                amount=Money(pence, "GBP"),
            )
        ],
        reason="test",
    )


def test_a_posting_moves_an_amount_and_the_books_add_up_to_zero(house: House) -> None:
    earn(house, 1234)
    assert ledger.balance(ledger.partner_account(house.members["ANA10"], AccountKind.PAYABLE)) == Money(
        1234, "GBP"
    )
    assert ledger.trial_balance() == {
        ("expense", "GBP"): Money(-1234, "GBP"),
        ("payable", "GBP"): Money(1234, "GBP"),
    }


def test_the_same_key_posts_once(house: House) -> None:
    assert earn(house, 1234) == earn(house, 1234)
    assert (Transaction.objects.count(), Entry.objects.count()) == (1, 1)


def test_a_negative_shift_goes_the_other_way_and_zero_nowhere(house: House) -> None:
    down = ledger.program_account(house.program, AccountKind.EXPENSE)
    up = ledger.partner_account(house.members["ANA10"], AccountKind.PENDING)
    assert ledger.shift(down=down, up=up, amount=Money(0, "GBP")) == []
    [move] = ledger.shift(down=down, up=up, amount=Money(-5, "GBP"))
    assert (move.debit, move.credit, move.amount) == (up, down, Money(5, "GBP"))


@pytest.mark.parametrize("model", [Entry, Transaction, Account])
def test_what_was_posted_is_neither_changed_nor_deleted(
    house: House, model: type[Entry | Transaction | Account]
) -> None:
    earn(house, 1234)
    row = model.objects.order_by("pk").first()
    assert row is not None
    with pytest.raises(IntegrityError, match=r"append-only|never changed"), transaction.atomic():
        model.objects.filter(pk=row.pk).update(id=row.pk)
    with pytest.raises(IntegrityError, match=r"append-only|never changed"), transaction.atomic():
        model.objects.filter(pk=row.pk)._raw_delete("default")
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("amount", [0, -1])
def test_an_entry_moves_more_than_nothing(house: House, amount: int) -> None:
    with pytest.raises(IntegrityError, match="payouts_entry_amount_positive"), transaction.atomic():
        earn(house, amount)
    assert Transaction.objects.count() == 0


def test_an_entry_needs_two_different_accounts(house: House) -> None:
    posted = earn(house, 1)
    account = ledger.program_account(house.program, AccountKind.EXPENSE)
    with pytest.raises(IntegrityError, match="payouts_entry_two_different_accounts"), transaction.atomic():
        Entry.objects.create(
            transaction=posted, debit=account, credit=account, amount_minor=1, currency="GBP"
        )


def test_an_entry_s_currency_is_that_of_both_accounts(house: House) -> None:
    posted = earn(house, 1)
    expense = ledger.program_account(house.program, AccountKind.EXPENSE)
    payable = ledger.partner_account(house.members["ANA10"], AccountKind.PAYABLE)
    with pytest.raises(IntegrityError, match="must be in its currency"), transaction.atomic():
        Entry.objects.create(
            transaction=posted, debit=expense, credit=payable, amount_minor=1, currency="EUR"
        )
    euro = Account.objects.create(program=house.program, kind=AccountKind.CASH, currency="EUR")
    with pytest.raises(IntegrityError, match="must be in its currency"), transaction.atomic():
        Entry.objects.create(transaction=posted, debit=expense, credit=euro, amount_minor=1, currency="GBP")


def test_an_account_exists_once_and_has_its_owner(house: House) -> None:
    member = house.members["ANA10"]
    ledger.partner_account(member, AccountKind.PENDING)
    ledger.program_account(house.program, AccountKind.CASH)
    refusals = {
        "payouts_account_one_per_membership": {"membership": member, "kind": "pending"},
        "payouts_account_one_per_program": {"kind": "cash"},
        "payouts_account_partner_kinds_have_a_membership": {"kind": "payable"},
        "payouts_account_kind": {"kind": "mattress"},
    }
    for name, values in refusals.items():
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            Account.objects.create(program=house.program, currency="GBP", **values)
        # SQLite names the columns of a unique constraint, PostgreSQL its name
        assert (
            name in str(refusal.value)
            or "UNIQUE" in str(refusal.value)
            or "payouts_account" in str(refusal.value)
        )
    assert Account.objects.count() == 2


def test_a_transaction_has_a_known_kind(house: House) -> None:
    period = month_of(house.program, Month(2026, 3))
    with pytest.raises(IntegrityError, match="payouts_transaction_kind"), transaction.atomic():
        Transaction.objects.create(key="k", kind="gift", period=period, effective_at=AT, posted_at=AT)


@pytest.mark.parametrize(("state", "is_refused"), [("open", False), ("closing", True)])
def test_a_month_being_closed_takes_nothing_but_releases(house: House, state: str, is_refused: bool) -> None:
    period = month_of(house.program, Month(2026, 3))
    Period.objects.filter(pk=period.pk).update(state=state)
    if is_refused:
        with pytest.raises(IntegrityError, match="closed month"), transaction.atomic():
            earn(house, 1, period=period)
        assert Transaction.objects.count() == 0
    else:
        assert earn(house, 1, period=period).pk
    released = ledger.post(
        key="r", kind=TransactionKind.RELEASE, period=period, effective_at=AT, at=AT, moves=[]
    )
    assert released.pk


def test_a_closed_month_takes_nothing_and_stays_closed(house: House) -> None:
    period = month_of(house.program, Month(2026, 3))
    posted = earn(house, 1, period=period)
    Period.objects.filter(pk=period.pk).update(state="closed", closed_at=AT, closed_by=fiona())
    with pytest.raises(IntegrityError, match="closed month"), transaction.atomic():
        ledger.post(key="r", kind=TransactionKind.RELEASE, period=period, effective_at=AT, at=AT, moves=[])
    entry = Entry.objects.get(transaction=posted)
    with pytest.raises(IntegrityError, match="closed month"), transaction.atomic():
        Entry.objects.create(
            transaction=posted, debit=entry.debit, credit=entry.credit, amount_minor=1, currency="GBP"
        )
    with pytest.raises(IntegrityError, match="does not open again"), transaction.atomic():
        Period.objects.filter(pk=period.pk).update(state="open", closed_at=None, closed_by=None)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("payouts_period_state", {"state": "ajar"}),
        ("payouts_period_month_1_to_12", {"month": 13}),
        ("payouts_period_closed_has_date", {"state": "closed"}),
        ("payouts_period_closed_pair", {"closed_at": AT}),
    ],
)
def test_a_period_is_a_real_month_in_a_real_state(house: House, name: str, values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Period.objects.create(**{"program": house.program, "year": 2026, "month": 3} | values)


def test_a_month_exists_once_per_program(house: House) -> None:
    month_of(house.program, Month(2026, 3))
    with pytest.raises(IntegrityError), transaction.atomic():  # payouts_period_once
        Period.objects.create(program=house.program, year=2026, month=3)
    assert Period.objects.count() == 1
