"""What the archive tells of business plans, and what is left of them when a partner is erased."""

from __future__ import annotations

import json

import pytest

from partners import personal_data
from partners.business_plans import checkpoints, plans
from partners.business_plans import personal_data as privacy
from partners.erasure import Case
from partners.models import Checkpoint, GoalChange, PlanRemark
from prm.lib.scrubbing import ERASED
from tests.partners.plan_scene import APR_11, JAN_2, Planned, outlined, proposed
from tests.people import ada, ana, mats

pytestmark = pytest.mark.django_db


def written() -> Planned:
    """Return an agreed plan in which everybody wrote about Ana Prado."""
    found = proposed()
    plans.ask_for_changes(found.plan, text="Ana Prado is away in May.", by=ana(), at=JAN_2)
    plans.propose(found.plan, note="Then after May.", by=mats(), at=JAN_2)
    found.agree()
    checkpoints.hold(Checkpoint.objects.get(), note="Ana Prado was there.", by=mats(), at=APR_11)
    checkpoints.retarget(found.goal(), after=1_00, because="Ana Prado is ill.", by=mats(), at=APR_11)
    return found


def told(found: Planned) -> str:
    subject = personal_data.Subject(None, "", (found.membership.partner_id,))
    sections = [each for each in personal_data.sections() if each.name.startswith("partner-plan")]
    assert len(sections) == 5
    return json.dumps([list(each.read(subject)) for each in sections], default=str)


def test_the_archive_has_the_partners_plans_and_no_outline_nobody_gave_it() -> None:
    found = written()
    outlined(house=found.house, title="A secret outline")
    said = told(found)
    for text in ("Growing in 2026", "Ana Prado is away in May.", "Ana Prado was there.", "Ana Prado is ill."):
        assert text in said
    assert "A secret outline" not in said


def test_a_person_is_taken_out_of_what_was_written_and_the_figures_stay() -> None:
    found = written()
    privacy.erase(Case(None, frozenset(), names=frozenset({"Ana Prado"})), ada(), APR_11)
    assert "Ana Prado" not in told(found)
    assert PlanRemark.objects.order_by("pk")[0].text == f"{ERASED} is away in May."
    assert found.goal().target == 36_500_00


def test_what_was_written_goes_with_a_partner_and_the_goals_stay() -> None:
    found = written()
    privacy.erase(Case(None, frozenset(), partners=(found.membership.partner,)), ada(), APR_11)
    plan = found.fresh()
    assert (plan.title, plan.partner_does, plan.we_do) == (ERASED, "", "")
    assert set(PlanRemark.objects.values_list("text", flat=True)) == {ERASED}
    assert GoalChange.objects.get().because == ERASED
    assert Checkpoint.objects.get().note == ""
    assert plan.goals.count() == 2
