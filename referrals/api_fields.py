"""The kinds of value the API reads. What came as another kind of JSON value is refused rather than turned into what it might mean."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from referrals import reading
from referrals.facts import Attribute
from referrals.reading import BadValue

ATTRIBUTE_TYPES = [
    {"type": "string", "maxLength": 200},
    {"type": "integer", "minimum": -(10**18) + 1, "maximum": 10**18 - 1},
    {"type": "boolean"},
]


def detail(message: Any, code: str) -> serializers.ErrorDetail:
    """Return a fault with its code, as the REST framework carries them."""
    return serializers.ErrorDetail(str(message), code)


def detail_of(fault: BadValue) -> dict[str, list[serializers.ErrorDetail]]:
    """Return a value's fault under its field."""
    return {fault.field or "non_field_errors": [detail(fault, fault.code)]}


class TextField(serializers.CharField):
    """A text that came as a JSON text; numbers are not turned into texts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Send this as a text in quotation marks."), code="not_a_text")
        return str(super().to_internal_value(data))


@extend_schema_field({"type": "string", "pattern": r"^[0-9]{1,19}(\.[0-9]{1,4})?$", "maxLength": 40})
class AmountField(TextField):
    """A decimal text of zero or more, with at most the currency's decimals."""


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$"})
class CurrencyField(TextField):
    """A currency of ISO 4217."""


@extend_schema_field({"type": "string", "format": "date-time", "maxLength": 40})
class InstantField(TextField):
    """An instant with its time zone."""


class WholeNumberField(serializers.IntegerField):
    """A whole number that came as one; 12.0, "12" and true are not."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if type(data) is not int:
            raise serializers.ValidationError(_("Send this as a whole number."), code="not_a_whole_number")
        return int(super().to_internal_value(data))


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"anyOf": ATTRIBUTE_TYPES},
        "maxProperties": 20,
    }
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
