"""Turn a rule as it is stored into the facts the engine rates by. Nonsense is refused with the field named and the reason, so that
what is saved can always be rated.

A stored rule is a mapping; rates are percents ("8" is 8 %), amounts whole minor units of the program's currency:

    key, name, position, kind, rate, flat_minor, flat_on_refund, unusual
    event_kinds, tier_keys, countries    lists of texts, empty for any
    conditions    {join: all | any, tests: [{attribute, operator, values: [text]} | {join, tests}]}
    params        only what the kind needs:
        steps         [{from, rate, flat}], from: minor units, a count, or percents of the target (accelerator)
        metric        revenue | sales | new_customers | leads | units
        window        {kind: month | quarter | year | trailing | lifetime | joining, months}
        crossing      old | new, which rate the event has that crosses a step (prospective)
        target        what 100 % is (accelerator)
        package       the size of a block (package)
        stacking      whether every threshold reached pays (milestone)
        recurring     {months, payments, schedule: [rate]}
        levels        [rate], the recruiter first (override)
        override_of   commission | sales
        limits        {event_min, event_max, customer_max, window_min, window_max, window, budget_max, budget_window}
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from prm.lib.money import Money, UnknownCurrency, exponent
from tiers.engine import reading_values as read
from tiers.engine.facts import (
    WINDOW_MODELS,
    EventModel,
    FlatOnRefund,
    Limits,
    Metric,
    MonthModel,
    Recurring,
    RuleFacts,
    Step,
    Window,
    WindowKind,
    WindowModel,
)
from tiers.engine.reading_conditions import read_group
from tiers.engine.reading_values import MESSAGES, Unreadable, shown

__all__ = ["KINDS", "MESSAGES", "Unreadable", "read_rule"]

KINDS: tuple[str, ...] = (*get_args(EventModel), *get_args(WindowModel), *get_args(MonthModel))
STEPPED = WINDOW_MODELS - {"package"} | {"prospective"}
# Their steps are thresholds to be reached, and below the first one nothing is due.
_FIRST_ABOVE_0 = frozenset({"milestone", "lifetime_value", "stairstep"})
_STEPS_ARE_FLAT = frozenset({"milestone", "stairstep"})
# The kinds with one amount of their own; `percent` keeps none even where an old one is stored.
_FLAT = frozenset({"flat", "percent_plus_flat", "per_unit", "package", "retainer", "draw"})
_MAY_HAVE_FLAT = frozenset({"participation", "recurring"})
_FLAT_NEEDED = frozenset({"package", "retainer", "draw"})
_ONLY_FOR = {
    "steps": STEPPED,
    "target": frozenset({"accelerator"}),
    "package": frozenset({"package"}),
    "recurring": frozenset({"recurring"}),
    "levels": frozenset({"override"}),
}
_PARAMS = (*_ONLY_FOR, "metric", "window", "crossing", "stacking", "override_of", "limits")
RULE_FIELDS = (
    "key",
    "name",
    "position",
    "kind",
    "rate",
    "flat_minor",
    "flat_on_refund",
    "event_kinds",
    "tier_keys",
    "countries",
    "unusual",
    "params",
    "conditions",
)
_LIMITS = (
    "event_min",
    "event_max",
    "customer_max",
    "window_min",
    "window_max",
    "window",
    "budget_max",
    "budget_window",
)
_LENGTH = {"month": 1, "quarter": 3, "year": 12}
_MOST_MONTHS = 600


def read_rule(stored: Mapping[str, Any], *, currency: str) -> RuleFacts:
    """Return a stored rule as the engine reads it. Raises Unreadable."""
    rule = read.mapping("", stored, RULE_FIELDS)
    _check_currency(currency)
    kind = read.choice("kind", rule.get("kind"), KINDS)
    unusual = read.truth("unusual", rule.get("unusual"))
    return RuleFacts(
        key=read.text("key", rule.get("key")),
        name=read.text("name", rule.get("name")),
        position=read.whole("position", rule.get("position", 1)),
        kind=kind,  # type: ignore[arg-type]  # one of KINDS
        rate=read.rate("rate", rule.get("rate"), unusual=unusual),
        flat=_flat(kind, rule.get("flat_minor"), currency, unusual=unusual),
        event_kinds=frozenset(read.texts("event_kinds", rule.get("event_kinds"))),
        tiers=frozenset(read.texts("tier_keys", rule.get("tier_keys"))),
        countries=frozenset(read.texts("countries", rule.get("countries"))),
        flat_on_refund=read.choice(  # type: ignore[arg-type]  # one of its choices
            "flat_on_refund", rule.get("flat_on_refund", "pro_rata"), get_args(FlatOnRefund)
        ),
        conditions=read_group("conditions", rule.get("conditions"), currency=currency),
        unusual=unusual,
        **_params(kind, rule.get("params"), currency, unusual=unusual),
    )


def _check_currency(currency: str) -> None:
    try:
        exponent(currency)
    except UnknownCurrency:
        raise Unreadable("currency", "unknown_currency", {"value": shown(currency)}) from None


def _flat(kind: str, stored: object, currency: str, *, unusual: bool) -> Money | None:
    amount = read.flat("flat_minor", stored, currency, unusual=unusual)
    if kind in _FLAT_NEEDED and amount == 0:
        raise Unreadable("flat_minor", "missing")
    if kind in _FLAT or (kind in _MAY_HAVE_FLAT and amount):
        return Money(amount, currency)
    return None


def _params(kind: str, stored: object, currency: str, *, unusual: bool) -> dict[str, Any]:
    """Return what only some kinds have, under the names of the facts."""
    params = read.mapping("params", stored, _PARAMS)
    for name, kinds in _ONLY_FOR.items():
        if params.get(name) and kind not in kinds:
            raise Unreadable(name, "not_for_kind", {"kind": kind})
    metric = read.choice("metric", params.get("metric", "revenue"), get_args(Metric))
    target = read.whole("target", params.get("target"), least=1) if kind == "accelerator" else 0
    steps = _steps(params.get("steps"), _StepsOf(kind, metric, currency, unusual, target))
    if kind in STEPPED and not steps:
        raise Unreadable("steps", "missing")
    return {
        "steps": steps,
        "metric": metric,
        "window": _window_of_rule(kind, params.get("window")),
        "crossing_has_new_rate": read.choice("crossing", params.get("crossing", "old"), ("old", "new"))
        == "new",
        "target": target,
        "package": read.whole("package", params.get("package"), least=1) if kind == "package" else 0,
        "stacking": read.truth("stacking", params.get("stacking")),
        "recurring": _recurring(params.get("recurring"), unusual=unusual) if kind == "recurring" else None,
        "levels": _levels(kind, params.get("levels"), unusual=unusual),
        "override_of": read.choice(
            "override_of", params.get("override_of", "commission"), ("commission", "sales")
        ),
        "limits": _limits(params.get("limits"), currency),
    }


class _StepsOf:
    """What a table of steps belongs to."""

    def __init__(self, kind: str, metric: str, currency: str, unusual: bool, target: int) -> None:
        self.kind, self.metric, self.currency, self.unusual = kind, metric, currency, unusual
        self.target = target

    @property
    def pays_flat(self) -> bool:
        """Whether a rate has nothing to apply to: thresholds pay amounts, and pieces are no money."""
        is_counted = self.metric != "revenue" and self.kind in WINDOW_MODELS
        return is_counted or self.kind in _STEPS_ARE_FLAT

    def bound(self, start: int) -> int:
        """Return where a step begins in what is counted: percents of a small target can be the same piece."""
        return -(-start * self.target // 100) if self.kind == "accelerator" else start

    def start_text(self, start: int) -> str:
        if self.kind == "accelerator":
            return f"{start} %"
        return str(Money(start, self.currency).decimal()) if self.metric == "revenue" else str(start)


def _steps(stored: object, of: _StepsOf) -> tuple[Step, ...]:
    steps: list[Step] = []
    for at, each in enumerate(read.items("steps", stored)):
        step = _step(f"steps.{at}", each, at, of)
        if steps and of.bound(step.start) <= of.bound(steps[-1].start):
            params = {"step": at + 1, "start": of.start_text(step.start), "before": at}
            raise Unreadable(f"steps.{at}.from", "overlaps", params)
        steps.append(step)
    if steps and steps[0].start > 0 and of.kind not in _FIRST_ABOVE_0:
        raise Unreadable("steps.0.from", "first_step", {"start": of.start_text(steps[0].start)})
    if of.kind == "lifetime_value" and len(steps) > 1:
        raise Unreadable("steps.1", "one_step", {"kind": of.kind})
    return tuple(steps)


def _step(field: str, stored: object, at: int, of: _StepsOf) -> Step:
    step = read.mapping(field, stored, ("from", "rate", "flat"))
    rate = read.rate(f"{field}.rate", step.get("rate"), unusual=of.unusual)
    if rate and of.pays_flat:
        raise Unreadable(f"{field}.rate", "only_flat", {"step": at + 1})
    return Step(
        read.whole(f"{field}.from", step.get("from")),
        rate,
        read.flat(f"{field}.flat", step.get("flat"), of.currency, unusual=of.unusual),
    )


def _window_of_rule(kind: str, stored: object) -> Window:
    if kind == "lifetime_value":
        window = _window("window", stored, Window("lifetime"))
        if window.kind != "lifetime":
            raise Unreadable("window.kind", "window_for_kind", {"kind": kind})
        return window
    return _window("window", stored, Window(), may_trail=kind not in WINDOW_MODELS)


def _window(field: str, stored: object, default: Window, *, may_trail: bool = False) -> Window:
    if not stored:
        return default
    window = read.mapping(field, stored, ("kind", "months"))
    kind = read.choice(f"{field}.kind", window.get("kind"), get_args(WindowKind))
    if kind == "trailing" and not may_trail:
        raise Unreadable(f"{field}.kind", "trailing_window")
    months = read.whole(f"{field}.months", window.get("months", 1), least=1, most=_MOST_MONTHS)
    if kind in _LENGTH and months not in (1, _LENGTH[kind]):
        raise Unreadable(f"{field}.months", "months_of_window", {"kind": kind, "months": months})
    return Window(kind, months if kind in ("trailing", "joining") else 1)  # type: ignore[arg-type]  # a WindowKind


def _recurring(stored: object, *, unusual: bool) -> Recurring:
    recurring = read.mapping("recurring", stored, ("months", "payments", "schedule"))
    months = read.whole_or_none("recurring.months", recurring.get("months"), least=1, most=_MOST_MONTHS)
    payments = read.whole_or_none("recurring.payments", recurring.get("payments"), least=1)
    if months is not None and payments is not None:
        raise Unreadable("recurring.payments", "months_or_payments")
    schedule = _rates("recurring.schedule", recurring.get("schedule"), unusual=unusual)
    if months is not None and len(schedule) > months:
        raise Unreadable(
            "recurring.schedule", "schedule_too_long", {"rates": len(schedule), "months": months}
        )
    return Recurring(months, payments, schedule)


def _levels(kind: str, stored: object, *, unusual: bool) -> tuple[Decimal, ...]:
    levels = _rates("levels", stored, unusual=unusual)
    if kind == "override" and not levels:
        raise Unreadable("levels", "missing")
    return levels


def _rates(field: str, stored: object, *, unusual: bool) -> tuple[Decimal, ...]:
    found = read.items(field, stored)
    return tuple(read.rate(f"{field}.{at}", each, unusual=unusual) for at, each in enumerate(found))


def _limits(stored: object, currency: str) -> Limits | None:
    """Return the floors and caps, nothing when none is set. A cap of 0 is none: it would pay nothing."""
    limits = read.mapping("limits", stored, _LIMITS)
    amounts = {
        name: read.whole_or_none(f"limits.{name}", limits.get(name), least=1)
        for name in _LIMITS
        if not name.endswith("window")
    }
    window = _window("limits.window", limits.get("window"), Window())
    budget_window = _window("limits.budget_window", limits.get("budget_window"), Window("lifetime"))
    for least, most in (("event_min", "event_max"), ("window_min", "window_max")):
        _check_order(f"limits.{least}", amounts[least], amounts[most], currency)
    if not any(amounts.values()):
        return None
    return Limits(**amounts, window=window, budget_window=budget_window)


def _check_order(field: str, least: int | None, most: int | None, currency: str) -> None:
    if least is not None and most is not None and least > most:
        params = {"least": str(Money(least, currency)), "most": str(Money(most, currency))}
        raise Unreadable(field, "min_above_max", params)
