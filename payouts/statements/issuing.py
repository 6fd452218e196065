"""Issue a membership's statement for a month: the bridge from the last balance to the new one, with every line that moved it. It is
issued once, under the next number of its series, and agrees with the ledger to the last minor unit.

The bridge is opening + earned + reversed + adjusted + vat + withheld + paid = closing. `earned` is what commission lines added and
`reversed` what they took, whatever their kind, so that `reversed` is never positive; what the lines are is told apart in the facts
(`terms`), which add up to both. The other terms are what moved without a commission, told apart in the facts too (`others`). Every
term is the sum of lines that are listed. Lines of zero are explained where lines are listed, and not printed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from partners.choices import MembershipState
from partners.models import Membership
from payouts import ledger, numbers, statement_facts
from payouts.choices import AccountKind, CommissionState, StatementKind, StatementState
from payouts.events import StatementIssued
from payouts.explained import subject
from payouts.models import Commission, Payment, Period, Statement, StatementLine
from payouts.models.commission import CommissionQuerySet
from payouts.notices import tell_statement_ready
from payouts.statement_facts import Bridge
from payouts.statements import lines, movements, vat
from payouts.statements.movements import Moved, Movements
from prm import audit
from prm.lib.events import announce
from prm.lib.money import Money

if TYPE_CHECKING:
    from tiers.models import Program

# No I, L, O, U: a code is read aloud and typed from paper.
_CHECK_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# A month this long past is history being brought in: nobody waits for a mail about it.
_HISTORY_AFTER = timedelta(days=92)


class DisagreesWithLedger(RuntimeError):
    """The lines or the last balance do not lead to the ledger's balance. Nothing is issued; this is a fault of ours."""


@transaction.atomic
def issue(membership: Membership, *, period: Period, at: datetime) -> Statement:
    """Issue the statement of `membership` for `period`, or return the one that is in force.

    Raises: DisagreesWithLedger, payouts.fx.NoRate.
    """
    membership = (
        Membership.objects.lock().select_related("partner", "program__legal_entity").get(pk=membership.pk)
    )
    issued = Statement.objects.in_force().filter(
        membership=membership, period=period, currency=membership.program.currency
    )
    found = issued.first()
    if found is not None:
        return found
    commissions = _lines_of(membership, period)
    moved = movements.of_month(membership, period)
    net = vat.net_of(commissions, moved.others, membership.program.currency)
    charge = vat.charge_of(membership, net, as_of=vat.last_instant_of(period))
    charged = vat.post(membership, period, charge, at=at)
    others = (*moved.others, charged) if charged is not None else moved.others
    bridge = _bridge(membership, period, commissions, moved, others)
    is_paid = is_payable(membership.program, bridge.closing) or is_last_payment(membership, bridge.closing)
    due_on = payment_date(membership.program, period) if is_paid else None
    facts = statement_facts.collect(
        membership,
        period,
        bridge,
        commissions,
        _by_kind(others),
        net=net,
        tax=charge.facts(membership.partner.language),
        at=at,
        due_on=due_on,
    )
    printed = lines.printed(commissions, others, period)
    state = StatementState.ISSUED if due_on else StatementState.CARRIED_OVER
    statement = write(membership, period, bridge, facts, printed, state=state, at=at)
    _claim(statement, commissions)
    _hand_over(membership, statement)
    audit.record(None, "statement.issued", statement, at=at, closing_minor=bridge.closing.minor)
    announce(StatementIssued(statement.pk))
    vat.invoice(statement, at=at)
    if at - period.ends_at < _HISTORY_AFTER and (printed or not bridge.is_still):
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


def _bridge(
    membership: Membership,
    period: Period,
    commissions: Sequence[Commission],
    moved: Movements,
    others: Sequence[Moved],
) -> Bridge:
    """Add the month up from its lines, and refuse when they and the ledger do not meet."""
    currency = membership.program.currency
    last = _last_before(membership, period, currency)
    gained, taken = ledger.gains_and_losses((line.amount for line in commissions), currency)
    sums = {
        name: Money.total((each.amount for each in others if movements.TERM_OF[each.kind] == name), currency)
        for name in ("adjusted", "vat", "withheld", "paid")
    }
    bridge = Bridge(
        opening=last.closing if last else Money(0, currency), earned=gained, reversed=taken, **sums
    )
    if gained + taken != moved.released:
        raise DisagreesWithLedger(
            f"Lines of {membership.public_id} in {period} differ from what was released."
        )
    account = moved.account
    if account is None and others:
        account = ledger.partner_account(membership, AccountKind.PAYABLE)
    if bridge.closing != movements.balance_at_end_of(account, period, currency):
        raise DisagreesWithLedger(
            f"The bridge of {membership.public_id} in {period} misses the ledger's balance."
        )
    return bridge


def _by_kind(others: Sequence[Moved]) -> dict[str, dict[str, int]]:
    """Add up what moved without a commission, by what it is; all of it together is every term but the commissions."""
    found: dict[str, dict[str, int]] = {}
    for moved in others:
        row = found.setdefault(str(moved.kind), {"lines": 0, "amount_minor": 0})
        row["lines"] += 1
        row["amount_minor"] += moved.amount.minor
    return found


def _last_before(membership: Membership, period: Period, currency: str) -> Statement | None:
    earlier = models.Q(period__year__lt=period.year) | models.Q(
        period__year=period.year, period__month__lt=period.month
    )
    mine = Statement.objects.in_force().filter(earlier, membership=membership, currency=currency)
    return mine.latest_first().first()


def write(
    membership: Membership,
    period: Period,
    bridge: Bridge,
    facts: dict[str, Any],
    printed: Sequence[StatementLine],
    *,
    state: StatementState,
    at: datetime,
    kind: StatementKind = StatementKind.STATEMENT,
    corrects: Statement | None = None,
    reason: str = "",
) -> Statement:
    """Store a document under the next number of the legal entity's series, with its lines and the hash over all it says."""
    program = membership.program
    year = at.astimezone(program.zone).year
    sequence = numbers.draw(program.legal_entity, series=numbers.STATEMENTS, year=year)
    number = f"{program.legal_entity.number_prefix}-{year}-{sequence:05d}"
    due_on = facts["due_on"]
    statement = Statement.objects.create(
        legal_entity=program.legal_entity,
        year=year,
        sequence=sequence,
        number=number,
        membership=membership,
        period=period,
        currency=program.currency,
        kind=kind,
        corrects=corrects,
        correction_reason=reason,
        state=state,
        **bridge.columns(),
        line_count=len(printed),
        issued_at=at,
        due_on=date.fromisoformat(due_on) if due_on else None,
        language=membership.partner.language,
        facts=facts,
        sha256=statement_facts.content_hash(number, facts, printed),
        check_code="".join(secrets.choice(_CHECK_ALPHABET) for _place in range(12)),
    )
    lines.put_on(statement, printed)
    return statement


def is_payable(program: Program, closing: Money) -> bool:
    """Tell whether a balance is paid: more than nothing, and the minimum itself is enough."""
    return closing.minor > 0 and closing >= program.minimum_payout


def is_last_payment(membership: Membership, closing: Money) -> bool:
    """Tell whether a balance is paid however little it is, because its partner has left and nothing could be added to it."""
    return closing.minor > 0 and membership.state in (MembershipState.ENDED, MembershipState.TERMINATED)


def payment_date(program: Program, period: Period) -> date:
    """Return the day the month's statement is paid."""
    return period.as_month.next().first_on.replace(day=program.payment_day)


def _claim(statement: Statement, commissions: Sequence[Commission]) -> None:
    """Move the lines onto the statement; each can be on one only."""
    found = _with_money_in(statement.membership, statement.period).filter(state=CommissionState.PAYABLE)
    moved = found.update(state=CommissionState.ON_STATEMENT, statement=statement)
    if moved != len(commissions):
        raise DisagreesWithLedger(f"{moved} of {len(commissions)} lines went onto {statement.number}.")


def _hand_over(membership: Membership, statement: Statement) -> None:
    """Mark earlier statements that nobody is paying as carried over: their balance is part of the new one."""
    waiting = Statement.objects.filter(
        membership=membership, currency=statement.currency, state=StatementState.ISSUED
    ).exclude(pk=statement.pk)
    # A payment keeps naming the statement it was made for, which may have been corrected since.
    living = Payment.objects.filter(
        statement__membership=models.OuterRef("membership"),
        statement__period=models.OuterRef("period"),
        statement__currency=models.OuterRef("currency"),
    ).live()
    waiting.exclude(models.Exists(living)).update(state=StatementState.CARRIED_OVER)
