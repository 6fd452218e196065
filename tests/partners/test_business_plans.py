"""Business plans: written by staff, agreed by the partner, one at a time, looked at on agreed days, and never written over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from partners.business_plans import finding, goals, plans, refusals, sweep, telling
from partners.business_plans.goals import GoalLine
from partners.models import PlanRemark
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
    agreed,
    attained,
    mailed,
    outlined,
    proposed,
    standing,
)
from tests.people import ana, felix, mats

pytestmark = pytest.mark.django_db
UNTIL_31_JAN_2027 = datetime(2027, 1, 31, 9, tzinfo=UTC)


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
