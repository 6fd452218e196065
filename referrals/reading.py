"""Read single values that strangers wrote: amounts, counts, instants, words. Only ASCII digits are digits, and an instant must say its zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from prm.lib.money import BadAmount, Money, UnknownCurrency, exponent
from referrals.facts import GIVES_BACK, MOVES, Attribute
from referrals.models.code import fold
from tiers.choices import EventKind
from tiers.engine.attributes import attribute_of

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=10)  # clocks that run fast
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
LARGEST_COUNT = 2**31 - 1  # what the quantity's column holds
LARGEST_NUMBER = 10**18 - 1
MOST_ATTRIBUTES = 20
LONGEST_VALUE = 200
_COUNT = re.compile(r"[0-9]{1,10}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_KINDS = frozenset(EventKind.values)
_AMOUNTS: dict[str, Promise] = {
    "not_an_amount": _("“%(value)s” is not an amount: write digits with a decimal point, such as 12.50."),
    "too_many_decimals": _("“%(value)s” has more decimals than %(currency)s has."),
    "too_large": _("“%(value)s” is too large."),
    "negative": _("“%(value)s” is negative: amounts are positive, a refund is its own kind of event."),
}


class BadValue(Refused):
    """A value that cannot be what its field wants; `field` names it and `code` says why."""

    def __init__(
        self, message: str | Promise, *, code: str, field: str, value: str = "", **params: object
    ) -> None:
        super().__init__(message, code=code, field=field, params={"value": shown(value), **params})


def shown(text: str) -> str:
    """Return `text` short and without control characters, fit for a message."""
    plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text[:41])
    return plain if len(plain) <= 40 else plain[:40] + "…"


def word(text: str, *, field: str, longest: int, required: bool = False) -> str:
    """Return `text` trimmed.

    Raises: BadValue.
    """
    text = text.strip()
    if required and not text:
        raise BadValue(_("This must not be empty."), code="missing", field=field)
    if len(text) > longest:
        raise BadValue(
            _("This is longer than %(longest)s characters."), code="too_long", field=field, longest=longest
        )
    if _CONTROL.search(text):
        raise BadValue(
            _("“%(value)s” contains a control character."), code="control_character", field=field, value=text
        )
    return text


def kind(text: str, *, field: str = "kind") -> str:
    """Return one of the kinds of event we know.

    Raises: BadValue.
    """
    text = text.strip()
    if text not in _KINDS:
        raise BadValue(
            _("“%(value)s” is not a kind of event. Known kinds: %(kinds)s."),
            code="unknown_kind",
            field=field,
            value=text,
            kinds=", ".join(EventKind.values),
        )
    return text


def code(text: str, *, field: str = "code") -> str:
    """Return a partner's code as codes are stored.

    Raises: BadValue.
    """
    return fold(word(text, field=field, longest=40))


def currency(text: str, *, field: str = "currency") -> str:
    """Return an ISO 4217 currency in capital letters.

    Raises: BadValue.
    """
    text = text.strip()
    try:
        exponent(text)
    except UnknownCurrency as error:
        raise BadValue(
            _("“%(value)s” is not an ISO 4217 currency in capital letters."),
            code="unknown_currency",
            field=field,
            value=text,
        ) from error
    return text


def amount(text: str, in_currency: str, *, field: str = "amount") -> Money:
    """Return an amount of zero or more.

    Raises: BadValue.
    """
    text = text.strip(" ")
    try:
        money = Money.parse(text, in_currency)
        why = "negative" if text.startswith("-") else "not_an_amount" if text.startswith("+") else ""
    except BadAmount as error:
        why = error.code
    if why:
        raise BadValue(_AMOUNTS[why], code=why, field=field, value=text, currency=in_currency)
    return money


def part(text: str, in_currency: str, *, field: str) -> int:
    """Return the minor units of a part of the amount, such as its tax; nothing written is none.

    Raises: BadValue.
    """
    return amount(text, in_currency, field=field).minor if text.strip() else 0


def quantity(text: str, *, field: str = "quantity") -> int | None:
    """Return a count of pieces, None when nothing is written.

    Raises: BadValue.
    """
    text = text.strip()
    if not text:
        return None
    if not _COUNT.fullmatch(text) or int(text) > LARGEST_COUNT:
        raise BadValue(
            _("“%(value)s” is not a number of pieces: write a whole number such as 3."),
            code="not_a_quantity",
            field=field,
            value=text,
        )
    return int(text)


def original(text: str, for_kind: str, *, field: str = "original_event_id") -> str:
    """Return the id of the event that another one names: a refund or chargeback may, a chargeback won back must.

    Raises: BadValue.
    """
    name = word(text, field=field, longest=100)
    if name and for_kind not in MOVES:
        raise BadValue(
            _("Only a refund or a chargeback names an original event."), code="not_a_refund", field=field
        )
    if not name and for_kind == GIVES_BACK:
        raise BadValue(
            _("A chargeback won back names its chargeback, or the sale."), code="missing", field=field
        )
    return name


def attributes(told: Mapping[str, object], *, field: str = "attributes") -> dict[str, Attribute]:
    """Return what an event carries besides its known facts: at most 20 texts, whole numbers, or yes and no.

    Raises: BadValue.
    """
    if len(told) > MOST_ATTRIBUTES:
        raise BadValue(
            _("These are more than %(most)s attributes."),
            code="too_many_attributes",
            field=field,
            most=MOST_ATTRIBUTES,
        )
    return {name: _attribute(name, value, field) for name, value in told.items()}


def _attribute(name: str, value: object, field: str) -> Attribute:
    if attribute_of(f"attribute:{name}") is None:
        raise BadValue(
            _(
                "“%(value)s” is not a name for an attribute: use at most 40 letters A to Z, digits, _ . - and spaces."
            ),
            code="bad_attribute_name",
            field=field,
            value=name,
        )
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_NUMBER:
        return value
    if isinstance(value, str) and len(value) <= LONGEST_VALUE and not _CONTROL.search(value):
        return value
    raise BadValue(
        _(
            "The attribute “%(value)s” must be a text of at most %(longest)s characters on one line, a whole number"
            " of at most 18 digits, or true or false."
        ),
        code="bad_attribute",
        field=field,
        value=name,
        longest=LONGEST_VALUE,
    )


def instant(text: str, *, at: datetime, field: str = "occurred_at") -> datetime:
    """Return an instant in UTC; it may lie ten minutes ahead of `at`, for clocks that run fast.

    Raises: BadValue.
    """
    text = text.strip()
    found = _INSTANT.fullmatch(text)
    if found is not None and found[1] is None:
        raise BadValue(
            _("“%(value)s” does not say its time zone: end it with Z or an offset such as +01:00."),
            code="naive_date",
            field=field,
            value=text,
        )
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise BadValue(
            _("“%(value)s” is not a date and time such as 2026-11-22T14:03:00Z."),
            code="not_a_date",
            field=field,
            value=text,
        )
    if moment > at + AHEAD:
        raise BadValue(
            _("“%(value)s” lies in the future: tell what has happened."),
            code="in_the_future",
            field=field,
            value=text,
        )
    if moment < EARLIEST:
        raise BadValue(
            _("“%(value)s” lies too far in the past."), code="date_out_of_range", field=field, value=text
        )
    return moment
