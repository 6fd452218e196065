"""What the database refuses about business plans. Every name here is a constraint or a trigger that was seen to bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, models, transaction

from partners.models import BusinessPlan, Checkpoint, Goal, GoalChange, PlanRemark
from tests.factories.prm import UserFactory
from tests.factories.tiering import (
    BusinessPlanFactory,
    CheckpointFactory,
    GoalChangeFactory,
    GoalFactory,
    PlanRemarkFactory,
)
from tests.factories.tiers import EPOCH
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def second_goal() -> None:
    goal = GoalFactory()
    GoalFactory(plan=goal.plan, metric=goal.metric, due_on=goal.due_on)


def second_checkpoint() -> None:
    checkpoint = CheckpointFactory()
    CheckpointFactory(plan=checkpoint.plan, due_on=checkpoint.due_on)


def second_open_change() -> None:
    GoalChangeFactory(goal=GoalChangeFactory().goal)


REFUSALS: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("partners_businessplan_state", BusinessPlan, lambda: BusinessPlanFactory(state="dreamt")),
    (
        "partners_businessplan_ends_later",
        BusinessPlan,
        lambda: BusinessPlanFactory(ends_on=date(2026, 1, 1)),
    ),
    ("partners_businessplan_proposed_pair", BusinessPlan, lambda: BusinessPlanFactory(proposed_at=EPOCH)),
    ("partners_businessplan_agreed_pair", BusinessPlan, lambda: BusinessPlanFactory(agreed_at=EPOCH)),
    ("partners_businessplan_agreed_has_date", BusinessPlan, lambda: BusinessPlanFactory(state="agreed")),
    ("partners_goal_once", Goal, second_goal),
    ("partners_goal_metric", Goal, lambda: GoalFactory(metric="luck")),
    ("partners_goal_target_positive", Goal, lambda: GoalFactory(target=0)),
    ("partners_checkpoint_one_a_day", Checkpoint, second_checkpoint),
    ("partners_checkpoint_held_pair", Checkpoint, lambda: CheckpointFactory(held_at=EPOCH)),
    ("partners_goalchange_target_positive", GoalChange, lambda: GoalChangeFactory(after=0)),
    ("partners_goalchange_agreed_pair", GoalChange, lambda: GoalChangeFactory(agreed_at=EPOCH)),
    ("partners_goalchange_declined_pair", GoalChange, lambda: GoalChangeFactory(declined_at=EPOCH)),
    ("partners_goalchange_one_open", GoalChange, second_open_change),
    ("partners_planremark_says_something", PlanRemark, lambda: PlanRemarkFactory(text="")),
]


@pytest.mark.parametrize(("name", "model", "act"), REFUSALS, ids=[name for name, *_rest in REFUSALS])
def test_the_database_refuses(name: str, model: type[models.Model], act: Callable[[], object]) -> None:
    assert_refused(name, model, act)


def agreed_goal() -> Goal:
    user = UserFactory()
    plan = BusinessPlanFactory(state="agreed", agreed_at=EPOCH, agreed_by=user)
    goal: Goal = GoalFactory(plan=plan)
    return goal


TRIGGERS: list[tuple[str, str, Callable[[], object]]] = [
    (
        "partners_goal_agreed",
        "A target that was agreed is not written over",
        lambda: Goal.objects.filter(pk=agreed_goal().pk).update(target=1),
    ),
    ("partners_goal_agreed_stays", "A target that was agreed stays", lambda: agreed_goal().delete()),
    (
        "partners_goalchange_frozen",
        "A changed target cannot be changed",
        lambda: GoalChange.objects.filter(pk=GoalChangeFactory().pk).update(after=1),
    ),
    (
        "partners_planremark_frozen",
        "A remark about a plan cannot change",
        lambda: PlanRemark.objects.filter(pk=PlanRemarkFactory().pk).update(targets=[1]),
    ),
    (
        "partners_planremark_no_delete",
        "Remarks about plans are never deleted",
        lambda: PlanRemark.objects.filter(pk=PlanRemarkFactory().pk).delete(),
    ),
]


@pytest.mark.parametrize(("name", "said", "act"), TRIGGERS, ids=[name for name, *_rest in TRIGGERS])
def test_a_trigger_refuses(name: str, said: str, act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=said), transaction.atomic():
        act()


def test_an_outline_is_written_over_freely() -> None:
    goal = GoalFactory()
    assert Goal.objects.filter(pk=goal.pk).update(target=7) == 1
    goal.delete()
