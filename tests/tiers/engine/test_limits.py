"""Floors and caps as plain figures, and that no order of lines gets more out of a cap than it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiers.engine.facts import Limits
from tiers.engine.limits import Room, of_event, within


@pytest.mark.parametrize(
    ("least", "most", "base", "amount", "result", "added", "over"),
    [
        (None, None, 100, 500, 500, None, None),
        (200, None, 100, 150, 200, 50, None),
        (200, None, 100, 200, 200, None, None),
        (None, 300, 100, 301, 300, None, 1),
        (None, 300, 100, 300, 300, None, None),
        (200, 300, 100, 0, 200, 200, None),
        (200, 300, 0, 0, 0, None, None),  # nothing came in
        (200, 300, -100, -900, -900, None, None),  # what goes back is never limited
        (None, 0, 100, 7, 0, None, 7),
    ],
)
def test_an_event_has_a_least_and_a_most(
    least: int | None,
    most: int | None,
    base: int,
    amount: int,
    result: int,
    added: int | None,
    over: int | None,
) -> None:
    limited = of_event(Limits(event_min=least, event_max=most), base, amount)
    assert limited.amount == result == amount + sum(part.amount_minor for part in limited.parts)
    assert (limited.floor and limited.floor["added"]) == added
    assert (limited.cap and limited.cap["over"]) == over


def test_the_tightest_cap_is_the_one_explained() -> None:
    rooms = (Room("customer", 1000, 80), Room("window", 5000, 50), Room("budget", 90000, 60))
    limited = within(100, rooms)
    assert limited.amount == 50
    assert limited.cap == {"limit": 5000, "scope": "window", "applied": 50, "over": 50}
    assert [(part.amount_minor, part.params["scope"]) for part in limited.parts] == [
        (-20, "customer"),
        (-30, "window"),
    ]


def test_a_cap_that_is_overdrawn_leaves_nothing_and_takes_nothing() -> None:
    assert within(100, (Room("window", 1000, -30),)).amount == 0
    assert within(100, ()) == (100, (), None, None)


@given(st.integers(0, 1000), st.lists(st.integers(0, 500), max_size=12))
def test_lines_come_to_the_cap_or_to_all_of_them(cap: int, asked: list[int]) -> None:
    booked = 0
    for amount in asked:
        booked += within(amount, (Room("window", cap, cap - booked),)).amount
        assert booked <= cap
    assert booked == min(cap, sum(asked))
