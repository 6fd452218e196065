"""Write drafts into the books: one transaction per membership and month, gains apart from losses, and the lines in bulk. The caller's
database transaction makes it all or nothing."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from partners.models import Membership
from payouts import ledger
from payouts.accrual.fold import Draft
from payouts.calendar import Calendar
from payouts.choices import AccountKind, CommissionState, TransactionKind
from payouts.models import Account, Commission, Period, Transaction
from prm.lib.bulk import BulkWriter
from prm.lib.periods import local_day
from referrals import marks

_FIELDS = (
    "id",
    "public_id",
    "key",
    "credit_id",
    "conversion_id",
    "membership_id",
    "plan_version_id",
    "rule_key",
    "kind",
    "window",
    "customer_key",
    "volume",
    "base_minor",
    "rate",
    "flat_minor",
    "amount_minor",
    "currency",
    "because",
    "effective_at",
    "period_id",
    "payable_at",
    "state",
    "pause_reason",
    "reverses_id",
    "accrued_in_id",
    "computed_at",
)
_NOTHING = Decimal(0)
_HUNDRED = Decimal(100)

Place = tuple[int, int]  # a membership and a period


@dataclass(slots=True)
class Books:
    """The accounts and months a batch posts into, opened before its transaction where they can be known."""

    calendar: Calendar = field(default_factory=Calendar)
    pending: dict[int, Account] = field(default_factory=dict)
    expense: dict[int, Account] = field(default_factory=dict)
    _periods: dict[int, Period] = field(default_factory=dict)

    def open(self, members: Iterable[Membership]) -> None:
        """Find or open the accounts of these memberships, always in one order."""
        missing = {member.pk: member for member in members if member.pk not in self.pending}
        known = [member for _pk, member in sorted(missing.items())]
        for program_id, program in sorted({member.program_id: member.program for member in known}.items()):
            if program_id not in self.expense:
                self.expense[program_id] = ledger.program_account(program, AccountKind.EXPENSE)
        found = ledger.accounts_of(known, [AccountKind.PENDING])
        self.pending |= {member.pk: found[member.pk, AccountKind.PENDING] for member in known}

    def write(self, drafts: Sequence[Draft], *, at: datetime) -> None:
        """Post the drafts and write their lines; a reversal may take back a line of the same call."""
        if not drafts:
            return
        self.open({draft.member.id: draft.member for draft in drafts}.values())
        places = [self._place(draft) for draft in drafts]
        groups: dict[Place, list[Draft]] = defaultdict(list)
        for place, draft in zip(places, drafts, strict=True):
            groups[place].append(draft)
        keys = sorted(groups)
        written = ledger.post_many([self._posting(groups[key], key) for key in keys], at=at)
        found = dict(zip(keys, written, strict=True))
        _write_lines(drafts, [found[place] for place in places], at=at)
        marks.mark({_day_of(draft) for draft in drafts})

    def _place(self, draft: Draft) -> Place:
        period = self.calendar.for_posting(draft.member.program, draft.happening.occurred_at)
        self._periods[period.pk] = period
        return draft.member.id, period.pk

    def _posting(self, drafts: Sequence[Draft], place: Place) -> ledger.Posting:
        """Return what books the drafts of one membership and month."""
        period = self._periods[place[1]]
        member = drafts[0].member
        up, down = self.pending[member.pk], self.expense[member.program_id]
        amounts = ledger.gains_and_losses((draft.line.amount for draft in drafts), up.currency)
        return ledger.Posting(
            key=f"accrual:{member.pk}:{period.pk}:{_name_of(drafts)}",
            kind=TransactionKind.ACCRUAL,
            period=period,
            effective_at=max(draft.happening.occurred_at for draft in drafts),
            moves=[move for amount in amounts for move in ledger.shift(down=down, up=up, amount=amount)],
        )


def _write_lines(drafts: Sequence[Draft], transactions: Sequence[Transaction], *, at: datetime) -> None:
    writer = BulkWriter(Commission, _FIELDS)
    for pk, draft in zip(writer.reserve(len(drafts)), drafts, strict=True):
        draft.pk = pk
    writer.write(
        _row(draft, transaction, at=at) for draft, transaction in zip(drafts, transactions, strict=True)
    )


def _day_of(draft: Draft) -> marks.Day:
    """Return the day of its program whose figures a draft changes."""
    program = draft.member.program
    return program.pk, local_day(draft.happening.occurred_at, program.zone)


def key_of(draft: Draft) -> str:
    """Return the name of the fact that a line books, so that it is booked once."""
    line, reverses = draft.line, draft.reverses
    taken = reverses.pk if isinstance(reverses, Draft) else reverses or 0
    where = f":{line.version_id}.{line.window}" if line.what == "true_up" else ""
    owner = "" if draft.member.id == draft.happening.membership_id else f":{draft.member.id}"
    return f"{draft.happening.pk}:{line.rule_key}:{line.what}:{taken}{where}{owner}{draft.suffix}"


def _name_of(drafts: Iterable[Draft]) -> str:
    """Name the drafts of a transaction by what they book; a correction of the same events is another one."""
    facts = sorted(
        f"{draft.happening.pk}:{draft.of_credit}:{draft.line.rule_key}:{draft.line.what}{draft.suffix}"
        for draft in drafts
    )
    return hashlib.sha256(",".join(facts).encode()).hexdigest()[:16]


def _row(draft: Draft, transaction: Transaction, *, at: datetime) -> tuple[Any, ...]:
    line, happening, reverses = draft.line, draft.happening, draft.reverses
    return (
        draft.pk,
        draft.name,
        key_of(draft),
        happening.pk,
        happening.conversion_id,
        draft.member.id,
        line.version_id,
        line.rule_key,
        line.what,
        line.window,
        line.customer,
        line.volume,
        line.base.minor,
        _NOTHING if line.rate is None else line.rate * _HUNDRED,
        0 if line.flat is None else line.flat.minor,
        line.amount.minor,
        line.amount.currency,
        line.because if draft.hold is None else {**line.because, "hold": draft.hold},
        happening.occurred_at,
        transaction.period_id,
        draft.payable_at,
        CommissionState.ON_HOLD.value,
        "",
        reverses.pk if isinstance(reverses, Draft) else reverses,
        transaction.pk,
        at,
    )
