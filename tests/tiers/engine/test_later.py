"""A window rated by two versions of a plan: a change under the earlier one trues up the later one at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from tests.tiers.engine.facts import AT, STANDARD, plan, rule, sale, steps, whats
from tiers.engine import prepare
from tiers.engine.fold import Fold
from tiers.engine.memory import Memory

STEPS = steps((0, "0.05"), (100_000, "0.08"))
CHANGED = AT + timedelta(days=5)
OLD = prepare(plan(rule("graduated", steps=STEPS), version_id=7))
NEW = prepare(plan(rule("graduated", steps=STEPS), version_id=8, effective_at=CHANGED))


def test_a_sale_under_earlier_terms_trues_up_the_later_ones() -> None:
    folding = Fold(Memory())
    seen = {}
    for key, day, rater in (("a", 0, OLD), ("b", 6, NEW), ("late", 1, OLD)):
        event = sale("800.00", key=key, occurred_at=AT + timedelta(days=day))
        for name, lines in folding.add(event, STANDARD, rater):
            seen[name] = whats(lines)
    assert seen == {
        "a": [("earned", "40.00")],
        "b": [("earned", "58.00")],  # 200.00 at 5 %, 600.00 at 8 %
        "late": [("earned", "58.00"), ("true_up", "6.00")],  # 800.00 at 8 % = 64.00 under the later terms
    }


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_whatever_order_events_arrive_in_the_window_is_owed_the_same(order: tuple[int, ...]) -> None:
    row = [(0, "333.33", OLD), (1, "801.07", OLD), (6, "17.49", NEW), (7, "990.10", NEW)]
    folding, total = Fold(Memory()), Decimal(0)
    for place in order:
        day, amount, rater = row[place]
        event = sale(amount, key=str(place), occurred_at=AT + timedelta(days=day))
        for _name, lines in folding.add(event, STANDARD, rater):
            total += sum((line.amount.decimal() for line in lines), Decimal(0))
    # 1,134.40 by the earlier terms: 50.00 and 8 % of 134.40 = 60.752; 1,007.59 by the later ones: 8 % = 80.6072
    assert total == Decimal("60.75") + Decimal("80.61")
