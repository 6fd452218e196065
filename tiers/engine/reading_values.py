"""Read the single values a stored rule is made of, or refuse them with the field named. Nothing is guessed: what is not written as
described is not read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from prm.lib.money import LARGEST_MINOR, Money
from tiers.engine.attributes import gettext_noop as _

Params = Mapping[str, object]

MESSAGES = {
    "unknown_key": _("“%(name)s” is not known here."),
    "missing": _("This is missing."),
    "not_an_object": _("This must be an object with named parts."),
    "not_a_list": _("This must be a list."),
    "too_many": _("There are more than %(most)s of these."),
    "not_a_text": _("This must be a text."),
    "too_long": _("This is longer than %(most)s characters."),
    "not_yes_or_no": _("This is either true or false."),
    "not_a_choice": _("“%(value)s” is not one of: %(choices)s."),
    "not_a_whole_number": _("“%(value)s” is not a whole number."),
    "too_small": _("%(value)s is less than %(least)s."),
    "too_large": _("%(value)s is more than %(most)s."),
    "not_a_percentage": _("“%(value)s” is not a percentage: write digits with a decimal point."),
    "too_many_decimals": _("%(value)s has %(decimals)s decimals; at most %(most)s are kept."),
    "unusual_rate": _("%(rate)s %% is not between 0 and 100 %%. Confirm it if it is meant."),
    "unusual_flat": _("%(amount)s is less than nothing. Confirm it if it is meant."),
    "unknown_currency": _("“%(value)s” is not a currency."),
    "other_currency": _("The program's currency is %(currency)s, not %(value)s."),
    "not_for_kind": _("A rule of kind “%(kind)s” has no such part."),
    "first_step": _("The first step must start at 0, not at %(start)s."),
    "overlaps": _("Step %(step)s starts at %(start)s, not above step %(before)s."),
    "one_step": _("A rule of kind “%(kind)s” has one step."),
    "only_flat": _("This rule pays flat amounts: step %(step)s cannot have a rate."),
    "trailing_window": _("A trailing window moves on every month; this needs one that begins and ends."),
    "window_for_kind": _("A rule of kind “%(kind)s” counts over the customer's whole life."),
    "months_of_window": _("A window of kind “%(kind)s” is not %(months)s months long."),
    "min_above_max": _("The floor of %(least)s is above the cap of %(most)s."),
    "months_or_payments": _("Say for how many months or for how many payments, not both."),
    "schedule_too_long": _("The schedule has %(rates)s rates, but customers earn for %(months)s months."),
    "too_deep": _("Groups of conditions do not hold further groups."),
    "unknown_attribute": _("A condition cannot ask about “%(attribute)s”."),
    "unfit_operator": _("“%(operator)s” does not fit “%(attribute)s”."),
    "one_value": _("Say exactly one value."),
    "no_values": _("Say at least one value."),
    "not_a_number": _("“%(value)s” is not a number: write digits with a decimal point."),
    "not_an_amount": _("“%(value)s” is not an amount in %(currency)s: write digits with a decimal point."),
    "not_a_day": _("“%(value)s” is not a day: write it as 2026-11-22."),
    "not_a_country": _("“%(value)s” is not a country: write two letters, such as FR."),
}
_PERCENT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")  # few enough digits for every operation to be exact
PERCENT_DECIMALS = 6
LARGEST_PERCENT = 999
_SHOWN = 60


class Unreadable(ValueError):
    """A stored rule that cannot be read: `field` is the path of what is wrong, counted from 0 (steps.2.from), `code` the reason,
    and `message` a sentence in English that `params` complete, for callers that translate."""

    def __init__(self, field: str, code: str, params: Params | None = None) -> None:
        self.field, self.code, self.message = field, code, MESSAGES[code]
        self.params: Params = params or {}
        super().__init__(f"{field}: {self.message % self.params}")


def shown(value: object) -> str:
    """Return a value as a refusal repeats it, cut when somebody sent a book."""
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def mapping(field: str, value: object, known: Sequence[str]) -> Mapping[str, object]:
    """Return a mapping that has only known keys; nothing stored means an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unreadable(field, "not_an_object")
    for name in value:
        if name not in known:
            raise Unreadable(_under(field, shown(name)), "unknown_key", {"name": shown(name)})
    return value


def items(field: str, value: object, *, most: int = 100) -> Sequence[object]:
    """Return a list; nothing stored means an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise Unreadable(field, "not_a_list")
    if len(value) > most:
        raise Unreadable(field, "too_many", {"most": most})
    return value


def texts(field: str, value: object) -> tuple[str, ...]:
    """Return a list of texts, such as tiers or countries."""
    found = items(field, value, most=500)
    return tuple(text(f"{field}.{at}", each) for at, each in enumerate(found))


def text(field: str, value: object, *, most: int = 200) -> str:
    """Return a text that is not empty, without blanks around it."""
    if value is None or value == "":
        raise Unreadable(field, "missing")
    if not isinstance(value, str):
        raise Unreadable(field, "not_a_text")
    if not value.strip():
        raise Unreadable(field, "missing")
    if len(value) > most:
        raise Unreadable(field, "too_long", {"most": most})
    return value.strip()


def truth(field: str, value: object) -> bool:
    """Return true or false; nothing stored means false."""
    if value is not None and not isinstance(value, bool):
        raise Unreadable(field, "not_yes_or_no")
    return bool(value)


def choice(field: str, value: object, choices: Sequence[str]) -> str:
    """Return one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise Unreadable(field, "not_a_choice", {"value": shown(value), "choices": ", ".join(choices)})
    return value


def whole(field: str, value: object, *, least: int = 0, most: int = LARGEST_MINOR) -> int:
    """Return a whole number between two bounds."""
    if value is None:
        raise Unreadable(field, "missing")
    if type(value) is not int:  # True is no number
        raise Unreadable(field, "not_a_whole_number", {"value": shown(value)})
    if value < least:
        raise Unreadable(field, "too_small", {"value": shown(value), "least": least})
    if value > most:
        raise Unreadable(field, "too_large", {"value": shown(value), "most": most})
    return value


def whole_or_none(field: str, value: object, *, least: int = 0, most: int = LARGEST_MINOR) -> int | None:
    """Return a whole number between two bounds, or none when none is stored."""
    return None if value is None else whole(field, value, least=least, most=most)


def flat(field: str, value: object, currency: str, *, unusual: bool) -> int:
    """Return minor units, negative ones only when they are confirmed; nothing stored means 0."""
    amount = 0 if value is None else whole(field, value, least=-LARGEST_MINOR)
    if amount < 0 and not unusual:
        raise Unreadable(field, "unusual_flat", {"amount": str(Money(amount, currency))})
    return amount


def rate(field: str, value: object, *, unusual: bool) -> Decimal:
    """Return a percentage ("8" is 8 %) as a fraction of one; nothing stored means 0.

    Outside 0 to 100 it is read only when somebody has confirmed it.
    """
    percent = _percent(field, 0 if value is None else value)
    decimals = max(0, -int(percent.as_tuple().exponent))
    if decimals > PERCENT_DECIMALS:
        raise Unreadable(
            field,
            "too_many_decimals",
            {"value": shown(value), "decimals": decimals, "most": PERCENT_DECIMALS},
        )
    if abs(percent) > LARGEST_PERCENT:
        raise Unreadable(field, "too_large", {"value": shown(value), "most": LARGEST_PERCENT})
    if not (unusual or 0 <= percent <= 100):
        raise Unreadable(field, "unusual_rate", {"rate": shown(value)})
    return percent.scaleb(-2) if percent else Decimal(0)


def _percent(field: str, value: object) -> Decimal:
    if isinstance(value, Decimal):
        value = format(value, "f")
    elif type(value) is int:  # True is no percentage
        value = str(value)
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise Unreadable(field, "not_a_percentage", {"value": shown(value)})
    return Decimal(value).normalize()


def _under(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name
