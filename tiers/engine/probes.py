"""Made-up events that show how the rules of a plan meet: one for each combination of values its conditions can tell apart. Values that
every condition judges alike are tried once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import islice, product
from typing import Any
from zoneinfo import ZoneInfo

from prm.lib.money import Money, exponent
from prm.lib.periods import local_day
from tiers.engine.attributes import NO, YES, attribute_of, day_of, number_of
from tiers.engine.conditions import ASSISTED, compiled, situation, why_not
from tiers.engine.facts import Event, Group, PlanFacts, RuleFacts, Standing, Test

# Beyond this many combinations rules are tried one by one, each with what its own conditions ask about.
MOST_PROBES = 4000
OTHER = "\N{HORIZONTAL ELLIPSIS}other"  # a value nobody has named
OTHER_COUNTRY = "ZZ"
FREE_KINDS = frozenset({"signup", "qualified_lead", "install"})  # usually without an amount
USUAL_AMOUNT = 100  # whole units of the currency

Assignment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """An event to ask rules about, and the values it was made from."""

    event: Event
    standing: Standing
    values: Assignment = field(compare=False)


@dataclass(frozen=True, slots=True)
class Probes:
    """The probes of a plan; `is_complete` when every combination was tried."""

    all: tuple[Probe, ...]
    is_complete: bool


def tests_of(group: Group) -> Iterator[Test]:
    """Yield every test of a group and of the groups inside it."""
    for each in group.tests:
        if isinstance(each, Group):
            yield from tests_of(each)
        else:
            yield each


def meets(rule: RuleFacts, probe: Probe, zone: tzinfo) -> bool:
    """Return whether a probe meets all conditions of a rule."""
    if why_not(rule, situation(probe.event, probe.standing)) is not None:
        return False
    return compiled(rule.conditions, zone)(probe.event, probe.standing) is None


def probes_of(
    plan: PlanFacts, *, kinds: Iterable[str], tiers: Sequence[tuple[str, str]], currency: str
) -> Probes:
    """Return what to try a plan with: events of these kinds by partners of these tiers (key and name)."""
    zone = ZoneInfo(plan.time_zone)
    make = _Maker(plan, zone, currency, dict(tiers))
    axes = {**_fixed_axes(plan, sorted(kinds), [key for key, _ in tiers]), **_asked_axes(plan, zone, make)}
    if math.prod(len(values) for values in axes.values()) <= MOST_PROBES:
        return Probes(tuple(make(values) for values in _combined(axes)), is_complete=True)
    found: dict[tuple[tuple[str, str], ...], Probe] = {}
    each = max(MOST_PROBES // max(len(plan.rules), 1), 1)
    is_complete = True
    for rule in plan.rules:
        own = {*_FIXED, *(test.attribute for test in tests_of(rule.conditions))}
        if rule.countries:
            own.add("country")
        narrow = {name: values if name in own else values[:1] for name, values in axes.items()}
        is_complete = is_complete and math.prod(len(values) for values in narrow.values()) <= each
        for values in islice(_combined(narrow), each):
            name = tuple((attribute, repr(value)) for attribute, value in values.items())
            found.setdefault(name, make(values))
    return Probes(tuple(found.values()), is_complete)


_FIXED = ("kind", "tier", "role", "depth")


def _combined(axes: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(axes, values, strict=True)) for values in product(*axes.values()))


def _fixed_axes(plan: PlanFacts, kinds: list[str], tiers: list[str]) -> dict[str, list[Any]]:
    has = {rule.kind for rule in plan.rules}
    return {
        "kind": kinds or ["sale"],
        "tier": tiers or [""],
        "role": ["sourced", ASSISTED] if "participation" in has else ["sourced"],
        "depth": [0, 1] if "override" in has else [0],
    }


def _asked_axes(plan: PlanFacts, zone: tzinfo, make: _Maker) -> dict[str, list[Any]]:
    """Return for each attribute that conditions ask about the values they can tell apart, an unnamed one first."""
    asked: dict[str, list[Test]] = {}
    for rule in plan.rules:
        if rule.countries:
            asked.setdefault("country", []).append(Test("country", "in", tuple(sorted(rule.countries))))
        for test in tests_of(rule.conditions):
            if test.values and attribute_of(test.attribute) is not None:
                asked.setdefault(test.attribute, []).append(test)
    if "customer_age_months" in asked:  # an age says whether the customer is new
        asked["customer_age_months"] += asked.pop("customer_type", [])
    known = {"kind", "tier", "currency"}
    return {
        attribute: _apart(attribute, tests, make, zone)
        for attribute, tests in asked.items()
        if attribute not in known
    }


def _apart(attribute: str, tests: list[Test], make: _Maker, zone: tzinfo) -> list[Any]:
    checks = [compiled(Group("all", (test,)), zone) for test in tests]
    found: dict[tuple[bool, ...], Any] = {}
    for value in _candidates(attribute, tests, make):
        probe = make({"kind": "sale", attribute: value})
        found.setdefault(tuple(check(probe.event, probe.standing) is None for check in checks), value)
    return list(found.values())


def _candidates(attribute: str, tests: list[Test], make: _Maker) -> Iterable[Any]:
    values = [value for test in tests if test.attribute == attribute for value in test.values]
    match attribute:
        case "amount":
            minors = [make.minor(number) for value in values if (number := number_of(value)) is not None]
            return [make.usual, *_around(minors)]
        case "quantity":
            return [1, *_around(_whole(values))]
        case "customer_age_months":
            return [None, 0, *_around(_whole(values))]
        case "customer_type":
            return [None, 0, 12]
        case "date":
            days = [day for value in values if (day := day_of(value)) is not None]
            near = [day + timedelta(days=by) for day in days for by in (-1, 0, 1)]
            return [make.first_day, *(day for day in sorted(near) if day >= make.first_day)]
        case "tag":
            return [frozenset(), *(frozenset({value}) for value in values), frozenset(values)]
        case "country" | "partner_country":
            return [OTHER_COUNTRY, *values, ""]
        case "role":
            return ["sourced", *values]
    if attribute.startswith("attribute:"):
        return [OTHER, *(_typed(value) for value in values), *_around(_whole(values)), True, False, None]
    return [OTHER, *values, "".join(values), ""]


def _around(numbers: Iterable[int]) -> list[int]:
    return [each for number in sorted(set(numbers)) for each in (number - 1, number, number + 1) if each >= 0]


def _whole(values: Iterable[str]) -> list[int]:
    return [int(number) for value in values if (number := number_of(value)) is not None]


def _typed(value: str) -> str | bool:
    return {YES: True, NO: False}.get(value, value)


class _Maker:
    """Makes a probe of chosen values; what is not chosen is usual or missing."""

    def __init__(self, plan: PlanFacts, zone: tzinfo, currency: str, tiers: Mapping[str, str]) -> None:
        self.zone, self.currency, self.tiers = zone, currency, tiers
        self.first_day: date = local_day(plan.effective_at, zone)
        self.usual = self.minor(Decimal(USUAL_AMOUNT))

    def minor(self, amount: Decimal) -> int:
        return int(amount.scaleb(exponent(self.currency)))

    def __call__(self, values: Assignment) -> Probe:
        day = values.get("date", self.first_day)
        at = datetime.combine(day, time(12), tzinfo=self.zone).astimezone(UTC)
        kind = values["kind"]
        age = values.get("customer_age_months", values.get("customer_type"))
        event = Event(
            key="probe",
            kind=kind,
            occurred_at=at,
            amount=Money(0 if kind in FREE_KINDS else values.get("amount", self.usual), self.currency),
            customer="" if age is None else "probe",
            customer_since=_since(at, age),
            role=values.get("role", "sourced"),
            quantity=values.get("quantity", 1),
            attributes={
                name.removeprefix("attribute:"): value
                for name, value in values.items()
                if name.startswith("attribute:") and value is not None
            },
            **{name: values[name] for name in _TEXTS if name in values},
        )
        tier = values.get("tier", "")
        standing = Standing(
            tier,
            self.tiers.get(tier, ""),
            membership=values.get("partner", ""),
            partner_country=values.get("partner_country", ""),
            partnership_type=values.get("partnership_type", ""),
            tags=values.get("tag", frozenset()),
            depth=values.get("depth", 0),
        )
        return Probe(event, standing, values)


_TEXTS = ("product", "category", "country", "code", "link", "sub_id", "deal")


def _since(at: datetime, months: int | None) -> datetime | None:
    """Return the first of the month that many months before, so that the day and the clocks do not matter."""
    if not months:
        return None
    back = at.year * 12 + at.month - 1 - months
    return at.replace(year=back // 12, month=back % 12 + 1, day=1, hour=0) if back >= 12 else None
