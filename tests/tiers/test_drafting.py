from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.factories.tiers import (
    PlanCaseFactory,
    PlanVersionFactory,
    ProgramFactory,
    RuleFactory,
    published_plan,
)
from tests.people import ada, fiona
from tiers import drafting
from tiers.drafting import NameTaken, NotADraft, TooManyRules
from tiers.models import PlanCase, PlanVersion, Rule

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "key": "every",
    "name": "Every order",
    "position": 1,
    "kind": "percent",
    "rate": Decimal(5),
    "flat_minor": 0,
    "flat_on_refund": "pro_rata",
    "event_kinds": [],
    "tier_keys": [],
    "countries": [],
    "params": {},
    "conditions": {},
    "unusual": False,
}
SETTINGS: dict[str, Any] = {
    "combine": "stack",
    "deducts": [],
    "excluded_products": ["POST"],
    "excluded_categories": [],
    "grandfather": "nobody",
    "notice_days": 7,
}


@pytest.fixture
def draft() -> PlanVersion:
    return PlanVersionFactory.create(number=1)


def every_way_to_write(version: PlanVersion, rule: Rule, case: PlanCase) -> list[Any]:
    by = {"by": ada(), "at": AT}
    return [
        lambda: drafting.write_settings(version, SETTINGS, **by),
        lambda: drafting.write_rule(version, {**VALUES, "key": "more"}, **by),
        lambda: drafting.write_rule(version, VALUES, rule=rule, **by),
        lambda: drafting.remove_rule(rule, **by),
        lambda: drafting.swap_rules(rule, rule, **by),
        lambda: drafting.write_case(version, name="New", facts={}, expected_minor=0, **by),
        lambda: drafting.remove_case(case, **by),
    ]


def test_nothing_of_a_published_version_is_written() -> None:
    version = published_plan(ProgramFactory.create(), by=ada())
    case = PlanCaseFactory.build(version=version)
    for write in every_way_to_write(version, version.rules.get(), case):
        with pytest.raises(NotADraft, match="Only a draft can be changed"):
            write()
    assert not AuditEvent.objects.filter(action="plan_version.edited").exists()


def test_only_who_publishes_plans_writes_drafts(draft: PlanVersion) -> None:
    with pytest.raises(Forbidden):
        drafting.write_rule(draft, VALUES, by=fiona(), at=AT)
    assert not draft.rules.exists()


def test_a_new_rule_stands_behind_the_others_and_the_change_is_noted(draft: PlanVersion) -> None:
    RuleFactory.create(version=draft, key="first", position=4)
    rule = drafting.write_rule(draft, VALUES, by=ada(), at=AT)
    assert (rule.position, rule.rate) == (5, Decimal(5))
    noted = AuditEvent.objects.get(action="plan_version.edited")
    assert (noted.actor, noted.at, noted.details) == (ada(), AT, {"what": "rule", "rule": "every"})


def test_a_version_does_not_take_rules_without_end(draft: PlanVersion) -> None:
    RuleFactory.create(version=draft, key="last", position=drafting.MOST_POSITIONS)
    with pytest.raises(TooManyRules):
        drafting.write_rule(draft, VALUES, by=ada(), at=AT)


def test_two_rules_change_places_and_the_others_keep_theirs(draft: PlanVersion) -> None:
    one, two, three = (
        RuleFactory.create(version=draft, key=key, position=at) for at, key in enumerate("abc", 1)
    )
    drafting.swap_rules(one, three, by=ada(), at=AT)
    assert list(draft.rules.order_by("position").values_list("key", flat=True)) == ["c", "b", "a"]
    assert two.position == draft.rules.get(key="b").position


def test_an_example_keeps_its_row_when_it_is_written_again(draft: PlanVersion) -> None:
    by: dict[str, Any] = {"by": ada(), "at": AT}
    first = drafting.write_case(draft, name="One", facts={"amount": "1.00"}, expected_minor=5, **by)
    again = drafting.write_case(
        draft, name="One", facts={"amount": "2.00"}, expected_minor=10, case=first, **by
    )
    assert (again.pk, again.facts, again.expected_minor) == (first.pk, {"amount": "2.00"}, 10)
    with pytest.raises(NameTaken):
        drafting.write_case(draft, name="One", facts={}, expected_minor=0, **by)
