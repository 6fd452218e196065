"""One flat amount for the step a window reaches, whatever lies above its bound. An event that reaches a higher step is paid the
difference; a volume of zero or less has reached nothing."""

from __future__ import annotations

from fractions import Fraction

from tiers.engine.facts import RuleFacts
from tiers.engine.rates import tables
from tiers.engine.rates.tables import Row, Table


def total(rule: RuleFacts, offset: int, volume: int) -> Fraction:
    """Return the minor units owed for `volume` counted on top of `offset`."""
    table = tables.of_amounts(rule)
    return Fraction(_reached(table, offset + volume) - _reached(table, offset))


def slices(rule: RuleFacts, offset: int, before: int, after: int) -> tuple[Row, ...]:
    """Return one row: the step reached after the change, and what that is more or less than before."""
    if before == after:
        return ()
    table = tables.of_amounts(rule)
    step = table.at(offset + after)
    change = _reached(table, offset + after) - _reached(table, offset + before)
    return (table.row(step, after - before, change * table.scale, _reached(table, offset + after) or None),)


def _reached(table: Table, volume: int) -> int:
    return table.flats[table.at(volume)] if volume > 0 else 0
