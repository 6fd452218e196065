"""The whole volume of a window at the rate of the step it reaches. An event is paid at the rate reached with it; what the window's
earlier events gain or lose by that is for a true-up to bring."""

from __future__ import annotations

from fractions import Fraction

from tiers.engine.facts import RuleFacts
from tiers.engine.rates import tables
from tiers.engine.rates.tables import Row, Table


def total(rule: RuleFacts, offset: int, volume: int) -> Fraction:
    """Return the exact minor units owed for `volume` when it is counted on top of `offset`."""
    table = tables.of(rule)
    step = table.at(offset + volume)
    return Fraction(_at_step(table, step, offset, volume), table.scale)


def carried(rule: RuleFacts, offset: int, before: int, after: int) -> Fraction:
    """Return what `before` would be owed at the step reached with `after`: a line is what comes on top of it."""
    table = tables.of(rule)
    return Fraction(_at_step(table, table.at(offset + after), offset, before), table.scale)


def slices(rule: RuleFacts, offset: int, before: int, after: int) -> tuple[Row, ...]:
    """Return one row: the change at the step reached after it, without what it does to the volume before."""
    if before == after:
        return ()
    table = tables.of(rule)
    step, change = table.at(offset + after), after - before
    product = _at_step(table, step, offset, after) - _at_step(table, step, offset, before)
    once = product - table.marginal[step] * change
    flat = table.flats[step] if table.is_counted else once // table.scale
    return (table.row(step, change, product, flat or None),)


def _at_step(table: Table, step: int, offset: int, volume: int) -> int:
    """Return what `volume` is owed at a step, times the scale; its flat amount comes once, with the first volume."""
    ahead = _entry(table, table.at(offset), offset)
    return table.marginal[step] * volume + _entry(table, step, offset + volume) - ahead


def _entry(table: Table, step: int, volume: int) -> int:
    return table.entry[step] if volume > 0 else 0
