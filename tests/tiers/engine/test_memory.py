"""What is remembered of a membership: counts by slot and version, metrics by month, and the month of an instant."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from prm.lib.periods import Month
from tiers.engine.facts import Window
from tiers.engine.memory import Count, Memory, Slot

JANUARY, JUNE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def test_a_slot_begins_empty_and_stays_the_same() -> None:
    memory = Memory()
    memory.slot(Slot("base", 1, "2026-03")).volume += 5
    assert memory.slot(Slot("base", 1, "2026-03")) == Count(5, 0)
    assert memory.slot(Slot("base", 1, "2026-04")) == Count(0, 0)


def test_only_earlier_versions_of_the_same_rule_window_and_customer_lie_under_a_slot() -> None:
    here = Slot("base", 2, "2026", "ann")
    filled = {
        Slot("base", 1, "2026", "ann"): Count(100, 8),
        here: Count(7, 1),
        Slot("base", 3, "2026", "ann"): Count(1000, 80),  # later
        Slot("base", 1, "2027", "ann"): Count(10_000, 800),
        Slot("base", 1, "2026", "bob"): Count(100_000, 8000),
        Slot("other", 1, "2026", "ann"): Count(1_000_000, 80_000),
    }
    memory = Memory(slots=filled, began={1: JANUARY, 2: JUNE, 3: datetime(2026, 9, 1, tzinfo=UTC)})
    assert memory.elsewhere(here) == Count(100, 8)
    assert memory.volume_elsewhere(Slot("base", 3, "2026", "ann")) == 107
    assert memory.volume_elsewhere(Slot("base", 1, "2026", "ann")) == 0


def test_a_version_nobody_dated_began_before_all_others() -> None:
    memory = Memory(slots={Slot("base", "old", "2026"): Count(9, 1)}, began={2: JUNE})
    assert memory.volume_elsewhere(Slot("base", 2, "2026")) == 9
    assert memory.volume_elsewhere(Slot("base", "old", "2026")) == 0


def test_slots_made_later_and_slots_put_in_by_hand_are_both_found() -> None:
    memory = Memory(began={1: JANUARY, 2: JUNE})
    memory.slot(Slot("base", 1, "2026")).volume = 4
    assert memory.volume_elsewhere(Slot("base", 2, "2026")) == 4
    memory.slot(Slot("base", 1, "2027")).volume = 5
    memory.slots[Slot("base", 1, "2028")] = Count(6)
    memory.slot(Slot("base", 1, "2029")).volume = 7
    assert [memory.volume_elsewhere(Slot("base", 2, year)) for year in ("2027", "2028", "2029")] == [5, 6, 7]


@pytest.mark.parametrize(
    ("window", "value"),
    [
        (Window("month"), 8),
        (Window("quarter"), 14),  # July to September
        (Window("trailing", 2), 12),
        (Window("trailing", 3), 14),
        (Window("year"), 15),
        (Window("lifetime"), 31),
        (Window("joining", 4), 14),  # joined in February: June to September
    ],
)
def test_a_metric_is_summed_over_the_months_of_its_window(window: Window, value: int) -> None:
    memory = Memory(joined=Month(2026, 2))
    for month, change in {(2025, 12): 16, (2026, 3): 1, (2026, 7): 2, (2026, 8): 4, (2026, 9): 8}.items():
        memory.count("sales", Month(*month), change)
    memory.count("units", Month(2026, 9), 99)
    assert memory.metric("sales", window, Month(2026, 9)) == value


def test_a_metric_goes_up_and_down_and_nothing_leaves_no_trace() -> None:
    memory, month = Memory(), Month(2026, 9)
    memory.count("revenue", month, 0)
    assert memory.metrics == {}
    memory.count("revenue", month, 500)
    memory.count("revenue", month, -700)
    assert memory.metric("revenue", Window("month"), month) == -200


def test_the_month_of_an_instant_is_the_zone_s_also_when_instants_jump() -> None:
    memory = Memory(zone=ZoneInfo("Europe/Paris"))
    instants = ["2026-10-31T22:59:59", "2026-10-31T23:00:00", "2026-03-15T12:00:00", "2026-10-31T22:59:59"]
    found = [str(memory.month(datetime.fromisoformat(each).replace(tzinfo=UTC))) for each in instants]
    assert found == ["2026-10", "2026-11", "2026-03", "2026-10"]
    assert memory.window(Window("quarter"), datetime(2026, 10, 31, 23, tzinfo=UTC)) == "2026-Q4"
