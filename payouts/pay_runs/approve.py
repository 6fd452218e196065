"""Approve a pay run, or cancel it. Who approves is never who prepared, and the approval holds for exactly the payments that were
prepared: a hash over them is taken at both moments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import settlement
from payouts.choices import PaymentState, PayRunState
from payouts.models import Pause, Payment, PayRun
from payouts.pay_runs import common
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User


class SamePerson(Refused):
    message = _("You prepared this pay run, so somebody else has to approve it.")


class OwnAccountChange(Refused):
    message = _("You entered a bank account this run pays to, so somebody else has to approve it.")


class AlreadyApproved(Refused):
    message = _("This pay run has been approved already.")


class ChangedSincePrepared(Refused):
    message = _("Something in this pay run changed after it was prepared. Cancel it and prepare it again.")


class NotLookedAt(Refused):
    message = _("%(count)s checks of this run are not acknowledged yet. Look at them first.")


class PausedSince(Refused):
    """Somebody the run pays is not to be paid for now: payments are paused, or the membership is suspended or banned."""

    message = _("Payments to %(names)s were paused after the run was prepared. Leave them out first.")


@transaction.atomic
def approve(run: PayRun, *, by: User, at: datetime) -> PayRun:
    """Approve a checked run in the name of a second person.

    Raises: Forbidden, SamePerson, AlreadyApproved, OwnAccountChange, NotInState, NotLookedAt, PausedSince,
    ChangedSincePrepared.
    """
    policy.require(by, "approve_pay_runs")
    run = common.lock(run)
    if run.state == PayRunState.DRAFT:
        raise common.NotInState(run)
    if run.prepared_by_id == by.pk:
        raise SamePerson
    if run.approved_at is not None and run.state != PayRunState.CANCELLED:
        raise AlreadyApproved
    payments = common.payments_of(run)
    if Payment.objects.filter(
        pk__in=[payment.pk for payment in payments], payment_method__added_by=by
    ).exists():
        raise OwnAccountChange
    waiting = run.checks.filter(acknowledged_at=None).count()
    if waiting and run.state == PayRunState.CHECKED:
        raise NotLookedAt(params={"count": waiting})
    require_as_prepared(run, payments)
    common.move(run, expected=[PayRunState.CHECKED], to=PayRunState.APPROVED, approved_at=at, approved_by=by)
    audit.record(by, "pay_run.approved", run, at=at, payments=run.payment_count, total_minor=run.total_minor)
    return run


def require_as_prepared(run: PayRun, payments: Sequence[Payment]) -> None:
    """Raises: ChangedSincePrepared, PausedSince."""
    if common.content_hash(run, payments) != run.sha256:
        raise ChangedSincePrepared
    members = {each.membership_id for each in payments}
    paused = Pause.objects.open().of_payments().filter(membership__in=members)
    barred = Membership.objects.filter(pk__in=settlement.stopped(members))
    names = sorted(
        {
            *paused.values_list("membership__partner__name", flat=True),
            *barred.values_list("partner__name", flat=True),
        }
    )
    if names and run.state in (PayRunState.CHECKED, PayRunState.APPROVED):
        raise PausedSince(params={"names": ", ".join(names[:5])})


@transaction.atomic
def cancel(run: PayRun, *, by: User, at: datetime) -> PayRun:
    """Call off a run that no bank has seen; its statements can be paid by the next one.

    Raises: Forbidden, NotInState.
    """
    policy.require(by, "prepare_pay_runs")
    run = common.lock(run)
    before_export = [PayRunState.DRAFT, PayRunState.CHECKED, PayRunState.APPROVED]
    common.move(run, expected=before_export, to=PayRunState.CANCELLED, cancelled_at=at, cancelled_by=by)
    payments = common.payments_of(run)
    Payment.objects.filter(pay_run=run, state=PaymentState.QUEUED).update(state=PaymentState.CANCELLED)
    for payment in payments:
        common.reopen_statement(payment)
    audit.record(by, "pay_run.cancelled", run, at=at)
    return run
