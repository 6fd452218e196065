"""A rule's conditions in words: for whom, on what and when it pays. What has no phrase of its own is told with the names of its
attribute and operator, so that no condition goes unsaid."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from tiers.choices import PartnershipType
from tiers.engine.attributes import NEGATIVE, OPERATORS, attribute_of, day_of, number_of
from tiers.engine.facts import Group, RuleFacts, Test
from tiers.sentence_words import UNNAMED, Words, events, months

_NEGATIVE = ("!=", "not_in")


def conditions(rule: RuleFacts, words: Words) -> str:
    """Return all that must be met besides the kind of event: in the Gold tier, for customers in France or Spain."""
    told = []
    if rule.tiers:
        told.append(_in_tiers(words, tuple(rule.tiers)))
    if rule.countries:
        told.append(_("for customers in %(what)s") % {"what": words.countries(rule.countries)})
    if rule.conditions.tests:
        told.append(group_text(rule.conditions, words))
    return _(", ").join(told)


def group_text(group: Group, words: Words, *, is_nested: bool = False) -> str:
    """Return a group of conditions: all of them in a row, or one of them after "either"."""
    told = [
        group_text(each, words, is_nested=True) if isinstance(each, Group) else test_text(each, words)
        for each in group.tests
    ]
    if len(told) == 1:
        return told[0]
    if group.join == "any":
        return _("either %(conditions)s") % {"conditions": words.row(told, "or")}
    return words.row(told) if is_nested else _(", ").join(told)


def test_text(test: Test, words: Words) -> str:
    """Return one condition: on products other than POST or D."""
    phrase = _PHRASES.get(test.attribute)
    told = phrase(test, words) if phrase else None
    return told or _generic(test, words)


_Values = Callable[[Words, tuple[str, ...]], str]
_Tell = Callable[[Test, Words], str | None]


def _phrase(positive: Promise, negative: Promise, values: _Values) -> _Tell:
    """Return how to say "is" and "is not" of an attribute; `what` stands for the values."""

    def tell(test: Test, words: Words) -> str | None:
        what = {"what": values(words, test.values)}
        if test.operator in ("=", "in"):
            return str(positive) % what
        return str(negative) % what if test.operator in _NEGATIVE else None

    return tell


def _names(words: Words, values: tuple[str, ...]) -> str:
    return words.row([words.name(value) for value in values], "or")


def _places(words: Words, values: tuple[str, ...]) -> str:
    return words.countries(values)


def _types(words: Words, values: tuple[str, ...]) -> str:
    known = dict(PartnershipType.choices)
    return words.row([str(known.get(value, value)) for value in values], "or")


def _events(words: Words, values: tuple[str, ...]) -> str:
    return events(words, values, "or")


def _in_tiers(words: Words, tiers: tuple[str, ...]) -> str:
    return _("in the %(what)s tier") % {"what": words.names_of(tiers)}


def _unless_unnamed(tell: _Tell, positive: Promise, negative: Promise) -> _Tell:
    """Return how to say a condition that names somebody, and what to say when its reader is told no name."""

    def told(test: Test, words: Words) -> str | None:
        if test.values != (UNNAMED,):
            return tell(test, words)
        return str(negative if test.operator in NEGATIVE else positive)

    return told


def _customer_type(test: Test, words: Words) -> str:
    named = {"new", "returning"} & set(test.values)
    is_negative = test.operator in _NEGATIVE
    if len(named) == 2:
        return _("for unknown customers") if is_negative else _("for known customers")
    if "new" in named:
        return _("except for new customers") if is_negative else _("for new customers")
    return _("except for returning customers") if is_negative else _("for returning customers")


def _customer_age(test: Test, words: Words) -> str | None:
    count = number_of(test.values[0])
    if count is None or count != int(count):
        return None
    text = {
        "<": _("in the first %(months)s of a customer"),
        ">=": _("from %(months)s after the customer's first sale on"),
    }.get(test.operator)
    return text % {"months": months(words, int(count))} if text else None


def _amount(test: Test, words: Words) -> str | None:
    amounts = [amount for value in test.values if (amount := number_of(value)) is not None]
    if not amounts:
        return None
    text = {
        "<": _("for amounts below %(amount)s"),
        "<=": _("for amounts up to %(amount)s"),
        ">": _("for amounts above %(amount)s"),
        ">=": _("for amounts of %(amount)s or more"),
        "=": _("for amounts of exactly %(amount)s"),
        "in": _("for amounts of exactly %(amount)s"),
        "!=": _("except for amounts of exactly %(amount)s"),
        "not_in": _("except for amounts of exactly %(amount)s"),
    }.get(test.operator)
    told = words.row([words.decimal_money(amount) for amount in amounts], "or")
    return text % {"amount": told} if text else None


def _quantity(test: Test, words: Words) -> str | None:
    text = {
        "<": _("below %(count)s pieces"),
        "<=": _("up to %(count)s pieces"),
        ">": _("above %(count)s pieces"),
        ">=": _("from %(count)s pieces on"),
    }.get(test.operator)
    count = number_of(test.values[0])
    return text % {"count": words.number(count)} if text and count is not None else None


def _date(test: Test, words: Words) -> str | None:
    text = {
        "<": _("before %(day)s"),
        "<=": _("until %(day)s"),
        ">": _("after %(day)s"),
        ">=": _("from %(day)s on"),
        "=": _("on %(day)s"),
        "!=": _("on every day but %(day)s"),
    }.get(test.operator)
    day = day_of(test.values[0])
    return text % {"day": words.day(day)} if text and day else None


def _generic(test: Test, words: Words) -> str:
    known = attribute_of(test.attribute)
    label = test.attribute if known is None else _(known.label)
    values = {
        "attribute": label,
        "operator": _(OPERATORS.get(test.operator, test.operator)),
        "values": _names(words, test.values),
    }
    return _("when “%(attribute)s” %(operator)s %(values)s") % values


_PHRASES: dict[str, _Tell] = {
    "kind": _phrase(_later("for %(what)s"), _later("except for %(what)s"), _events),
    "product": _phrase(_later("on product %(what)s"), _later("on products other than %(what)s"), _names),
    "category": _phrase(_later("on category %(what)s"), _later("on categories other than %(what)s"), _names),
    "currency": _phrase(_later("in %(what)s"), _later("in currencies other than %(what)s"), _names),
    "country": _phrase(
        _later("for customers in %(what)s"), _later("for customers outside %(what)s"), _places
    ),
    "code": _phrase(_later("with code %(what)s"), _later("without code %(what)s"), _names),
    "link": _phrase(_later("through link %(what)s"), _later("except through link %(what)s"), _names),
    "sub_id": _phrase(_later("with sub-id %(what)s"), _later("except with sub-id %(what)s"), _names),
    "deal": _unless_unnamed(
        _phrase(_later("from deal %(what)s"), _later("except from deal %(what)s"), _names),
        _later("from deals agreed separately"),
        _later("except from deals agreed separately"),
    ),
    "partner": _unless_unnamed(
        _phrase(_later("for partner %(what)s"), _later("for every partner but %(what)s"), _names),
        _later("for another partner"),
        _later("except for another partner"),
    ),
    "partner_country": _phrase(
        _later("for partners in %(what)s"), _later("for partners outside %(what)s"), _places
    ),
    "partnership_type": _phrase(
        _later("for partners of type %(what)s"),
        _later("for partners of other types than %(what)s"),
        _types,
    ),
    "tier": _phrase(_later("in the %(what)s tier"), _later("in every tier but %(what)s"), _names),
    "tag": _phrase(
        _later("for partners tagged %(what)s"), _later("for partners not tagged %(what)s"), _names
    ),
    "amount": _amount,
    "quantity": _quantity,
    "customer_type": _customer_type,
    "customer_age_months": _customer_age,
    "date": _date,
}
