"""Business plans in the portal: an owner reads, agrees or sends back; the team looks; nobody sees another partner's, nor an outline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partners.business_plans import checkpoints, plans
from partners.models import Member, PlanRemark
from tests.desk import links, words
from tests.factories.prm import UserFactory
from tests.pages import submit, went_on
from tests.partners.plan_scene import APR_11, JAN_2, Planned, agreed, outlined, proposed
from tests.people import ana, mats

pytestmark = pytest.mark.django_db
NOW = "2026-04-11T12:00:00Z"


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> None:
    time_machine.move_to(NOW)


def at_portal() -> Client:
    client = Client()
    client.force_login(ana())
    return client


def page_of(found: Planned, name: str = "plan") -> str:
    return reverse(f"portal:{name}", args=[found.plan.public_id])


def test_an_outline_is_ours_until_it_is_given() -> None:
    found = outlined()
    client = at_portal()
    assert client.get(page_of(found)).status_code == 404
    assert "No plan yet" in words(client.get("/portal/plans/"))
    assert "/portal/plans/" not in links(client.get("/portal/"))
    plans.propose(found.plan, by=mats(), at=JAN_2)
    assert "/portal/plans/" in links(client.get("/portal/"))
    assert "Waiting for your answer" in words(client.get("/portal/plans/"))


def test_an_owner_agrees_and_sees_the_goals_as_meters() -> None:
    found = proposed()
    found.house.sale("a", "9000.00", "ANA10", datetime(2026, 2, 3, tzinfo=UTC))
    client = at_portal()
    went_on(submit(client, page_of(found), form="/agree/"))
    answer = client.get(page_of(found))
    assert "£9,000.00 of £36,500.00, 24 %. £10,000.00 expected by now." in words(answer)
    assert '<progress max="3650000" value="900000"' in answer.content.decode()
    lines = client.get(page_of(found, "plan_csv")).content.decode().splitlines()
    assert lines[1].split(",")[9:] == ["36500.00", "9000.00", "10000.00", "24", "behind"]


def test_a_plan_changed_meanwhile_is_not_agreed_to() -> None:
    found = proposed()
    answer = at_portal().post(page_of(found, "plan_agree"), {"shown": "old"}, follow=True)
    assert "The plan was changed while you read it." in words(answer)
    assert found.fresh().state == "partner_review"


def test_an_owner_sends_back_what_is_too_much_with_mistakes_named() -> None:
    found = proposed()
    client, name = at_portal(), f"target_{found.goal().pk}"
    refused = submit(client, page_of(found), {"text": "", name: "a lot"})
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {"text", name}
    refused = submit(client, page_of(found), {"text": "Less.", name: "0"})
    assert "A target is more than nothing." in words(refused)
    went_on(submit(client, page_of(found), {"text": "Summer is quiet.", name: "30000"}))
    remark = PlanRemark.objects.get()
    assert (remark.text, remark.targets[0]["target"], len(remark.targets)) == (
        "Summer is quiet.",
        30_000_00,
        1,
    )
    shown = words(client.get(page_of(found)))
    assert "It is being changed" in shown
    assert "Rather: Net revenue: £30,000.00 by 31 Dec 2026" in shown
    assert "Two fairs" not in shown


@pytest.mark.parametrize(("answer", "said"), [("agree", "Agreed"), ("decline", "Declined")])
def test_an_owner_answers_another_target(answer: str, said: str) -> None:
    found = agreed()
    checkpoints.retarget(found.goal(), after=30_000_00, because="The fair.", by=mats(), at=APR_11)
    client = at_portal()
    assert "£30,000.00 instead of £36,500.00" in words(client.get(page_of(found)))
    went_on(submit(client, page_of(found), form=f"/{answer}/"))
    assert said in words(client.get(page_of(found)))


def test_others_of_the_team_look_and_other_partners_do_not() -> None:
    found = proposed()
    seller = UserFactory()
    Member.objects.create(partner=found.membership.partner, user=seller, role="sales", joined_at=JAN_2)
    client = Client()
    client.force_login(seller)
    assert "Only an owner of your team can answer." in words(client.get(page_of(found)))
    assert client.post(page_of(found, "plan_agree")).status_code == 403
    stranger = UserFactory()
    found.house.member("BEN10", owner=stranger)
    client.force_login(stranger)
    for name in ("plan", "plan_csv"):
        assert client.get(page_of(found, name)).status_code == 404
    assert client.post(page_of(found, "plan_agree")).status_code == 404
