"""Short ways to say an event, a rule and a plan in the tables of these tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from prm.lib.money import Money
from tiers.engine import Event, Line, Original, OriginalLine, PlanFacts, RuleFacts, Standing, compute
from tiers.engine.facts import Step

IN_FORCE_FROM = datetime(2026, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
STANDARD = Standing("standard", "Standard")
# The keys of an explanation that say nothing about a line without limits, windows and shares.
NOTHING_ELSE: dict[str, Any] = dict.fromkeys(
    ("counts", "cap", "floor", "steps", "window", "share", "recurring", "metric", "cause")
)


def pounds(text: str) -> Money:
    return Money.parse(text, "GBP")


def sale(amount: str, **facts: Any) -> Event:
    return Event(**{"key": "order-1", "kind": "sale", "occurred_at": AT, "amount": pounds(amount), **facts})


def refund(amount: str, **facts: Any) -> Event:
    return sale(amount, **{"key": "refund-1", "kind": "refund", **facts})


def percent(rate: str, **facts: Any) -> RuleFacts:
    return RuleFacts(
        **{"key": "base", "name": "Base", "position": 1, "kind": "percent", "rate": Decimal(rate), **facts}
    )


def flat(amount: str, **facts: Any) -> RuleFacts:
    return RuleFacts(
        **{"key": "flat", "name": "Flat", "position": 1, "kind": "flat", "flat": pounds(amount), **facts}
    )


def combined(rate: str, amount: str, **facts: Any) -> RuleFacts:
    return percent(rate, **{"kind": "percent_plus_flat", "flat": pounds(amount), **facts})


def steps(*rows: tuple[int, str] | tuple[int, str, int]) -> tuple[Step, ...]:
    """Rows of (start in minor units or pieces, rate, flat in minor units)."""
    return tuple(Step(row[0], Decimal(row[1]), row[2] if len(row) > 2 else 0) for row in rows)


def rule(kind: str, **facts: Any) -> RuleFacts:
    return RuleFacts(**{"key": kind, "name": kind.capitalize(), "position": 1, "kind": kind, **facts})


def plan(*rules: RuleFacts, combine: str = "first_match", **facts: Any) -> PlanFacts:
    known = {"plan_key": "affiliate", "version_number": 3, "version_id": 7, "effective_at": IN_FORCE_FROM}
    return PlanFacts(**{**known, "combine": combine, "rules": rules, **facts})


def earned(
    event: Event, *rules: RuleFacts, standing: Standing = STANDARD, combine: str = "first_match"
) -> tuple[Line, ...]:
    return compute(event, standing, plan(*rules, combine=combine))


def amounts(lines: tuple[Line, ...]) -> list[tuple[str, str]]:
    return [(line.rule_key, str(line.amount.decimal())) for line in lines]


def whats(lines: tuple[Line, ...]) -> list[tuple[str, str]]:
    return [(line.what, str(line.amount.decimal())) for line in lines]


def originals(lines: tuple[Line, ...]) -> tuple[OriginalLine, ...]:
    return tuple(OriginalLine(f"com-{number}", line) for number, line in enumerate(lines, start=1))


def original(amount: str, lines: tuple[Line, ...], before: str = "0", **facts: Any) -> Original:
    return Original("order-1", pounds(amount), pounds(before), originals(lines), **facts)
