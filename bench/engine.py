"""Rating alone, on facts in memory: how many events a second one core rates, for each of three plans, beside a loop that only builds the
events' base and the amounts with the same explanation left out."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from prm.lib.money import Money, divide_half_away
from tiers.engine import Event, Memory, PlanFacts, RuleFacts, Standing, prepare
from tiers.engine.facts import Group, Step, Test

EVENTS = 100_000
ROUNDS = 3
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
GOLD = Standing("gold", "Gold", membership="mem_1", joined_at=BEGIN)
THREE = Group(
    "all",
    (
        Test("country", "in", ("France", "Germany")),
        Test("amount", ">=", ("5",)),
        Test("product", "not_in", ("POST", "BANK CHARGES")),
    ),
)
STEPS = (Step(0, Decimal("0.05")), Step(1_000_000, Decimal("0.065")), Step(5_000_000, Decimal("0.08")))
RULES: dict[str, RuleFacts] = {
    "percent, no condition": RuleFacts("r", "Rule", 1, "percent", rate=Decimal("0.08")),
    "percent, three conditions": RuleFacts("r", "Rule", 1, "percent", rate=Decimal("0.08"), conditions=THREE),
    "graduated": RuleFacts("r", "Rule", 1, "graduated", steps=STEPS),
    "volume": RuleFacts("r", "Rule", 1, "volume", steps=STEPS),
}


def run(arguments: list[str]) -> dict[str, object]:
    """Rate the same events under each plan and return events a second, best of some rounds, by the core's own time."""
    count = int(arguments[arguments.index("--n") + 1]) if "--n" in arguments else EVENTS
    events = [_event(number) for number in range(count)]
    bare = _best(lambda: _amounts_only(events))
    found: dict[str, object] = {"events": count, "amounts only, per second": round(count / bare)}
    for name, rule in RULES.items():
        seconds = _best(lambda rule=rule: _rate(rule, events))  # type: ignore[misc]
        found[name] = {
            "per_second": round(count / seconds),
            "us_per_event": round(seconds / count * 1e6, 1),
            "times_the_amounts_only": round(seconds / bare, 1),
        }
    return {"engine": found}


def _event(number: int) -> Event:
    return Event(
        key=f"e{number}",
        kind="sale",
        occurred_at=BEGIN + timedelta(minutes=number),
        amount=Money(500 + number * 37 % 50_000, "GBP"),
        country="France",
        product=f"P{number % 100}",
    )


def _rate(rule: RuleFacts, events: list[Event]) -> None:
    plan = PlanFacts("plan", 1, 1, BEGIN, "first_match", (rule,), time_zone="Europe/London")
    rater = prepare(plan)
    memory = Memory(ZoneInfo("Europe/London")) if rater.is_stateful else None
    for event in events:
        rater(event, GOLD, memory)


def _amounts_only(events: list[Event]) -> list[int]:
    return [divide_half_away(event.amount.minor * 8, 100) for event in events]


def _best(work: Callable[[], Any]) -> float:
    took: list[float] = []
    for _round in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)
