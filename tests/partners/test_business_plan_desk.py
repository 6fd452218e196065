"""Business plans at the desk: the outline row by row, every mistake at its field, and each button saying what it does first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse

from partners.business_plans import checkpoints
from partners.models import BusinessPlan, Checkpoint, GoalChange
from tests.desk import at_desk, words
from tests.pages import submit, went_on
from tests.partners.plan_scene import JAN_2, agreed, outlined, proposed
from tests.people import felix, mats

pytestmark = pytest.mark.django_db
NOW = "2026-04-11T12:00:00Z"  # 100 whole days of the year are over
LIST = "/admin/partners/businessplan/"


def url(name: str, pk: int) -> str:
    return reverse(f"admin:partners_businessplan_{name}", args=[pk])


def test_an_outline_is_begun_written_and_given_to_the_partner(time_machine: Any) -> None:
    time_machine.move_to(NOW)
    found = outlined()
    desk = at_desk(mats())
    edit = went_on(
        submit(
            desk,
            url("new", found.membership.pk),
            title="Autumn",
            starts_on="2026-09-01",
            ends_on="2026-11-30",
        )
    )
    plan = BusinessPlan.objects.get(title="Autumn")
    assert edit == url("edit", plan.pk)
    given = {
        "goal_0_metric": "net_revenue",
        "goal_0_target": "5000.50",
        "goal_2_metric": "sales",
        "goal_2_target": "12",
        "goal_2_due_on": "2026-10-31",
        "checkpoint_1": "2026-10-15",
    }
    page = went_on(submit(desk, edit, given))
    assert list(plan.goals.order_by("metric").values_list("metric", "target", "due_on")) == [
        ("net_revenue", 5000_50, datetime(2026, 11, 30).date()),
        ("sales", 12, datetime(2026, 10, 31).date()),
    ]
    went_on(submit(desk, url("propose", plan.pk), note="Shall we?"))
    assert "Shall we?" in words(desk.get(page))
    assert BusinessPlan.objects.get(pk=plan.pk).state == "partner_review"


def test_every_mistake_of_an_outline_is_named_at_its_field_and_nothing_is_saved(time_machine: Any) -> None:
    time_machine.move_to(NOW)
    found = outlined()
    given = {
        "title": "",
        "goal_0_target": "-5",
        "goal_1_target": "many",
        "goal_2_metric": "new_customers",
        "goal_2_target": "",
        "goal_3_target": "7",
        "checkpoint_0": "2025-06-30",
    }
    answer = submit(at_desk(mats()), url("edit", found.plan.pk), given)
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert {name: str(said[0]) for name, said in errors.items()} == {
        "title": "Give the plan a title of up to 140 characters.",
        "goal_0_target": "A target is more than nothing.",
        "goal_1_target": "Write a whole number such as 12.",
        "goal_2_target": "Write what is to be reached.",
        "goal_3_metric": "Choose what is to be reached.",
        "checkpoint_0": "This day lies outside the plan, which runs from 1 Jan 2026 to 31 Dec 2026.",
    }
    assert 'value="many"' in answer.content.decode()
    assert "<title>Error: " in answer.content.decode()
    assert found.fresh().title == "Growing in 2026"


def test_the_page_of_a_plan_shows_meters_a_checkpoint_is_held_and_a_target_changed(time_machine: Any) -> None:
    time_machine.move_to(NOW)
    found = agreed()
    found.house.sale("a", "9000.00", "ANA10", datetime(2026, 2, 3, tzinfo=UTC))
    desk, page = at_desk(mats()), url("change", found.plan.pk)
    shown = words(desk.get(page))
    assert "£9,000.00 of £36,500.00, 24 %. £10,000.00 expected by now." in shown
    assert "Behind" in shown
    went_on(submit(desk, url("checkpoint", Checkpoint.objects.get().pk), note="A slow start."))
    target = url("target", found.goal().pk)
    refused = submit(desk, target, after="36500", because="The same.")
    assert refused.status_code == 422
    assert "This is the target already." in words(refused)
    went_on(submit(desk, target, after="30000.00", because="The fair is off."))
    shown = words(desk.get(page))
    assert "A slow start." in shown
    assert "£30,000.00" in shown
    change = GoalChange.objects.get()
    went_on(desk.post(url("change_take_back", change.pk)))
    assert "Taken back" in words(desk.get(page))


def test_the_list_finds_what_is_behind_and_due_and_its_file_has_the_same_figures(time_machine: Any) -> None:
    time_machine.move_to("2026-06-25T12:00:00Z")  # 175 whole days, five before the checkpoint
    found = agreed()
    found.house.sale("a", "17000.00", "ANA10", datetime(2026, 2, 3, tzinfo=UTC))
    desk = at_desk(mats())
    for way in ("behind", "checkpoint"):
        assert "Growing in 2026" in words(desk.get(LIST, {"show": way}))
    assert "Growing in 2026" not in words(desk.get(LIST, {"show": "sent_back"}))
    assert "1 checkpoint of a plan is due" in words(desk.get("/admin/"))
    lines = desk.get(f"{LIST}file.csv", {"show": "behind"}).content.decode().splitlines()
    assert lines[1].split(",")[7:] == [
        "net_revenue",
        "2026-12-31",
        "36500.00",
        "17000.00",
        "17500.00",
        "46",
        "behind",
    ]
    checkpoints.hold(Checkpoint.objects.get(), note="Looked.", by=mats(), at=JAN_2)
    assert "checkpoint of a plan" not in words(desk.get("/admin/"))


def test_a_plan_is_completed_with_what_came_of_it(time_machine: Any) -> None:
    time_machine.move_to("2027-01-05T09:00:00Z")
    found = agreed()
    desk = at_desk(mats())
    went_on(submit(desk, url("complete", found.plan.pk), outcome="A good year."))
    assert "A good year." in words(desk.get(url("change", found.plan.pk)))
    refused = submit(desk, url("withdraw", found.plan.pk), because="Too late.")
    assert "This plan is completed or withdrawn" in words(refused)


def test_a_plan_with_the_partner_is_taken_back_and_withdrawn(time_machine: Any) -> None:
    time_machine.move_to(NOW)
    found = proposed()
    desk, page = at_desk(mats()), url("change", found.plan.pk)
    went_on(submit(desk, page, form="take-back"))
    assert found.fresh().state == "outline"
    went_on(submit(desk, url("withdraw", found.plan.pk), because="Another program."))
    assert found.fresh().state == "withdrawn"


def test_who_may_not_agree_plans_only_looks() -> None:
    found = outlined()
    desk = at_desk(felix())
    assert desk.get(url("change", found.plan.pk)).status_code == 200
    for name in ("edit", "propose", "withdraw", "complete"):
        assert desk.get(url(name, found.plan.pk)).status_code == 403
    assert desk.get(url("new", found.membership.pk)).status_code == 403
