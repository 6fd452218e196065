"""Say whether what is known about an application meets conditions. A condition about something nobody knows never holds, so no rule
decides on a gap; there is no database and no clock here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused

Known = str | Decimal | frozenset[str]
ANSWER = "answers."

EQUALS, IS_NOT, ONE_OF = "equals", "is_not", "one_of"
AT_LEAST, AT_MOST = "at_least", "at_most"
HAS, HAS_NOT = "has", "has_not"
OPERATORS = (EQUALS, IS_NOT, ONE_OF, AT_LEAST, AT_MOST, HAS, HAS_NOT)

_TEXT, _NUMBER, _SET = frozenset({EQUALS, IS_NOT, ONE_OF}), frozenset({AT_LEAST, AT_MOST}), {HAS, HAS_NOT}
FIELDS: dict[str, frozenset[str]] = {
    "country": _TEXT,
    "partnership_type": _TEXT,
    "email_domain": _TEXT,
    "signals": frozenset(_SET),
    "audience": _NUMBER | {EQUALS},
    "references_confirmed": _NUMBER | {EQUALS},
}


class BadCondition(Refused):
    """A condition does not make sense; the message names it."""

    message = _("A condition is incomplete.")
    field = "conditions"


class NoConditions(Refused):
    message = _("Add a condition: a rule without one would decide on everybody.")
    field = "conditions"


@dataclass(frozen=True)
class Condition:
    """One condition: what is asked, how it is compared, and with what. Values of `one_of` are separated by commas."""

    field: str
    operator: str
    value: str

    def stored(self) -> dict[str, str]:
        """Return the condition as a rule keeps it."""
        return {"field": self.field, "operator": self.operator, "value": self.value}


def operators_of(field: str) -> frozenset[str]:
    """Return the comparisons that make sense for a field; none for a field nobody knows."""
    if field.startswith(ANSWER) and len(field) > len(ANSWER):
        return frozenset(OPERATORS)
    return FIELDS.get(field, frozenset())


def read(rows: Sequence[Mapping[str, Any]]) -> list[Condition]:
    """Return the conditions in `rows`.

    Raises: BadCondition, NoConditions.
    """
    if not rows:
        raise NoConditions
    return [_read(row) for row in rows]


def _read(row: Mapping[str, Any]) -> Condition:
    condition = Condition(*(str(row.get(name, "")).strip() for name in ("field", "operator", "value")))
    if condition.operator not in operators_of(condition.field):
        message = _("“%(operator)s” cannot be asked of “%(field)s”.")
        raise BadCondition(message, params={"operator": condition.operator, "field": condition.field})
    if not _options(condition.value):
        raise BadCondition(
            _("The condition on “%(field)s” lacks a value."), params={"field": condition.field}
        )
    asks_number = condition.operator in _NUMBER or _NUMBER <= operators_of(condition.field) <= _NUMBER | {
        EQUALS
    }
    if asks_number and number(condition.value) is None:
        raise BadCondition(_("“%(value)s” is not a number."), params={"value": condition.value})
    return condition


def holds(condition: Condition, known: Known | None) -> bool:
    """Say whether one condition holds for what is known."""
    if known is None:
        return False
    if condition.operator in (AT_LEAST, AT_MOST):
        return _compares(condition, known)
    if condition.operator in (HAS, HAS_NOT):
        having = known if isinstance(known, frozenset) else frozenset({str(known)})
        found = bool({_same(each) for each in having} & set(_options(condition.value)))
        return found is (condition.operator == HAS)
    values = known if isinstance(known, frozenset) else frozenset({str(known)})
    options = _options(condition.value) if condition.operator == ONE_OF else [_same(condition.value)]
    met = any(_equal(value, options) for value in values)
    return met is (condition.operator != IS_NOT)


def number(text: object) -> Decimal | None:
    """Return a number somebody wrote, with blanks or commas between the thousands; None when it is none."""
    try:
        read = Decimal(str(text).replace("\u00a0", "").replace(" ", "").replace(",", "").strip())
    except InvalidOperation:
        return None
    return read if read.is_finite() else None


def _compares(condition: Condition, known: Known) -> bool:
    left = None if isinstance(known, frozenset) else number(known)
    right = number(condition.value)
    if left is None or right is None:
        return False
    return left >= right if condition.operator == AT_LEAST else left <= right


def _equal(value: str, options: list[str]) -> bool:
    if _same(value) in options:
        return True
    amount = number(value)
    return amount is not None and any(number(option) == amount for option in options)


def _options(value: str) -> list[str]:
    return [_same(part) for part in value.split(",") if part.strip()]


def _same(text: str) -> str:
    return " ".join(text.split()).casefold()
