"""The shapes the conversions API reads and writes. Amounts are decimal texts or whole minor units, never floats, and a key nobody knows
is refused, because it is most often a known one misspelt.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from prm.lib.money import LARGEST_MINOR, Money
from referrals import reading
from referrals.choices import ConversionState, CreditReason, CreditRole
from referrals.conversions import MOST_AT_ONCE
from referrals.facts import Attribute, Event, Status
from referrals.models import Conversion
from referrals.reading import LARGEST_COUNT, BadValue
from tiers.choices import EventKind

PARTS = ("tax", "shipping", "discount", "cost")
ATTRIBUTE_TYPES = [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}]


class TextField(serializers.CharField):
    """A text that came as a JSON text; numbers are not turned into texts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Send this as a text in quotation marks."), code="not_a_text")
        return str(super().to_internal_value(data))


class WholeNumberField(serializers.IntegerField):
    """A whole number that came as one; 12.0, "12" and true are not."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if type(data) is not int:
            raise serializers.ValidationError(_("Send this as a whole number."), code="not_a_whole_number")
        return int(super().to_internal_value(data))


@extend_schema_field(
    {"type": "object", "additionalProperties": {"oneOf": ATTRIBUTE_TYPES}, "maxProperties": 20}
)
class AttributesField(serializers.Field[Any, Any, Any, Any]):
    """Further facts by name."""

    def to_internal_value(self, data: Any) -> dict[str, Attribute]:
        """Return the facts."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(
                _("Send this as an object of names and values."), code="not_an_object"
            )
        try:
            return reading.attributes(data)
        except BadValue as fault:
            raise serializers.ValidationError(str(fault), code=fault.code) from None

    def to_representation(self, value: Any) -> Any:
        """Return the facts as they were told."""
        return value


class EventShape(serializers.Serializer[Event]):
    """One business event, as a shop sends it."""

    source = TextField(  # type: ignore[assignment]
        required=False, default="api", max_length=40, help_text="The shop or system the event id belongs to."
    )
    event_id = TextField(
        max_length=100, help_text="The shop's own id of this event; the same id is never recorded twice."
    )
    kind = serializers.ChoiceField(choices=EventKind.choices)
    occurred_at = TextField(max_length=40, help_text="With a time zone, such as 2026-11-22T14:03:00Z.")
    amount = TextField(
        required=False, max_length=40, help_text='Decimal text such as "12.50"; give this or amount_minor.'
    )
    amount_minor = WholeNumberField(required=False, min_value=0, max_value=LARGEST_MINOR)
    currency = TextField(max_length=3, help_text="ISO 4217, in capital letters.")
    customer_id = TextField(required=False, default="", allow_blank=True, max_length=100)
    country = TextField(required=False, default="", allow_blank=True, max_length=64)
    code = TextField(required=False, default="", allow_blank=True, max_length=40)
    click_id = TextField(required=False, default="", allow_blank=True, max_length=26)
    original_event_id = TextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=100,
        help_text="The sale a refund or chargeback takes back; of a chargeback won back, the chargeback or the sale.",
    )
    product = TextField(required=False, default="", allow_blank=True, max_length=60, help_text="Its code.")
    category = TextField(required=False, default="", allow_blank=True, max_length=60)
    quantity = WholeNumberField(
        required=False,
        min_value=0,
        max_value=LARGEST_COUNT,
        help_text="Pieces; untold it is 1, and 0 for what takes a sale back.",
    )
    tax = TextField(required=False, max_length=40, help_text="Tax in the amount, written like the amount.")
    tax_minor = WholeNumberField(required=False, min_value=0, max_value=LARGEST_MINOR)
    shipping = TextField(required=False, max_length=40, help_text="Shipping in the amount.")
    shipping_minor = WholeNumberField(required=False, min_value=0, max_value=LARGEST_MINOR)
    discount = TextField(
        required=False, max_length=40, help_text="A part of the amount that was not paid, such as a voucher."
    )
    discount_minor = WholeNumberField(required=False, min_value=0, max_value=LARGEST_MINOR)
    cost = TextField(required=False, max_length=40, help_text="What the goods cost the shop.")
    cost_minor = WholeNumberField(required=False, min_value=0, max_value=LARGEST_MINOR)
    sub_id = TextField(required=False, default="", allow_blank=True, max_length=80)
    deal = TextField(required=False, default="", allow_blank=True, max_length=60)
    attributes = AttributesField(
        required=False,
        default=dict,
        help_text="At most 20 further facts by name: texts, whole numbers, true or false.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse keys that no field reads, then read the fields."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError(
                {reading.shown(name): [_("There is no such field.")] for name in unknown}
            )
        return dict(super().to_internal_value(data))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn the values into an event, kept under `event`."""
        if ("amount" in attrs) == ("amount_minor" in attrs):
            raise serializers.ValidationError({"amount": [_("Give either amount or amount_minor.")]})
        for name in PARTS:
            if name in attrs and f"{name}_minor" in attrs:
                told = {"name": name}
                message = _("Give either %(name)s or %(name)s_minor.") % told
                raise serializers.ValidationError({name: [message]})
        try:
            return {"event": _event(attrs)}
        except BadValue as fault:
            raise serializers.ValidationError({fault.field or "non_field_errors": [str(fault)]}) from None


def _event(values: dict[str, Any]) -> Event:
    currency = reading.currency(values["currency"])
    amount = (
        reading.amount(values["amount"], currency)
        if "amount" in values
        else Money(values["amount_minor"], currency)
    )
    return Event(
        source=reading.word(values["source"], field="source", longest=40, required=True),
        external_id=reading.word(values["event_id"], field="event_id", longest=100, required=True),
        kind=values["kind"],
        occurred_at=reading.instant(values["occurred_at"], at=timezone.now()),
        amount=amount,
        customer_id=reading.word(values["customer_id"], field="customer_id", longest=100),
        country=reading.word(values["country"], field="country", longest=64),
        code=reading.code(values["code"]),
        click_id=reading.word(values["click_id"], field="click_id", longest=26),
        original_external_id=reading.original(values["original_event_id"], values["kind"]),
        product=reading.word(values["product"], field="product", longest=60),
        category=reading.word(values["category"], field="category", longest=60),
        quantity=values.get("quantity"),
        tax_minor=_part(values, "tax", currency),
        shipping_minor=_part(values, "shipping", currency),
        discount_minor=_part(values, "discount", currency),
        cost_minor=_part(values, "cost", currency),
        sub_id=reading.word(values["sub_id"], field="sub_id", longest=80),
        deal=reading.word(values["deal"], field="deal", longest=60),
        attributes=values["attributes"],
    )


def _part(values: dict[str, Any], name: str, currency: str) -> int:
    if name in values:
        return reading.amount(values[name], currency, field=name).minor
    return int(values.get(f"{name}_minor", 0))


class CreditShape(serializers.Serializer[Any]):
    """A membership's share of a conversion."""

    membership = serializers.CharField(source="membership.public_id")
    program = serializers.CharField(source="membership.program.slug")
    role = serializers.ChoiceField(choices=CreditRole.choices)
    reason = serializers.ChoiceField(choices=CreditReason.choices)
    share = serializers.DecimalField(max_digits=7, decimal_places=6)


class ConversionShape(serializers.Serializer[Conversion]):
    """A conversion as it stands in the books."""

    id = serializers.CharField(source="public_id")
    source = serializers.CharField()  # type: ignore[assignment]
    event_id = serializers.CharField(source="external_id")
    kind = serializers.ChoiceField(choices=EventKind.choices)
    state = serializers.ChoiceField(choices=ConversionState.choices)
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    amount = serializers.SerializerMethodField()
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    customer_id = serializers.SerializerMethodField()
    country = serializers.CharField()
    code = serializers.CharField(source="code_text")
    click_id = serializers.CharField()
    original_event_id = serializers.CharField(source="original_external_id")
    product = serializers.CharField()
    category = serializers.CharField()
    quantity = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    shipping_minor = serializers.IntegerField()
    discount_minor = serializers.IntegerField()
    cost_minor = serializers.IntegerField()
    sub_id = serializers.CharField()
    deal = serializers.CharField(source="deal_key")
    attributes = AttributesField()
    waits_for_original = serializers.SerializerMethodField()
    credits = CreditShape(many=True, source="standing_credits")

    def get_amount(self, row: Conversion) -> str:
        """Return the amount in major units, with the currency's decimals."""
        return str(row.amount.decimal())

    def get_customer_id(self, row: Conversion) -> str:
        """Return the shop's id of the customer."""
        return row.customer.external_id if row.customer else ""

    def get_waits_for_original(self, row: Conversion) -> bool:
        """Say whether this waits for the event it names."""
        is_declined = row.state == ConversionState.REJECTED
        return bool(row.original_external_id) and row.original_id is None and not is_declined


class BatchShape(serializers.Serializer[Any]):
    """Up to 500 events; each is read and answered on its own."""

    events = serializers.ListField(
        child=EventShape(), min_length=1, max_length=MOST_AT_ONCE, allow_empty=False
    )


@extend_schema_field(OpenApiTypes.OBJECT)
class ErrorsField(serializers.DictField):
    """Faults by field name."""


class BatchResultShape(serializers.Serializer[Any]):
    """What became of one event of a batch, in the order they were sent."""

    status = serializers.ChoiceField(choices=[*(str(status) for status in Status), "invalid"])
    id = serializers.CharField(allow_null=True, help_text="The conversion's id, when it is in the books.")
    event_id = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True, help_text="Why it was not taken, for programs.")
    errors = ErrorsField(help_text="Why it was not taken, by field, for people.")  # type: ignore[assignment]


class BatchAnswerShape(serializers.Serializer[Any]):
    """The answer to a batch."""

    created = serializers.IntegerField()
    replayed = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = BatchResultShape(many=True)


class ProblemShape(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ErrorsField(required=False)  # type: ignore[assignment]
