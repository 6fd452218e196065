"""A stored rule as the editor shows it: amounts in major units, percents as people write them, conditions by their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from prm.lib.money import Money
from tiers.admin.rule_rows import condition_initial
from tiers.models import Program, Rule

FRESH: dict[str, Any] = {
    "kind": "percent",
    "override_of": "commission",
    "lasts": "months",
    "metric": "revenue",
    "window": "month",
    "window_months": 1,
    "crossing": "old",
    "flat_on_refund": "pro_rata",
    "join": "all",
    "limit_window": "month",
    "limit_months": 1,
    "budget_window": "lifetime",
}
_LIMITS = ("event_min", "event_max", "customer_max", "window_min", "window_max", "budget_max")
Tests = list[dict[str, Any]]


@dataclass(frozen=True)
class Conditions:
    """The conditions of a rule: those that stand alone, and the groups with how each is joined."""

    tests: Tests = field(default_factory=list)
    groups: list[tuple[str, Tests]] = field(default_factory=list)


NO_CONDITIONS = Conditions()


def of(rule: Rule, program: Program) -> dict[str, Any]:
    """Return what the fields of the form hold for a stored rule."""
    params = rule.params
    shown = {
        "name": rule.name,
        "kind": rule.kind,
        "rate": rule.rate or None,
        "flat": Money(rule.flat_minor, program.currency) if rule.flat_minor else None,
        "flat_on_refund": rule.flat_on_refund,
        "event_kinds": rule.event_kinds,
        "tier_keys": rule.tier_keys,
        "countries": rule.countries,
        "unusual": rule.unusual,
        "join": rule.conditions.get("join", "all"),
        "levels": [Decimal(rate) for rate in params.get("levels", ())],
        **{name: params[name] for name in _PLAIN if name in params},
        **_window("window", "window_months", params.get("window")),
        **_recurring(params.get("recurring") or {}),
        **_limits(params.get("limits") or {}, program.currency),
    }
    return {name: value for name, value in shown.items() if value is not None}


_PLAIN = ("metric", "target", "package", "stacking", "crossing", "override_of")


def steps(rule: Rule, program: Program) -> Tests:
    """Return the rows of the rule's table."""
    return [
        {
            "start": step["from"],
            "rate": Decimal(step["rate"]) if step.get("rate") else None,
            "flat": Money(step["flat"], program.currency) if step.get("flat") else None,
        }
        for step in rule.params.get("steps", ())
    ]


def conditions(rule: Rule, known: dict[str, dict[str, str]]) -> Conditions:
    """Return the rows of the rule's conditions."""
    found = Conditions()
    for each in rule.conditions.get("tests", ()):
        if "tests" in each:
            rows = [condition_initial(test, known) for test in each["tests"]]
            found.groups.append((each.get("join", "all"), rows))
        else:
            found.tests.append(condition_initial(each, known))
    return found


def _window(kind: str, months: str, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    return {kind: stored["kind"], months: stored.get("months", 1)} if stored else {}


def _recurring(stored: Mapping[str, Any]) -> dict[str, Any]:
    lasts = next((name for name in ("months", "payments") if stored.get(name)), "life")
    return {
        "lasts": lasts,
        "lasts_for": stored.get(lasts),
        "schedule": [Decimal(rate) for rate in stored.get("schedule", ())],
    }


def _limits(stored: Mapping[str, Any], currency: str) -> dict[str, Any]:
    amounts = {name: Money(stored[name], currency) for name in _LIMITS if stored.get(name) is not None}
    return {
        **amounts,
        **_window("limit_window", "limit_months", stored.get("window")),
        **({"budget_window": budget["kind"]} if (budget := stored.get("budget_window")) else {}),
    }
