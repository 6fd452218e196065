"""Put lines of the engine into the books as they are, whatever events they come from: for tests of what shows, states and pays them."""

from __future__ import annotations

from datetime import datetime, timedelta

from partners.models import Membership
from payouts import ledger
from payouts.calendar import Calendar
from payouts.choices import AccountKind, CommissionState, TransactionKind
from payouts.models import Commission
from referrals.models import Credit
from tiers.engine import Line
from tiers.models import PlanVersion

ADVANCES = ("draw", "recovery")


def book(
    membership: Membership,
    line: Line,
    *,
    at: datetime,
    credit: Credit | None = None,
    hold_days: int = 14,
    reverses: Commission | None = None,
) -> Commission:
    """Write one line and what it moves between accounts."""
    key = f"booked:{Commission.objects.count()}"
    program, kind = membership.program, AccountKind.ADVANCES if line.what in ADVANCES else AccountKind.EXPENSE
    pending = ledger.partner_account(membership, AccountKind.PENDING)
    moves = ledger.shift(down=ledger.program_account(program, kind), up=pending, amount=line.amount)
    period = Calendar().for_posting(program, at)
    posting = ledger.Posting(
        key=key, kind=TransactionKind.ACCRUAL, period=period, effective_at=at, moves=moves
    )
    [written] = ledger.post_many([posting], at=at)
    return Commission.objects.create(
        key=key,
        credit=credit,
        conversion=credit.conversion if credit is not None else None,
        membership=membership,
        plan_version=PlanVersion.objects.get(),
        rule_key=line.rule_key,
        kind=line.what,
        window=line.window,
        customer_key=line.customer,
        volume=line.volume,
        base_minor=line.base.minor,
        rate=(line.rate or 0) * 100,
        flat_minor=line.flat.minor if line.flat is not None else 0,
        amount_minor=line.amount.minor,
        currency=line.amount.currency,
        because=line.because,
        effective_at=at,
        period=period,
        payable_at=at + timedelta(days=hold_days),
        state=CommissionState.ON_HOLD,
        accrued_in=written,
        reverses=reverses,
        computed_at=at,
    )
