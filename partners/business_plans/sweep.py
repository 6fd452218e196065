"""What happens to business plans by itself: they begin on their first day, are completed 30 days after their last one, end with their membership,
and their checkpoints are announced. Each is safe to run twice."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta

from django.db import transaction

from partners.business_plans import mails, plans, refusals
from partners.business_plans.finding import (
    OPEN,
    REMIND_DAYS,
    checkpoints_due,
    lock_membership,
    locked_in,
    readable,
    today_of,
)
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan
from prm import audit
from prm.lib.errors import Refused

COMPLETED_AFTER = timedelta(days=30)
_AHEAD = timedelta(days=1)  # no zone is further ahead of the clock


def begin_due(*, at: datetime) -> int:
    """Let agreed plans run whose first day has come; return how many."""

    def begin(plan: BusinessPlan) -> None:
        plan.state = BusinessPlanState.IN_PROGRESS
        plan.save(update_fields=["state"])
        audit.record(None, "business_plan.begun", plan, at=at)

    agreed = [BusinessPlanState.AGREED]
    found = readable().filter(state__in=agreed, starts_on__lte=at.date() + _AHEAD)
    return sum(
        _each(plan, agreed, begin)
        for plan in found.filter(membership__ended_at=None).order_by("membership", "pk")
        if plan.starts_on <= today_of(plan.membership, at)
    )


def complete_due(*, at: datetime) -> int:
    """Complete plans nobody did within 30 days of their last one, with the figures of now; return how many."""
    running = [BusinessPlanState.IN_PROGRESS]
    found = readable().filter(state__in=running, ends_on__lt=at.date() + _AHEAD - COMPLETED_AFTER)
    return sum(
        _each(plan, running, lambda locked: plans.finish(locked, outcome="", by=None, at=at))
        for plan in found.order_by("membership", "pk")
        if _is_long_over(plan.ends_on, today_of(plan.membership, at))
    )


def withdraw_ended(*, at: datetime) -> int:
    """Give up the plans memberships were in the middle of when they ended; return how many."""

    def give_up(plan: BusinessPlan) -> None:
        plan.state = BusinessPlanState.WITHDRAWN
        plan.save(update_fields=["state"])
        audit.record(None, "business_plan.withdrawn", plan, at=at, membership_ended=True)

    found = readable().filter(state__in=OPEN, membership__ended_at__lte=at)
    return sum(
        _each(plan, OPEN, give_up) for plan in found.order_by("membership", "pk") if not _was_over(plan)
    )


def remind_due(*, at: datetime) -> int:
    """Write about checkpoints of the coming seven days, to each mailbox once; return how many checkpoints those are."""
    count = 0
    for checkpoint in checkpoints_due(today=at.date() + _AHEAD):
        membership = checkpoint.plan.membership
        days = (checkpoint.due_on - today_of(membership, at)).days
        if 0 <= days <= REMIND_DAYS and membership.ended_at is None:
            with transaction.atomic():
                mails.checkpoint_near(checkpoint)
            count += 1
    return count


@transaction.atomic
def _each(plan: BusinessPlan, states: Collection[str], move: Callable[[BusinessPlan], object]) -> bool:
    membership = lock_membership(plan.membership_id)
    try:
        move(locked_in(plan, states, refusals.NotRunning, membership))
    except Refused:
        return False  # somebody was faster
    return True


def _is_long_over(ends_on: date, today: date) -> bool:
    return today > ends_on + COMPLETED_AFTER


def _was_over(plan: BusinessPlan) -> bool:
    """Say whether a plan had run its time before its membership ended: such a one is completed like any other."""
    ended_at = plan.membership.ended_at
    is_running = plan.state == BusinessPlanState.IN_PROGRESS
    return is_running and ended_at is not None and plan.ends_on < today_of(plan.membership, ended_at)
