"""Decide which membership brought a conversion: the code used, else the last click in the window, else nobody. The answer depends
on nothing but its arguments, and says which candidates were passed over and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Why a membership is credited."""

    CODE = "code"
    LAST_CLICK = "last_click"


class PassedOver(StrEnum):
    """Why a candidate is not credited."""

    CODE_OFF = "code_off"
    NOT_EARNING = "not_earning"
    AFTER_THE_EVENT = "after_the_event"
    OUTSIDE_WINDOW = "outside_window"
    EARLIER_CLICK = "earlier_click"


@dataclass(frozen=True, slots=True)
class Earner:
    """A membership as attribution sees it: it earns from events before `stops_at`, without end when that is empty, and from
    none that happened in one of its gaps; each goes from its first moment until its second, that one excluded, or without end."""

    membership_id: int
    stops_at: datetime | None = None
    gaps: tuple[tuple[datetime, datetime | None], ...] = ()

    def earns(self, occurred_at: datetime) -> bool:
        """Say whether an event of that moment can be credited to it, whenever it came in."""
        if self.stops_at is not None and occurred_at >= self.stops_at:
            return False
        return not any(
            start <= occurred_at and (end is None or occurred_at < end) for start, end in self.gaps
        )


@dataclass(frozen=True, slots=True)
class CodeUsed:
    """The code on the order."""

    code_id: int
    earner: Earner
    is_active: bool


@dataclass(frozen=True, slots=True)
class Touch:
    """One click by the visitor, on a link whose program gives clicks `window` to earn."""

    click_id: int
    earner: Earner
    clicked_at: datetime
    window: timedelta


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate that was passed over."""

    membership_id: int
    why: PassedOver
    code_id: int | None = None
    click_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is credited, by what, and who was passed over; no membership means an organic conversion."""

    membership_id: int | None = None
    reason: Reason | None = None
    code_id: int | None = None
    click_id: int | None = None
    passed_over: tuple[Candidate, ...] = ()


def decide(*, occurred_at: datetime, code: CodeUsed | None = None, touches: Sequence[Touch] = ()) -> Decision:
    """Return who brought an event of `occurred_at`.

    A click earns from its own instant on and for less than `window` after it: an event in the same instant counts, an
    event exactly one window later does not.
    """
    passed: list[Candidate] = []
    if code is not None:
        why = _against_code(code, occurred_at)
        if why is None:
            return Decision(code.earner.membership_id, Reason.CODE, code_id=code.code_id)
        passed.append(Candidate(code.earner.membership_id, why, code_id=code.code_id))
    winner = None
    for touch in sorted(touches, key=_latest_first, reverse=True):
        why = _against_touch(touch, occurred_at)
        if why is None and winner is None:
            winner = touch
            continue
        passed.append(
            Candidate(touch.earner.membership_id, why or PassedOver.EARLIER_CLICK, click_id=touch.click_id)
        )
    if winner is None:
        return Decision(passed_over=tuple(passed))
    return Decision(
        winner.earner.membership_id,
        Reason.LAST_CLICK,
        click_id=winner.click_id,
        passed_over=tuple(passed),
    )


def _latest_first(touch: Touch) -> tuple[datetime, int]:
    # Two clicks in one instant: the row written last is the later one.
    return touch.clicked_at, touch.click_id


def _against_code(code: CodeUsed, occurred_at: datetime) -> PassedOver | None:
    if not code.is_active:
        return PassedOver.CODE_OFF
    return None if code.earner.earns(occurred_at) else PassedOver.NOT_EARNING


def _against_touch(touch: Touch, occurred_at: datetime) -> PassedOver | None:
    if touch.clicked_at > occurred_at:
        return PassedOver.AFTER_THE_EVENT
    if touch.clicked_at <= occurred_at - touch.window:
        return PassedOver.OUTSIDE_WINDOW
    return None if touch.earner.earns(occurred_at) else PassedOver.NOT_EARNING
