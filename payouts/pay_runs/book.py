"""Book what the bank says: payments confirmed, refused or sent back. Money that comes back is owed as before, exactly as it was
instructed, and is paid next time under a new id."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from payouts.calendar import posts_whole
from payouts.choices import PaymentState, PayRunState
from payouts.models import Payment, PayRun
from payouts.pay_runs import common
from payouts.pay_runs.books import Books, Told
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User

OUT = (PayRunState.EXPORTED, PayRunState.SENT, PayRunState.PARTLY_FAILED)
CAME_BACK = (PaymentState.FAILED, PaymentState.RETURNED)


class NotSent(Refused):
    message = _("This payment is not on its way and was not paid, so it cannot fail.")


class PaidMeanwhile(Refused):
    message = _(
        "This payment was booked as paid in the meantime. Look at it again before you mark it as failed."
    )


@posts_whole
def settle(
    run: PayRun,
    *,
    by: User,
    at: datetime,
    reference: str = "",
    payments: Iterable[Payment] | None = None,
    booked_on: date | None = None,
) -> PayRun:
    """Book `payments` of an exported run as paid, by default all that are on their way.

    When none is on its way any more the run is reconciled. Settled payments are passed over.
    Raises: Forbidden, NotInState.
    """
    policy.require(by, "settle_pay_runs")
    run = common.lock(run)
    if run.state == PayRunState.RECONCILED:
        return run
    if run.state not in OUT:
        raise common.NotInState(run)
    chosen = None if payments is None else {payment.pk for payment in payments}
    found = [
        payment
        for payment in common.payments_of(run)
        if payment.state == PaymentState.SENT and (chosen is None or payment.pk in chosen)
    ]
    books = Books(found, by=by, at=at)
    for payment in found:
        books.settle(payment, Told(reference=reference, booked_on=booked_on))
    books.post()
    finish(run, by=by, at=at)
    return run


@posts_whole
def fail(
    payment: Payment,
    *,
    reason: str,
    by: User,
    at: datetime,
    code: str = "",
    reference: str = "",
    booked_on: date | None = None,
    fee: Money | None = None,
) -> Payment:
    """Book a payment the bank refused, or sent back after it was confirmed; one that came back already is returned.

    What the caller saw of the payment decides: one seen on its way that was paid since is refused.
    Raises: Forbidden, NotSent, PaidMeanwhile.
    """
    policy.require(by, "settle_pay_runs")
    common.lock(payment.pay_run)
    seen = payment.state
    payment = Payment.objects.select_related(
        "statement", "membership__partner", "membership__program", "pay_run"
    ).get(pk=payment.pk)
    if payment.state in CAME_BACK:
        return payment
    if payment.state not in (PaymentState.SENT, PaymentState.SETTLED):
        raise NotSent
    if seen == PaymentState.SENT and payment.state == PaymentState.SETTLED:
        raise PaidMeanwhile
    books = Books([payment], by=by, at=at)
    books.fail(payment, Told(reference=reference, code=code, reason=reason, booked_on=booked_on, fee=fee))
    books.post()
    came_back_to(payment.pay_run)
    payment.refresh_from_db()
    return payment


def came_back_to(run: PayRun) -> None:
    """Say of a run that something of it came back."""
    common.move(run, expected=[*OUT, PayRunState.RECONCILED], to=PayRunState.PARTLY_FAILED)


def finish(run: PayRun, *, by: User, at: datetime) -> None:
    """Call a run reconciled when nothing of it is on its way any more."""
    if Payment.objects.filter(pay_run=run, state=PaymentState.SENT).exists():
        return
    common.move(run, expected=OUT, to=PayRunState.RECONCILED, reconciled_at=at, reconciled_by=by)
    audit.record(by, "pay_run.reconciled", run, at=at)
