"""A window in which the terms change: its lines add up whatever order its events arrive in. Figures are worked by hand, on steps of 5 % up
to 1,000.00 and 8 % above."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from payouts.models import Commission
from tests.house import House
from tests.payouts.test_reconcile import LATER, assert_in_order, day, graduated, house_with, total
from tests.people import ada
from tiers import publishing
from tiers.models import Plan

pytestmark = pytest.mark.django_db

CHANGED = datetime(2026, 3, 12, tzinfo=UTC)
CAPPED = {"window_max": 6000, "window": {"kind": "month", "months": 1}}


def house_that_changes(kind: str, limits: dict[str, Any] | None = None) -> House:
    """A house whose terms begin anew in the middle of March, with the same rule."""
    rule = graduated(kind=kind)
    if limits:
        rule["params"] = {**rule["params"], "limits": limits}
    house = house_with([rule])
    version = publishing.draft_from(Plan.objects.get(program=house.program), by=ada(), at=CHANGED)
    publishing.publish(version, effective_at=CHANGED, by=ada(), at=CHANGED)
    return house


def sell(house: House, sales: Sequence[tuple[str, str, int]]) -> None:
    """Record sales and rate each one before the next is known."""
    for name, amount, number in sales:
        house.sale(name, amount, "ANA", day(number))
        house.rate(LATER)


@pytest.mark.parametrize(
    ("kind", "booked", "late", "owed"),
    [
        # 40.00 and 58.00; the late one brings 58.00, and what follows then lies above 1,000.00: 64.00
        ("graduated", 4000 + 5800, [5800, 600], 16200),
        # 40.00 and 8 % = 64.00; the late one brings 64.00 and lifts the first by 24.00
        ("volume", 4000 + 6400, [6400, 2400], 19200),
    ],
)
def test_a_late_sale_under_earlier_terms_moves_what_later_ones_go_on_from(
    kind: str, booked: int, late: list[int], owed: int
) -> None:
    house = house_that_changes(kind)
    sell(house, [("s1", "800.00", 0), ("s2", "800.00", 11)])
    assert total(house) == booked
    sell(house, [("late", "800.00", 1)])
    assert house.amounts("late") == late
    assert total(house) == owed
    assert_in_order(house)


@pytest.mark.parametrize("kind", ["graduated", "volume"])
def test_a_refund_under_earlier_terms_moves_what_later_ones_go_on_from(kind: str) -> None:
    house = house_that_changes(kind)
    sell(house, [("s1", "1000.00", 0), ("s2", "800.00", 11)])
    house.refund("r", "1000.00", "", day(12), of="s1")
    house.rate(LATER)
    # What is left is 800.00 at 5 %: of the 64.00 for the second sale 24.00 go back.
    assert (total(house), house.amounts("s2"), house.amounts("r")[-1]) == (4000, [6400], -2400)
    true_up = Commission.objects.get(conversion__external_id="r", kind="true_up")
    assert true_up.because["cause"] == {"code": "version_changed", "order": "r"}
    assert true_up.plan_version.number == 3
    assert_in_order(house)
    house.refund("all", "800.00", "", day(13), of="s2")
    house.rate(LATER)
    assert total(house) == 0
    assert_in_order(house)


def test_a_cap_holds_for_the_window_whatever_terms_its_sales_came_under() -> None:
    house = house_that_changes("graduated", CAPPED)
    sell(house, [("s1", "800.00", 0), ("s2", "800.00", 11)])
    assert [house.amounts(name) for name in ("s1", "s2")] == [[4000], [2000]], "60.00 at most"
    sell(house, [("late", "800.00", 1)])
    assert (house.amounts("late"), total(house)) == ([2000, -2000], 6000)
    assert_in_order(house)
