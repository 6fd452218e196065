"""Read well-formed events by plain code, which a batch of a thousand needs. Whatever it does not take is read again by the described shape,
which says what is wrong with it; both end in the same events.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prm.lib.money import LARGEST_MINOR
from referrals import reading
from referrals.api_events import MOST_LINES, PARTS, EventShape, OrderLineShape
from referrals.api_fields import TextField, WholeNumberField
from referrals.api_values import event_of
from referrals.facts import Event
from referrals.reading import LARGEST_COUNT, BadValue
from tiers.choices import EventKind


def _longest(field: TextField) -> int:
    return field.max_length or 0


# What is read without the shape: the same limits, taken from its fields.
_FIELDS = EventShape().fields
_LINE_FIELDS = OrderLineShape().fields
_KNOWN = frozenset(_FIELDS)
_LINE_KNOWN = frozenset(_LINE_FIELDS)
_NEEDED = ("event_id", "kind", "occurred_at", "currency")
_WORDS = {
    name: (_longest(field), field.default)
    for name, field in _FIELDS.items()
    if isinstance(field, TextField) and not field.required and isinstance(field.default, str)
}
_DEFAULTS = {name: default for name, (_longest, default) in _WORDS.items()}
_TEXTS = {name: _longest(field) for name, field in _FIELDS.items() if isinstance(field, TextField)}
_NUMBERS = {
    name: field.max_value or 0 for name, field in _FIELDS.items() if isinstance(field, WholeNumberField)
}
_LINE_TEXTS = {name: _longest(field) for name, field in _LINE_FIELDS.items() if isinstance(field, TextField)}
_KINDS = frozenset(EventKind.values)


def read(data: Any, *, at: datetime) -> Event:
    """Return the event that `data` tells.

    Raises: ValidationError.
    """
    event = plain(data, at=at)
    if event is None:
        shape = EventShape(data=data)
        shape.is_valid(raise_exception=True)
        event = shape.validated_data["event"]
    return event


def plain(data: Any, *, at: datetime) -> Event | None:
    """Return the event that well-formed `data` tells, None for whatever has to be looked at more closely."""
    if type(data) is not dict or not data.keys() <= _KNOWN:
        return None
    values: dict[str, Any] = dict(_DEFAULTS)
    for name, value in data.items():
        if name in _TEXTS:
            if type(value) is not str or len(value) > _TEXTS[name]:
                return None
            values[name] = value = value.strip()
            if not value and _WORDS.get(name) != (_TEXTS[name], ""):
                return None
        elif name in _NUMBERS:
            if type(value) is not int or not 0 <= value <= _NUMBERS[name]:
                return None
            values[name] = value
        else:
            values[name] = value
    if not all(name in data for name in _NEEDED) or not _is_kind(values["kind"]):
        return None
    return _if_whole(values, at=at)


def _if_whole(values: dict[str, Any], *, at: datetime) -> Event | None:
    if ("amount" in values) == ("amount_minor" in values):
        return None
    if any(name in values and f"{name}_minor" in values for name in PARTS):
        return None
    lines = values.get("lines", [])
    if type(lines) is not list or len(lines) > MOST_LINES or not all(map(_is_plain_line, lines)):
        return None
    try:
        told = values.get("attributes", {})
        if type(told) is not dict:
            return None
        values["attributes"] = reading.attributes(told) if told else {}
        return event_of(values, at=at)
    except BadValue:
        return None


def _is_kind(value: Any) -> bool:
    return type(value) is str and value in _KINDS


def _is_plain_line(line: Any) -> bool:
    if type(line) is not dict or not line.keys() <= _LINE_KNOWN:
        return False
    if ("amount" in line) == ("amount_minor" in line):
        return False
    return all(_is_plain_value(name, value) for name, value in line.items())


def _is_plain_value(name: str, value: Any) -> bool:
    if name == "quantity":
        return type(value) is int and 0 <= value <= LARGEST_COUNT
    if name == "amount_minor":
        return type(value) is int and 0 <= value <= LARGEST_MINOR
    return type(value) is str and len(value) <= _LINE_TEXTS[name] and (name != "amount" or value != "")
