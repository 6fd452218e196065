"""Checkpoints of a running plan, and targets that are changed at them or between them. A change counts from the moment the partner agrees; until
then, and when it declines, the old target stands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from partners.business_plans import mails, progress, refusals
from partners.business_plans.finding import (
    CAPABILITY,
    RUNNING,
    living,
    lock_membership,
    locked_in,
    today_of,
)
from partners.business_plans.goals import faults_of_target, target_at
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan, Checkpoint, Goal, GoalChange, Membership
from partners.team import require_owner
from prm import audit
from prm.accounts import policy

if TYPE_CHECKING:
    from prm.accounts.models import User


@transaction.atomic
def hold(checkpoint: Checkpoint, *, note: str, by: User, at: datetime) -> Checkpoint:
    """Keep what was found at a checkpoint, with the figures of the moment.

    Raises: Forbidden, MembershipOver, NotBegun, HeldAlready, NoNote.
    """
    policy.require(by, CAPABILITY)
    membership = living(checkpoint.plan.membership)
    plan = locked_in(checkpoint.plan, [BusinessPlanState.IN_PROGRESS], refusals.NotBegun, membership)
    locked = Checkpoint.objects.select_for_update(no_key=True).get(pk=checkpoint.pk)
    if locked.held_at is not None:
        raise refusals.HeldAlready
    said = note.replace("\r\n", "\n").strip()
    if not said or len(said) > refusals.LONGEST_TEXT:
        raise refusals.NoNote
    locked.held_at, locked.held_by, locked.note = at, by, said
    locked.figures = progress.stored(progress.of_plan(plan, at=at).goals)
    locked.save(update_fields=["held_at", "held_by", "note", "figures"])
    audit.record(by, "checkpoint.held", plan, at=at, due_on=locked.due_on.isoformat())
    return locked


@transaction.atomic
def retarget(
    goal: Goal,
    *,
    after: int,
    because: str,
    checkpoint: Checkpoint | None = None,
    by: User,
    at: datetime,
) -> GoalChange:
    """Propose another target to the partner, whose owners hear of it by mail.

    Raises: Forbidden, MembershipOver, NotRunning, GoalOver, ChangeWaits, OtherPlan, NotPositive, Absurd, SameTarget, NoReason.
    """
    policy.require(by, CAPABILITY)
    membership = living(goal.plan.membership)
    plan = locked_in(goal.plan, RUNNING, refusals.NotRunning, membership)
    if goal.due_on < today_of(membership, at):
        raise refusals.GoalOver
    if checkpoint is not None and checkpoint.plan_id != plan.pk:
        raise refusals.OtherPlan
    if goal.changes.filter(agreed_at=None, declined_at=None).exists():
        raise refusals.ChangeWaits
    for fault in faults_of_target(goal.metric, after, "after", membership.program.currency):
        raise fault
    before = target_at(goal, at=at)
    if after == before:
        raise refusals.SameTarget
    reason = " ".join(because.split())
    if not reason or len(reason) > refusals.LONGEST_REASON:
        raise refusals.NoReason
    change = GoalChange.objects.create(
        goal=goal,
        checkpoint=checkpoint,
        before=before,
        after=after,
        because=reason,
        proposed_at=at,
        proposed_by=by,
    )
    audit.record(by, "goal.change_proposed", plan, at=at, metric=goal.metric, before=before, after=after)
    mails.target_proposed(change, plan)
    return change


@transaction.atomic
def agree_change(change: GoalChange, *, by: User, at: datetime) -> GoalChange:
    """Agree, for the partner, to a changed target: it counts from now on.

    Raises: NotYours, MembershipOver, NotRunning, NotWaiting.
    """
    membership = living(change.goal.plan.membership)
    plan, locked = _waiting(change, membership, by)
    locked.agreed_at, locked.agreed_by = at, by
    locked.save(update_fields=["agreed_at", "agreed_by"])
    audit.record(by, "goal.change_agreed", plan, at=at, metric=locked.goal.metric, after=locked.after)
    mails.target_answered(locked, plan, by=by)
    return locked


@transaction.atomic
def decline_change(change: GoalChange, *, by: User, at: datetime) -> GoalChange:
    """Decline, for the partner, a changed target: the old one stays.

    Raises: NotYours, MembershipOver, NotRunning, NotWaiting.
    """
    membership = living(change.goal.plan.membership)
    plan, locked = _waiting(change, membership, by)
    locked.declined_at, locked.declined_by = at, by
    locked.save(update_fields=["declined_at", "declined_by"])
    audit.record(by, "goal.change_declined", plan, at=at, metric=locked.goal.metric, after=locked.after)
    mails.target_answered(locked, plan, by=by)
    return locked


@transaction.atomic
def take_back_change(change: GoalChange, *, by: User, at: datetime) -> GoalChange:
    """Take a changed target back before the partner answers; it stays in the history as one that never counted.

    Raises: Forbidden, NotWaiting.
    """
    policy.require(by, CAPABILITY)
    lock_membership(change.goal.plan.membership_id)
    locked = _open_change(change)
    locked.declined_at, locked.declined_by = at, by
    locked.save(update_fields=["declined_at", "declined_by"])
    audit.record(by, "goal.change_taken_back", locked.goal.plan, at=at, metric=locked.goal.metric)
    return locked


def _waiting(change: GoalChange, membership: Membership, by: User) -> tuple[BusinessPlan, GoalChange]:
    require_owner(membership.partner, by)
    plan = locked_in(change.goal.plan, RUNNING, refusals.NotRunning, membership)
    return plan, _open_change(change)


def _open_change(change: GoalChange) -> GoalChange:
    locked = (
        GoalChange.objects.select_for_update(of=("self",), no_key=True)
        .select_related("goal__plan", "proposed_by")
        .get(pk=change.pk)
    )
    if locked.agreed_at is not None or locked.declined_at is not None:
        raise refusals.NotWaiting
    return locked
