"""A bonus when a threshold is reached, once per window: the one of the highest threshold, or when they stack each one's own. A
threshold lost again through refunds is a bonus owed no longer."""

from __future__ import annotations

from fractions import Fraction

from tiers.engine.facts import RuleFacts
from tiers.engine.rates import graduated, stairstep, tables
from tiers.engine.rates.tables import Row


def total(rule: RuleFacts, offset: int, volume: int) -> Fraction:
    """Return the minor units owed for `volume` counted on top of `offset`, without thresholds the offset had reached."""
    if rule.stacking:
        return graduated.owed(tables.of_amounts(rule), offset, volume)
    return stairstep.total(rule, offset, volume)


def slices(rule: RuleFacts, offset: int, before: int, after: int) -> tuple[Row, ...]:
    """Return one row for each threshold passed when they stack, else one for the threshold reached."""
    if rule.stacking:
        return graduated.rows(tables.of_amounts(rule), offset + before, offset + after)
    return stairstep.slices(rule, offset, before, after)
