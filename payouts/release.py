"""Release what has waited long enough: lines whose hold is over move from on hold to ready to pay. A line is released once,
into the month its hold ended or, when that is closed, the next open one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from partners.models import Membership
from payouts import ledger
from payouts.calendar import Calendar
from payouts.choices import AccountKind, CommissionState, PeriodState, TransactionKind
from payouts.models import Commission, Period
from prm.lib.db import persistently
from tiers.models import Program


def release_due(*, at: datetime) -> int:
    """Release every line whose hold is over at `at`, one transaction per membership; return how many lines."""
    members = (
        Membership.objects.filter(commissions__in=Commission.objects.due_for_release(at=at))
        .select_related("program")
        .distinct()
        .order_by("pk")
    )
    return sum(_release_one(member, at=at) for member in members)


def _release_one(membership: Membership, *, at: datetime) -> int:
    # The months are made before the transaction that locks lines: see Calendar.open.
    due = Commission.objects.filter(membership=membership).due_for_release(at=at)
    instants = due.order_by().values_list("payable_at", flat=True).distinct()
    Calendar().open((membership.program, instant) for instant in instants)
    return persistently(lambda: release_membership(membership, until=at, at=at))


@transaction.atomic
def release_membership(
    membership: Membership, *, until: datetime, at: datetime, into: Period | None = None
) -> int:
    """Release the membership's lines whose hold ends not after `until`; return how many lines.

    `into` is the month being closed: it takes everything, whatever day the hold ended.
    """
    # Whoever moves a membership's money takes the membership first, then its lines.
    Membership.objects.lock().get(pk=membership.pk)
    due = list(Commission.objects.filter(membership=membership).due_for_release(at=until).lock())
    due = _moving_money(due)
    if into is None:
        due = _not_awaited_by_a_close(membership.program, due)
    calendar = Calendar()
    if into is None:
        calendar.open((membership.program, line.payable_at) for line in due)
    by_period: dict[int, list[Commission]] = defaultdict(list)
    periods: dict[int, Period] = {}
    for line in due:
        period = into or calendar.for_posting(membership.program, line.payable_at)
        periods[period.pk] = period
        by_period[period.pk].append(line)
    for period_id, lines in sorted(by_period.items()):
        _release(membership, periods[period_id], lines, at=at)
    return len(due)


def _moving_money(due: Sequence[Commission]) -> list[Commission]:
    """Settle the lines of zero, which move nothing between accounts, by what booked them; return the others."""
    zero = [line.pk for line in due if not line.amount_minor]
    if zero:
        Commission.objects.filter(pk__in=zero, state=CommissionState.ON_HOLD).update(
            state=CommissionState.PAYABLE, released_in=F("accrued_in")
        )
    return [line for line in due if line.amount_minor]


def _not_awaited_by_a_close(program: Program, due: Sequence[Commission]) -> list[Commission]:
    """Leave out what a month being closed takes: whether a line is on its statement must not depend on who is faster."""
    closing = Period.objects.filter(program=program, state=PeriodState.CLOSING).first()
    if closing is None:
        return list(due)
    ends_at = closing.as_month.ends_at(program.zone)
    return [line for line in due if line.payable_at >= ends_at]


def _release(membership: Membership, period: Period, lines: Sequence[Commission], *, at: datetime) -> None:
    currency = membership.program.currency
    accounts = ledger.accounts_of([membership], [AccountKind.PENDING, AccountKind.PAYABLE])
    pending = accounts[membership.pk, AccountKind.PENDING]
    payable = accounts[membership.pk, AccountKind.PAYABLE]
    gained, taken = ledger.gains_and_losses((line.amount for line in lines), currency)
    ids = [line.pk for line in lines]
    [written] = ledger.post_many(
        [
            ledger.Posting(
                key=f"release:{membership.pk}:{period.pk}:{ledger.name_of(ids)}",
                kind=TransactionKind.RELEASE,
                period=period,
                effective_at=max(line.payable_at for line in lines),
                moves=[
                    *ledger.shift(down=pending, up=payable, amount=gained),
                    *ledger.shift(down=pending, up=payable, amount=taken),
                ],
            )
        ],
        at=at,
    )
    Commission.objects.filter(pk__in=ids, state=CommissionState.ON_HOLD).update(
        state=CommissionState.PAYABLE, released_in=written
    )
