"""The shapes the conversions API writes. Amounts are decimal texts and whole minor units, never floats; what tells who a buyer is is never
written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from referrals.api_events import EventShape
from referrals.api_fields import AttributesField
from referrals.api_fields import TextField as TextField
from referrals.choices import Channel, ConversionState, CreditReason, CreditRole
from referrals.conversions import MOST_AT_ONCE
from referrals.facts import Status
from referrals.models import Conversion
from tiers.choices import EventKind

INVALID = "invalid"
NOT_TAKEN = "not_taken"


class FaultShape(serializers.Serializer[Any]):
    """One thing that is wrong."""

    field = serializers.CharField(
        help_text="Where, such as amount or lines[2].amount; non_field_errors: the whole."
    )
    code = serializers.CharField(help_text="What, for programs.")
    message = serializers.CharField(help_text="What, for people.")


class WarningShape(serializers.Serializer[Any]):
    """Something that was taken and may still be a mistake."""

    field = serializers.CharField()
    code = serializers.CharField(help_text="unknown_click, waits_for_original")
    message = serializers.CharField()


class CreditShape(serializers.Serializer[Any]):
    """A membership's share of a conversion."""

    membership = serializers.CharField(source="membership.public_id")
    program = serializers.CharField(source="membership.program.slug")
    role = serializers.ChoiceField(choices=CreditRole.choices)
    reason = serializers.ChoiceField(choices=CreditReason.choices)
    share = serializers.DecimalField(max_digits=7, decimal_places=6)


class StoredLineShape(serializers.Serializer[Any]):
    """A product of an order as it stands in the books."""

    product = serializers.CharField()
    category = serializers.CharField()
    quantity = serializers.IntegerField()
    amount_minor = serializers.IntegerField()


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
    campaign = serializers.CharField()
    lead = serializers.CharField(source="lead_key")
    channel = serializers.ChoiceField(choices=Channel.choices)
    lines = StoredLineShape(many=True, source="lines_in_order")
    credits = CreditShape(many=True, source="standing_credits")
    warnings = serializers.SerializerMethodField()

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

    @extend_schema_field(WarningShape(many=True))
    def get_warnings(self, row: Conversion) -> list[dict[str, str]]:
        """Return what was taken and may still be a mistake."""
        unknown = self.context["unknown_clicks"]
        return warnings_of(
            is_click_unknown=row.click_id in unknown, is_waiting=self.get_waits_for_original(row)
        )


def warnings_of(*, is_click_unknown: bool, is_waiting: bool) -> list[dict[str, str]]:
    """Return the warnings that go with an event that was taken."""
    found = []
    if is_click_unknown:
        told = _("We know no click with this id: it credits nobody.")
        found.append({"field": "click_id", "code": "unknown_click", "message": str(told)})
    if is_waiting:
        told = _("The sale it takes back has not arrived from this source: it counts once it does.")
        found.append({"field": "original_event_id", "code": "waits_for_original", "message": str(told)})
    return found


class BatchShape(serializers.Serializer[Any]):
    """Up to 1,000 events; each is read and answered on its own."""

    events = serializers.ListField(
        child=EventShape(), min_length=1, max_length=MOST_AT_ONCE, allow_empty=False
    )
    atomic = serializers.BooleanField(
        required=False, help_text="Take all events or, when one cannot be taken, none."
    )
    strict = serializers.BooleanField(
        required=False, help_text="Refuse events with a click id we do not know."
    )


@extend_schema_field(OpenApiTypes.OBJECT)
class ErrorsField(serializers.DictField):
    """Faults by field name."""


class BatchResultShape(serializers.Serializer[Any]):
    """What became of one event of a batch, in the order they were sent."""

    index = serializers.IntegerField(help_text="The event's place in the batch, from 0.")
    status = serializers.ChoiceField(
        choices=[*(str(status) for status in Status), INVALID, NOT_TAKEN],
        help_text="not_taken: nothing is wrong with it, but with another event of an atomic batch.",
    )
    id = serializers.CharField(allow_null=True, help_text="The conversion's id, when it is in the books.")
    event_id = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True, help_text="Why it was not taken, for programs.")
    errors = ErrorsField(help_text="Why it was not taken, by field, for people.")  # type: ignore[assignment]
    faults = FaultShape(many=True)
    warnings = WarningShape(many=True)


class BatchAnswerShape(serializers.Serializer[Any]):
    """The answer to a batch."""

    created = serializers.IntegerField()
    replayed = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = BatchResultShape(many=True)


class FoundShape(serializers.Serializer[Any]):
    """What was looked for: one conversion or none."""

    results = ConversionShape(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A value that cannot be read",
            value={
                "type": "about:blank",
                "title": "Invalid input",
                "status": 400,
                "code": "invalid",
                "detail": "See faults.",
                "errors": {
                    "amount": ["“1e3” is not an amount: write digits with a decimal point, such as 12.50."]
                },
                "faults": [
                    {
                        "field": "amount",
                        "code": "not_an_amount",
                        "message": "“1e3” is not an amount: write digits with a decimal point, such as 12.50.",
                    }
                ],
            },
        )
    ]
)
class ProblemShape(serializers.Serializer[Any]):
    """A refusal (RFC 9457). `code` is for programs; faults name each field with a code and a sentence of its own."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ErrorsField(required=False)  # type: ignore[assignment]
    faults = FaultShape(many=True, required=False)


class RefusedBatchShape(ProblemShape):
    """The answer to an atomic batch of which nothing was taken: a problem that names what became of every event."""

    created = serializers.IntegerField(required=False)
    replayed = serializers.IntegerField(required=False)
    failed = serializers.IntegerField(required=False)
    results = BatchResultShape(many=True, required=False)
