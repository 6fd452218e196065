"""Business plans that meet in the same moment: one answer counts, and two plans for the same days are never both agreed."""

from __future__ import annotations

import pytest

from partners.business_plans import finding, plans
from partners.models import BusinessPlan
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.partners.plan_scene import JAN_2, outlined, proposed
from tests.partners.test_races import at_once
from tests.people import ana, mats

pytestmark = pytest.mark.django_db(transaction=True)


def test_four_answers_in_one_moment_leave_one() -> None:
    found, owner, staff = proposed(), ana(), mats()
    shown = finding.fingerprint(found.plan)
    results = at_once(
        lambda: plans.agree(found.plan, shown=shown, by=owner, at=JAN_2),
        lambda: plans.agree(found.plan, shown=shown, by=owner, at=JAN_2),
        lambda: plans.ask_for_changes(found.plan, text="Less.", by=owner, at=JAN_2),
        lambda: plans.take_back(found.plan, by=staff, at=JAN_2),
    )
    assert sum(isinstance(result, BusinessPlan) for result in results) == 1
    kinds = ["business_plan_agreed", "business_plan_sent_back"]
    assert OutgoingMail.objects.filter(kind__in=kinds).count() <= 1


def test_two_plans_for_the_same_days_are_never_both_agreed() -> None:
    first, owner = proposed(), ana()
    second = outlined(house=first.house)
    plans.propose(second.plan, by=mats(), at=JAN_2)

    def agree(plan: BusinessPlan) -> BusinessPlan:
        return plans.agree(plan, shown=finding.fingerprint(plan), by=owner, at=JAN_2)

    results = at_once(lambda: agree(first.plan), lambda: agree(second.plan))
    assert sum(isinstance(result, Refused) for result in results) == 1
    assert BusinessPlan.objects.counting().count() == 1
