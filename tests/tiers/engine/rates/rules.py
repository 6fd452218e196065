"""Short ways to say a rule and what it answers in the tables of these tests. Amounts are minor units of pounds."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from prm.lib.money import Money
from tiers.engine.facts import Part, RuleFacts, Step
from tiers.engine.rates import CONTEXT_RATES, WINDOWED
from tiers.engine.rates.context import Context
from tiers.engine.rates.tables import Row


def step(start: int, rate: str = "0", flat: int = 0) -> Step:
    return Step(start, Decimal(rate), flat)


def minor(amount: int) -> Money:
    return Money(amount, "GBP")


def rule(kind: str, *steps: Step, **facts: Any) -> RuleFacts:
    return RuleFacts(**{"key": "r", "name": "R", "position": 1, "kind": kind, "steps": steps, **facts})


def total(rule: RuleFacts, volume: int, offset: int = 0) -> Fraction:
    return WINDOWED[rule.kind].total(rule, offset, volume)


def slices(rule: RuleFacts, before: int, after: int, offset: int = 0) -> tuple[Row, ...]:
    return WINDOWED[rule.kind].slices(rule, offset, before, after)


def row(start: int, end: int | None, rate: str | None, flat: int | None, volume: int, exact: str) -> Row:
    return {"from": start, "to": end, "rate": rate, "flat": flat, "volume": volume, "exact": exact}


def paid(rule: RuleFacts, base: int, **known: Any) -> tuple[Part, ...]:
    return CONTEXT_RATES[rule.kind](rule, minor(base), Context(**known))


def sums(parts: tuple[Part, ...]) -> list[tuple[str, int]]:
    return [(part.label_code, part.amount_minor) for part in parts]
