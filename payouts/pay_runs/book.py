"""Book what the bank says: payments confirmed, refused or sent back. Money that comes back is owed as before, and is paid next time
under a new id."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payouts import ledger, notices
from payouts.calendar import for_posting
from payouts.choices import (
    AccountKind,
    CommissionState,
    PaymentState,
    PayRunState,
    StatementState,
    TransactionKind,
)
from payouts.events import PaymentSettled
from payouts.models import Commission, Payment, PayRun, Statement
from payouts.pay_runs import common
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.events import announce

if TYPE_CHECKING:
    from prm.accounts.models import User

_OUT = (PayRunState.EXPORTED, PayRunState.SENT, PayRunState.PARTLY_FAILED)
_CAME_BACK = (PaymentState.FAILED, PaymentState.RETURNED)


class NotSent(Refused):
    message = _("This payment is not on its way and was not paid, so it cannot fail.")


@transaction.atomic
def settle(
    run: PayRun,
    *,
    by: User,
    at: datetime,
    reference: str = "",
    payments: Iterable[Payment] | None = None,
) -> PayRun:
    """Book `payments` of an exported run as paid, by default all that are on their way.

    When none is on its way any more the run is reconciled. Settled payments are passed over.
    Raises: Forbidden, NotInState.
    """
    policy.require(by, "settle_pay_runs")
    run = common.lock(run)
    if run.state == PayRunState.RECONCILED:
        return run
    if run.state not in _OUT:
        raise common.NotInState(run)
    chosen = None if payments is None else {payment.pk for payment in payments}
    for payment in common.payments_of(run):
        if payment.state == PaymentState.SENT and (chosen is None or payment.pk in chosen):
            _settle(payment, by=by, at=at, reference=reference)
    if not Payment.objects.filter(pay_run=run, state=PaymentState.SENT).exists():
        common.move(run, expected=_OUT, to=PayRunState.RECONCILED, reconciled_at=at, reconciled_by=by)
        audit.record(by, "pay_run.reconciled", run, at=at)
    return run


def _settle(payment: Payment, *, by: User, at: datetime, reference: str) -> None:
    moved = Payment.objects.filter(pk=payment.pk, state=PaymentState.SENT).update(
        state=PaymentState.SETTLED, settled_at=at, bank_reference=reference[:60]
    )
    if not moved:
        return
    _post(payment, TransactionKind.PAYMENT_SETTLED, down=AccountKind.IN_PAYMENT, by=by, at=at)
    Commission.objects.filter(payment=payment, state=CommissionState.SENT).update(state=CommissionState.PAID)
    Statement.objects.filter(pk=payment.statement_id).update(state=StatementState.PAID)
    payment.refresh_from_db(fields=["state", "settled_at", "bank_reference"])
    audit.record(by, "payment.settled", payment, at=at, reference=reference)
    notices.tell_payment_sent(payment, at=at)
    announce(PaymentSettled(payment.pk))


@transaction.atomic
def fail(payment: Payment, *, reason: str, by: User, at: datetime) -> Payment:
    """Book a payment the bank refused, or sent back after it was confirmed; one that came back already is returned.

    Raises: Forbidden, NotSent.
    """
    policy.require(by, "settle_pay_runs")
    common.lock(payment.pay_run)
    payment = Payment.objects.select_related(
        "statement", "membership__partner", "membership__program", "pay_run"
    ).get(pk=payment.pk)
    if payment.state in _CAME_BACK:
        return payment
    was_paid = payment.state == PaymentState.SETTLED
    if not was_paid and payment.state != PaymentState.SENT:
        raise NotSent
    Payment.objects.filter(pk=payment.pk, state=payment.state).update(
        state=PaymentState.RETURNED if was_paid else PaymentState.FAILED,
        failed_at=at,
        failure_reason=reason[:200],
    )
    came_from = AccountKind.CASH if was_paid else AccountKind.IN_PAYMENT
    _post(payment, TransactionKind.PAYMENT_FAILED, down=came_from, by=by, at=at, reason=reason)
    _reopen(payment)
    common.move(payment.pay_run, expected=[*_OUT, PayRunState.RECONCILED], to=PayRunState.PARTLY_FAILED)
    payment.refresh_from_db()
    audit.record(by, "payment.failed", payment, at=at, note=reason)
    notices.tell_payment_failed(payment)
    return payment


def _reopen(payment: Payment) -> None:
    """Put the lines and the statement back where they were before the payment left."""
    Commission.objects.filter(payment=payment).update(state=CommissionState.ON_STATEMENT, payment=None)
    common.reopen_statement(payment)


def _post(
    payment: Payment, kind: TransactionKind, *, down: AccountKind, by: User, at: datetime, reason: str = ""
) -> None:
    membership = payment.membership
    program = membership.program
    source = (
        ledger.program_account(program, AccountKind.CASH)
        if down == AccountKind.CASH
        else ledger.partner_account(membership, down)
    )
    target = (
        ledger.program_account(program, AccountKind.CASH)
        if kind == TransactionKind.PAYMENT_SETTLED
        else ledger.partner_account(membership, AccountKind.PAYABLE)
    )
    ledger.post(
        key=f"{kind.value}:{payment.public_id}",
        kind=kind,
        period=for_posting(program, at),
        effective_at=at,
        at=at,
        by=by,
        reason=reason[:200],
        moves=[ledger.Move(debit=source, credit=target, amount=payment.amount)],
    )
