from __future__ import annotations

import pytest

from referrals.surroundings import surroundings
from tests.factories.referrals import CodeFactory, ConversionFactory
from tests.factories.tiers import PlanVersionFactory, RuleFactory
from tiers import rulebook
from tiers.findings import findings_of

pytestmark = pytest.mark.django_db


def test_the_kinds_of_events_are_those_that_came_in() -> None:
    ConversionFactory.create(kind="sale")
    ConversionFactory.create(kind="renewal")
    ConversionFactory.create(kind="sale")
    assert surroundings([]).event_kinds == ["renewal", "sale"]


def test_codes_are_owned_however_they_are_written() -> None:
    CodeFactory.create(code="SPRING10")
    assert surroundings(["spring10", "Summer10"]).codes_without_owner == ["Summer10"]


def test_an_event_that_comes_in_and_that_no_rule_covers_is_found() -> None:
    ConversionFactory.create(kind="renewal")
    version = PlanVersionFactory.create()
    RuleFactory.create(version=version, event_kinds=["sale"])
    plan = rulebook.facts(version, effective_at=version.created_at)
    found = findings_of(version, plan, locale="en_GB")
    assert any("renewal" in finding.message.casefold() for finding in found)


def test_a_code_nobody_owns_is_found_once_a_rule_asks_for_it() -> None:
    version = PlanVersionFactory.create()
    tests = [{"attribute": "code", "operator": "in", "values": ["SPRING10", "SUMMER10"]}]
    RuleFactory.create(version=version, key="codes", conditions={"tests": tests})
    plan = rulebook.facts(version, effective_at=version.created_at)
    CodeFactory.create(code="SPRING10")
    told = [each.message for each in findings_of(version, plan, locale="en_GB") if each.rule == "codes"]
    assert any("SUMMER10" in text and "SPRING10" not in text for text in told)
