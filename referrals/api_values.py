"""Turn the values of an event, each of its right kind, into the event. Of what tells who the buyer is only keys get any further."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from prm.lib.money import Money
from referrals import addresses, buyers, reading
from referrals.facts import NOBODY_KNOWN, Buyer, Event, EventLine
from referrals.reading import LARGEST_COUNT, BadValue

_ABOUT_BUYERS = (
    "customer_email",
    "customer_email_sha256",
    "customer_vat_number",
    "payment_fingerprint",
    "customer_ip",
)


def event_of(values: Mapping[str, Any], *, at: datetime) -> Event:
    """Return the event that well-shaped values tell.

    Raises: BadValue.
    """
    currency = reading.currency(values["currency"])
    amount = _amount(values, currency)
    lines = _lines(values.get("lines", ()), amount)
    occurred_at = reading.instant(values["occurred_at"], at=at)
    return Event(
        source=reading.word(values["source"], field="source", longest=40, required=True),
        external_id=reading.word(values["event_id"], field="event_id", longest=100, required=True),
        kind=values["kind"],
        occurred_at=occurred_at,
        amount=amount,
        customer_id=_word(values, "customer_id", 100),
        country=_word(values, "country", 64),
        code=reading.code(values["code"]) if values["code"] else "",
        click_id=_word(values, "click_id", 26),
        original_external_id=reading.original(values["original_event_id"], values["kind"]),
        product=_word(values, "product", 60),
        category=_word(values, "category", 60),
        quantity=values.get("quantity"),
        tax_minor=_part(values, "tax", currency),
        shipping_minor=_part(values, "shipping", currency),
        discount_minor=_part(values, "discount", currency),
        cost_minor=_part(values, "cost", currency),
        sub_id=_word(values, "sub_id", 80),
        deal=_word(values, "deal", 60),
        attributes=values["attributes"],
        campaign=_word(values, "campaign", 64),
        lead=_word(values, "lead", 60),
        buyer=_buyer(values, occurred_at, at=at),
        lines=lines,
    )


def _word(values: Mapping[str, Any], name: str, longest: int) -> str:
    text = values[name]
    return reading.word(text, field=name, longest=longest) if text else ""


def _amount(values: Mapping[str, Any], currency: str, *, field: str = "amount") -> Money:
    if "amount" in values:
        return reading.amount(values["amount"], currency, field=field)
    return Money(values["amount_minor"], currency)


def _part(values: Mapping[str, Any], name: str, currency: str) -> int:
    if name in values:
        return reading.amount(values[name], currency, field=name).minor
    return int(values.get(f"{name}_minor", 0))


def _lines(told: Any, amount: Money) -> tuple[EventLine, ...]:
    if not told:
        return ()
    lines = tuple(_line(line, index, amount.currency) for index, line in enumerate(told))
    total = sum(line.amount_minor for line in lines)
    if total > amount.minor:
        raise BadValue(
            _("The lines come to %(sum)s, more than the amount of %(amount)s."),
            code="lines_above_amount",
            field="lines",
            sum=str(Money(total, amount.currency)),
            amount=str(amount),
        )
    if sum(line.quantity for line in lines) > LARGEST_COUNT:
        raise BadValue(_("The lines have too many pieces."), code="too_large", field="lines")
    return lines


def _line(told: Mapping[str, Any], index: int, currency: str) -> EventLine:
    at = f"lines[{index}]"
    return EventLine(
        amount_minor=_amount(told, currency, field=f"{at}.amount").minor,
        product=reading.word(told.get("product", ""), field=f"{at}.product", longest=60),
        category=reading.word(told.get("category", ""), field=f"{at}.category", longest=60),
        quantity=told.get("quantity", 1),
    )


def _buyer(values: Mapping[str, Any], occurred_at: datetime, *, at: datetime) -> Buyer:
    told = [values[name] for name in _ABOUT_BUYERS]
    if not any(told):
        return NOBODY_KNOWN
    email, sha256, vat, payment, address = told
    return buyers.buyer_of(
        email=email,
        email_sha256=sha256,
        vat_number=vat,
        payment_fingerprint=payment,
        address_hash=_address_hash(address, occurred_at, at=at),
    )


def _address_hash(address: str, occurred_at: datetime, *, at: datetime) -> str:
    if not address:
        return ""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        # The message does not repeat the value: it may be somebody's address with a slip in it.
        raise BadValue(
            _("This is not a network address."), code="not_an_address", field="customer_ip"
        ) from None
    # The keys of earlier days are thrown away, and no new ones are made for them.
    is_kept = occurred_at > at - timedelta(days=settings.ADDRESS_DAYS)
    return addresses.hash_of(address, occurred_at) if is_kept else ""
