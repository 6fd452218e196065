"""What the database itself refuses about rules, blocks, workloads and decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from partners.models import Application, EligibilityRule
from tests.factories.partners import ApplicationFactory
from tests.factories.prm import UserFactory
from tests.factories.recruiting import BlockedFactory, EligibilityRuleFactory, WorkloadFactory
from tests.factories.tiers import EPOCH, ProgramFactory

pytestmark = pytest.mark.django_db


def refused(write: Callable[[], Any]) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        write()
    return str(refusal.value)


def rule(**values: Any) -> Callable[[], Any]:
    return lambda: EligibilityRuleFactory.create(**values)


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (rule(decision="maybe"), "partners_eligibilityrule_decision"),
        (rule(activated_at=EPOCH), "partners_eligibilityrule_activated_pair"),
        (rule(decision="approve", tier=None), "partners_eligibilityrule_approves_into_a_tier"),
        (rule(decision="reject", reason=""), "partners_eligibilityrule_declines_with_a_reason"),
        (lambda: BlockedFactory.create(kind="planet"), "partners_blocked_kind"),
        (lambda: BlockedFactory.create(ended_at=EPOCH), "partners_blocked_ended_pair"),
    ],
)
def test_a_check_refuses(write: Callable[[], Any], name: str) -> None:
    assert name in refused(write)


def test_an_entry_is_blocked_once_per_program_and_once_everywhere() -> None:
    program = ProgramFactory.create()
    for where in (program, None):  # partners_blocked_once_per_program, partners_blocked_once_everywhere
        first = BlockedFactory.create(value="spam.example", program=where)
        refused(lambda where=where: BlockedFactory.create(value="spam.example", program=where))
        first.ended_at, first.ended_by = EPOCH, UserFactory.create()
        first.save()
        BlockedFactory.create(value="spam.example", program=where)


def test_somebody_has_one_workload() -> None:
    user = UserFactory.create()
    WorkloadFactory.create(user=user)
    refused(lambda: WorkloadFactory.create(user=user))


def test_a_rule_in_use_keeps_what_it_decides() -> None:
    used = EligibilityRuleFactory.create(activated_at=EPOCH, activated_by=UserFactory.create())
    found = EligibilityRule.objects.filter(pk=used.pk)
    for change in ({"decision": "flag"}, {"conditions": []}, {"reason": "fit"}, {"note": "x"}):
        said = refused(lambda change=change: found.update(**change))  # partners_eligibilityrule_frozen
        assert "retire it and make a new one" in said
    found.update(retired_at=EPOCH, position=7)


@pytest.mark.parametrize("state", ["approved", "rejected", "withdrawn", "expired"])
def test_an_application_is_decided_once_whoever_writes(state: str) -> None:
    by = {"decided_at": EPOCH, "decided_by": UserFactory.create()}
    application = ApplicationFactory.create(state=state, **by)
    found = Application.objects.filter(pk=application.pk)
    for other in {"submitted", "approved", "rejected"} - {state}:
        said = refused(lambda other=other: found.update(state=other))  # partners_application_decided_once
        assert "decided once" in said
