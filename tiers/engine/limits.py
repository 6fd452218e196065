"""Floors and caps: what an amount may at least and at most be, and what is left of a cap. Negative amounts are never limited, and what
they take back makes room again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tiers.engine.facts import Limits, Part


class Room(NamedTuple):
    """What a cap still has: `limit` is the whole cap, `left` what earlier lines have not used of it."""

    scope: str  # event, customer, window, budget
    limit: int
    left: int


class Limited(NamedTuple):
    """An amount after its limits, the addends they put in and the caps and floors as explanations keep them."""

    amount: int
    parts: tuple[Part, ...] = ()
    cap: dict[str, Any] | None = None
    floor: dict[str, Any] | None = None


def of_event(limits: Limits, base: int, amount: int) -> Limited:
    """Raise `amount` to the least of an event and lower it to the most; an event without a positive base has neither."""
    if base <= 0:
        return Limited(amount)
    raised = _raised(limits, amount)
    if limits.event_max is None:
        return raised
    lowered = within(raised.amount, (Room("event", limits.event_max, limits.event_max),))
    return Limited(lowered.amount, raised.parts + lowered.parts, lowered.cap, raised.floor)


def within(amount: int, rooms: Iterable[Room]) -> Limited:
    """Lower `amount` to what each cap has left, in their order; the tightest one that cut is the one explained."""
    parts: list[Part] = []
    cap: dict[str, Any] | None = None
    asked = amount
    for room in rooms:
        left = max(room.left, 0)
        if amount > left:
            parts.append(Part("cap", left - amount, {"scope": room.scope, "limit_minor": room.limit}))
            amount = left
            cap = explained(room, applied=amount, over=asked - amount)
    return Limited(amount, tuple(parts), cap)


def explained(room: Room, *, applied: int, over: int) -> dict[str, Any]:
    """Return a cap as explanations keep it: the cap, what came of the amount and what was over."""
    return {"limit": room.limit, "scope": room.scope, "applied": applied, "over": over}


def _raised(limits: Limits, amount: int) -> Limited:
    least = limits.event_min
    if least is None or amount >= least:
        return Limited(amount)
    added = least - amount
    part = Part("floor", added, {"scope": "event", "limit_minor": least})
    return Limited(least, (part,), None, {"limit": least, "scope": "event", "added": added})
