"""Business plans: written by staff, agreed by the partner, one at a time, looked at on agreed days, and never written over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from partners import metrics
from partners.business_plans import checkpoints, finding, goals, plans, progress, refusals, sweep, telling
from partners.business_plans.goals import GoalLine
from partners.business_plans.metrics import attainment, rows
from partners.metrics import Asked, Group
from partners.models import BusinessPlan, Checkpoint, Goal, GoalChange, PlanRemark
from partners.team import NotYours
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.factories.tiering import TierTargetFactory
from tests.partners.plan_scene import (
    APR_11,
    FIRST,
    JAN_2,
    LAST,
    MID,
    OUTLINE,
    Planned,
    agreed,
    outlined,
    proposed,
)
from tests.people import ana, felix, mats
from tiers.qualify import Question

pytestmark = pytest.mark.django_db
UNTIL_31_JAN_2027 = datetime(2027, 1, 31, 9, tzinfo=UTC)


def mailed(kind: str) -> list[str]:
    return sorted(OutgoingMail.objects.filter(kind=kind).values_list("to", flat=True))


def attained(found: Planned, *, at: datetime, goal: str = "") -> Fraction | None:
    params = (("goal", (goal,)),) if goal else ()
    asked = Asked(Question("plan_attainment", params=params), None, at)
    pk = found.membership.pk
    figure = attainment(Group(found.house.program, pk, pk), asked).get(pk)
    if figure is None:
        return None
    assert figure.value is not None
    assert sum((row.value for row in rows(pk, asked)), Fraction(0)) == figure.value
    return figure.value


def standing(found: Planned, *, at: datetime) -> dict[str, tuple[int | None, int, str]]:
    """Return for each goal what was reached, what was expected (both whole) and where it stands."""
    reached = progress.of_plan(found.fresh(), at=at)
    return {
        each.metric: (None if each.value is None else int(each.value), int(each.expected), each.stands.value)
        for each in reached.goals
    }


# What an outline begins with.


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ((2026, 1, 1), (2026, 12, 31), Fraction(1)),
        ((2027, 7, 1), (2028, 6, 30), Fraction(1)),  # a leap day inside changes nothing
        ((2026, 1, 1), (2026, 3, 31), Fraction(90, 365)),
        ((2024, 1, 1), (2024, 3, 31), Fraction(91, 366)),
        ((2026, 1, 1), (2027, 1, 31), 1 + Fraction(31, 365)),
        ((2024, 2, 29), (2025, 2, 28), 1 + Fraction(1, 365)),
    ],
)
def test_a_period_is_so_many_years(
    first: tuple[int, int, int], last: tuple[int, int, int], expected: Fraction
) -> None:
    assert goals.years(date(*first), date(*last)) == expected


def test_an_outline_begins_with_the_part_of_the_tiers_targets_and_people_are_counted_whole() -> None:
    found = outlined()
    for metric, target in (
        ("net_revenue", 10_000_00),
        ("new_customers", 1),
        ("certified_count", 4),
        ("sales", 2),
    ):
        TierTargetFactory(tier=found.house.tier, metric=metric, target=target)
    plan = plans.draft(
        found.membership, title="Spring", starts_on=FIRST, ends_on=date(2026, 3, 31), by=mats(), at=JAN_2
    )
    # 90 of 365 days: 246 575.34… pence; 0.25 of a customer is none; 0.49 of two sales is none; people are people.
    assert dict(plan.goals.values_list("metric", "target")) == {
        "net_revenue": 2_465_75,
        "certified_count": 4,
    }
    assert goals.prorated(5, Fraction(1, 2)) == 3  # a half goes up


FAULTS: list[tuple[dict[str, Any], type[Refused], str]] = [
    ({"title": " "}, refusals.NoTitle, "title"),
    ({"ends_on": FIRST}, refusals.EndsTooEarly, "ends_on"),
    ({"ends_on": date(2029, 1, 1)}, refusals.TooManyYears, "ends_on"),
    ({"goals": [GoalLine("sales", 0, LAST)]}, refusals.NotPositive, "goal_0_target"),
    ({"goals": [GoalLine("sales", -3, LAST)]}, refusals.NotPositive, "goal_0_target"),
    ({"goals": [GoalLine("sales", 10**6 + 1, LAST)]}, refusals.Absurd, "goal_0_target"),
    ({"goals": [GoalLine("net_revenue", 10**12 + 1, LAST)]}, refusals.Absurd, "goal_0_target"),
    ({"goals": [GoalLine("luck", 3, LAST)]}, refusals.UnknownGoal, "goal_0_metric"),
    ({"goals": [GoalLine("sales", 3, date(2027, 1, 1))]}, refusals.OutsidePeriod, "goal_0_due_on"),
    ({"goals": [GoalLine("sales", 3, LAST), GoalLine("sales", 4, LAST)]}, refusals.Twice, "goal_1_due_on"),
    ({"checkpoints": [date(2025, 12, 31)]}, refusals.OutsidePeriod, "checkpoint_0"),
    ({"checkpoints": [MID, MID]}, refusals.SameDayTwice, "checkpoint_1"),
    ({"we_do": "x" * 4001}, refusals.TooLong, "we_do"),
]


@pytest.mark.parametrize(("changed", "refusal", "field"), FAULTS)
def test_what_makes_no_sense_is_refused_by_name_and_nothing_is_saved(
    changed: dict[str, Any], refusal: type[Refused], field: str
) -> None:
    found = outlined()
    with pytest.raises(refusal) as refused:
        plans.edit(found.plan, replace(OUTLINE, **changed), by=mats(), at=JAN_2)
    assert refused.value.field == field
    assert str(refused.value)
    assert found.fresh().title == "Growing in 2026"
    assert found.fresh().goals.count() == 2


def test_three_years_to_the_day_are_allowed() -> None:
    found = outlined(ends_on=date(2028, 12, 31), goals=[GoalLine("sales", 3, date(2028, 12, 31))])
    assert found.fresh().ends_on == date(2028, 12, 31)


def test_only_who_agrees_plans_writes_them_and_only_for_living_memberships() -> None:
    found = outlined()
    with pytest.raises(Forbidden):
        plans.edit(found.plan, OUTLINE, by=felix(), at=JAN_2)
    found.membership.ended_at, found.membership.state = JAN_2, "ended"
    found.membership.save()
    with pytest.raises(refusals.MembershipOver):
        plans.edit(found.plan, OUTLINE, by=mats(), at=JAN_2)
    assert sweep.withdraw_ended(at=JAN_2) == 1
    assert found.fresh().state == "withdrawn"


# From the outline to the agreement.


def test_an_owner_agrees_to_what_was_shown_and_a_running_period_begins_at_once() -> None:
    found = proposed()
    assert mailed("business_plan_proposed") == ["ana@studio.example"]
    with pytest.raises(NotYours):
        plans.agree(found.plan, shown=finding.fingerprint(found.plan), by=mats(), at=JAN_2)
    with pytest.raises(refusals.Altered):
        plans.agree(found.plan, shown="something else", by=ana(), at=JAN_2)
    plan = found.agree()
    assert (plan.state, plan.agreed_by) == ("in_progress", ana())
    assert mailed("business_plan_agreed") == ["mats@halden.example"]
    with pytest.raises(refusals.NotAnOutline):
        plans.edit(plan, OUTLINE, by=mats(), at=JAN_2)


def test_a_plan_sent_back_keeps_what_both_wrote_and_what_the_partner_would_rather_reach() -> None:
    found = proposed()
    counter = [GoalLine("net_revenue", 30_000_00, LAST), GoalLine("sales", 73, LAST)]
    with pytest.raises(refusals.SaysNothing):
        plans.ask_for_changes(found.plan, text="  ", by=ana(), at=JAN_2)
    with pytest.raises(refusals.NotPositive) as refused:
        wrong = [GoalLine("net_revenue", 0, LAST)]
        plans.ask_for_changes(found.plan, text="Less.", targets=wrong, by=ana(), at=JAN_2)
    assert refused.value.field == f"target_{found.goal().pk}"
    plans.ask_for_changes(found.plan, text="Summer is quiet.", targets=counter, by=ana(), at=JAN_2)
    assert found.fresh().state == "outline"
    plans.propose(found.plan, note="Then 32,000.", by=mats(), at=JAN_2 + timedelta(days=1))
    first, second = telling.remark_rows(found.fresh())
    assert (first.text, first.is_ours, first.counters) == (
        "Summer is quiet.",
        False,
        ("Net revenue: £30,000.00 by 31 Dec 2026",),
    )
    assert (second.text, second.is_ours) == ("Then 32,000.", True)
    assert len(mailed("business_plan_proposed")) == 2


def test_a_plan_taken_back_cannot_be_agreed_to_and_one_without_goals_is_not_given() -> None:
    found = proposed()
    plans.take_back(found.plan, by=mats(), at=JAN_2)
    with pytest.raises(refusals.NotWithThePartner):
        found.agree()
    plans.edit(found.plan, replace(OUTLINE, goals=[]), by=mats(), at=JAN_2)
    with pytest.raises(refusals.NoGoals):
        plans.propose(found.plan, by=mats(), at=JAN_2)


def test_only_one_agreed_plan_counts_at_a_time_and_neighbours_are_fine() -> None:
    found = agreed()
    summer = {
        "starts_on": date(2026, 12, 31),
        "ends_on": date(2027, 6, 30),
        "goals": [GoalLine("sales", 9, date(2027, 6, 30))],
        "checkpoints": [],
    }
    other = outlined(house=found.house, **summer)
    with pytest.raises(refusals.Overlaps) as refused:
        plans.propose(other.plan, by=mats(), at=JAN_2)
    assert "Growing in 2026" in str(refused.value)
    plans.edit(other.plan, replace(OUTLINE, **{**summer, "starts_on": date(2027, 1, 1)}), by=mats(), at=JAN_2)
    plans.propose(other.plan, by=mats(), at=JAN_2)
    assert other.agree().state == "agreed"
    assert sweep.begin_due(at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == 0
    assert [sweep.begin_due(at=datetime(2027, 1, 1, tzinfo=UTC)) for _ in range(2)] == [1, 0]
    event = AuditEvent.objects.get(action="business_plan.begun")
    assert (event.object_public_id, event.actor) == (other.plan.public_id, None)


# Progress, checkpoints and changed targets.


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


# The end.


def test_a_plan_is_completed_after_its_last_day_and_keeps_its_figures() -> None:
    found = agreed()
    found.house.sale("a", "40000.00", "ANA10", APR_11)
    with pytest.raises(refusals.NotOver):
        plans.complete(found.plan, outcome="Fine.", by=mats(), at=datetime(2026, 12, 31, 12, tzinfo=UTC))
    january = datetime(2027, 1, 5, 9, tzinfo=UTC)
    with pytest.raises(refusals.NoOutcome):
        plans.complete(found.plan, outcome=" ", by=mats(), at=january)
    plans.complete(found.plan, outcome="A good year.", by=mats(), at=january)
    found.house.refund("b", "39000.00", "ANA10", APR_11, of="a")
    assert standing(found, at=january)["net_revenue"] == (40_000_00, 36_500_00, "reached")
    assert standing(found, at=january)["sales"][2] == "missed"
    assert "A good year." in OutgoingMail.objects.get(kind="business_plan_completed").text


def test_a_plan_nobody_completes_is_completed_thirty_days_later_by_itself() -> None:
    found = agreed()
    assert sweep.complete_due(at=datetime(2027, 1, 30, 23, tzinfo=UTC)) == 0
    assert [sweep.complete_due(at=UNTIL_31_JAN_2027) for _ in range(2)] == [1, 0]
    plan = found.fresh()
    assert (plan.state, plan.completed_by, plan.figures is not None) == ("completed", None, True)
    with pytest.raises(refusals.Finished):
        plans.withdraw(plan, because="Too late.", by=mats(), at=UNTIL_31_JAN_2027)


def test_a_plan_the_partner_knows_is_withdrawn_with_a_reason() -> None:
    found = agreed()
    with pytest.raises(refusals.NoReason):
        plans.withdraw(found.plan, because="", by=mats(), at=APR_11)
    plans.withdraw(found.plan, because="The program changes.", by=mats(), at=APR_11)
    assert attained(found, at=APR_11) is None
    assert mailed("business_plan_withdrawn") == ["ana@studio.example"]
    assert PlanRemark.objects.get().text == "The program changes."


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
