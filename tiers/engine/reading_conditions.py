"""Read the groups of conditions of a stored rule. An attribute that does not exist, an operator that does not fit it or a value it
can never have is refused, because such a condition would silently never be met."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

from prm.lib.money import BadAmount, Money, UnknownCurrency, exponent
from tiers.engine import reading_values as read
from tiers.engine.attributes import LISTS, Attribute, attribute_of, day_of, number_of
from tiers.engine.facts import Group, Test
from tiers.engine.reading_values import Unreadable, shown

_COUNTRY = re.compile(r"[A-Za-z]{2}")
_MOST_TESTS, _MOST_VALUES = 50, 500


def read_group(field: str, stored: object, *, currency: str, is_nested: bool = False) -> Group:
    """Return a group of conditions; nothing stored means none. Raises Unreadable."""
    group = read.mapping(field, stored, ("join", "tests"))
    join = read.choice(f"{field}.join", group.get("join", "all"), ("all", "any"))
    tests = read.items(f"{field}.tests", group.get("tests"), most=_MOST_TESTS)
    return Group(
        cast(Literal["all", "any"], join),
        tuple(
            _member(f"{field}.tests.{at}", each, currency, is_nested=is_nested)
            for at, each in enumerate(tests)
        ),
    )


def _member(field: str, stored: object, currency: str, *, is_nested: bool) -> Test | Group:
    if isinstance(stored, Mapping) and ("tests" in stored or "join" in stored):
        if is_nested:
            raise Unreadable(field, "too_deep")
        group = read_group(field, stored, currency=currency, is_nested=True)
        if not group.tests:
            raise Unreadable(f"{field}.tests", "missing")
        return group
    return _test(field, stored, currency)


def _test(field: str, stored: object, currency: str) -> Test:
    test = read.mapping(field, stored, ("attribute", "operator", "values"))
    key = read.text(f"{field}.attribute", test.get("attribute"))
    attribute = attribute_of(key)
    if attribute is None:
        raise Unreadable(f"{field}.attribute", "unknown_attribute", {"attribute": shown(key)})
    operator = read.text(f"{field}.operator", test.get("operator"))
    if operator not in attribute.operators:
        names = {"operator": shown(operator), "attribute": key}
        raise Unreadable(f"{field}.operator", "unfit_operator", names)
    return Test(key, operator, _values(f"{field}.values", test.get("values"), attribute, operator, currency))


def _values(
    field: str, stored: object, attribute: Attribute, operator: str, currency: str
) -> tuple[str, ...]:
    found = read.items(field, stored, most=_MOST_VALUES)
    if not found:
        raise Unreadable(field, "no_values")
    if operator not in LISTS and len(found) != 1:
        raise Unreadable(field, "one_value")
    values = []
    for at, each in enumerate(found):
        value = read.text(f"{field}.{at}", each)
        _check(f"{field}.{at}", value, attribute, currency)
        if attribute.type == "any" and operator in ("<", "<=", ">", ">=") and number_of(value) is None:
            raise Unreadable(f"{field}.{at}", "not_a_number", {"value": shown(value)})
        values.append(value)
    return tuple(values)


def _check(field: str, value: str, attribute: Attribute, currency: str) -> None:
    """Refuse a value the attribute can never have."""
    if attribute.values and value not in attribute.values:
        choices = ", ".join(attribute.values)
        raise Unreadable(field, "not_a_choice", {"value": shown(value), "choices": choices})
    if attribute.key == "currency":
        _check_currency(field, value, currency)
    match attribute.type:
        case "amount":
            _check_amount(field, value, currency)
        case "number" if number_of(value) is None:
            raise Unreadable(field, "not_a_number", {"value": shown(value)})
        case "date" if day_of(value) is None:
            raise Unreadable(field, "not_a_day", {"value": shown(value)})
        case "country" if not _COUNTRY.fullmatch(value):
            raise Unreadable(field, "not_a_country", {"value": shown(value)})


def _check_currency(field: str, value: str, currency: str) -> None:
    try:
        exponent(value.upper())
    except UnknownCurrency:
        raise Unreadable(field, "unknown_currency", {"value": shown(value)}) from None
    if value.upper() != currency:
        raise Unreadable(field, "other_currency", {"value": value, "currency": currency})


def _check_amount(field: str, value: str, currency: str) -> None:
    try:
        Money.parse(value, currency)
    except BadAmount as error:
        decimals = len(value.partition(".")[2])
        if error.code == "too_many_decimals":
            names = {"value": shown(value), "decimals": decimals, "most": exponent(currency)}
            raise Unreadable(field, "too_many_decimals", names) from None
        raise Unreadable(field, "not_an_amount", {"value": shown(value), "currency": currency}) from None
