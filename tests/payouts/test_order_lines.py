"""An order told with its lines earns rule by rule in the books, waits as long as the product that waits longest, and says what it is for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from payouts import reconcile, reserves
from payouts.explained.rows import rows_of
from payouts.models import Commission
from prm.lib.money import Money
from referrals.models import Conversion, ConversionLine
from tests.house import START, House, open_house
from tests.people import ada, fiona
from tiers import publishing
from tiers.models import Plan, Rule

pytestmark = pytest.mark.django_db

MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH_9 = datetime(2026, 3, 9, 12, tzinfo=UTC)
APRIL = datetime(2026, 4, 20, 12, tzinfo=UTC)
MUGS = {"join": "all", "tests": [{"attribute": "category", "operator": "=", "values": ["mugs"]}]}


@pytest.fixture
def house() -> House:
    """8 % of everything, 20 % of mugs; tea earns nothing from February on."""
    house = open_house(percent="8")
    house.member("ANA10")
    plan = Plan.objects.get(program=house.program)
    version = publishing.draft_from(plan, by=ada(), at=START)
    version.excluded_categories = ["tea"]
    version.save()
    Rule.objects.create(
        version=version,
        key="mugs",
        name="Mugs",
        position=2,
        kind="percent",
        rate=20,
        conditions=MUGS,
    )
    february = datetime(2026, 2, 1, tzinfo=UTC)
    publishing.publish(version, effective_at=february, by=ada(), at=february)
    return house


def order(house: House, name: str = "order-1") -> Conversion:
    """Two mugs for 40.00, tea for 50.00 and 5.00 for sending it."""
    house.sale(name, "95.00", "ANA10", MARCH_2)
    conversion = Conversion.objects.get(external_id=name)
    for position, (product, category, quantity, minor) in enumerate(
        (("M1", "mugs", 2, 40_00), ("T1", "tea", 1, 50_00)), start=1
    ):
        ConversionLine.objects.create(
            conversion=conversion,
            position=position,
            product=product,
            category=category,
            quantity=quantity,
            amount_minor=minor,
            currency="GBP",
        )
    return conversion


def test_each_line_earns_by_its_own_rule_and_a_refund_takes_both_back(house: House) -> None:
    order(house)
    house.rate(MARCH_9)
    # 20 % of the mugs; 8 % of the 5.00 besides; nothing for tea.
    assert sorted(house.amounts("order-1")) == [40, 800]
    house.refund("back", "47.50", "", MARCH_9, of="order-1")
    house.rate(MARCH_9)
    assert sorted(house.amounts("back")) == [-400, -20]
    assert not reconcile.difference(house.members["ANA10"], at=APRIL)


def test_an_order_waits_as_long_as_the_product_that_waits_longest(house: House) -> None:
    reserves.hold_longer(
        house.program,
        product="T1",
        hold_days=30,
        reason="Tea comes back often.",
        starts_at=START,
        by=fiona(),
        at=START,
    )
    order(house)
    house.rate(MARCH_9)
    # 30 local days after 2 March, in British summer time by then.
    assert {line.payable_at for line in Commission.objects.all()} == {datetime(2026, 3, 31, 23, tzinfo=UTC)}


def test_the_line_says_which_products_it_is_for(house: House) -> None:
    order(house)
    house.rate(MARCH_9)
    mugs = Commission.objects.get(amount_minor=800)
    rows = rows_of(mugs.because, house.program.zone)
    assert [(row.label, row.amount) for row in rows[:2]] == [
        ("Products this is for", Money(4000, "GBP")),
        ("2 × M1", None),
    ]
    rest = Commission.objects.get(amount_minor=40)
    assert [row.label for row in rows_of(rest.because, house.program.zone)][1] == "Besides the products"
