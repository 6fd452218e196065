"""What went back of a sale counts by what was refunded, charged back and won, in whatever order that is told, dated or rated."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from payouts import accrual
from payouts.models import Commission
from referrals import conversions
from tests.house import House
from tests.payouts.test_reconcile import (
    LATER,
    assert_in_order,
    day,
    graduated,
    house_with,
    prospective,
    total,
)

pytestmark = pytest.mark.django_db

PLAIN = {"key": "ten", "kind": "percent", "rate": 10}
# 100.00 are charged back, 60.00 of it won, then 20.00 refunded: 60.00 have gone back in the end.
MOVES = {"chargeback": "100.00", "chargeback_won": "60.00", "refund": "20.00"}


def sold_and_moved(plan: dict[str, Any], dated: tuple[str, ...]) -> tuple[House, dict[str, int]]:
    """Record a sale of 100.00 that is rated, and its moves, dated in this order, that are not."""
    house = house_with([plan])
    house.sale("s", "100.00", "ANA", day(0))
    house.rate(LATER)
    ids: dict[str, int] = {}
    for kind, amount in MOVES.items():
        event = house.event(kind, amount, "", day(1 + dated.index(kind)), kind=kind, of="s")
        ids[kind] = conversions.record(event, at=LATER).conversion_id or 0
    return house, ids


@pytest.mark.parametrize("rated", list(permutations(MOVES)), ids=">".join)
@pytest.mark.parametrize("plan", [PLAIN, graduated(), prospective()], ids=["plain", "graduated", "ahead"])
def test_moves_of_a_sale_rated_in_any_order_leave_the_same(
    plan: dict[str, Any], rated: tuple[str, ...]
) -> None:
    house, ids = sold_and_moved(plan, tuple(MOVES))
    for kind in rated:
        assert accrual.accrue([ids[kind]], at=LATER).rated == 1
    assert total(house) == (400 if plan is PLAIN else 200)  # 10 % or 5 % of the 40.00 that are left
    assert_in_order(house)


@pytest.mark.parametrize("dated", list(permutations(MOVES)), ids=">".join)
def test_moves_of_a_sale_dated_in_any_order_leave_the_same(dated: tuple[str, ...]) -> None:
    house, _ids = sold_and_moved(PLAIN, dated)
    done = house.rate(LATER)
    assert (done.rated, done.failed) == (3, 0)
    assert total(house) == 400
    assert_in_order(house)


def test_what_is_won_of_a_chargeback_outside_the_claw_back_window_gives_nothing() -> None:
    house = house_with([PLAIN])
    house.program.clawback_days = 30
    house.program.save(update_fields=["clawback_days"])
    house.sale("s", "100.00", "ANA", day(0))
    house.refund("r", "20.00", "", day(10), of="s")
    for number, kind in ((31, "chargeback"), (32, "chargeback_won")):
        conversions.record(house.event(kind, "50.00", "", day(number), kind=kind, of="s"), at=LATER)
    house.rate(LATER)
    assert [house.amounts(name) for name in ("s", "r", "chargeback", "chargeback_won")] == [
        [1000],
        [-200],
        [],
        [],
    ]
    assert_in_order(house)


@pytest.mark.django_db(transaction=True)
def test_a_refund_told_late_takes_back_the_line_its_sale_has_in_the_books() -> None:
    house = house_with([prospective()])
    house.sale("s1", "900.00", "ANA", day(0))  # 5 % = 45.00
    house.sale("s2", "200.00", "ANA", day(4))  # 900.00 before: 5 % = 10.00
    house.sale("s3", "100.00", "ANA", day(5))  # 1,100.00 before: 8 % = 8.00
    house.rate(LATER)
    house.refund("r", "300.00", "", day(2), of="s1")  # before the last two, so that these are told again
    house.rate(LATER)
    [reversal] = Commission.objects.filter(kind="reversal")
    assert reversal.amount_minor == -1500
    assert reversal.reverses == Commission.objects.get(conversion__external_id="s1")
    assert house.amounts("s2") == [1000]  # 600.00 before
    assert house.amounts("s3") == [800, -300]  # 800.00 before: 5 %
    house.refund("r2", "600.00", "", day(2) + timedelta(hours=1), of="s1")
    house.rate(LATER)
    assert sum(house.amounts("s1") + house.amounts("r") + house.amounts("r2")) == 0
    assert_in_order(house)
