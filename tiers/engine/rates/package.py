"""A flat amount for each block of volume that has been started. The first minor unit or piece of a block pays for the whole of it."""

from __future__ import annotations

from fractions import Fraction

from tiers.engine.facts import RuleFacts
from tiers.engine.rates.tables import Row


def total(rule: RuleFacts, offset: int, volume: int) -> Fraction:
    """Return the minor units owed for `volume` counted on top of `offset`."""
    return Fraction((_started(rule, offset + volume) - _started(rule, offset)) * _flat(rule))


def slices(rule: RuleFacts, offset: int, before: int, after: int) -> tuple[Row, ...]:
    """Return one row: the block the window stands in after the change, and how many blocks it started or gave up."""
    if before == after:
        return ()
    now = _started(rule, offset + after)
    blocks, begins = now - _started(rule, offset + before), max(now - 1, 0) * rule.package
    row: Row = {"from": begins, "to": begins + rule.package, "rate": None, "flat": _flat(rule)}
    return ({**row, "volume": after - before, "blocks": blocks, "exact": str(blocks * _flat(rule))},)


def _started(rule: RuleFacts, volume: int) -> int:
    return -(-max(volume, 0) // rule.package)


def _flat(rule: RuleFacts) -> int:
    if rule.flat is None:
        raise ValueError(f"Rule {rule.key} has no flat amount.")
    return rule.flat.minor
