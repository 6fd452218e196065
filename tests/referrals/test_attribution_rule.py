"""The rule of attribution, as tables: code first, then the last click in the window, then nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.attribution.rule import CodeUsed, Decision, Earner, PassedOver, Reason, Touch, decide

SALE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAYS_30 = timedelta(days=30)
ANA, MATS = Earner(1), Earner(2)


def touch(pk: int, *, before: timedelta, earner: Earner = ANA, window: timedelta = DAYS_30) -> Touch:
    return Touch(pk, earner, SALE - before, window)


def test_nobody_is_credited_when_there_is_neither_code_nor_click() -> None:
    assert decide(occurred_at=SALE) == Decision()


def test_a_code_is_credited() -> None:
    decision = decide(occurred_at=SALE, code=CodeUsed(7, ANA, is_active=True))
    assert (decision.membership_id, decision.reason, decision.code_id) == (1, Reason.CODE, 7)


def test_a_code_beats_a_later_click_of_somebody_else() -> None:
    clicks = [touch(5, before=timedelta(0), earner=MATS)]
    decision = decide(occurred_at=SALE, code=CodeUsed(7, ANA, is_active=True), touches=clicks)
    assert (decision.membership_id, decision.reason, decision.click_id) == (1, Reason.CODE, None)


def test_a_code_switched_off_earns_nothing_and_leaves_the_click_its_turn() -> None:
    clicks = [touch(5, before=timedelta(hours=1), earner=MATS)]
    decision = decide(occurred_at=SALE, code=CodeUsed(7, ANA, is_active=False), touches=clicks)
    assert (decision.membership_id, decision.reason, decision.click_id) == (2, Reason.LAST_CLICK, 5)
    assert [(passed.code_id, passed.why) for passed in decision.passed_over] == [(7, PassedOver.CODE_OFF)]


@pytest.mark.parametrize(
    ("before", "earns"),
    [
        (timedelta(0), True),  # the same instant
        (timedelta(days=29, hours=23, minutes=59, seconds=59), True),
        (DAYS_30 - timedelta(microseconds=1), True),
        (DAYS_30, False),  # 30 days of 86,400 seconds later to the microsecond is too late
        (DAYS_30 + timedelta(microseconds=1), False),
        (timedelta(microseconds=-1), False),  # clicked after the sale
    ],
)
def test_a_click_earns_from_its_instant_until_the_window_is_over(before: timedelta, earns: bool) -> None:
    decision = decide(occurred_at=SALE, touches=[touch(5, before=before)])
    assert decision.membership_id == (1 if earns else None)


def test_the_last_of_several_clicks_earns_in_whatever_order_they_are_read() -> None:
    clicks = [
        touch(1, before=timedelta(days=3), earner=ANA),
        touch(2, before=timedelta(days=1), earner=MATS),
        touch(3, before=timedelta(days=2), earner=ANA),
    ]
    for order in permutations(clicks):
        assert decide(occurred_at=SALE, touches=order).click_id == 2


def test_of_two_clicks_in_one_instant_the_one_written_last_earns() -> None:
    clicks = [touch(9, before=timedelta(1), earner=MATS), touch(8, before=timedelta(1), earner=ANA)]
    assert decide(occurred_at=SALE, touches=clicks).membership_id == 2


def test_each_click_has_the_window_of_its_own_program() -> None:
    clicks = [
        touch(1, before=timedelta(days=5), earner=ANA, window=timedelta(days=10)),
        touch(2, before=timedelta(days=4), earner=MATS, window=timedelta(days=3)),
    ]
    decision = decide(occurred_at=SALE, touches=clicks)
    assert decision.membership_id == 1
    assert [(passed.click_id, passed.why) for passed in decision.passed_over] == [
        (2, PassedOver.OUTSIDE_WINDOW)
    ]


def test_a_membership_that_left_keeps_what_happened_before_and_gets_nothing_after() -> None:
    left = Earner(1, stops_at=SALE)
    code = CodeUsed(7, left, is_active=True)
    assert decide(occurred_at=SALE - timedelta(seconds=1), code=code).membership_id == 1
    assert decide(occurred_at=SALE, code=code).membership_id is None
    assert (
        decide(occurred_at=SALE, touches=[touch(5, before=timedelta(1), earner=left)]).membership_id is None
    )


@given(
    st.lists(
        st.tuples(st.integers(-5, 45), st.sampled_from([10, 30])),
        max_size=8,
    )
)
def test_the_winner_is_the_latest_click_inside_its_window(clicks: list[tuple[int, int]]) -> None:
    touches = [
        touch(pk, before=timedelta(days=days), earner=Earner(pk), window=timedelta(days=window))
        for pk, (days, window) in enumerate(clicks, start=1)
    ]
    inside = [(-days, pk) for pk, (days, window) in enumerate(clicks, start=1) if 0 <= days < window]
    decision = decide(occurred_at=SALE, touches=touches)
    assert decision.membership_id == (max(inside)[1] if inside else None)
    assert len(decision.passed_over) == len(clicks) - bool(inside)
