"""How far a plan is: what was reached, what should be by now, and whether that is on track. What is expected grows evenly with the whole days
that are over, and a completed plan keeps the figures it was completed with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from partners.business_plans.goals import with_targets
from partners.business_plans.measuring import Span, measure, span
from partners.business_plans.words import Stands
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan, Goal
from prm.lib.periods import local_day
from tiers.models import Program


@dataclass(frozen=True, slots=True)
class GoalProgress:
    """One goal at an instant. `expected` is what should be reached by then, `value` what is; None when nobody can know."""

    goal_id: int
    metric: str
    due_on: date
    target: int
    value: Fraction | None
    expected: Fraction
    stands: Stands

    @property
    def percent(self) -> int:
        """Return how much of the target is reached, in whole percent rounded down, not below zero."""
        return max(0, int((self.value or Fraction(0)) * 100 / self.target))

    @property
    def is_behind(self) -> bool:
        return self.stands in (Stands.BEHIND, Stands.MISSED)


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """All goals of a plan; `is_frozen` when the plan is completed and its figures no longer move."""

    plan: BusinessPlan
    at: datetime
    goals: tuple[GoalProgress, ...]
    is_frozen: bool = False

    @property
    def is_behind(self) -> bool:
        return any(goal.is_behind for goal in self.goals)


def of_plan(plan: BusinessPlan, *, at: datetime) -> PlanProgress:
    """Return how far one plan is."""
    return of_plans([plan], at=at)[0]


def of_plans(plans: Sequence[BusinessPlan], *, at: datetime) -> list[PlanProgress]:
    """Return how far plans are, in their order: goals in one query, figures in one grouped read for each metric and days asked for."""
    living = [plan for plan in plans if plan.figures is None]
    goals: dict[int, list[Goal]] = {plan.pk: [] for plan in living}
    found = with_targets(Goal.objects.filter(plan__in=list(goals)), at=at)
    for goal in found.order_by("due_on", "pk"):
        goals[goal.plan_id].append(goal)
    figures = _figures(living, goals, at=at)
    return [
        PlanProgress(plan, at, tuple(_of_goal(plan, goal, figures, at=at) for goal in goals[plan.pk]))
        if plan.figures is None
        else PlanProgress(plan, at, loaded(plan.figures), is_frozen=True)
        for plan in plans
    ]


def elapsed(starts_on: date, due_on: date, today: date) -> Fraction:
    """Return which share of the days from the first to the deadline is over by the morning of `today`, from 0 to 1."""
    over = Fraction((today - starts_on).days, (due_on - starts_on).days + 1)
    return min(max(over, Fraction(0)), Fraction(1))


def stored(goals: Iterable[GoalProgress]) -> dict[str, Any]:
    """Return figures as the database keeps them."""
    return {
        "goals": [
            {
                "goal": each.goal_id,
                "metric": each.metric,
                "due_on": each.due_on.isoformat(),
                "target": each.target,
                "value": None if each.value is None else str(each.value),
                "expected": str(each.expected),
                "stands": each.stands.value,
            }
            for each in goals
        ]
    }


def loaded(kept: Mapping[str, Any]) -> tuple[GoalProgress, ...]:
    """Return stored figures as they were measured."""
    return tuple(
        GoalProgress(
            goal_id=each["goal"],
            metric=each["metric"],
            due_on=date.fromisoformat(each["due_on"]),
            target=each["target"],
            value=None if each["value"] is None else Fraction(each["value"]),
            expected=Fraction(each["expected"]),
            stands=Stands(each["stands"]),
        )
        for each in kept.get("goals", [])
    )


def _figures(
    plans: Iterable[BusinessPlan], goals: Mapping[int, list[Goal]], *, at: datetime
) -> Mapping[Span, Any]:
    """Measure the goals of plans that were agreed; before that there is nothing to compare with."""
    programs: dict[int, Program] = {}
    spans: dict[int, list[Span]] = {}
    for plan in plans:
        program = plan.membership.program
        programs[program.pk] = program
        if plan.agreed_at is not None:
            spans.setdefault(program.pk, []).extend(_span(plan, goal, at) for goal in goals[plan.pk])
    found: dict[Span, Any] = {}
    for pk, asked in spans.items():
        found |= measure(asked, programs[pk])
    return found


def _span(plan: BusinessPlan, goal: Goal, at: datetime) -> Span:
    return span(
        plan.membership_id,
        plan.membership.program,
        goal.metric,
        starts_on=plan.starts_on,
        due_on=goal.due_on,
        at=at,
    )


def _of_goal(plan: BusinessPlan, goal: Goal, figures: Mapping[Span, Any], *, at: datetime) -> GoalProgress:
    target: int = goal.target_in_force  # type: ignore[attr-defined]  # an annotation
    today = local_day(at, plan.membership.program.zone)
    figure = figures.get(_span(plan, goal, at))
    value: Fraction | None = figure.value if figure is not None else None
    expected = target * elapsed(plan.starts_on, goal.due_on, today)
    return GoalProgress(
        goal_id=goal.pk,
        metric=goal.metric,
        due_on=goal.due_on,
        target=target,
        value=value,
        expected=expected,
        stands=_stands(plan, goal, value, target, expected, today),
    )


def _stands(
    plan: BusinessPlan, goal: Goal, value: Fraction | None, target: int, expected: Fraction, today: date
) -> Stands:
    is_agreed = plan.state in (
        BusinessPlanState.AGREED,
        BusinessPlanState.IN_PROGRESS,
        BusinessPlanState.COMPLETED,
    )
    if not is_agreed or today < plan.starts_on:
        return Stands.NOT_BEGUN
    if value is None:
        return Stands.UNKNOWN
    if value >= target:
        return Stands.REACHED
    if today > goal.due_on:
        return Stands.MISSED
    return Stands.ON_TRACK if value >= expected else Stands.BEHIND
