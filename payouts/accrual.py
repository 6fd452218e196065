"""Turn credits into commission lines and ledger entries. A credit is rated exactly once: it is locked while it is worked on,
and its lines, its postings and its mark are written together or not at all."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models import Q

from partners.models import Membership, Placement
from payouts import ledger
from payouts.calendar import Calendar
from payouts.choices import AccountKind, CommissionKind, CommissionState, TransactionKind
from payouts.models import Account, Commission, Period, Transaction
from prm.lib.db import persistently
from prm.lib.money import Money
from prm.lib.periods import hold_until
from referrals.models import Conversion, Credit
from tiers import rulebook
from tiers.choices import EventKind
from tiers.engine.explain import restore
from tiers.engine.facts import Event, Line, OriginalLine, Standing
from tiers.engine.reversal import reverse

logger = logging.getLogger(__name__)

BATCH = 500  # on SQLite a transaction holds the one write lock: keep it short


@dataclass
class Accrued:
    """What a call did: credits rated, lines written, credits no rule covered, refunds still waiting for their sale,
    and events that could not be computed."""

    rated: int = 0
    lines: int = 0
    uncovered: int = 0
    waiting: int = 0
    failed: int = 0

    def add(self, other: Accrued) -> None:
        self.rated += other.rated
        self.lines += other.lines
        self.uncovered += other.uncovered
        self.waiting += other.waiting
        self.failed += other.failed


@dataclass
class _Draft:
    """One line on its way into the books."""

    credit: Credit
    line: Line
    kind: CommissionKind
    payable_at: datetime
    reverses: Commission | None = None


@dataclass
class _Batch:
    """What one batch needs to know, read in a handful of queries."""

    rules: rulebook.Rulebook
    placements: dict[int, list[Placement]] = field(default_factory=dict)

    def standing(self, credit: Credit) -> Standing:
        """Return where the membership stood when the event happened; before its first placement, in no tier."""
        for placement in self.placements.get(credit.membership_id, ()):
            if placement.starts_at <= credit.occurred_at and (
                placement.ends_at is None or credit.occurred_at < placement.ends_at
            ):
                return Standing(tier_key=placement.tier.key, tier_name=placement.tier.name)
        return Standing(tier_key="")


def accrue(conversion_ids: Sequence[int], *, at: datetime) -> Accrued:
    """Rate the unrated credits of these conversions, in batches of one transaction each.

    Credits that another worker holds are left to it; calling again is harmless.
    """
    done = Accrued()
    for start in range(0, len(conversion_ids), BATCH):
        done.add(_accrue_batch(conversion_ids[start : start + BATCH], at=at))
    return done


def drain(*, at: datetime, older_than: timedelta = timedelta(0)) -> Iterator[Accrued]:
    """Rate everything nobody rated yet, oldest event first, yielding what each batch did.

    Reads the queue once per batch from where the last one ended, so that a refund still waiting for its sale does
    not come up again and again.
    """
    queue = Credit.objects.unrated().filter(attributed_at__lte=at - older_than).order_by("occurred_at", "pk")
    after: tuple[datetime, int] | None = None
    while True:
        rest = queue if after is None else queue.filter(_later_than(after))
        rows = list(rest.values_list("conversion_id", "occurred_at", "pk")[:BATCH])
        if not rows:
            return
        after = rows[-1][1], rows[-1][2]
        yield _accrue_what_can_be([row[0] for row in rows], at=at)


def sweep(
    *, at: datetime, older_than: timedelta = timedelta(0), until: Callable[[], bool] = lambda: False
) -> Accrued:
    """Rate everything nobody rated yet; `until` is asked after each batch whether to stop."""
    done = Accrued()
    for step in drain(at=at, older_than=older_than):
        done.add(step)
        if until():
            break
    return done


def _later_than(place: tuple[datetime, int]) -> Q:
    instant, pk = place
    return Q(occurred_at__gt=instant) | Q(occurred_at=instant, pk__gt=pk)


def _accrue_what_can_be(conversion_ids: Sequence[int], *, at: datetime) -> Accrued:
    """Rate a batch; when one event cannot be computed, rate the others without it and report that one.

    Without this the one would hold up everybody's commission, sweep after sweep. It stays unrated, so its own
    program's month cannot close before the fault is mended.
    """
    ids = list(dict.fromkeys(conversion_ids))
    try:
        return _accrue_batch(ids, at=at)
    except (ArithmeticError, LookupError, ObjectDoesNotExist, TypeError, ValueError):
        if len(ids) == 1:
            logger.exception("Conversion %s cannot be rated.", ids[0])
            return Accrued(failed=1)
    done = Accrued()
    for each in ids:
        done.add(_accrue_what_can_be([each], at=at))
    return done


def _accrue_batch(conversion_ids: Sequence[int], *, at: datetime) -> Accrued:
    _open_books(conversion_ids)
    return persistently(lambda: _accrue_together(conversion_ids, at=at))


def _open_books(conversion_ids: Sequence[int]) -> None:
    """Make the months and accounts the batch will post into, before its transaction.

    Whoever inserts a row that another worker is inserting waits for that one's transaction; two batches with locks in
    hand would wait for each other for ever.
    """
    rows = Credit.objects.unrated().filter(conversion_id__in=conversion_ids)
    pairs = list(rows.order_by().values_list("membership_id", "occurred_at"))
    members = Membership.objects.select_related("program").in_bulk({member for member, _instant in pairs})
    Calendar().open((members[member].program, instant) for member, instant in pairs)
    _accounts(members.values())


@transaction.atomic
def _accrue_together(conversion_ids: Sequence[int], *, at: datetime) -> Accrued:
    credits = _claim(conversion_ids)
    if not credits:
        return Accrued()
    batch = _read_batch(credits)
    done = Accrued()
    sales = [credit for credit in credits if credit.conversion.original is None]
    refunds = [(credit, sale) for credit in credits if (sale := credit.conversion.original) is not None]
    rated = [*_rate(sales, batch, done)]
    _write(rated, at=at)
    _mark(sales, at=at)
    done.rated += len(sales)
    # Reversals come after the sales of the same batch, because they negate lines that must exist by then.
    for credit, sale in refunds:
        lines = _reversals(credit, sale)
        if lines is None:
            done.waiting += 1
            continue
        _write(lines, at=at)
        _mark([credit], at=at)
        done.rated += 1
        rated += lines
    done.lines = len(rated)
    return done


def _claim(conversion_ids: Sequence[int]) -> list[Credit]:
    """Lock the unrated credits nobody else works on, with all that rating reads, in the order things happened."""
    locked = (
        Credit.objects.unrated()
        .filter(conversion_id__in=conversion_ids)
        .select_for_update(of=("self",), skip_locked=connection.features.has_select_for_update_skip_locked)
        .select_related("conversion__original", "membership__program")
        .order_by("pk")
    )
    return sorted(locked, key=lambda credit: (credit.occurred_at, credit.pk))


def _read_batch(credits: Iterable[Credit]) -> _Batch:
    placements: dict[int, list[Placement]] = defaultdict(list)
    members = {credit.membership_id for credit in credits}
    for placement in (
        Placement.objects.filter(membership_id__in=members).select_related("tier").order_by("starts_at")
    ):
        placements[placement.membership_id].append(placement)
    programs = {credit.membership.program_id for credit in credits}
    return _Batch(rules=rulebook.Rulebook.load(programs), placements=placements)


def _rate(credits: Iterable[Credit], batch: _Batch, done: Accrued) -> Iterable[_Draft]:
    for credit in credits:
        rater = batch.rules.rater_for(credit.membership.program_id, credit.occurred_at)
        lines = rater(_event(credit), batch.standing(credit)) if rater is not None else ()
        if not lines:
            done.uncovered += 1
        program = credit.membership.program
        for line in lines:
            yield _Draft(
                credit=credit,
                line=line,
                kind=CommissionKind.REFUND
                if credit.conversion.kind == EventKind.REFUND
                else CommissionKind.EARNED,
                payable_at=hold_until(credit.occurred_at, program.hold_days, program.zone),
            )


def _event(credit: Credit) -> Event:
    conversion = credit.conversion
    amount = conversion.amount if credit.share == 1 else conversion.amount.portion(credit.share)
    return Event(
        key=conversion.external_id,
        kind=conversion.kind,
        occurred_at=conversion.occurred_at,
        amount=amount,
        country=conversion.country,
    )


def _reversals(credit: Credit, sale: Conversion) -> list[_Draft] | None:
    """Return the lines that take back what the refunded sale earned, or None while the sale itself is not rated yet."""
    original = Credit.objects.get(conversion=sale, membership_id=credit.membership_id)
    if original.rated_at is None:
        return None
    if not sale.amount:
        return []  # nothing came in, so nothing comes back; the share of nothing cannot be computed
    earned = list(Commission.objects.filter(credit=original, kind=CommissionKind.EARNED).lock())
    before = sum(
        Credit.objects.filter(
            conversion__original=sale, membership_id=credit.membership_id, rated_at__isnull=False
        ).values_list("conversion__amount_minor", flat=True)
    )
    by_key = {commission.public_id: commission for commission in earned}
    lines = reverse(
        [OriginalLine(key=commission.public_id, line=restore(commission.because)) for commission in earned],
        sale=sale.amount,
        refunded_before=Money(before, sale.currency),
        refund=credit.conversion.amount,
        event_key=credit.conversion.external_id,
        occurred_at=credit.occurred_at,
    )
    return [
        _Draft(
            credit=credit,
            line=line,
            kind=CommissionKind.REVERSAL,
            # While the sale waits, its reversal waits with it; afterwards it counts at once.
            payable_at=max(by_key[line.reverses].payable_at, credit.occurred_at),
            reverses=by_key[line.reverses],
        )
        for line in lines
    ]


def _write(drafts: Sequence[_Draft], *, at: datetime) -> None:
    """Post the drafts per membership and month and write their commission lines."""
    calendar = Calendar()
    groups: dict[tuple[int, int], list[_Draft]] = defaultdict(list)
    periods = {}
    for draft in drafts:
        period = calendar.for_posting(draft.credit.membership.program, draft.credit.occurred_at)
        periods[period.pk] = period
        groups[draft.credit.membership_id, period.pk].append(draft)
    if not groups:
        return
    members = {draft.credit.membership_id: draft.credit.membership for draft in drafts}
    pending, expense = _accounts(members.values())
    keys = sorted(groups)
    postings = [
        _posting(
            groups[member_id, period_id],
            periods[period_id],
            down=expense[members[member_id].program_id],
            up=pending[member_id, AccountKind.PENDING],
        )
        for member_id, period_id in keys
    ]
    transactions = ledger.post_many(postings, at=at)
    Commission.objects.bulk_create(
        _commission(draft, written, at=at)
        for key, written in zip(keys, transactions, strict=True)
        for draft in groups[key]
    )


def _accounts(
    members: Iterable[Membership],
) -> tuple[dict[tuple[int, AccountKind], Account], dict[int, Account]]:
    """Return the accounts on hold by membership and the expense accounts by program."""
    known = sorted(members, key=lambda member: member.pk)
    programs = {member.program_id: member.program for member in known}
    expense = {pk: ledger.program_account(programs[pk], AccountKind.EXPENSE) for pk in sorted(programs)}
    return ledger.accounts_of(known, [AccountKind.PENDING]), expense


def _posting(drafts: Sequence[_Draft], period: Period, *, down: Account, up: Account) -> ledger.Posting:
    """Return what books the drafts of one membership and month."""
    amounts = ledger.gains_and_losses((draft.line.amount for draft in drafts), up.currency)
    credits = ledger.name_of(draft.credit.pk for draft in drafts)
    return ledger.Posting(
        key=f"accrual:{up.membership_id}:{period.pk}:{credits}",
        kind=TransactionKind.ACCRUAL,
        period=period,
        effective_at=max(draft.credit.occurred_at for draft in drafts),
        moves=[move for amount in amounts for move in ledger.shift(down=down, up=up, amount=amount)],
    )


def _commission(draft: _Draft, written: Transaction, *, at: datetime) -> Commission:
    line = draft.line
    return Commission(
        key=f"{draft.credit.pk}:{line.rule_key}:{draft.kind}:{draft.reverses.pk if draft.reverses else 0}",
        credit=draft.credit,
        conversion_id=draft.credit.conversion_id,
        membership_id=draft.credit.membership_id,
        plan_version_id=line.version_id,
        rule_key=line.rule_key,
        kind=draft.kind,
        base_minor=line.base.minor,
        rate=line.rate * 100 if line.rate is not None else 0,
        flat_minor=line.flat.minor if line.flat is not None else 0,
        amount_minor=line.amount.minor,
        currency=line.amount.currency,
        because=line.because,
        effective_at=draft.credit.occurred_at,
        period_id=written.period_id,
        payable_at=draft.payable_at,
        state=CommissionState.ON_HOLD,
        reverses=draft.reverses,
        accrued_in=written,
        computed_at=at,
    )


def _mark(credits: Iterable[Credit], *, at: datetime) -> None:
    Credit.objects.filter(pk__in=[credit.pk for credit in credits]).update(rated_at=at)
