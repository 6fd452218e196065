"""How far business plans are: what is expected, what counts for tiers, and what checkpoints and changed targets do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from partners import metrics
from partners.business_plans import checkpoints, goals, progress, refusals, sweep, telling
from partners.business_plans.metrics import attainment
from partners.metrics import Asked, Group
from partners.models import BusinessPlan, Checkpoint, Goal, GoalChange
from prm.lib.errors import Refused
from tests.partners.plan_scene import (
    APR_11,
    FIRST,
    JAN_2,
    LAST,
    MID,
    agreed,
    attained,
    mailed,
    standing,
)
from tests.people import ana, mats
from tiers.qualify import Question

pytestmark = pytest.mark.django_db


def test_what_is_expected_grows_by_whole_days_and_both_sides_read_the_same() -> None:
    found = agreed()
    found.house.sale("a", "9000.00", "ANA10", datetime(2026, 2, 3, tzinfo=UTC))
    found.house.sale("b", "500.00", "ANA10", APR_11)  # this very instant is not counted yet
    # 100 days of 100.00 are 10,000.00, and of 73 sales in 365 days 20 are expected.
    assert standing(found, at=APR_11) == {
        "net_revenue": (9_000_00, 10_000_00, "behind"),
        "sales": (1, 20, "behind"),
    }
    assert attained(found, at=APR_11) == 90
    assert attained(found, at=APR_11, goal="sales") == 5
    assert attained(found, at=APR_11, goal="new_customers") is None
    line = next(telling.csv_rows([progress.of_plan(found.fresh(), at=APR_11)]))
    assert line[7:] == ["net_revenue", "2026-12-31", "36500.00", "9000.00", "10000.00", "24", "behind"]
    text = telling.goal_rows(progress.of_plan(found.fresh(), at=APR_11))[0].text
    assert text == "£9,000.00 of £36,500.00, 24 %. £10,000.00 expected by now."
    # After 101 days 20.2 sales are expected: who has 20 is behind, and reads that it takes 21.
    text = telling.goal_rows(progress.of_plan(found.fresh(), at=APR_11 + timedelta(days=1)))[1].text
    assert text == "2 of 73, 2 %. 21 expected by now."


def test_a_plan_speaks_from_its_second_day_until_thirty_days_after_its_last() -> None:
    found = agreed()
    found.house.sale("a", "18250.00", "ANA10", datetime(2026, 1, 1, 8, tzinfo=UTC))
    on = {
        "first day": datetime(2026, 1, 1, 23, tzinfo=UTC),
        "before it was agreed": JAN_2 - timedelta(hours=1),
        "the morning after": datetime(2027, 1, 1, tzinfo=UTC),
        "thirty days later": datetime(2027, 1, 30, 12, tzinfo=UTC),
        "a day more": datetime(2027, 1, 31, tzinfo=UTC),
    }
    told = {when: attained(found, at=at) for when, at in on.items()}
    assert told == {
        "first day": None,
        "before it was agreed": None,
        "the morning after": 50,
        "thirty days later": 50,
        "a day more": None,
    }


def test_a_changed_target_counts_from_the_moment_the_partner_agrees() -> None:
    found = agreed()
    found.house.sale("a", "9000.00", "ANA10", datetime(2026, 2, 3, tzinfo=UTC))
    goal, noon = found.goal(), APR_11 + timedelta(hours=1)
    change = checkpoints.retarget(goal, after=32_850_00, because="The fair is off.", by=mats(), at=APR_11)
    with pytest.raises(refusals.ChangeWaits):
        checkpoints.retarget(goal, after=1, because="Again.", by=mats(), at=APR_11)
    assert goals.target_at(goal, at=noon) == 36_500_00
    checkpoints.agree_change(change, by=ana(), at=noon)
    # 32,850.00 in 365 days are 90.00 a day: 9,000.00 after 100 days.
    assert [goals.target_at(goal, at=at) for at in (APR_11, noon)] == [36_500_00, 32_850_00]
    assert [attained(found, at=at) for at in (APR_11, noon)] == [90, 100]
    assert standing(found, at=noon)["net_revenue"][2] == "on_track"
    assert Goal.objects.get(pk=goal.pk).target == 36_500_00
    assert mailed("business_plan_target_proposed") == ["ana@studio.example"]
    assert mailed("business_plan_target_answered") == ["mats@halden.example"]


def test_a_declined_target_never_counts_and_one_taken_back_neither() -> None:
    found = agreed()
    goal = found.goal()
    declined = checkpoints.retarget(goal, after=1_00, because="A try.", by=mats(), at=APR_11)
    checkpoints.decline_change(declined, by=ana(), at=APR_11)
    with pytest.raises(refusals.NotWaiting):
        checkpoints.agree_change(declined, by=ana(), at=APR_11)
    back = checkpoints.retarget(goal, after=2_00, because="A slip.", by=mats(), at=APR_11)
    checkpoints.take_back_change(back, by=mats(), at=APR_11)
    assert goals.target_at(goal, at=APR_11) == 36_500_00
    assert [row.state for row in telling.change_rows(found.fresh())] == ["taken_back", "declined"]


@pytest.mark.parametrize(
    ("given", "refusal", "field"),
    [
        ({"after": 36_500_00}, refusals.SameTarget, "after"),
        ({"after": 0}, refusals.NotPositive, "after"),
        ({"after": 10**13}, refusals.Absurd, "after"),
        ({"because": " "}, refusals.NoReason, "because"),
        ({"at": datetime(2027, 1, 1, tzinfo=UTC)}, refusals.GoalOver, None),
    ],
)
def test_a_target_is_changed_for_a_reason_and_in_time(
    given: dict[str, Any], refusal: type[Refused], field: str | None
) -> None:
    found = agreed()
    with pytest.raises(refusal) as refused:
        checkpoints.retarget(
            found.goal(), **{"after": 5_00, "because": "So.", "at": APR_11, "by": mats(), **given}
        )
    assert refused.value.field == field
    assert not GoalChange.objects.exists()


def test_a_checkpoint_keeps_the_figures_of_its_day_whatever_comes_later() -> None:
    found = agreed()
    found.house.sale("a", "9000.00", "ANA10", datetime(2026, 2, 3, tzinfo=UTC))
    checkpoint = Checkpoint.objects.get()
    with pytest.raises(refusals.NoNote):
        checkpoints.hold(checkpoint, note=" ", by=mats(), at=APR_11)
    checkpoints.hold(checkpoint, note="Behind: the fair.", by=mats(), at=APR_11)
    found.house.sale("late", "100.00", "ANA10", datetime(2026, 2, 4, tzinfo=UTC))
    with pytest.raises(refusals.HeldAlready):
        checkpoints.hold(checkpoint, note="Once more.", by=mats(), at=APR_11)
    [row] = telling.checkpoint_rows(found.fresh(), today=MID)
    assert (row.is_due, row.goals[0].value, row.goals[0].stands) == (False, "£9,000.00", "behind")


def test_both_sides_are_reminded_once_seven_days_before_a_checkpoint() -> None:
    found = agreed()
    partner = found.membership.partner
    partner.account_manager = mats()
    partner.save()
    days = [datetime(2026, 6, 22, 12, tzinfo=UTC) + timedelta(days=day) for day in range(3)]
    assert [sweep.remind_due(at=day) for day in days] == [0, 1, 1]
    assert mailed("business_plan_checkpoint") == ["ana@studio.example", "mats@halden.example"]


def test_the_plans_of_many_memberships_are_read_with_a_fixed_number_of_queries(
    django_assert_num_queries: Any,
) -> None:
    first = agreed()
    for number in range(3):
        membership = first.house.member(f"X{number}", owner=ana())
        plan = BusinessPlan.objects.create(
            membership=membership,
            title="2026",
            starts_on=FIRST,
            ends_on=LAST,
            state="in_progress",
            created_at=JAN_2,
            created_by=mats(),
            agreed_at=JAN_2,
            agreed_by=ana(),
        )
        Goal.objects.create(plan=plan, metric="net_revenue", target=10_000_00, due_on=LAST)
        first.house.sale(f"s{number}", f"{number + 1}00.00", f"X{number}", datetime(2026, 2, 3, tzinfo=UTC))
    program = first.house.program
    question = Question("plan_attainment")
    with django_assert_num_queries(2):  # the goals, and the revenue of the year so far
        found = attainment(Group(program, 0, 10**9), Asked(question, None, APR_11))
    # 100 of 365 days of 10,000.00 are 2,739.726…: 200.00 of it are 7.3 %.
    values = sorted(figure.value for figure in found.values() if figure.value is not None)
    assert values == [0, Fraction(365, 100), Fraction(730, 100), Fraction(1095, 100)]
    assert "plan_attainment" in metrics.known()
