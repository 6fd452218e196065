"""Business plans from the outline to the outcome. Staff writes, the partner agrees or sends back; what was agreed is one plan at a time, and
nothing of it is written over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from partners.business_plans import goals, mails, progress, refusals
from partners.business_plans.finding import (
    CAPABILITY,
    OPEN,
    fingerprint,
    living,
    lock_membership,
    locked_in,
    refuse_overlap,
    today_of,
)
from partners.business_plans.goals import GoalLine, Outline
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan, Checkpoint, Goal, Membership, PlanRemark
from partners.team import require_owner
from prm import audit
from prm.accounts import policy

if TYPE_CHECKING:
    from prm.accounts.models import User

State = BusinessPlanState


@transaction.atomic
def draft(
    membership: Membership, *, title: str, starts_on: date, ends_on: date, by: User, at: datetime
) -> BusinessPlan:
    """Begin an outline with the targets of the tier the membership stands in; nobody outside sees it.

    Raises: Forbidden, MembershipOver, and what `goals.faults` finds.
    """
    policy.require(by, CAPABILITY)
    locked = living(membership)
    outline = Outline(title=_one_line(title), starts_on=starts_on, ends_on=ends_on)
    _refuse_faults(outline, locked)
    outline = replace(outline, goals=goals.beginnings(locked, starts_on, ends_on, at=at))
    plan = BusinessPlan.objects.create(
        membership=locked,
        title=outline.title,
        starts_on=starts_on,
        ends_on=ends_on,
        created_at=at,
        created_by=by,
    )
    _write_rows(plan, outline)
    audit.record(by, "business_plan.drafted", plan, at=at)
    return plan


@transaction.atomic
def edit(plan: BusinessPlan, outline: Outline, *, by: User, at: datetime) -> BusinessPlan:
    """Write an outline anew, with its goals and checkpoints.

    Raises: Forbidden, MembershipOver, NotAnOutline, and what `goals.faults` finds.
    """
    policy.require(by, CAPABILITY)
    membership = living(plan.membership)
    locked = locked_in(plan, [State.OUTLINE], refusals.NotAnOutline, membership)
    outline = replace(outline, title=_one_line(outline.title))
    _refuse_faults(outline, membership)
    locked.title, locked.starts_on, locked.ends_on = outline.title, outline.starts_on, outline.ends_on
    locked.partner_does, locked.we_do = _text(outline.partner_does), _text(outline.we_do)
    locked.save(update_fields=["title", "starts_on", "ends_on", "partner_does", "we_do"])
    _write_rows(locked, outline)
    audit.record(by, "business_plan.edited", locked, at=at)
    return locked


@transaction.atomic
def propose(plan: BusinessPlan, *, by: User, at: datetime, note: str = "") -> BusinessPlan:
    """Give an outline to the owners of the partner's team, who hear of it by mail; `note` answers what they wrote.

    Raises: Forbidden, MembershipOver, NotAnOutline, NoGoals, PeriodOver, Overlaps, TooLong.
    """
    policy.require(by, CAPABILITY)
    membership = living(plan.membership)
    locked = locked_in(plan, [State.OUTLINE], refusals.NotAnOutline, membership)
    if not locked.goals.exists():
        raise refusals.NoGoals
    _refuse_over(locked, at)
    refuse_overlap(locked)
    if note.strip():
        _remark(locked, note, by=by, at=at)
    locked.state, locked.proposed_at, locked.proposed_by = State.PARTNER_REVIEW, at, by
    locked.save(update_fields=["state", "proposed_at", "proposed_by"])
    audit.record(by, "business_plan.proposed", locked, at=at, fingerprint=fingerprint(locked))
    mails.proposed(locked)
    return locked


@transaction.atomic
def take_back(plan: BusinessPlan, *, by: User, at: datetime) -> BusinessPlan:
    """Make an outline again of a plan the partner has not answered.

    Raises: Forbidden, NotWithThePartner.
    """
    policy.require(by, CAPABILITY)
    membership = lock_membership(plan.membership_id)
    locked = locked_in(plan, [State.PARTNER_REVIEW], refusals.NotWithThePartner, membership)
    _move(locked, State.OUTLINE)
    audit.record(by, "business_plan.taken_back", locked, at=at)
    return locked


@transaction.atomic
def agree(plan: BusinessPlan, *, shown: str, by: User, at: datetime) -> BusinessPlan:
    """Agree, for the partner, to the plan `shown` is the fingerprint of; it runs at once when its period does.

    Raises: NotYours, MembershipOver, NotWithThePartner, Altered, PeriodOver, Overlaps.
    """
    membership = living(plan.membership)
    require_owner(membership.partner, by)
    locked = locked_in(plan, [State.PARTNER_REVIEW], refusals.NotWithThePartner, membership)
    if shown != fingerprint(locked):
        raise refusals.Altered
    _refuse_over(locked, at)
    refuse_overlap(locked)
    begins = locked.starts_on <= today_of(membership, at)
    locked.state = State.IN_PROGRESS if begins else State.AGREED
    locked.agreed_at, locked.agreed_by = at, by
    locked.save(update_fields=["state", "agreed_at", "agreed_by"])
    audit.record(by, "business_plan.agreed", locked, at=at, fingerprint=shown)
    mails.agreed(locked, by=by)
    return locked


@transaction.atomic
def ask_for_changes(
    plan: BusinessPlan, *, text: str, targets: Sequence[GoalLine] = (), by: User, at: datetime
) -> BusinessPlan:
    """Send a plan back, for the partner, with what should be different and the targets it would rather agree to.

    Raises: NotYours, MembershipOver, NotWithThePartner, SaysNothing, NotPositive, Absurd.
    """
    membership = living(plan.membership)
    require_owner(membership.partner, by)
    locked = locked_in(plan, [State.PARTNER_REVIEW], refusals.NotWithThePartner, membership)
    if not text.strip() or len(text) > refusals.LONGEST_TEXT:
        raise refusals.SaysNothing
    _remark(locked, text, by=by, at=at, targets=_countered(locked, targets))
    _move(locked, State.OUTLINE)
    audit.record(by, "business_plan.sent_back", locked, at=at)
    mails.sent_back(locked, text=_text(text), by=by, at=at)
    return locked


@transaction.atomic
def complete(plan: BusinessPlan, *, outcome: str, by: User, at: datetime) -> BusinessPlan:
    """Close a plan whose period is over with what came of it; its figures stay as they are now.

    Raises: Forbidden, NotRunning, NotOver, NoOutcome.
    """
    policy.require(by, CAPABILITY)
    membership = lock_membership(plan.membership_id)
    locked = locked_in(plan, [State.IN_PROGRESS], refusals.NotRunning, membership)
    if today_of(membership, at) <= locked.ends_on:
        raise refusals.NotOver(params={"day": mails.day_here(locked.ends_on)})
    if not outcome.strip() or len(outcome) > refusals.LONGEST_TEXT:
        raise refusals.NoOutcome
    return finish(locked, outcome=_text(outcome), by=by, at=at)


def finish(plan: BusinessPlan, *, outcome: str, by: User | None, at: datetime) -> BusinessPlan:
    """Complete a locked plan: nobody is `by` when its time simply was over."""
    plan.figures = progress.stored(progress.of_plan(plan, at=at).goals)
    plan.state, plan.completed_at, plan.completed_by = State.COMPLETED, at, by
    plan.outcome = outcome
    plan.save(update_fields=["figures", "state", "completed_at", "completed_by", "outcome"])
    audit.record(by, "business_plan.completed", plan, at=at)
    mails.completed(plan)
    return plan


@transaction.atomic
def withdraw(plan: BusinessPlan, *, because: str, by: User, at: datetime) -> BusinessPlan:
    """Give a plan up. The partner hears of one it has agreed to or is reading, with the reason.

    Raises: Forbidden, Finished, NoReason.
    """
    policy.require(by, CAPABILITY)
    membership = lock_membership(plan.membership_id)
    locked = locked_in(plan, OPEN, refusals.Finished, membership)
    is_known = locked.state != State.OUTLINE
    reason = _one_line(because)
    if len(reason) > refusals.LONGEST_REASON or (is_known and not reason):
        raise refusals.NoReason
    _move(locked, State.WITHDRAWN)
    audit.record(by, "business_plan.withdrawn", locked, at=at)
    if reason:
        _remark(locked, reason, by=by, at=at)
    if is_known:
        mails.withdrawn(locked, because=reason)
    return locked


def _refuse_faults(outline: Outline, membership: Membership) -> None:
    for fault in goals.faults(outline, membership.program.currency):
        raise fault


def _refuse_over(plan: BusinessPlan, at: datetime) -> None:
    if plan.ends_on < today_of(plan.membership, at):
        raise refusals.PeriodOver


def _write_rows(plan: BusinessPlan, outline: Outline) -> None:
    plan.goals.all().delete()
    plan.checkpoints.all().delete()
    Goal.objects.bulk_create(
        Goal(plan=plan, metric=line.metric, target=line.target, due_on=line.due_on) for line in outline.goals
    )
    Checkpoint.objects.bulk_create(Checkpoint(plan=plan, due_on=day) for day in sorted(outline.checkpoints))


def _countered(plan: BusinessPlan, targets: Sequence[GoalLine]) -> list[dict[str, object]]:
    """Return the targets that differ from the plan's, for goals it has."""
    currency = plan.membership.program.currency
    proposed = {(goal.metric, goal.due_on): goal for goal in plan.goals.all()}
    found: list[dict[str, object]] = []
    for line in targets:
        goal = proposed.get((line.metric, line.due_on))
        if goal is None or goal.target == line.target:
            continue
        for fault in goals.faults_of_target(line.metric, line.target, f"target_{goal.pk}", currency):
            raise fault
        found.append({"metric": line.metric, "due_on": line.due_on.isoformat(), "target": line.target})
    return found


def _remark(
    plan: BusinessPlan,
    text: str,
    *,
    by: User,
    at: datetime,
    targets: Sequence[dict[str, object]] = (),
) -> None:
    if len(text) > refusals.LONGEST_TEXT:
        raise refusals.TooLong(field="note")
    PlanRemark.objects.create(plan=plan, text=_text(text), targets=list(targets), said_at=at, said_by=by)


def _move(plan: BusinessPlan, state: str) -> None:
    plan.state = state
    plan.save(update_fields=["state"])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
