"""Write the ledger: the only writer of transactions and entries. Every posting moves amounts between accounts, so it balances;
the same key is posted once, and a correction is another posting."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from payouts import chain
from payouts.choices import AccountKind, TransactionKind
from payouts.models import Account, Entry, Period, Transaction
from prm.lib.bulk import BulkWriter
from prm.lib.money import Money

if TYPE_CHECKING:
    from partners.models import Membership
    from prm.accounts.models import User
    from tiers.models import Program


_TRANSACTION = (
    "id",
    "public_id",
    "key",
    "kind",
    "period_id",
    "effective_at",
    "posted_at",
    "posted_by_id",
    "reason",
    "reverses_id",
)
_ENTRY = ("transaction_id", "debit_id", "credit_id", "amount_minor", "currency")


@dataclass(frozen=True, slots=True)
class Move:
    """One amount, more than zero, from the account it debits to the account it credits."""

    debit: Account
    credit: Account
    amount: Money


@dataclass(frozen=True, slots=True)
class Posting:
    """What becomes one transaction. `key` names the business fact, so that the fact is posted once."""

    key: str
    kind: TransactionKind
    period: Period
    effective_at: datetime
    moves: Sequence[Move] = ()
    reason: str = ""
    reverses: Transaction | None = None


def post(
    *,
    key: str,
    kind: TransactionKind,
    period: Period,
    effective_at: datetime,
    at: datetime,
    moves: Sequence[Move],
    by: User | None = None,
    reason: str = "",
) -> Transaction:
    """Write one transaction and its entries, or return the one already posted under `key`."""
    posted = Transaction.objects.filter(key=key).first()
    if posted is not None:
        return posted
    posting = Posting(
        key=key, kind=kind, period=period, effective_at=effective_at, moves=moves, reason=reason
    )
    try:
        return post_many([posting], at=at, by=by)[0]
    except IntegrityError:
        # Somebody posted the same fact between the look and the write: theirs counts.
        posted = Transaction.objects.filter(key=key).first()
        if posted is None:
            raise
        return posted


@transaction.atomic
def post_many(postings: Sequence[Posting], *, at: datetime, by: User | None = None) -> list[Transaction]:
    """Write several transactions in one go, all or none, and seal them in the chains of the memberships they move.

    The caller holds those memberships' locks, or no lock at all.
    Raises: django.db.IntegrityError when a key is taken, a month closed or a currency wrong.
    """
    transactions, entries = BulkWriter(Transaction, _TRANSACTION), BulkWriter(Entry, _ENTRY)
    made = [
        Transaction(
            pk=pk,
            key=posting.key,
            kind=posting.kind,
            period=posting.period,
            effective_at=posting.effective_at,
            posted_at=at,
            posted_by=by,
            reason=posting.reason,
            reverses=posting.reverses,
        )
        for pk, posting in zip(transactions.reserve(len(postings)), postings, strict=True)
    ]
    transactions.write([getattr(each, name) for name in _TRANSACTION] for each in made)
    entries.write(
        (written.pk, move.debit.pk, move.credit.pk, move.amount.minor, move.amount.currency)
        for posting, written in zip(postings, made, strict=True)
        for move in posting.moves
    )
    for each in made:
        each._state.adding, each._state.db = False, transactions.using
    _seal(made, postings)
    return made


def _seal(made: Sequence[Transaction], postings: Sequence[Posting]) -> None:
    accounts = {
        account.pk: account
        for each in postings
        for move in each.moves
        for account in (move.debit, move.credit)
    }
    owners = {
        pk: account.membership_id for pk, account in accounts.items() if account.membership_id is not None
    }
    moved = [
        [(move.debit.pk, move.credit.pk, move.amount.minor, move.amount.currency) for move in each.moves]
        for each in postings
    ]
    chain.seal(list(zip(made, moved, strict=True)), owners)


@transaction.atomic
def reverse(
    posted: Transaction, *, period: Period, at: datetime, reason: str, by: User | None = None
) -> Transaction:
    """Take a transaction back by another one that moves everything the other way and names it; once.

    `period` is an open month: what was posted into a closed one is taken back in a later one.
    """
    entries = posted.entries.select_related("debit", "credit").order_by("pk")
    moves = [
        Move(debit=entry.credit, credit=entry.debit, amount=Money(entry.amount_minor, entry.currency))
        for entry in entries
    ]
    key = f"reversal:{posted.public_id}"
    done = Transaction.objects.filter(key=key).first()
    if done is not None:
        return done
    posting = Posting(
        key=key,
        kind=TransactionKind.REVERSAL,
        period=period,
        effective_at=at,
        moves=moves,
        reason=reason[:200],
        reverses=posted,
    )
    return post_many([posting], at=at, by=by)[0]


def shift(*, down: Account, up: Account, amount: Money) -> list[Move]:
    """Return the move that takes `amount` from what `down` owes to what `up` owes; a negative amount goes the other way.

    Zero moves nothing, hence an empty list.
    """
    if not amount:
        return []
    if amount.minor < 0:
        return [Move(debit=up, credit=down, amount=-amount)]
    return [Move(debit=down, credit=up, amount=amount)]


def gains_and_losses(amounts: Iterable[Money], currency: str) -> tuple[Money, Money]:
    """Return what `amounts` add and what they take back, kept apart so that the books show both."""
    known = list(amounts)
    return (
        Money.total((amount for amount in known if amount.minor > 0), currency),
        Money.total((amount for amount in known if amount.minor < 0), currency),
    )


def name_of(ids: Iterable[int]) -> str:
    """Name a set of rows in 16 characters for a transaction's key: the same for the same set, in any order."""
    text = ",".join(str(pk) for pk in sorted(set(ids)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def partner_account(membership: Membership, kind: AccountKind, *, currency: str = "") -> Account:
    """Return the membership's account of this kind, in the program's currency or another, opening it when it is the first time."""
    if currency and currency != membership.program.currency:
        account, _made = Account.objects.get_or_create(
            program=membership.program, membership=membership, kind=kind, currency=currency
        )
        return account
    return accounts_of([membership], [kind])[membership.pk, kind]


def program_account(program: Program, kind: AccountKind, *, currency: str = "") -> Account:
    """Return the program's own account of this kind, in its currency or another, opening it when it is the first time."""
    account, _made = Account.objects.get_or_create(
        program=program, membership=None, kind=kind, currency=currency or program.currency
    )
    return account


def accounts_of(
    memberships: Iterable[Membership], kinds: Sequence[AccountKind]
) -> dict[tuple[int, AccountKind], Account]:
    """Return the accounts of these kinds for all `memberships`, keyed by membership id and kind; missing ones are opened.

    Reads two queries whatever the number of memberships; each must have its program loaded.
    """
    wanted = {membership.pk: membership for membership in memberships}
    found = _read(wanted, kinds)
    # In one order for everybody: two workers opening the same accounts wait for each other, never in a circle.
    missing = [
        Account(program=member.program, membership=member, kind=kind, currency=member.program.currency)
        for _pk, member in sorted(wanted.items())
        for kind in sorted(kinds)
        if (member.pk, kind) not in found
    ]
    if missing:
        Account.objects.bulk_create(missing, ignore_conflicts=True)
        found = _read(wanted, kinds)
    return found


def _read(
    wanted: dict[int, Membership], kinds: Sequence[AccountKind]
) -> dict[tuple[int, AccountKind], Account]:
    rows = Account.objects.filter(membership_id__in=wanted, kind__in=kinds)
    return {
        (account.membership_id, AccountKind(account.kind)): account
        for account in rows
        if account.membership_id is not None
        and account.currency == wanted[account.membership_id].program.currency
    }


def balance(account: Account) -> Money:
    """Return what the account holds: credits less debits, so that a positive partner account is what the program owes."""
    minor = Account.objects.filter(pk=account.pk).with_balance().values_list("balance_minor", flat=True).get()  # type: ignore[misc]  # annotated by with_balance
    return Money(minor, account.currency)


def trial_balance() -> dict[tuple[str, str], Money]:
    """Return the sum of all accounts by kind and currency. Over all kinds of a currency they add up to zero."""
    totals: dict[tuple[str, str], Money] = {}
    rows = Account.objects.with_balance().order_by("kind", "currency", "pk")
    for kind, currency, minor in rows.values_list("kind", "currency", "balance_minor"):  # type: ignore[misc]
        totals[kind, currency] = totals.get((kind, currency), Money(0, currency)) + Money(minor, currency)
    return totals
