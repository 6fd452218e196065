"""Issue a membership's statement for a month: the bridge from the last balance to the new one, with every line that became
ready to pay. It is issued once, under the next number of its series, and agrees with the ledger to the last minor unit.

The bridge is opening + earned + reversed + adjusted + paid = closing. `earned` is what lines added and `reversed` what lines took,
whatever their kind, so that `reversed` is never positive; what the lines are is told apart in the facts (`terms`), which add up to
both. `adjusted` is what people posted without a line. Lines of zero are explained where lines are listed, and not printed."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction

from partners.models import Membership
from payouts import ledger, numbers, statement_facts
from payouts.choices import AccountKind, CommissionState, PaymentState, StatementState, TransactionKind
from payouts.events import StatementIssued
from payouts.explained import subject
from payouts.models import Commission, Entry, Period, Statement, StatementLine
from payouts.models.commission import CommissionQuerySet
from payouts.notices import tell_statement_ready
from payouts.statement_facts import Bridge
from prm import audit
from prm.lib.events import announce
from prm.lib.money import Money

if TYPE_CHECKING:
    from tiers.models import Program

# No I, L, O, U: a code is read aloud and typed from paper.
_CHECK_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAYMENT_KINDS = (TransactionKind.PAYMENT_INSTRUCTED, TransactionKind.PAYMENT_FAILED)
_LINE_KINDS = (TransactionKind.RELEASE,)
# A month this long past is history being brought in: nobody waits for a mail about it.
_HISTORY_AFTER = timedelta(days=92)
_BATCH = 500


class DisagreesWithLedger(RuntimeError):
    """The lines or the last balance do not lead to the ledger's balance. Nothing is issued; this is a fault of ours."""


@transaction.atomic
def issue(membership: Membership, *, period: Period, at: datetime) -> Statement:
    """Issue the statement of `membership` for `period`, or return the one that was issued.

    Raises: DisagreesWithLedger.
    """
    membership = (
        Membership.objects.lock().select_related("partner", "program__legal_entity").get(pk=membership.pk)
    )
    program = membership.program
    issued = Statement.objects.filter(membership=membership, period=period, currency=program.currency).first()
    if issued is not None:
        return issued
    lines = _lines_of(membership, period)
    bridge = _bridge(membership, period, lines)
    statement = _write(membership, period, bridge, lines, at=at)
    _claim(statement, lines)
    _hand_over(membership, statement)
    audit.record(None, "statement.issued", statement, at=at, closing_minor=bridge.closing.minor)
    announce(StatementIssued(statement.pk))
    if at - period.ends_at < _HISTORY_AFTER and (lines or not bridge.is_still):
        tell_statement_ready(statement)
    return statement


def _lines_of(membership: Membership, period: Period) -> list[Commission]:
    """Return the lines released into this month, locked, in the order they happened."""
    return list(
        _with_money_in(membership, period)
        .select_related(*subject.READ_WITH)
        .select_for_update(of=("self",))
        .order_by("effective_at", "pk")
    )


def _with_money_in(membership: Membership, period: Period) -> CommissionQuerySet:
    mine = Commission.objects.filter(membership=membership, released_in__period=period, statement=None)
    return mine.exclude(amount_minor=0)


def _bridge(membership: Membership, period: Period, lines: list[Commission]) -> Bridge:
    """Add the month up from the lines and the ledger, and refuse when the two do not meet."""
    currency = membership.program.currency
    last = _last_before(membership, period, currency)
    moved = payable_movements(membership, period, currency)
    gained, taken = ledger.gains_and_losses((line.amount for line in lines), currency)
    bridge = Bridge(
        opening=last.closing if last else Money(0, currency),
        earned=gained,
        reversed=taken,
        adjusted=_total(moved, currency, except_for=(*_PAYMENT_KINDS, *_LINE_KINDS)),
        paid=_total(moved, currency, only=_PAYMENT_KINDS),
    )
    released = _total(moved, currency, only=_LINE_KINDS)
    if bridge.earned + bridge.reversed != released:
        raise DisagreesWithLedger(
            f"Lines of {membership.public_id} in {period} differ from what was released."
        )
    if bridge.closing != payable_at_end_of(membership, period, currency):
        raise DisagreesWithLedger(
            f"The bridge of {membership.public_id} in {period} misses the ledger's balance."
        )
    return bridge


def payable_movements(membership: Membership, period: Period, currency: str) -> dict[str, int]:
    """Return what each kind of transaction added to the payable account in the month, in minor units."""
    return _sum_by_kind(membership, currency, models.Q(transaction__period=period))


def payable_at_end_of(membership: Membership, period: Period, currency: str) -> Money:
    """Return the payable balance of the ledger up to and including the month."""
    until = models.Q(transaction__period__year__lt=period.year) | models.Q(
        transaction__period__year=period.year, transaction__period__month__lte=period.month
    )
    return Money(sum(_sum_by_kind(membership, currency, until).values()), currency)


def _sum_by_kind(membership: Membership, currency: str, when: models.Q) -> dict[str, int]:
    mine = {"membership": membership, "kind": AccountKind.PAYABLE, "currency": currency}
    totals: dict[str, int] = {}
    for side, sign in (("credit", 1), ("debit", -1)):
        sides = {f"{side}__{name}": value for name, value in mine.items()}
        rows = (
            Entry.objects.filter(when, **sides)
            .order_by()
            .values_list("transaction__kind")
            .annotate(total=models.Sum("amount_minor"))
        )
        for kind, total in rows:
            totals[kind] = totals.get(kind, 0) + sign * total
    return totals


def _total(
    moved: dict[str, int], currency: str, *, only: tuple[str, ...] = (), except_for: tuple[str, ...] = ()
) -> Money:
    taken = (minor for kind, minor in moved.items() if (kind in only if only else kind not in except_for))
    return Money(sum(taken), currency)


def _last_before(membership: Membership, period: Period, currency: str) -> Statement | None:
    earlier = models.Q(period__year__lt=period.year) | models.Q(
        period__year=period.year, period__month__lt=period.month
    )
    return Statement.objects.filter(earlier, membership=membership, currency=currency).latest_first().first()


def _write(
    membership: Membership, period: Period, bridge: Bridge, lines: list[Commission], *, at: datetime
) -> Statement:
    program = membership.program
    due_on = payment_date(program, period) if is_payable(program, bridge.closing) else None
    facts = statement_facts.collect(membership, period, bridge, lines, at=at, due_on=due_on)
    year = at.astimezone(program.zone).year
    sequence = numbers.draw(program.legal_entity, series=numbers.STATEMENTS, year=year)
    number = f"{program.legal_entity.number_prefix}-{year}-{sequence:05d}"
    printed = [_printed(line, position, period) for position, line in enumerate(lines, start=1)]
    statement = Statement.objects.create(
        legal_entity=program.legal_entity,
        year=year,
        sequence=sequence,
        number=number,
        membership=membership,
        period=period,
        currency=program.currency,
        state=StatementState.ISSUED if due_on else StatementState.CARRIED_OVER,
        **bridge.columns(),
        line_count=len(lines),
        issued_at=at,
        due_on=due_on,
        language=membership.partner.language,
        facts=facts,
        sha256=statement_facts.content_hash(number, facts, printed),
        check_code="".join(secrets.choice(_CHECK_ALPHABET) for _place in range(12)),
    )
    for line in printed:
        line.statement = statement
    StatementLine.objects.bulk_create(printed, batch_size=_BATCH)
    return statement


def is_payable(program: Program, closing: Money) -> bool:
    """Tell whether a balance is paid: more than nothing, and the minimum itself is enough."""
    return closing.minor > 0 and closing >= program.minimum_payout


def payment_date(program: Program, period: Period) -> date:
    """Return the day the month's statement is paid."""
    return period.as_month.next().first_on.replace(day=program.payment_day)


def _printed(line: Commission, position: int, period: Period) -> StatementLine:
    return StatementLine(
        position=position,
        commission=line,
        occurred_at=line.effective_at,
        order_id=subject.order_text(line),
        customer=subject.masked_customer(line),
        kind=line.kind,
        base_minor=line.base_minor,
        rate=line.rate,
        flat_minor=line.flat_minor,
        amount_minor=line.amount_minor,
        from_earlier_period=line.effective_at < period.starts_at,
    )


def _claim(statement: Statement, lines: list[Commission]) -> None:
    """Move the lines onto the statement; each can be on one only."""
    found = _with_money_in(statement.membership, statement.period).filter(state=CommissionState.PAYABLE)
    moved = found.update(state=CommissionState.ON_STATEMENT, statement=statement)
    if moved != len(lines):
        raise DisagreesWithLedger(f"{moved} of {len(lines)} lines went onto {statement.number}.")


def _hand_over(membership: Membership, statement: Statement) -> None:
    """Mark earlier statements that nobody is paying as carried over: their balance is part of the new one."""
    living = [PaymentState.QUEUED, PaymentState.SENT, PaymentState.SETTLED]
    waiting = Statement.objects.filter(
        membership=membership, currency=statement.currency, state=StatementState.ISSUED
    ).exclude(pk=statement.pk)
    waiting.exclude(payments__state__in=living).update(state=StatementState.CARRIED_OVER)
