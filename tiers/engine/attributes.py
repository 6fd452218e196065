"""What a condition can ask about, and how: each attribute with its type, the operators that fit it and the values it is known to
take. Reading a rule, rating by it, saying it and editing it all go by this table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

AttributeType = Literal["choice", "country", "text", "amount", "number", "date", "any"]

EVENT_KINDS = (
    "signup",
    "qualified_lead",
    "sale",
    "renewal",
    "install",
    "custom",
    "refund",
    "chargeback",
    "chargeback_won",
)
ROLES = ("sourced", "influenced", "assisted", "fulfilled")
PARTNERSHIP_TYPES = ("affiliate", "referral", "influencer", "distributor", "agency")
YES, NO = "yes", "no"

EQUAL = ("=", "!=", "in", "not_in")
ORDER = ("<", "<=", ">", ">=")
PARTS = ("starts_with", "ends_with", "contains", "not_contains")
LISTS = frozenset({"in", "not_in"})
# What holds for something that is not there: it is not this, not among these, and does not contain that.
NEGATIVE = frozenset({"!=", "not_in", "not_contains"})
FITTING: dict[AttributeType, tuple[str, ...]] = {
    "choice": EQUAL,
    "country": EQUAL,
    "text": (*EQUAL, *PARTS),
    "amount": ("=", "!=", *ORDER, "in", "not_in"),
    "number": ("=", "!=", *ORDER, "in", "not_in"),
    "date": ("=", "!=", *ORDER),
    "any": (*EQUAL, *ORDER, *PARTS),
}
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")
_NAME = re.compile(r"attribute:[A-Za-z0-9_][A-Za-z0-9_ .-]{0,39}")


def gettext_noop(text: str) -> str:
    """Mark a text for the translators and return it: the engine speaks English, pages translate what it says."""
    return text


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something a condition can ask about. `values` are all it can be, or nothing when that is open."""

    key: str
    label: str
    type: AttributeType
    values: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[str, ...]:
        return FITTING[self.type]


_ = gettext_noop
ATTRIBUTES: dict[str, Attribute] = {
    each.key: each
    for each in (
        Attribute("kind", _("Event kind"), "choice", EVENT_KINDS),
        Attribute("product", _("Product"), "text"),
        Attribute("category", _("Category"), "text"),
        Attribute("amount", _("Amount"), "amount"),
        Attribute("quantity", _("Quantity"), "number"),
        Attribute("currency", _("Currency"), "choice"),
        Attribute("country", _("Customer country"), "country"),
        Attribute("customer_type", _("Customer"), "choice", ("new", "returning")),
        Attribute("customer_age_months", _("Months since the customer's first sale"), "number"),
        Attribute("code", _("Code used"), "text"),
        Attribute("link", _("Link used"), "text"),
        Attribute("sub_id", _("Sub-id"), "text"),
        Attribute("deal", _("Deal"), "text"),
        Attribute("partner", _("Partner"), "choice"),
        Attribute("partner_country", _("Partner country"), "country"),
        Attribute("partnership_type", _("Partnership type"), "choice", PARTNERSHIP_TYPES),
        Attribute("tier", _("Tier"), "choice"),
        Attribute("tag", _("Partner tag"), "choice"),
        Attribute("date", _("Date"), "date"),
        Attribute("role", _("Credit role"), "choice", ROLES),
    )
}
OPERATORS: dict[str, str] = {
    "=": _("is"),
    "!=": _("is not"),
    "<": _("is less than"),
    "<=": _("is at most"),
    ">": _("is more than"),
    ">=": _("is at least"),
    "in": _("is one of"),
    "not_in": _("is none of"),
    "starts_with": _("starts with"),
    "ends_with": _("ends with"),
    "contains": _("contains"),
    "not_contains": _("does not contain"),
}


def attribute_of(key: str) -> Attribute | None:
    """Return the attribute of this name, "attribute:NAME" for what an event carries itself; nothing when there is none."""
    if _NAME.fullmatch(key):
        return Attribute(key, key.removeprefix("attribute:"), "any")
    return ATTRIBUTES.get(key)


def number_of(text: str) -> Decimal | None:
    """Return the number a text writes in plain digits with a point, nothing when it writes none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def day_of(text: str) -> date | None:
    """Return the day a text writes as 2026-11-22, nothing when it writes none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None
