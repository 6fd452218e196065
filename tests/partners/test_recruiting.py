"""Who recruited a partner is named once, within one program, without a ring; plans with overrides pay it from that moment on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from partners import recruiting
from partners.models import Membership
from prm.accounts.models import User
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from tests.desk import at_desk, links, words
from tests.factories.partners import MembershipFactory
from tests.people import ada, ana, fiona, mats
from tiers.models import Program

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def recruit() -> Membership:
    return MembershipFactory(partner__name="Studio Ana")


def beside(membership: Membership, **facts: Any) -> Membership:
    return MembershipFactory(program=membership.program, **facts)


def below(membership: Membership, levels: int = 1) -> Membership:
    """Return who stands so many levels below a membership."""
    for _level in range(levels):
        membership = beside(membership, recruiter=membership, recruited_at=NOW)
    return membership


def test_a_recruiter_is_named_with_its_moment_and_on_record(recruit: Membership) -> None:
    above = beside(recruit)
    recruiting.name_recruiter(recruit, above, by=mats(), at=NOW)
    recruit.refresh_from_db()
    assert (recruit.recruiter, recruit.recruited_at) == (above, NOW)
    event = AuditEvent.objects.get(action="membership.recruiter_named")
    assert (event.actor, event.details["recruiter"]) == (mats(), above.public_id)


def named(recruit: Membership) -> Membership:
    Membership.objects.filter(pk=recruit.pk).update(recruiter=beside(recruit), recruited_at=NOW)
    return beside(recruit)


def inactive(recruit: Membership) -> Membership:
    Membership.objects.filter(pk=recruit.pk).update(state="suspended")
    return beside(recruit)


REFUSALS: list[tuple[type[Refused], Callable[[Membership], Membership]]] = [
    (recruiting.AlreadyRecruited, named),
    (recruiting.ItsOwnRecruiter, lambda recruit: recruit),
    (recruiting.RecruiterElsewhere, lambda _recruit: MembershipFactory()),
    (recruiting.NotActive, inactive),
    (recruiting.NotActive, lambda recruit: beside(recruit, state="suspended")),
    (recruiting.NotActive, lambda recruit: beside(recruit, ended_at=NOW - timedelta(days=1))),
    (recruiting.RecruitedBelow, below),
    (recruiting.RecruitedBelow, lambda recruit: below(recruit, 3)),
]


@pytest.mark.parametrize(("refusal", "who"), REFUSALS)
def test_what_makes_no_sense_is_refused_at_the_recruiter(
    recruit: Membership, refusal: type[Refused], who: Callable[[Membership], Membership]
) -> None:
    above = who(recruit)
    before = Membership.objects.values_list("recruiter", flat=True).get(pk=recruit.pk)
    with pytest.raises(refusal) as refused:
        recruiting.name_recruiter(recruit, above, by=ada(), at=NOW)
    assert refused.value.field == "recruiter"
    assert Membership.objects.values_list("recruiter", flat=True).get(pk=recruit.pk) == before
    assert not AuditEvent.objects.filter(action="membership.recruiter_named").exists()


def test_a_chain_may_be_long_and_who_stands_beside_may_recruit(recruit: Membership) -> None:
    recruiting.name_recruiter(recruit, below(beside(recruit), 3), by=ada(), at=NOW)
    recruit.refresh_from_db()
    assert recruit.recruited_at == NOW


@pytest.mark.parametrize("who", [fiona, ana])
def test_only_those_who_manage_partners_name_recruiters(recruit: Membership, who: Callable[[], User]) -> None:
    with pytest.raises(Forbidden):
        recruiting.name_recruiter(recruit, beside(recruit), by=who(), at=NOW)


def address(membership: Membership) -> str:
    return reverse("admin:partners_membership_recruiter", args=[membership.pk])


def page_of(membership: Membership) -> str:
    return reverse("admin:partners_membership_change", args=[membership.pk])


def test_the_page_says_what_follows_and_names_the_recruiter(recruit: Membership) -> None:
    above = beside(recruit, partner__name="Bob Ltd")
    desk = at_desk(mats())
    assert address(recruit) in links(desk.get(page_of(recruit)))
    text = words(desk.get(address(recruit)))
    assert "earns what the plan's override says when Studio Ana sells" in text
    assert "This cannot be changed later." in text
    answer = desk.post(address(recruit), {"recruiter": above.pk}, follow=True)
    assert "Bob Ltd is named as who recruited Studio Ana." in words(answer)
    assert page_of(above) in links(answer) and address(recruit) not in links(answer)
    recruit.refresh_from_db()
    assert recruit.recruiter == above and recruit.recruited_at is not None
    assert "cannot be changed" in words(desk.get(address(recruit)))


def test_the_page_offers_active_members_of_the_program_and_nobody_else(recruit: Membership) -> None:
    beside(recruit, partner__name="Bob Ltd")
    beside(recruit, partner__name="Gone Ltd", state="ended", ended_at=NOW)
    MembershipFactory(partner__name="Elsewhere Ltd", program__name="Other")
    assert Program.objects.count() == 2
    text = words(at_desk(mats()).get(address(recruit)))
    choices = text[text.index("Choose a partner") : text.index("What happens")]
    assert "Bob Ltd" in choices
    assert not any(name in choices for name in ("Gone Ltd", "Elsewhere Ltd", "Studio Ana"))


def test_a_ring_and_an_empty_choice_are_answered_at_the_field(recruit: Membership) -> None:
    desk = at_desk(mats())
    ring = desk.post(address(recruit), {"recruiter": below(recruit).pk})
    assert ring.status_code == 422
    assert "was itself recruited below" in words(ring)
    assert "This field is required" in words(desk.post(address(recruit), {"recruiter": ""}))
    recruit.refresh_from_db()
    assert recruit.recruiter is None


def test_finance_is_neither_offered_the_page_nor_let_in(recruit: Membership) -> None:
    desk = at_desk(fiona())
    assert address(recruit) not in links(desk.get(page_of(recruit)))
    assert desk.post(address(recruit), {"recruiter": beside(recruit).pk}).status_code == 403
