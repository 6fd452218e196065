"""The shapes the commissions API writes. Amounts are decimal texts and whole minor units, never floats."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from payouts.choices import CommissionKind, CommissionState
from payouts.explained import subject
from payouts.explained.line import Explanation
from payouts.models import Commission
from prm.lib.money import Money


@extend_schema_field(OpenApiTypes.OBJECT)
class BecauseField(serializers.JSONField):
    """The explanation as it is stored: codes and figures, amounts in whole minor units."""


class RowShape(serializers.Serializer[Any]):
    """A row of the calculation; the rows that count add up to the amount."""

    label = serializers.CharField()  # type: ignore[assignment]
    amount_minor = serializers.SerializerMethodField()
    note = serializers.CharField()
    counts = serializers.BooleanField()

    def get_amount_minor(self, row: Any) -> int | None:
        """Return the amount, nothing for a row that only says something."""
        amount: Money | None = row.amount
        return None if amount is None else amount.minor


class CommissionShape(serializers.Serializer[Commission]):
    """A commission line and why it is what it is."""

    id = serializers.CharField(source="public_id")
    kind = serializers.ChoiceField(choices=CommissionKind.choices)
    state = serializers.ChoiceField(choices=CommissionState.choices)
    membership = serializers.CharField(source="membership.public_id")
    program = serializers.CharField(source="membership.program.slug")
    conversion = serializers.SerializerMethodField()
    event_id = serializers.SerializerMethodField()
    plan_version = serializers.CharField(source="plan_version.public_id")
    rule = serializers.CharField(source="rule_key")
    window = serializers.CharField()
    amount = serializers.SerializerMethodField()
    amount_minor = serializers.IntegerField()
    base_minor = serializers.IntegerField()
    currency = serializers.CharField()
    happened_at = serializers.DateTimeField(source="effective_at")
    ready_to_pay_from = serializers.DateTimeField(source="payable_at")
    statement = serializers.SerializerMethodField()
    reverses = serializers.SerializerMethodField()
    because = BecauseField()
    rows = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()

    def get_conversion(self, line: Commission) -> str | None:
        """Return the id of the event, nothing for what no event earns."""
        return line.conversion.public_id if line.conversion is not None else None

    def get_event_id(self, line: Commission) -> str:
        """Return the shop's own id of the event."""
        return subject.order_text(line)

    def get_amount(self, line: Commission) -> str:
        """Return the amount in major units, with the currency's decimals."""
        return str(line.amount.decimal())

    def get_statement(self, line: Commission) -> str | None:
        """Return the number of the statement the line is on."""
        return line.statement.number if line.statement is not None else None

    def get_reverses(self, line: Commission) -> str | None:
        """Return the id of the line this one takes back."""
        return line.reverses.public_id if line.reverses is not None else None

    @extend_schema_field(RowShape(many=True))
    def get_rows(self, line: Commission) -> Any:
        """Return the rows of the calculation, as the partner reads them."""
        return RowShape(self._explained.rows, many=True).data

    def get_why(self, line: Commission) -> list[str]:
        """Return the whole explanation in lines of plain text."""
        return self._explained.lines

    @property
    def _explained(self) -> Explanation:
        explained: Explanation = self.context["explained"]
        return explained
