"""Nothing until what a customer has brought reaches a threshold, then a flat amount once and a percentage of all of it. Below the
threshold again, nothing of it is owed any longer."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from tiers.engine.facts import RuleFacts
from tiers.engine.rates.percent import exact_text, scaled
from tiers.engine.rates.tables import Row


class _Terms(NamedTuple):
    """What is owed from `start` on: a flat amount in minor units and `numerator` / `scale` of the volume."""

    start: int
    flat: int
    numerator: int
    scale: int
    rate: str | None

    def is_reached(self, volume: int) -> bool:
        return volume >= max(self.start, 1)

    def owed(self, volume: int) -> int:
        """Return what a volume is owed, times the scale."""
        return self.flat * self.scale + self.numerator * volume if self.is_reached(volume) else 0


def total(rule: RuleFacts, offset: int, volume: int) -> Fraction:
    """Return the exact minor units owed for `volume` counted on top of `offset`."""
    terms = _terms(rule)
    return Fraction(terms.owed(offset + volume) - terms.owed(offset), terms.scale)


def slices(rule: RuleFacts, offset: int, before: int, after: int) -> tuple[Row, ...]:
    """Return one row: what the rate applied to, which is everything so far when the threshold is reached or lost."""
    if before == after:
        return ()
    terms, was, now = _terms(rule), offset + before, offset + after
    if not terms.is_reached(was) and not terms.is_reached(now):
        return (
            {"from": 0, "to": terms.start, "rate": None, "flat": None, "volume": now - was, "exact": "0"},
        )
    crossed = terms.is_reached(now) - terms.is_reached(was)
    row: Row = {
        "from": terms.start,
        "to": None,
        "rate": terms.rate,
        "flat": crossed * terms.flat or None,
        "volume": {1: now, 0: now - was, -1: -was}[crossed],
        "exact": exact_text(terms.owed(now) - terms.owed(was), terms.scale),
    }
    return (row,)


def _terms(rule: RuleFacts) -> _Terms:
    """Return the terms of a rule: those of its step, and its own where the step has none. Pieces earn no percentage."""
    step = rule.steps[0]
    flat = step.flat or (rule.flat.minor if rule.flat else 0)
    if rule.metric != "revenue":
        return _Terms(step.start, flat, 0, 1, None)
    return _Terms(step.start, flat, *scaled(step.rate or rule.rate))
