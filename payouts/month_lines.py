"""Write what a month brings whatever happened in it: retainers, guaranteed amounts, advances and their recovery. It happens while the
month is being closed, in the transaction that settles the membership, so that the lines are on that month's statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Max, Q, Sum
from django.db.models.functions import Coalesce

from partners.choices import MembershipState
from partners.intervals import gaps_of, is_in_a_gap
from partners.models import Membership
from payouts import ledger
from payouts.accrual.memory import Loader, Scope
from payouts.accrual.terms import Terms
from payouts.choices import AccountKind, CommissionKind, CommissionState, TransactionKind
from payouts.models import Commission, Period, Transaction
from prm.lib.periods import Month, local_day
from referrals import marks
from tiers.choices import RateKind
from tiers.engine.facts import Line
from tiers.engine.memory import Memory
from tiers.engine.months import MonthSoFar, counts_for, month_lines
from tiers.models import PlanVersion, Program, Rule

ADVANCED = (CommissionKind.DRAW.value, CommissionKind.RECOVERY.value)


def post(membership: Membership, period: Period, *, at: datetime) -> list[Commission]:
    """Write what the month brings the membership, whose lock the caller holds; once, however often it is called."""
    if not _has_month_rules(membership.program):
        return []
    key = f"month:{membership.pk}:{period.pk}"
    if Transaction.objects.filter(key=key).exists():
        return []
    last_instant = period.ends_at - datetime.resolution
    lines = _due(membership, period, last_instant)
    if not lines:
        return []
    [written] = ledger.post_many(
        [
            ledger.Posting(
                key=key,
                kind=TransactionKind.ACCRUAL,
                period=period,
                effective_at=last_instant,
                moves=_moves(membership, lines),
            )
        ],
        at=at,
    )
    marks.mark([(membership.program_id, local_day(last_instant, membership.program.zone))])
    return Commission.objects.bulk_create(
        _commission(membership, line, written, last_instant, at=at) for line in lines
    )


def is_active(membership: Membership, month: Month) -> bool:
    """Say whether a month counts for a membership: not the one it left in, and none at whose end it was suspended."""
    gaps = gaps_of([membership.pk]).get(membership.pk, ())
    if membership.state == MembershipState.SUSPENDED and not gaps:
        return False
    if is_in_a_gap(gaps, month.ends_at(membership.program.zone) - datetime.resolution):
        return False
    return counts_for(month, membership.joined_at, membership.ended_at, membership.program.zone)


def _has_month_rules(program: Program) -> bool:
    versions = PlanVersion.objects.published().filter(plan__program=program)
    of_a_month = Q(kind__in=[RateKind.RETAINER, RateKind.DRAW])
    guaranteed = Q(params__limits__window_min__isnull=False)
    return Rule.objects.filter(of_a_month | guaranteed, version__in=versions).exists()


def _due(membership: Membership, period: Period, last_instant: datetime) -> tuple[Line, ...]:
    terms = Terms.load([membership.pk])
    member = terms.members[membership.pk]
    rater = terms.rater(member, last_instant, None)
    if rater is None:
        return ()
    standing = terms.standing(member, last_instant)
    memory = _memory(terms, member, last_instant)
    return month_lines(rater, standing, period.as_month, _so_far(terms, member, period), memory)


def _memory(terms: Terms, member: Membership, last_instant: datetime) -> Memory:
    scope = Scope(last_instant, last_instant, frozenset())
    return Loader(terms, scope).load([member])[member.pk]


def _so_far(terms: Terms, membership: Membership, period: Period) -> MonthSoFar:
    """Return what the month's events came to, by the month they are booked in, and what is advanced up to now."""
    mine = Commission.objects.filter(membership=membership)
    events = mine.filter(period=period, credit__isnull=False)
    advanced = mine.filter(kind__in=ADVANCED).order_by().values_list("rule_key")
    rows = list(advanced.annotate(Sum("amount_minor"), Max("plan_version")))
    former = {rule: terms.version(membership.program_id, version) for rule, _minor, version in rows}
    return MonthSoFar(
        currency=membership.program.currency,
        earned=int(events.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"]),
        outstanding={rule: int(minor) for rule, minor, _version in rows},
        is_active=is_active(membership, period.as_month),
        former={rule: rater for rule, rater in former.items() if rater is not None},
    )


def _moves(membership: Membership, lines: Sequence[Line]) -> list[ledger.Move]:
    """Return what moves: an advance is no expense but something the partner owes."""
    currency = membership.program.currency
    pending = ledger.partner_account(membership, AccountKind.PENDING)
    moves: list[ledger.Move] = []
    for kind, is_advance in ((AccountKind.EXPENSE, False), (AccountKind.ADVANCES, True)):
        amounts = [line.amount for line in lines if (line.what in ADVANCED) is is_advance]
        for amount in ledger.gains_and_losses(amounts, currency):
            if amount:
                account = ledger.program_account(membership.program, kind)
                moves += ledger.shift(down=account, up=pending, amount=amount)
    return moves


def _commission(
    membership: Membership, line: Line, written: Transaction, last_instant: datetime, *, at: datetime
) -> Commission:
    return Commission(
        key=f"month:{written.period_id}:{membership.pk}:{line.rule_key}:{line.what}",
        membership=membership,
        plan_version_id=line.version_id,
        rule_key=line.rule_key,
        kind=line.what,
        window=line.window,
        base_minor=line.base.minor,
        rate=0 if line.rate is None else line.rate * 100,
        flat_minor=0 if line.flat is None else line.flat.minor,
        amount_minor=line.amount.minor,
        currency=line.amount.currency,
        because=line.because,
        effective_at=last_instant,
        period_id=written.period_id,
        payable_at=last_instant,
        state=CommissionState.ON_HOLD,
        accrued_in=written,
        computed_at=at,
    )
