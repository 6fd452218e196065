"""The shape of the events a shop's server tells: what the description of the API shows, and what says of a body that cannot be read what
is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from prm.lib.money import LARGEST_MINOR
from referrals import reading
from referrals.api_fields import (
    AmountField,
    AttributesField,
    CurrencyField,
    InstantField,
    TextField,
    WholeNumberField,
    detail,
    detail_of,
)
from referrals.api_values import event_of
from referrals.reading import LARGEST_COUNT, BadValue
from tiers.choices import EventKind

PARTS = ("tax", "shipping", "discount", "cost")
MOST_LINES = 200
SALE = {
    "source": "shop",
    "event_id": "order-10023",
    "kind": "sale",
    "occurred_at": "2026-11-22T14:03:00Z",
    "amount": "59.90",
    "currency": "GBP",
    "customer_id": "c-881",
    "click_id": "01JD8Z0M6V4R2K8T9Q3W5X7Y1A",
    "tax": "9.98",
    "lines": [{"product": "85123A", "category": "candles", "quantity": 2, "amount": "49.90"}],
}
REFUND = {
    "source": "shop",
    "event_id": "refund-311",
    "kind": "refund",
    "occurred_at": "2026-11-25T09:30:00+01:00",
    "amount_minor": 2495,
    "currency": "GBP",
    "original_event_id": "order-10023",
}
_MINOR: dict[str, Any] = {"required": False, "min_value": 0, "max_value": LARGEST_MINOR}
_WORD: dict[str, Any] = {"required": False, "default": "", "allow_blank": True}


class StrictShape(serializers.Serializer[Any]):
    """A shape that knows all its keys: one it does not know is most often a known one misspelt."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse keys that no field reads, then read the fields."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            fault = [detail(_("There is no such field."), "unknown_field")]
            raise serializers.ValidationError({reading.shown(name): fault for name in unknown})
        return dict(super().to_internal_value(data))


class OrderLineShape(StrictShape):
    """One product of an order, at its gross price."""

    product = TextField(max_length=60, help_text="Its code.", **_WORD)
    category = TextField(max_length=60, **_WORD)
    quantity = WholeNumberField(required=False, default=1, min_value=0, max_value=LARGEST_COUNT)
    amount = AmountField(
        required=False, max_length=40, help_text="Price of all pieces; this or amount_minor."
    )
    amount_minor = WholeNumberField(**_MINOR)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want the amount once."""
        _one_amount(attrs)
        return attrs


class EventShape(StrictShape):
    """One business event, as a shop sends it."""

    source = TextField(  # type: ignore[assignment]
        required=False, default="api", max_length=40, help_text="The shop or system the event id belongs to."
    )
    event_id = TextField(
        max_length=100, help_text="The shop's own id of this event; the same id is never recorded twice."
    )
    kind = serializers.ChoiceField(choices=EventKind.choices)
    occurred_at = InstantField(
        max_length=40,
        help_text="With a time zone, such as 2026-11-22T14:03:00Z; at most ten minutes ahead of our clock.",
    )
    amount = AmountField(
        required=False, max_length=40, help_text='Decimal text such as "12.50"; give this or amount_minor.'
    )
    amount_minor = WholeNumberField(**_MINOR)
    currency = CurrencyField(max_length=3, help_text="ISO 4217, in capital letters.")
    customer_id = TextField(max_length=100, **_WORD)
    customer_email = TextField(
        max_length=254,
        help_text="Turned into a key when it arrives; never stored and never answered.",
        **_WORD,
    )
    customer_email_sha256 = TextField(
        max_length=64, help_text="SHA-256 of the address, trimmed and in lower case, instead of it.", **_WORD
    )
    customer_vat_number = TextField(max_length=30, help_text="Kept as a key only.", **_WORD)
    payment_fingerprint = TextField(
        max_length=128,
        help_text="The payment provider's name for the card or account; kept as a key.",
        **_WORD,
    )
    customer_ip = TextField(
        max_length=45, help_text="The buyer's address; kept as a hash with the key of its day.", **_WORD
    )
    country = TextField(max_length=64, **_WORD)
    code = TextField(max_length=40, help_text="The partner's code the buyer used.", **_WORD)
    click_id = TextField(max_length=26, help_text="What the tracked link added to the address.", **_WORD)
    lead = TextField(max_length=60, help_text="The reference of a lead or introduction told before.", **_WORD)
    deal = TextField(max_length=60, help_text="The reference of a registered deal.", **_WORD)
    campaign = TextField(max_length=64, **_WORD)
    original_event_id = TextField(
        max_length=100,
        help_text="The sale a refund or chargeback takes back, of the same source; it may arrive later. "
        "Of a chargeback won back, the chargeback or the sale.",
        **_WORD,
    )
    product = TextField(max_length=60, help_text="Its code.", **_WORD)
    category = TextField(max_length=60, **_WORD)
    quantity = WholeNumberField(
        required=False,
        min_value=0,
        max_value=LARGEST_COUNT,
        help_text="Pieces; untold it is that of the lines, or 1, and 0 for what takes a sale back.",
    )
    lines = OrderLineShape(  # type: ignore[call-arg]  # the list it becomes knows it
        many=True,
        required=False,
        max_length=MOST_LINES,
        help_text="The products of the order, at most 200; together at most the amount.",
    )
    tax = AmountField(required=False, max_length=40, help_text="Tax in the amount, written like the amount.")
    tax_minor = WholeNumberField(**_MINOR)
    shipping = AmountField(required=False, max_length=40, help_text="Shipping in the amount.")
    shipping_minor = WholeNumberField(**_MINOR)
    discount = AmountField(
        required=False, max_length=40, help_text="A part of the amount that was not paid, such as a voucher."
    )
    discount_minor = WholeNumberField(**_MINOR)
    cost = AmountField(required=False, max_length=40, help_text="What the goods cost the shop.")
    cost_minor = WholeNumberField(**_MINOR)
    sub_id = TextField(max_length=80, **_WORD)
    attributes = AttributesField(
        required=False,
        default=dict,
        help_text="At most 20 further facts by name: texts, whole numbers, true or false.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse too many lines before any of them is read, then read the fields."""
        lines = data.get("lines") if isinstance(data, dict) else None
        if isinstance(lines, list) and len(lines) > MOST_LINES:
            told = _("Send at most %(most)s lines.") % {"most": MOST_LINES}
            raise serializers.ValidationError({"lines": [detail(told, "too_many_lines")]})
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn the values into an event, kept under `event`."""
        _one_amount(attrs)
        for name in PARTS:
            if name in attrs and f"{name}_minor" in attrs:
                told = _("Give either %(name)s or %(name)s_minor.") % {"name": name}
                raise serializers.ValidationError({name: [detail(told, "told_twice")]})
        try:
            return {"event": event_of(attrs, at=timezone.now())}
        except BadValue as fault:
            raise serializers.ValidationError(detail_of(fault)) from None


def _one_amount(attrs: Mapping[str, Any]) -> None:
    if ("amount" in attrs) == ("amount_minor" in attrs):
        fault = detail(_("Give either amount or amount_minor."), "one_amount")
        raise serializers.ValidationError({"amount": [fault]})
