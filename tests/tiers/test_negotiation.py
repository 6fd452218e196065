"""Own terms of one partner: proposed as they are, in force when exactly that is accepted, a draft again otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.factories.tiers import PlanCaseFactory
from tests.house import House, open_house
from tests.people import ada, ana, mats
from tiers import negotiation, proofs, publishing, rulebook
from tiers.choices import VersionState
from tiers.models import Plan, PlanVersion

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
JULY = datetime(2026, 6, 30, 23, tzinfo=UTC)
MEMBER = "mem_ana"


@pytest.fixture
def house() -> House:
    return open_house()


def draft(member_key: str = MEMBER) -> PlanVersion:
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=AT, member_key=member_key)
    version.rules.update(rate=15)
    return version


def proposed(**changed: Any) -> PlanVersion:
    return negotiation.propose(draft(), **{"effective_at": JULY, "by": ada(), "at": AT, **changed})


def rate(house: House, at: datetime, member_key: str = MEMBER) -> str:
    plan = rulebook.Rulebook.load([house.program.pk]).plan_for(house.program.pk, at, member_key=member_key)
    return str(plan.rules[0].rate) if plan else ""


def test_a_proposal_rates_nothing_until_it_is_accepted(house: House) -> None:
    version = proposed()
    assert (version.state, version.proposed_by, version.proposed_at) == ("proposed", ada(), AT)
    assert rate(house, JULY) == "0.08"
    accepted = negotiation.accept(version, shown=version.sha256, by=ana(), at=AT + timedelta(days=1))
    assert (accepted.state, accepted.accepted_by, accepted.published_by) == ("published", ana(), ada())
    assert (accepted.accepted_at, accepted.effective_at) == (AT + timedelta(days=1), JULY)
    assert [rate(house, at) for at in (JULY - timedelta(seconds=1), JULY)] == ["0.08", "0.15"]
    assert rate(house, JULY, "mem_other") == "0.08"
    assert PlanVersion.objects.get(number=1).state == VersionState.PUBLISHED  # everybody else's goes on
    acts = AuditEvent.objects.filter(action__startswith="plan_version.", object_pk=str(version.pk))
    assert [(event.action, event.actor_id) for event in acts.order_by("pk")] == [
        ("plan_version.drafted", ada().pk),
        ("plan_version.proposed", ada().pk),
        ("plan_version.accepted", ana().pk),
    ]


def test_an_acceptance_after_the_date_takes_effect_at_once_and_never_before(house: House) -> None:
    version = proposed()
    late = JULY + timedelta(days=3)
    accepted = negotiation.accept(version, shown=version.sha256, by=ana(), at=late)
    assert accepted.effective_at == late
    assert [rate(house, at) for at in (late - timedelta(seconds=1), late)] == ["0.08", "0.15"]


def test_the_next_agreement_supersedes_the_one_before_it(house: House) -> None:
    first = proposed()
    negotiation.accept(first, shown=first.sha256, by=ana(), at=AT)
    second = draft()
    assert second.rules.get().rate == 15  # from what is agreed, not from what everybody has
    second = negotiation.propose(second, effective_at=JULY + timedelta(days=1), by=ada(), at=AT)
    negotiation.accept(second, shown=second.sha256, by=ana(), at=AT)
    states = PlanVersion.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["published", "superseded", "published"]


def test_what_was_not_read_is_not_accepted(house: House) -> None:
    version = proposed()
    read = version.sha256
    negotiation.withdraw(version, by=ada(), at=AT)
    version.rules.update(rate=1)
    again = negotiation.propose(version, effective_at=JULY, by=ada(), at=AT)
    with pytest.raises(negotiation.Changed):
        negotiation.accept(again, shown=read, by=ana(), at=AT)
    assert PlanVersion.objects.get(pk=again.pk).state == VersionState.PROPOSED


@pytest.mark.parametrize(
    "change",
    [{"excluded_products": ["A1"]}, {"combine": "stack"}, {"effective_at": JULY + timedelta(days=9)}],
)
def test_what_was_altered_behind_the_proposal_is_not_accepted(house: House, change: dict[str, Any]) -> None:
    version = proposed()
    PlanVersion.objects.filter(pk=version.pk).update(**change)  # and its hash stays as it was
    with pytest.raises(negotiation.Altered, match="Ask for a new proposal"):
        negotiation.accept(version, shown=version.sha256, by=ana(), at=AT)
    assert PlanVersion.objects.get(pk=version.pk).state == VersionState.PROPOSED


def test_a_date_given_in_another_zone_is_the_same_date_when_it_is_accepted(house: House) -> None:
    version = proposed(effective_at=JULY.astimezone(ZoneInfo("Europe/London")))
    accepted = negotiation.accept(version, shown=version.sha256, by=ana(), at=AT)
    assert accepted.effective_at == JULY


def test_a_declined_proposal_is_a_draft_again_and_the_reason_is_kept(house: House) -> None:
    version = negotiation.decline(proposed(), reason="  We agreed on 20 %.  ", by=ana(), at=AT)
    version.refresh_from_db()
    assert (version.state, version.effective_at, version.proposed_at, version.sha256) == (
        VersionState.DRAFT,
        None,
        None,
        "",
    )
    event = AuditEvent.objects.get(action="plan_version.declined")
    assert (event.note, event.actor_id) == ("We agreed on 20 %.", ana().pk)
    version.rules.update(rate=20)  # the database lets it be edited again


def test_a_decline_says_why(house: House) -> None:
    version = proposed()
    with pytest.raises(negotiation.NoReason):
        negotiation.decline(version, reason=" \n", by=ana(), at=AT)
    assert PlanVersion.objects.get(pk=version.pk).state == VersionState.PROPOSED


def test_an_answer_is_given_once(house: House) -> None:
    version = proposed()
    negotiation.accept(version, shown=version.sha256, by=ana(), at=AT)
    for again in (
        lambda: negotiation.accept(version, shown=version.sha256, by=ana(), at=AT),
        lambda: negotiation.decline(version, reason="No", by=ana(), at=AT),
        lambda: negotiation.withdraw(version, by=ada(), at=AT),
    ):
        with pytest.raises(negotiation.NotProposed):
            again()
    assert PlanVersion.objects.get(pk=version.pk).state == VersionState.PUBLISHED


def test_what_is_proposed_cannot_be_edited_meanwhile(house: House) -> None:
    version = proposed()
    with pytest.raises(IntegrityError), transaction.atomic():
        version.rules.update(rate=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanCaseFactory.create(version=version)
    with pytest.raises(publishing.ProposalWaits):
        draft()
    assert version.rules.get().rate == 15


def test_only_a_draft_for_one_partner_is_proposed_by_who_may_publish(house: House) -> None:
    with pytest.raises(negotiation.ForEverybody):
        negotiation.propose(draft(member_key=""), effective_at=JULY, by=ada(), at=AT)
    with pytest.raises(Forbidden):
        proposed(by=mats())
    version = proposed()
    with pytest.raises(negotiation.NotADraft):
        negotiation.propose(version, effective_at=JULY, by=ada(), at=AT)
    with pytest.raises(Forbidden):
        negotiation.withdraw(version, by=mats(), at=AT)
    assert PlanVersion.objects.get(pk=version.pk).state == VersionState.PROPOSED


def test_what_could_not_be_published_is_not_proposed(house: House) -> None:
    with pytest.raises(publishing.InThePast):
        proposed(effective_at=AT - timedelta(seconds=1))
    version = draft()
    version.rules.update(rate=0)
    with pytest.raises(proofs.NothingToEarn):
        negotiation.propose(version, effective_at=JULY, by=ada(), at=AT)
    version.rules.update(rate=15)
    PlanVersion.objects.filter(pk=version.pk).update(grandfather="memberships")
    with pytest.raises(proofs.NobodyToKeep):
        negotiation.propose(version, effective_at=JULY, by=ada(), at=AT)
    assert PlanVersion.objects.get(pk=version.pk).state == VersionState.DRAFT
