"""Lines as the accrual, the recomputation and the close of a month really book them: each explains itself, and its rows add up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from payouts import periods, reconcile
from payouts.explained.line import Explanation, explain, readable
from payouts.models import Commission
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.payouts.test_reconcile import LATER, MONTHLY, day, graduated, house_with
from tests.people import fiona

pytestmark = pytest.mark.django_db

VOLUME: dict[str, Any] = {
    "key": "all",
    "kind": "volume",
    "params": {
        "metric": "revenue",
        "window": MONTHLY,
        "steps": [{"from": 0, "rate": "5"}, {"from": 1_000_00, "rate": "8"}],
    },
}
UP = {"key": "up", "kind": "override", "params": {"levels": ["20", "10"], "override_of": "commission"}}
TEN = {"key": "ten", "kind": "percent", "rate": 10}


def explained(**about: Any) -> list[Explanation]:
    lines = readable(Commission.objects.filter(**about).order_by("pk"))
    found = [explain(line, at=LATER) for line in lines]
    for each in found:
        counting = (row.amount for row in each.rows if row.counts and row.amount is not None)
        assert Money.total(counting, "GBP") == each.amount
        assert each.sentence and each.lines
    return found


def said(found: Explanation) -> list[tuple[str, int | None]]:
    return [(row.label, row.amount.minor if row.amount is not None else None) for row in found.rows]


def test_a_volume_rate_with_a_refund_and_a_late_sale(db: None) -> None:
    house = house_with([VOLUME])
    house.sale("s1", "900.00", "ANA", day(0))
    house.sale("s2", "300.00", "ANA", day(4))
    house.rate(LATER)
    house.refund("r1", "300.00", "", day(5), of="s2")
    house.rate(LATER)
    up, down = explained(kind="true_up")
    assert said(up)[-2:] == [("Due for March 2026", 96_00), ("Less what was booked before", -69_00)]
    assert said(down)[-2:] == [("Due for March 2026", 45_00), ("Less what was booked before", -72_00)]
    house.sale("s0", "50.00", "ANA", day(1))  # told last, happened second
    house.rate(LATER)
    reconcile.reconcile(house.members["ANA"], at=LATER)
    assert Money.total((each.amount for each in explained()), "GBP") == Money(47_50, "GBP")  # 5 % of 950.00


def test_who_recruited_is_told_the_recruit_and_who_stands_above_only_that_there_is_one() -> None:
    house = house_with([TEN, UP], "TOP", "MID", "ANA")
    house.recruit("MID", by="TOP")
    house.recruit("ANA", by="MID")
    house.sale("s", "500.00", "ANA", day(0))
    house.rate(LATER)
    [mid] = explained(membership=house.members["MID"])
    [top] = explained(membership=house.members["TOP"])
    assert mid.sentence == "Partner ANA: sale on 2 March 2026."
    assert said(mid)[:2] == [("Commission of Partner ANA", 50_00), ("× your override, 20%", 10_00)]
    assert top.sentence == "A partner recruited below you: sale on 2 March 2026."
    assert said(top)[:2] == [
        ("Commission of a partner recruited below you", 50_00),
        ("× your override, 10%", 5_00),
    ]


def test_a_month_with_a_table_a_retainer_and_an_advance_is_closed_and_explained() -> None:
    fee = {"key": "fee", "kind": "retainer", "flat_minor": 200_00}
    draw = {"key": "draw", "kind": "draw", "flat_minor": 500_00}
    house = house_with([graduated(), fee, draw])
    house.sale("s1", "1200.00", "ANA", datetime(2026, 1, 10, tzinfo=UTC))  # 50.00 + 16.00
    house.rate(LATER)
    periods.close(house.program, Month(2026, 1), by=fiona(), at=LATER)
    [retainer] = explained(kind="retainer")
    [advance] = explained(kind="draw")
    assert (retainer.title, said(retainer)) == (
        "Retainer, January 2026",
        [("Fixed amount for January 2026", 200_00)],
    )
    assert said(advance) == [("Guaranteed for January 2026", 500_00), ("Less what you earned", -66_00)]
    assert len(explained()) == 3
