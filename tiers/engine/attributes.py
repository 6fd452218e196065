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


ATTRIBUTES: dict[str, Attribute] = {
    each.key: each
    for each in (
        Attribute("kind", "Event kind", "choice", EVENT_KINDS),
        Attribute("product", "Product", "text"),
        Attribute("category", "Category", "text"),
        Attribute("amount", "Amount", "amount"),
        Attribute("quantity", "Quantity", "number"),
        Attribute("currency", "Currency", "choice"),
        Attribute("country", "Customer country", "country"),
        Attribute("customer_type", "Customer", "choice", ("new", "returning")),
        Attribute("customer_age_months", "Months since the customer's first sale", "number"),
        Attribute("code", "Code used", "text"),
        Attribute("link", "Link used", "text"),
        Attribute("sub_id", "Sub-id", "text"),
        Attribute("deal", "Deal", "text"),
        Attribute("partner", "Partner", "choice"),
        Attribute("partner_country", "Partner country", "country"),
        Attribute("partnership_type", "Partnership type", "choice", PARTNERSHIP_TYPES),
        Attribute("tier", "Tier", "choice"),
        Attribute("tag", "Partner tag", "choice"),
        Attribute("date", "Date", "date"),
        Attribute("role", "Credit role", "choice", ROLES),
    )
}
OPERATORS: dict[str, str] = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
    "in": "is one of",
    "not_in": "is none of",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "contains": "contains",
    "not_contains": "does not contain",
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
