"""Versions that meet in the same moment: an answer counts once, a draft is made once, and no two versions begin together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import negotiation
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.house import open_house
from tests.partners.test_races import at_once
from tests.people import ada, ana
from tiers import publishing
from tiers.models import Plan, PlanVersion

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)


def test_four_answers_in_one_moment_leave_one() -> None:
    house, owner, staff = open_house(), ana(), ada()
    membership = house.member("ANA10", owner=owner)
    version = negotiation.begin(membership, by=staff, at=AT)
    version = negotiation.propose(version, effective_at=JULY, by=staff, at=AT)
    results = at_once(
        lambda: negotiation.accept(version, shown=version.sha256, by=owner, at=AT),
        lambda: negotiation.accept(version, shown=version.sha256, by=owner, at=AT),
        lambda: negotiation.decline(version, reason="No.", by=owner, at=AT),
        lambda: negotiation.withdraw(version, by=staff, at=AT),
    )
    assert sum(isinstance(result, PlanVersion) for result in results) == 1
    acts = AuditEvent.objects.filter(
        action__in=["plan_version.accepted", "plan_version.declined", "plan_version.withdrawn"]
    )
    version.refresh_from_db()
    was_accepted = acts.get().action == "plan_version.accepted"
    assert (version.state == "published") is was_accepted
    assert OutgoingMail.objects.filter(kind="proposal_answered").count() <= 1


def test_four_clicks_make_one_draft() -> None:
    open_house()
    plan, staff = Plan.objects.get(), ada()
    results = at_once(*[lambda: publishing.draft_from(plan, by=staff, at=AT)] * 4)
    assert {result.pk for result in results if isinstance(result, PlanVersion)} == {
        PlanVersion.objects.get(number=2).pk
    }
    assert PlanVersion.objects.count() == 2


def test_a_version_published_by_four_clicks_is_published_once() -> None:
    open_house()
    staff = ada()
    version = publishing.draft_from(Plan.objects.get(), by=staff, at=AT)
    results = at_once(*[lambda: publishing.publish(version, effective_at=JULY, by=staff, at=AT)] * 4)
    assert sum(isinstance(result, Refused) for result in results) == 3
    assert AuditEvent.objects.filter(action="plan_version.published", object_pk=str(version.pk)).count() == 1
    states = PlanVersion.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["superseded", "published"]
