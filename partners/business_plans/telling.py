"""What pages and files say about a business plan: its goals as meters, the history of its targets, what was written to each other. Portal, back
office and CSV are filled from here, so their figures cannot differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from partners.business_plans.progress import GoalProgress, PlanProgress, loaded
from partners.business_plans.words import figure_text, label_of, plain_figure, whole
from partners.models import BusinessPlan, Checkpoint, GoalChange, PlanRemark
from prm.lib import l10n
from prm.lib.cells import formula_safe

CSV_HEADER = (
    "plan",
    "partner",
    "program",
    "title",
    "from",
    "to",
    "state",
    "goal",
    "by",
    "target",
    "reached",
    "expected_by_now",
    "percent",
    "stands",
)


@dataclass(frozen=True)
class GoalRow:
    """One goal as a meter; the texts say the same in words."""

    goal_id: int
    label: str
    due_on: date
    target: str
    value: str
    expected: str
    meter: int
    goal: int
    percent: int
    stands: str
    text: str


@dataclass(frozen=True)
class ChangeRow:
    """One target that was proposed instead of another, and what became of it."""

    change: GoalChange
    label: str
    due_on: date
    before: str
    after: str
    state: str
    answered_at: datetime | None
    answered_by: str


@dataclass(frozen=True)
class RemarkRow:
    """What one side wrote; `counters` are the targets the partner would rather agree to."""

    who: str
    is_ours: bool
    at: datetime
    text: str
    counters: tuple[str, ...]


@dataclass(frozen=True)
class CheckpointRow:
    """A checkpoint, and the figures of the day it was held."""

    checkpoint: Checkpoint
    goals: tuple[GoalRow, ...]
    is_due: bool


def goal_rows(found: PlanProgress) -> list[GoalRow]:
    """Return the goals of a plan in the reader's language."""
    return [_goal_row(each, found.plan) for each in found.goals]


def checkpoint_rows(plan: BusinessPlan, *, today: date) -> list[CheckpointRow]:
    """Return the checkpoints of a plan by day."""
    return [
        CheckpointRow(
            each,
            tuple(_goal_row(goal, plan) for goal in _held(each)),
            is_due=each.held_at is None and each.due_on <= today,
        )
        for each in plan.checkpoints.select_related("held_by").order_by("due_on")
    ]


def change_rows(plan: BusinessPlan) -> list[ChangeRow]:
    """Return every target that was proposed instead of another, the newest first."""
    changes = GoalChange.objects.filter(goal__plan=plan).select_related(
        "goal", "checkpoint", "proposed_by", "agreed_by", "declined_by"
    )
    return [_change_row(each, plan) for each in changes.order_by("-proposed_at", "-pk")]


def remark_rows(plan: BusinessPlan) -> list[RemarkRow]:
    """Return what both sides wrote about a plan, the oldest first."""
    found = PlanRemark.objects.filter(plan=plan).select_related("said_by").order_by("said_at", "pk")
    return [
        RemarkRow(
            who=each.said_by.get_full_name(),
            is_ours=each.said_by.is_staff,
            at=each.said_at,
            text=each.text,
            counters=tuple(_counters(each.targets, plan)),
        )
        for each in found
    ]


def csv_rows(found: Iterable[PlanProgress]) -> Iterator[Sequence[str]]:
    """Yield the goals of plans as rows of a file: ISO days, decimal points, and nothing a spreadsheet takes for a formula."""
    for each in found:
        plan, membership = each.plan, each.plan.membership
        currency = membership.program.currency
        for goal in each.goals:
            cells = [
                plan.public_id,
                membership.partner.name,
                membership.program.name,
                plan.title,
                plan.starts_on.isoformat(),
                plan.ends_on.isoformat(),
                plan.state,
                goal.metric,
                goal.due_on.isoformat(),
                plain_figure(goal.metric, goal.target, currency),
                plain_figure(goal.metric, goal.value, currency),
                plain_figure(goal.metric, _needed(goal), currency),
                "" if goal.value is None else str(goal.percent),
                goal.stands.value,
            ]
            yield [*(formula_safe(cell) for cell in cells[:9]), *cells[9:]]


def _goal_row(goal: GoalProgress, plan: BusinessPlan) -> GoalRow:
    currency, locale = plan.membership.program.currency, l10n.active_locale()
    value = figure_text(goal.metric, goal.value, currency, locale)
    target = figure_text(goal.metric, goal.target, currency, locale)
    expected = figure_text(goal.metric, _needed(goal), currency, locale)
    reached = 0 if goal.value is None else whole(goal.value)
    return GoalRow(
        goal_id=goal.goal_id,
        label=label_of(goal.metric),
        due_on=goal.due_on,
        target=target,
        value=value,
        expected=expected,
        meter=max(0, min(reached, goal.target)),
        goal=goal.target,
        percent=goal.percent,
        stands=goal.stands.value,
        text=_sentence(goal, value=value, target=target, expected=expected),
    )


def _needed(goal: GoalProgress) -> int:
    """Return what has to be reached by now to be on track: of 2.4 pieces, 3."""
    return math.ceil(goal.expected)


def _sentence(goal: GoalProgress, *, value: str, target: str, expected: str) -> str:
    if goal.stands in ("not_begun", "unknown"):
        return _("%(target)s to be reached.") % {"target": target}
    if goal.stands in ("on_track", "behind"):
        text = _("%(value)s of %(target)s, %(percent)s %%. %(expected)s expected by now.")
        return text % {"value": value, "target": target, "percent": goal.percent, "expected": expected}
    text = _("%(value)s of %(target)s, %(percent)s %%.")
    return text % {"value": value, "target": target, "percent": goal.percent}


def _held(checkpoint: Checkpoint) -> tuple[GoalProgress, ...]:
    return loaded(checkpoint.figures or {})


def _change_row(change: GoalChange, plan: BusinessPlan) -> ChangeRow:
    goal, currency, locale = change.goal, plan.membership.program.currency, l10n.active_locale()
    answered = change.agreed_by or change.declined_by
    return ChangeRow(
        change=change,
        label=label_of(goal.metric),
        due_on=goal.due_on,
        before=figure_text(goal.metric, change.before, currency, locale),
        after=figure_text(goal.metric, change.after, currency, locale),
        state=_state_of(change),
        answered_at=change.agreed_at or change.declined_at,
        answered_by=answered.get_full_name() if answered is not None else "",
    )


def _state_of(change: GoalChange) -> str:
    if change.agreed_at is not None:
        return "agreed"
    if change.declined_by is None:
        return "waiting"
    return "taken_back" if change.declined_by.is_staff else "declined"


def _counters(targets: Iterable[dict[str, Any]], plan: BusinessPlan) -> Iterator[str]:
    currency, locale = plan.membership.program.currency, l10n.active_locale()
    for each in targets:
        yield (
            _("%(goal)s: %(target)s by %(day)s")
            % {
                "goal": label_of(each["metric"]),
                "target": figure_text(each["metric"], each["target"], currency, locale),
                "day": l10n.date_text(date.fromisoformat(each["due_on"]), locale),
            }
        )
