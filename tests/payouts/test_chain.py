"""The chain of a membership: every transaction that moves its accounts is sealed with all before it, and whatever is changed behind the
books' back is found."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from payouts import chain, invariants, ledger, release
from payouts.calendar import month_of
from payouts.choices import AccountKind, TransactionKind
from payouts.models import ChainLink, Entry, Statement, Transaction
from prm.lib.db import suspended_triggers
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.money_rows import ChainLinkFactory
from tests.factories.payout_rows import again
from tests.factories.payouts import close_months
from tests.house import House, open_house

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
APRIL = datetime(2026, 4, 3, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    """Two partners; the first sold twice and one sale is released."""
    house = open_house(hold_days=14)
    house.member("MARTA")
    house.member("OTHER")
    house.sale("o-1", "100.00", "MARTA", AT)
    house.rate(AT)
    house.sale("o-2", "50.00", "MARTA", AT + timedelta(days=1))
    house.rate(AT + timedelta(days=1))
    release.release_due(at=AT + timedelta(days=14, hours=12))
    return house


def links(house: House, name: str = "MARTA") -> list[ChainLink]:
    mine = ChainLink.objects.filter(membership=house.members[name]).select_related("transaction")
    return list(mine.order_by("position"))


def by_hand(house: House) -> list[str]:
    """Work the hashes out from the tables alone, with nothing of the product's."""
    before, found = "0" * 64, []
    owned = set(house.members["MARTA"].accounts.values_list("pk", flat=True))
    rows = [
        posted
        for posted in Transaction.objects.order_by("pk")
        if any(owned & {entry.debit_id, entry.credit_id} for entry in posted.entries.all())
    ]
    for position, posted in enumerate(rows, start=1):
        moved = sorted(
            [entry.debit_id, entry.credit_id, entry.amount_minor, entry.currency]
            for entry in posted.entries.all()
            if owned & {entry.debit_id, entry.credit_id}
        )
        instants = [posted.effective_at.isoformat(), posted.posted_at.isoformat()]
        content = [
            before,
            position,
            posted.key,
            posted.kind,
            posted.period_id,
            *instants,
            posted.reason,
            moved,
        ]
        before = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
        found.append(before)
    return found


def test_every_transaction_of_a_partner_is_sealed_with_all_before_it(house: House) -> None:
    found = links(house)
    assert [link.position for link in found] == [1, 2, 3]
    assert [link.transaction.kind for link in found] == ["accrual", "accrual", "release"]
    assert [link.sha256 for link in found] == by_hand(house)
    assert links(house, "OTHER") == []
    assert list(chain.breaks()) == []


def test_an_amount_changed_behind_the_books_is_found(house: House) -> None:
    second = links(house)[1]
    with suspended_triggers():
        Entry.objects.filter(transaction=second.transaction).update(amount_minor=401)
    found = list(chain.breaks())
    assert [(each.membership_id, each.position) for each in found] == [(house.members["MARTA"].pk, 2)]


def test_a_transaction_moved_to_another_day_is_found(house: House) -> None:
    first = links(house)[0]
    with suspended_triggers():
        Transaction.objects.filter(pk=first.transaction_id).update(effective_at=AT - timedelta(days=1))
    assert [each.position for each in chain.breaks()] == [1]


def test_a_link_taken_out_is_found(house: House) -> None:
    second = links(house)[1]
    with suspended_triggers():
        ChainLink.objects.filter(pk=second.pk).delete()
    found = list(chain.breaks())
    assert [(each.position, each.what.split()[-1]) for each in found] == [(0, "chain"), (3, "1")]


def test_an_entry_slipped_in_without_a_link_is_found(house: House) -> None:
    member = house.members["MARTA"]
    accounts = ledger.accounts_of([member], [AccountKind.PENDING, AccountKind.PAYABLE])
    slipped = Transaction.objects.create(
        key="slipped",
        kind=TransactionKind.RELEASE,
        period=month_of(house.program, Month(2026, 3)),
        effective_at=AT,
        posted_at=AT,
    )
    Entry.objects.create(
        transaction=slipped,
        debit=accounts[member.pk, AccountKind.PENDING],
        credit=accounts[member.pk, AccountKind.PAYABLE],
        amount_minor=1,
        currency="GBP",
    )
    assert {(each.position, each.what) for each in chain.breaks()} == {(0, "slipped is in no chain")}


def test_a_chain_cut_off_behind_a_statement_is_found_by_the_statement(house: House) -> None:
    close_months(house.program, *(Month(2026, each) for each in (1, 2, 3)), at=APRIL)
    statement = Statement.objects.get(membership=house.members["MARTA"], period__month=3)
    noted = links(house)[-1]
    assert statement.facts["sealed"] == {"position": 3, "sha256": noted.sha256}
    assert list(invariants.statements_hold_the_chain()) == []
    with suspended_triggers():
        Entry.objects.filter(transaction=noted.transaction).delete()
        noted.delete()
    assert list(chain.breaks()) == []  # by itself a shorter chain is a whole one
    # All three were issued after the last posting, and each of them noticed.
    mine = Statement.objects.filter(membership=house.members["MARTA"]).order_by("pk")
    found = [(each.about, each.found) for each in invariants.statements_hold_the_chain()]
    assert found == [(number, "no link") for number in mine.values_list("number", flat=True)]


def test_a_reversal_names_what_it_takes_back_and_is_made_once(house: House) -> None:
    released = links(house)[2].transaction
    month = month_of(house.program, Month(2026, 3))
    taken = ledger.reverse(released, period=month, at=AT + timedelta(days=20), reason="Released too early")
    assert ledger.reverse(released, period=month, at=AT + timedelta(days=21), reason="again") == taken
    assert taken.reverses == released
    assert taken.kind == TransactionKind.REVERSAL
    payable = ledger.partner_account(house.members["MARTA"], AccountKind.PAYABLE)
    pending = ledger.partner_account(house.members["MARTA"], AccountKind.PENDING)
    assert ledger.balance(payable) == Money(0, "GBP")
    assert ledger.balance(pending) == Money(12_00, "GBP")  # 8 % of 100.00 and of 50.00
    assert links(house)[3].transaction == taken
    assert list(chain.breaks()) == []


def test_the_chain_only_grows(house: House) -> None:
    link = links(house)[0]
    for attempt in (
        lambda: ChainLink.objects.update(sha256="f" * 64),
        lambda: ChainLink.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
            attempt()
    link.refresh_from_db()
    assert link.sha256 == by_hand(house)[0]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("payouts_chainlink_one_per_position", {"transaction": None}),
        ("payouts_chainlink_once_per_transaction", {"position": 2}),
    ],
)
def test_two_links_never_share_a_place_or_a_transaction(name: str, changes: dict[str, object]) -> None:
    link = ChainLinkFactory()
    if "transaction" in changes:
        changes = {"transaction": ChainLinkFactory(position=7).transaction}
    words = name if connection.vendor == "postgresql" else "UNIQUE constraint failed: payouts_chainlink"
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        again(link, **changes)
