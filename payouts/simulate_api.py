"""Try an order from server to server: the explanation a partner would read, without anything being booked. It asks for no other facts than
the examples of a plan, so what was tried can be kept as one."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payouts import simulator
from payouts.api_shapes import BecauseField, RowShape
from prm.accounts.api_auth import HasScope
from prm.accounts.choices import Scope
from referrals.api_answers import refusals
from referrals.api_fields import TextField
from tiers.models import PlanVersion, Program

ORDER = {"program": "affiliates", "order": {"kind": "sale", "amount": "418.00", "tier": "gold"}}
EXAMPLE = '{"kind": "sale", "amount": "418.00", "tier": "gold", "occurred_on": "2026-11-22"}'


@extend_schema_field(OpenApiTypes.OBJECT)
class FactsField(serializers.JSONField):
    """The facts of an order; amounts are decimal texts, never floats."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the facts."""
        if not isinstance(data, dict):
            raise serializers.ValidationError(_("Send this as an object."), code="not_an_object")
        if _has_float(data):
            raise serializers.ValidationError(
                _("Send amounts as texts in quotation marks, such as “12.50”."), code="not_a_text"
            )
        return data


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_float(each) for each in value.values())
    if isinstance(value, list):
        return any(_has_float(each) for each in value)
    return isinstance(value, float)


class OrderShape(serializers.Serializer[Any]):
    """An order to try."""

    program = TextField(max_length=60, help_text="The program's address, such as affiliates.")
    version = TextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=40,
        help_text="A plan version's id, drafts too; without one what is in force on the day counts.",
    )
    order = FactsField(help_text=f"What happened, such as {EXAMPLE}. A partner is a membership's id.")


class LineShape(serializers.Serializer[Any]):
    """A line of commission; its rows that count add up to its amount."""

    title = serializers.CharField()
    amount_minor = serializers.IntegerField(source="amount.minor")
    rows = RowShape(many=True)


class SimulationShape(serializers.Serializer[simulator.Simulation]):
    """What the order would earn, and why."""

    version = serializers.SerializerMethodField()
    currency = serializers.CharField(source="amount.currency")
    amount = serializers.SerializerMethodField()
    amount_minor = serializers.IntegerField(source="amount.minor")
    outcome = serializers.SerializerMethodField()
    lines = LineShape(many=True)
    not_applied = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField(help_text="The whole explanation, as the partner would read it.")
    because = BecauseField()

    def get_version(self, found: simulator.Simulation) -> int:
        """Return the number of the version it was tried on."""
        return found.plan.version_number

    def get_amount(self, found: simulator.Simulation) -> str:
        """Return the amount in major units, with the currency's decimals."""
        return str(found.amount.decimal())

    def get_outcome(self, found: simulator.Simulation) -> str:
        """Return why it earns something or nothing, for programs."""
        return str(found.because["outcome"])


class SimulateView(APIView):
    """Try an order."""

    permission_classes = [HasScope]
    scope = {"POST": Scope.PLANS_TRY}

    @extend_schema(
        operation_id="simulate",
        summary="Try an order: what it would earn, and why",
        request=OrderShape,
        examples=[OpenApiExample("An order", value=ORDER, request_only=True)],
        responses={200: SimulationShape, **refusals(400, 404, 413, 415, 422)},
        tags=["plans"],
    )
    def post(self, request: Request) -> Response:
        """Return what the order would earn and why; nothing is booked."""
        shape = OrderShape(data=request.data)
        shape.is_valid(raise_exception=True)
        asked = shape.validated_data
        program = get_object_or_404(Program, slug=asked["program"])
        versions = PlanVersion.objects.select_related("plan__program").filter(plan__program=program)
        version = get_object_or_404(versions, public_id=asked["version"]) if asked["version"] else None
        found = simulator.simulate(program, asked["order"], version=version, at=timezone.now())
        return Response(SimulationShape(found).data)
