"""Compute a draft: for every membership of its entity and currency either one payment of the latest statement's balance or a line that
says why not. It is done in batches, each whole or not at all, so one that was interrupted goes on and comes to the same set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts.choices import LeftOut, PayRunState, StatementState
from payouts.models import Payment, PayRun, PayRunException, Statement
from payouts.pay_runs import checks, common, facts, opening
from payouts.pay_runs.deciding import Decider
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity

BATCH = 1000
Progress = Callable[[int, int], None]


class NothingToPay(Refused):
    message = _("Nothing can be paid now. Left out: %(left_out)s.")


def compute(run: PayRun, *, by: User, at: datetime, progress: Progress | None = None) -> PayRun:
    """Fill a draft with payments, exceptions and checks; it is checked then. One that is checked is returned as it is.

    `progress` is told how many memberships are done and how many there are.
    Raises: Forbidden, NotInState, NothingToPay.
    """
    policy.require(by, "prepare_pay_runs")
    run = PayRun.objects.select_related("legal_entity").get(pk=run.pk)
    if run.state == PayRunState.CHECKED:
        return run
    if run.state != PayRunState.DRAFT:
        raise common.NotInState(run)
    _forget(run)
    members = _members(run)
    total, done, last = members.count(), 0, 0
    while True:
        batch = _batch(run, after=last, at=at)
        if not batch:
            break
        last, done = batch[-1], done + len(batch)
        if progress is not None:
            progress(done, total)
    return _finish(run, by=by, at=at)


@transaction.atomic
def prepare(legal_entity: LegalEntity, *, currency: str, execute_on: date, by: User, at: datetime) -> PayRun:
    """Open a run and compute it, together or not at all.

    Raises: what `opening.open` and `compute` raise.
    """
    run = opening.open(legal_entity, currency=currency, execute_on=execute_on, by=by, at=at)
    return compute(run, by=by, at=at)


def _members(run: PayRun) -> models.QuerySet[Membership]:
    return Membership.objects.filter(
        program__legal_entity=run.legal_entity_id, program__currency=run.currency
    )


@transaction.atomic
def _forget(run: PayRun) -> None:
    """Drop the reasons an interrupted computation wrote: they are found again as they stand now. Its payments stay."""
    common.lock_draft(run)
    PayRunException.objects.filter(pay_run=run).delete()
    run.checks.all().delete()


@transaction.atomic
def _batch(run: PayRun, *, after: int, at: datetime) -> list[int]:
    """Decide about the next memberships, locked in primary-key order; return their ids, none at the end."""
    locked = Membership.objects.lock().filter(
        program__legal_entity=run.legal_entity_id, program__currency=run.currency, pk__gt=after
    )
    members = list(locked.values_list("pk", flat=True)[:BATCH])
    if not members:
        return members
    common.lock_draft(run)
    statements = facts.latest_statements(members, run)
    known = facts.read(statements, run, at=at)
    decider = Decider(run, at)
    decided = [decider.decide(statement, known) for statement in statements]
    payments = [each for each in decided if isinstance(each, Payment)]
    Payment.objects.bulk_create(payments)
    PayRunException.objects.bulk_create(each for each in decided if isinstance(each, PayRunException))
    # A balance below the minimum a month ago may be paid now: its statement is then one that waits for its payment.
    paid = [payment.statement_id for payment in payments]
    Statement.objects.filter(pk__in=paid, state=StatementState.CARRIED_OVER).update(
        state=StatementState.ISSUED
    )
    return members


@transaction.atomic
def _finish(run: PayRun, *, by: User, at: datetime) -> PayRun:
    run = common.lock(run)
    if run.state == PayRunState.CHECKED:
        return run  # two computed at once, and the other one was first
    payments = common.payments_of(run)
    if not payments:
        raise NothingToPay(params={"left_out": _summary(run)})
    common.move(
        run,
        expected=[PayRunState.DRAFT],
        to=PayRunState.CHECKED,
        prepared_at=at,
        prepared_by=by,
        **common.totals(run, payments),
    )
    checks.raise_all(run, payments, at=at)
    audit.record(by, "pay_run.prepared", run, at=at, payments=len(payments), total_minor=run.total_minor)
    return run


def _summary(run: PayRun) -> str:
    counts = run.exceptions.order_by("reason").values_list("reason").annotate(models.Count("pk"))
    named: Iterable[str] = (f"{LeftOut(reason).label} ({count})" for reason, count in counts)
    return ", ".join(named) or "–"
