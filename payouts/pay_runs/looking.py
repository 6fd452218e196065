"""What people do with a checked run before it is approved: say that they looked at a check, and take a payment out. Whatever changes
whom the run pays takes its approval back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from payouts.choices import LeftOut, PaymentState, PayRunState
from payouts.models import Payment, PayRun, PayRunCheck, PayRunException
from payouts.pay_runs import checks, common, opening
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User


class NoteMissing(Refused):
    message = _("Write what you found, so that whoever approves can read it.")
    field = "note"


class ReasonMissing(Refused):
    message = _("Write why this payment is left out.")
    field = "reason"


class OnlyPayment(Refused):
    message = _("This is the only payment of the run. Cancel the run instead.")


class NotInTheRun(Refused):
    message = _("This payment is not in the run any more.")


def acknowledge(check: PayRunCheck, *, note: str, by: User, at: datetime) -> PayRunCheck:
    """Record that a person looked at a check and found it right; the first one stays who looked.

    Raises: Forbidden, NoteMissing, NotInState.
    """
    _acknowledge(check.pay_run, check.kind, note=note, by=by, at=at, only=[check.pk])
    check.refresh_from_db()
    return check


def acknowledge_kind(
    run: PayRun, kind: str, *, note: str, by: User, at: datetime, only: Collection[int] | None = None
) -> int:
    """Record the same about the checks of a kind nobody looked at yet, all or `only` these; return how many those were.

    Raises: Forbidden, NoteMissing, NotInState.
    """
    return _acknowledge(run, kind, note=note, by=by, at=at, only=only)


def acknowledge_all(run: PayRun, *, note: str, by: User, at: datetime) -> int:
    """Record the same about every check of the run nobody looked at yet; return how many those were.

    Raises: Forbidden, NoteMissing, NotInState.
    """
    kinds = run.checks.filter(acknowledged_at=None).order_by("kind").values_list("kind", flat=True).distinct()
    return sum(_acknowledge(run, kind, note=note, by=by, at=at) for kind in list(kinds))


@transaction.atomic
def _acknowledge(
    run: PayRun, kind: str, *, note: str, by: User, at: datetime, only: Collection[int] | None = None
) -> int:
    policy.require(by, "prepare_pay_runs")
    if not note.strip():
        raise NoteMissing
    run = common.lock(run)
    if run.state != PayRunState.CHECKED:
        raise common.NotInState(run)
    waiting = run.checks.filter(kind=kind, acknowledged_at=None)
    if only is not None:
        waiting = waiting.filter(pk__in=only)
    looked_at = waiting.update(acknowledged_at=at, acknowledged_by=by, note=note.strip()[:200])
    if looked_at:
        audit.record(by, "pay_run.check_acknowledged", run, at=at, kind=kind, checks=looked_at, note=note)
    return looked_at


@transaction.atomic
def leave_out(payment: Payment, *, reason: str, by: User, at: datetime) -> PayRun:
    """Take a payment out of a run that has not left, with a reason; an approval of the run is void then.

    Raises: Forbidden, ReasonMissing, NotInState, NotInTheRun, OnlyPayment, OneAtATime.
    """
    policy.require(by, "prepare_pay_runs")
    if not reason.strip():
        raise ReasonMissing
    run = common.lock(payment.pay_run)
    _back_to_draft(run)
    taken = Payment.objects.filter(pk=payment.pk, pay_run=run, state=PaymentState.QUEUED).update(
        state=PaymentState.CANCELLED
    )
    if not taken:
        raise NotInTheRun
    payments = common.payments_of(run)
    if not payments:
        raise OnlyPayment
    PayRunException.objects.create(
        pay_run=run,
        membership_id=payment.membership_id,
        amount_minor=payment.amount_minor,
        reason=LeftOut.HELD_BACK,
        detail=reason.strip()[:200],
    )
    common.reopen_statement(payment)
    common.move(run, expected=[PayRunState.DRAFT], to=PayRunState.CHECKED, **common.totals(run, payments))
    checks.look_again(run, payment, at=at)
    payment.refresh_from_db(fields=["state"])
    audit.record(
        by,
        "pay_run.payment_left_out",
        run,
        at=at,
        note=reason,
        payment=payment.public_id,
        total_minor=run.total_minor,
    )
    return run


def _back_to_draft(run: PayRun) -> None:
    """Take the run out of approval, once; only a draft may change whom it pays."""
    try:
        with transaction.atomic():
            common.move(
                run,
                expected=[PayRunState.CHECKED, PayRunState.APPROVED],
                to=PayRunState.DRAFT,
                approved_at=None,
                approved_by=None,
            )
    except IntegrityError:
        other = opening.being_prepared(run.legal_entity, run.currency)
        if other is None:
            raise
        raise opening.OneAtATime(other) from None
