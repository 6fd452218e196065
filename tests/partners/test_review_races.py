"""Ten who decide in the same moment, one of them a rule: one decision, one letter, and a membership only when it was an approval."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import approval, assignment, eligibility
from partners.applications import AlreadyDecided
from partners.models import Application, EligibilityRule, Member, Membership, Partner
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory, MembershipFactory
from tests.factories.recruiting import EligibilityRuleFactory, WorkloadFactory
from tests.factories.tiers import EPOCH, TierFactory
from tests.partners.test_races import at_once
from tests.people import mats

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_ten_decisions_at_once_make_one() -> None:
    manager = mats()
    tier = TierFactory.create()
    EligibilityRuleFactory.create(
        program=tier.program,
        decision="approve",
        tier=tier,
        reason="",
        activated_at=EPOCH,
        activated_by=manager,
    )
    above = MembershipFactory.create(program=tier.program)
    application = ApplicationFactory.create(program=tier.program, email="x@mailinator.com", introducer=above)
    results = at_once(
        *[lambda: approval.approve(application, tier=tier, by=manager, at=NOW)] * 5,
        *[lambda: approval.reject(application, reason="fit", by=manager, at=NOW)] * 4,
        lambda: eligibility.decide(application, at=NOW),
    )
    application.refresh_from_db()
    by_hand = sum(isinstance(result, (Membership, Application)) for result in results)
    by_rule = sum(isinstance(result, EligibilityRule) for result in results)
    assert (by_hand + by_rule, sum(isinstance(result, AlreadyDecided) for result in results)) == (
        1,
        9 - by_hand if by_rule else 8,
    )
    approved = application.state == "approved"
    assert approved or application.state == "rejected"
    assert Membership.objects.filter(application=application).count() == int(approved)
    assert Partner.objects.exclude(pk=above.partner_id).count() == int(approved)
    assert Member.objects.count() == int(approved)
    assert OutgoingMail.objects.count() == 1
    assert AuditEvent.objects.filter(action__in=["application.approved", "application.rejected"]).count() == 1


def test_the_last_free_place_is_given_once() -> None:
    WorkloadFactory.create(user=mats(), most_open=1)
    waiting = ApplicationFactory.create_batch(3)
    at_once(*[lambda each=each: assignment.assign_by_itself(each, at=NOW) for each in waiting])
    assert Application.objects.filter(manager=mats()).count() == 1
