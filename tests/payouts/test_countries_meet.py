from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.house import open_house
from tests.people import ada
from tiers import publishing, rulebook
from tiers.models import PlanVersion

pytestmark = pytest.mark.django_db
AT = datetime(2026, 2, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(("named", "sold_in"), [("FR", "France"), ("france", "FR"), ("United Kingdom", "UK")])
def test_a_rule_and_an_order_may_name_one_country_in_two_ways(named: str, sold_in: str) -> None:
    house = open_house()
    house.member("ANA")
    version = publishing.draft_from(house.program.plan, by=ada(), at=AT)
    version.rules.update(
        rate=Decimal(10),
        conditions={"join": "all", "tests": [{"attribute": "country", "operator": "=", "values": [named]}]},
    )
    publishing.publish(version, effective_at=AT, by=ada(), at=AT)
    later = datetime(2026, 2, 3, 12, tzinfo=UTC)
    house.sale("s-1", "100.00", "ANA", later, country=sold_in)
    house.sale("s-2", "100.00", "ANA", later, country="Spain")
    house.rate(later)
    assert (house.amounts("s-1"), house.amounts("s-2")) == ([10_00], [])


def test_countries_deep_in_groups_are_told_by_code() -> None:
    house = open_house()
    deep = {"join": "any", "tests": [{"attribute": "partner_country", "operator": "in", "values": ["Spain"]}]}
    version = PlanVersion.objects.get()
    rule = version.rules.get()
    rule.countries, rule.conditions = ["France"], {"join": "all", "tests": [deep]}
    told = rulebook.stored(rule)
    assert told["countries"] == ["FR"]
    assert told["conditions"]["tests"][0]["tests"][0]["values"] == ["ES"]
    assert house.program.plan.versions.count() == 1
