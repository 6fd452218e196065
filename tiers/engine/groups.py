"""A rule's groups of conditions made ready to be asked of many events: compiled once, then plain comparisons. Texts compare
whatever their case, numbers exactly; what is missing meets only what is said in the negative."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from prm.lib.money import Money, exponent
from prm.lib.periods import local_day
from tiers.engine import windows
from tiers.engine.attributes import NEGATIVE, NO, YES, attribute_of, day_of, number_of
from tiers.engine.facts import Event, Group, Standing, Test


class WhyNot(NamedTuple):
    """A reason as a code and what was wanted and found, ready for JSON."""

    code: str
    wanted: tuple[str, ...]
    found: str


Check = Callable[[Event, Standing], WhyNot | None]


@lru_cache(maxsize=1024)
def compiled(group: Group, zone: tzinfo) -> Check:
    """Return the conditions made ready to ask of many events; a caller that rates many keeps it."""
    node = _group(group, zone)
    holds, reason = node.holds, node.reason

    def check(event: Event, standing: Standing) -> WhyNot | None:
        return None if holds(event, standing) else reason(event, standing)

    return check


class _Node(NamedTuple):
    """A test or a group made ready: whether it holds, why it does not, and how it reads."""

    holds: Callable[[Event, Standing], bool]
    reason: Callable[[Event, Standing], WhyNot]
    text: str


def _group(group: Group, zone: tzinfo) -> _Node:
    nodes = tuple(
        _group(each, zone) if isinstance(each, Group) else _test(each, zone) for each in group.tests
    )
    if len(nodes) == 1:
        return nodes[0]
    return _any(nodes) if group.join == "any" and nodes else _all(nodes)


def _all(nodes: tuple[_Node, ...]) -> _Node:
    tests = tuple(node.holds for node in nodes)

    def holds(event: Event, standing: Standing) -> bool:
        for test in tests:  # noqa: SIM110  # a generator costs as much again as the tests
            if not test(event, standing):
                return False
        return True

    def reason(event: Event, standing: Standing) -> WhyNot:
        return next(node.reason(event, standing) for node in nodes if not node.holds(event, standing))

    return _Node(holds, reason, " and ".join(node.text for node in nodes))


def _any(nodes: tuple[_Node, ...]) -> _Node:
    why = WhyNot("no_condition", tuple(node.text for node in nodes), "")

    def holds(event: Event, standing: Standing) -> bool:
        return any(node.holds(event, standing) for node in nodes)

    return _Node(holds, lambda event, standing: why, " or ".join(node.text for node in nodes))


def _test(test: Test, zone: tzinfo) -> _Node:
    meets = _meets(test)  # refuses an unknown attribute
    get = _getter(test.attribute, zone)
    wanted = (test.attribute, test.operator, ", ".join(test.values))

    def holds(event: Event, standing: Standing) -> bool:
        return meets(get(event, standing))

    def reason(event: Event, standing: Standing) -> WhyNot:
        return WhyNot("condition", wanted, _found_text(get(event, standing)))

    return _Node(holds, reason, " ".join(wanted))


# What an attribute is of an event: a text (empty: missing), a number or a day (None: missing), or several texts at once.
Getter = Callable[[Event, Standing], Any]
Meets = Callable[[Any], bool]
_PLAIN: dict[str, Getter] = {
    "kind": lambda event, standing: (event.kind, event.refunds_kind) if event.is_refund else (event.kind,),
    "product": lambda event, standing: event.product,
    "category": lambda event, standing: event.category,
    "amount": lambda event, standing: event.amount,
    "quantity": lambda event, standing: event.quantity,
    "currency": lambda event, standing: event.amount.currency,
    "country": lambda event, standing: event.country,
    "customer_type": lambda event, standing: _customer_type(event),
    "code": lambda event, standing: event.code,
    "link": lambda event, standing: event.link,
    "sub_id": lambda event, standing: event.sub_id,
    "deal": lambda event, standing: event.deal,
    "partner": lambda event, standing: standing.membership,
    "partner_country": lambda event, standing: standing.partner_country,
    "partnership_type": lambda event, standing: standing.partnership_type,
    "tier": lambda event, standing: standing.tier_key,
    "tag": lambda event, standing: standing.tags,
    "role": lambda event, standing: event.role,
}


def _getter(attribute: str, zone: tzinfo) -> Getter:
    if attribute == "date":
        return lambda event, standing: local_day(event.occurred_at, zone)
    if attribute == "customer_age_months":
        return lambda event, standing: _customer_age(event, zone)
    if attribute.startswith("attribute:"):
        name = attribute.removeprefix("attribute:")
        return lambda event, standing: event.attributes.get(name)
    return _PLAIN[attribute]


def _customer_type(event: Event) -> str:
    if not event.customer:
        return ""
    return "new" if event.is_new_customer else "returning"


def _customer_age(event: Event, zone: tzinfo) -> int | None:
    if not event.customer:
        return None
    if event.customer_since is None:
        return 0
    return windows.months_since(event.customer_since, event.occurred_at, zone)


def _found_text(found: Any) -> str:
    match found:
        case None:
            return ""
        case bool():
            return YES if found else NO
        case Money():
            return str(found.decimal())
        case tuple() | frozenset():
            return ", ".join(sorted(found))
    return str(found)


def _meets(test: Test) -> Meets:
    """Return the test as a question to the attribute's value."""
    known = attribute_of(test.attribute)
    if known is None:
        raise ValueError(f"{test.attribute!r} is nothing a condition can ask about.")
    if known.key in ("kind", "tag"):
        return _several(test.operator, test.values)
    match known.type:
        case "amount":
            return _amount(test.operator, test.values)
        case "number":
            return _ordered(test.operator, [number_of(value) for value in test.values])
        case "date":
            return _ordered(test.operator, [day_of(value) for value in test.values])
        case "any":
            return _anything(test.operator, test.values)
    return _text(test.operator, test.values)


def _text(name: str, values: Iterable[str]) -> Meets:
    """Compare texts whatever their case. An empty one is missing, and no value is empty."""
    wanted = frozenset(value.casefold() for value in values)
    first = next(iter(wanted))
    match name:
        case "=" | "in":
            return lambda found: found.casefold() in wanted
        case "!=" | "not_in":
            return lambda found: found.casefold() not in wanted
        case "starts_with":
            return lambda found: found.casefold().startswith(first)
        case "ends_with":
            return lambda found: found.casefold().endswith(first)
        case "contains":
            return lambda found: first in found.casefold()
    return lambda found: first not in found.casefold()


def _several(name: str, values: Iterable[str]) -> Meets:
    """Compare what has several values at once, such as tags: one of them is enough, and none may be excluded."""
    wanted = frozenset(value.casefold() for value in values)
    if name in NEGATIVE:
        return lambda found: wanted.isdisjoint(each.casefold() for each in found)
    return lambda found: not wanted.isdisjoint(each.casefold() for each in found)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _ordered(name: str, values: Iterable[Any]) -> Meets:
    """Compare numbers or days; a missing one meets only what is said in the negative."""
    wanted = frozenset(value for value in values if value is not None)
    is_negative = name in NEGATIVE
    if name not in _ORDER:
        return lambda found: (found in wanted) != is_negative
    if not wanted:
        return lambda found: False
    compare, limit = _ORDER[name], next(iter(wanted))
    return lambda found: found is not None and compare(found, limit)


def _amount(name: str, values: tuple[str, ...]) -> Meets:
    """Compare amounts, written in whole units of the event's currency, in its minor units."""
    by_currency: dict[str, Meets] = {}

    def meets(found: Money) -> bool:
        check = by_currency.get(found.currency)
        if check is None:
            wanted = [_minor(value, found.currency) for value in values]
            check = by_currency[found.currency] = _ordered(name, wanted)
        return check(found.minor)

    return meets


def _minor(value: str, currency: str) -> int | Decimal | None:
    number = number_of(value)
    if number is None:
        return None
    minor = number.scaleb(exponent(currency))
    return int(minor) if minor == int(minor) else minor


def _anything(name: str, values: tuple[str, ...]) -> Meets:
    """Compare what an event carries as what it is: yes or no, a whole number, or a text. Order is for numbers only."""
    numbers = _ordered(name, [number_of(value) for value in values])
    if name in _ORDER:
        return lambda found: numbers(_as_number(found))
    texts = _text(name, values)
    is_equality = name in ("=", "!=", "in", "not_in")

    def meets(found: str | int | bool | None) -> bool:
        if is_equality and type(found) is int:
            return numbers(found)
        return texts(_found_text(found))

    return meets


def _as_number(found: str | int | bool | None) -> int | Decimal | None:
    if isinstance(found, bool):
        return None
    return number_of(found) if isinstance(found, str) else found
