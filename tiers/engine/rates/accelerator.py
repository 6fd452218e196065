"""Rates that change with the attainment of a target, each step's part at its own rate. The steps start at percents of the target; a
start between two minor units or two pieces is the upper one, so that each of them has one price."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from tiers.engine.facts import RuleFacts, Step
from tiers.engine.rates import graduated, tables
from tiers.engine.rates.tables import Row, Table


def total(rule: RuleFacts, offset: int, volume: int) -> Fraction:
    """Return the exact minor units owed for `volume` counted on top of `offset`."""
    return graduated.owed(_table(rule.steps, rule.target, rule.metric != "revenue"), offset, volume)


def slices(rule: RuleFacts, offset: int, before: int, after: int) -> tuple[Row, ...]:
    """Return one row for each step the change passes through, its bounds in minor units or pieces."""
    table = _table(rule.steps, rule.target, rule.metric != "revenue")
    return graduated.rows(table, offset + before, offset + after)


@lru_cache(maxsize=1024)
def _table(steps: tuple[Step, ...], target: int, is_counted: bool) -> Table:
    starts = (-(-step.start * target // 100) for step in steps)  # rounded up
    moved = tuple(replace(step, start=start) for step, start in zip(steps, starts, strict=True))
    return tables.table(moved, is_counted)
