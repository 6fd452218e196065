"""Each part of a window's volume at the rate of the step it lies in. However a volume is cut into events, their changes add up to
what the whole volume is owed."""

from __future__ import annotations

from fractions import Fraction

from tiers.engine.facts import RuleFacts
from tiers.engine.rates import tables
from tiers.engine.rates.tables import Row, Table


def total(rule: RuleFacts, offset: int, volume: int) -> Fraction:
    """Return the exact minor units owed for `volume` counted on top of `offset`."""
    return owed(tables.of(rule), offset, volume)


def slices(rule: RuleFacts, offset: int, before: int, after: int) -> tuple[Row, ...]:
    """Return one row for each step the change from `before` to `after` passes through, adding up to what it earns."""
    return rows(tables.of(rule), offset + before, offset + after)


def owed(table: Table, offset: int, volume: int) -> Fraction:
    """Return what `volume` on top of `offset` earns by a table."""
    ahead = table.up_to(offset) if offset else 0
    return Fraction(table.up_to(offset + volume) - ahead, table.scale)


def rows(table: Table, start: int, end: int) -> tuple[Row, ...]:
    """Return the rows between two volumes in ascending order, with negative figures when the volume falls."""
    if start == end:
        return ()
    sign, low, high = (1, start, end) if start < end else (-1, end, start)
    return tuple(_row(table, step, low, high, sign) for step in range(table.at(low), table.at(high) + 1))


def _row(table: Table, step: int, low: int, high: int, sign: int) -> Row:
    """Explain the part of a change inside one step; the first one also holds what lies below zero.

    A step's flat amount is in the row whose change reaches the step, or falls out of it.
    """
    bound, following = table.bounds[step], table.end(step)
    begin = max(low, bound) if step else low
    volume = sign * ((high if following is None else min(high, following)) - begin)
    product = table.marginal[step] * volume
    if table.is_counted:
        return table.row(step, volume, product, table.flats[step])
    if not table.entry[step] or not low < max(bound, 1) <= high:
        return table.row(step, volume, product, None)
    return table.row(step, volume, product + sign * table.entry[step], sign * table.flats[step])
