"""Plan attainment for tiers: what was achieved of what should be by now, in percent. A plan speaks from its second day until 30 days after its
last one, unless the next plan has taken over; of several deadlines for one goal the nearest that is not over counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from partners.business_plans.goals import with_targets
from partners.business_plans.measuring import Span, measure, rows_behind, span
from partners.business_plans.progress import elapsed
from partners.metrics import Asked, EvidenceRow, Group, learn_metric
from partners.models import BusinessPlan, Goal, Membership
from prm.lib.periods import local_day
from tiers.models import Program
from tiers.qualify import Figure

DEFAULT_GOAL = "net_revenue"
SPEAKS_ON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Counting:
    """A goal that counts at an instant, and what should be reached of it by then."""

    span: Span
    expected: Fraction

    def percent(self, value: Fraction) -> Fraction:
        return value * 100 / self.expected


def learn() -> None:
    """Let tiers ask how far business plans are."""
    learn_metric("plan_attainment", attainment, rows=rows)


def attainment(group: Group, question: Asked) -> Mapping[int, Figure]:
    """Return the attainment of memberships: one query for their goals, then one grouped read for each goal and days asked for.

    Of several goals named the one least attained counts: all of them are to be reached.
    """
    counting = _counting(group.program, (group.first, group.last), question)
    figures = measure((goal.span for goals in counting.values() for goal in goals), group.program)
    found: dict[int, Figure] = {}
    for membership_id, goals in counting.items():
        percents = [_percent(goal, figures[goal.span]) for goal in goals]
        known = [each for each in percents if each.value is not None]
        if len(known) == len(percents):
            found[membership_id] = min(known, key=lambda figure: figure.value or Fraction(0))
    return found


def rows(membership_id: int, question: Asked) -> Iterable[EvidenceRow]:
    """Yield what was counted, each row with the percent it brought: together they are the figure."""
    program = Membership.objects.select_related("program").get(pk=membership_id).program
    goals = _counting(program, (membership_id, membership_id), question).get(membership_id, [])
    figures = measure((goal.span for goal in goals), program)
    known = [goal for goal in goals if figures[goal.span].value is not None]
    if not known or len(known) < len(goals):
        return
    least = min(known, key=lambda goal: goal.percent(figures[goal.span].value or Fraction(0)))
    for row in rows_behind(least.span):
        yield EvidenceRow(row.what, row.at, least.percent(row.value))


def _percent(goal: _Counting, figure: Figure) -> Figure:
    return Figure(None if figure.value is None else goal.percent(figure.value), figure.rows)


def _counting(program: Program, between: tuple[int, int], question: Asked) -> dict[int, list[_Counting]]:
    at, names = question.until, set(question.values("goal") or (DEFAULT_GOAL,))
    today = local_day(at, program.zone)
    by_plan: dict[int, list[Goal]] = {}
    plans: dict[int, BusinessPlan] = {}
    for goal in _goals(program, between, today, at):
        newest = plans.get(goal.plan.membership_id)
        if newest is None or goal.plan.starts_on > newest.starts_on:
            plans[goal.plan.membership_id] = goal.plan
        by_plan.setdefault(goal.plan_id, []).append(goal)
    found: dict[int, list[_Counting]] = {}
    for membership_id, plan in plans.items():
        chosen = [_nearest(by_plan[plan.pk], name, today) for name in sorted(names)]
        if all(chosen):
            found[membership_id] = [_of(goal, program, today, at) for goal in chosen if goal is not None]
    return found


def _goals(program: Program, between: tuple[int, int], today: date, at: datetime) -> Iterable[Goal]:
    first, last = between
    found = Goal.objects.filter(
        plan__in=BusinessPlan.objects.counting(),
        plan__agreed_at__lte=at,
        plan__starts_on__lt=today,
        plan__ends_on__gte=today - SPEAKS_ON,
        plan__membership__program=program,
        plan__membership__gte=first,
        plan__membership__lte=last,
    )
    return with_targets(found, at=at).select_related("plan").order_by("plan", "due_on", "pk")


def _nearest(goals: Iterable[Goal], metric: str, today: date) -> Goal | None:
    """Return the goal of a metric that is to be reached next, and when all deadlines are over the last one."""
    own = [goal for goal in goals if goal.metric == metric]
    return next((goal for goal in own if goal.due_on >= today), own[-1] if own else None)


def _of(goal: Goal, program: Program, today: date, at: datetime) -> _Counting:
    plan = goal.plan
    target: int = goal.target_in_force  # type: ignore[attr-defined]  # an annotation
    asked = span(
        plan.membership_id, program, goal.metric, starts_on=plan.starts_on, due_on=goal.due_on, at=at
    )
    return _Counting(asked, target * elapsed(plan.starts_on, goal.due_on, today))
