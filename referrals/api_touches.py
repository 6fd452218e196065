"""Contacts that a server tells: deals, leads and introductions of partners. Telling one again with the same facts answers 200 and
changes nothing; other facts under the same reference are refused.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from partners.models import Membership
from prm.accounts.api_auth import HasScope
from prm.accounts.api_idempotency import answered_once
from prm.accounts.choices import Scope
from prm.lib.errors import Refused
from referrals import buyers, reading, touches
from referrals.api_answers import IDEMPOTENCY, check_parameters, refusals
from referrals.api_events import StrictShape
from referrals.api_fields import InstantField, TextField, detail, detail_of
from referrals.choices import TouchKind
from referrals.models import Customer, Touch
from referrals.reading import BadValue

_WORD: dict[str, Any] = {"required": False, "default": "", "allow_blank": True}
DEAL = {
    "membership": "mem_01JD8Z0M6V4R2K8T9Q3W5X7Y1A",
    "kind": "deal",
    "reference": "D-2026-118",
    "touched_at": "2026-11-20T09:00:00Z",
    "ends_on": "2027-05-20",
    "customer_email_sha256": "5d1f3d3f6bb63b5e2c5a6b1d9f0a7cf1a1c1b0f3c9d6c8e7b2a4d5f60718293a",
}


class UnknownMembership(Refused):
    message = _("There is no membership with this id.")
    field = "membership"


class UnknownCustomer(Refused):
    message = _("No event of this source has named this customer yet.")
    field = "customer_id"


class ToldTouchShape(StrictShape):
    """A contact, as a server tells it."""

    membership = TextField(max_length=40, help_text="The id of the partner's membership in the program.")
    kind = serializers.ChoiceField(choices=TouchKind.choices)
    reference = TextField(
        max_length=touches.LONGEST_REFERENCE, help_text="Events name it as their lead or deal."
    )
    touched_at = InstantField(max_length=40, help_text="With a time zone, such as 2026-11-22T14:03:00Z.")
    ends_on = TextField(max_length=10, help_text="The last day a deal is protected.", **_WORD)
    source = TextField(  # type: ignore[assignment]
        required=False,
        default="api",
        max_length=40,
        help_text="The shop or system the customer id belongs to.",
    )
    customer_id = TextField(max_length=100, **_WORD)
    customer_email = TextField(max_length=254, help_text="Kept as a key only.", **_WORD)
    customer_email_sha256 = TextField(max_length=64, **_WORD)
    note = TextField(max_length=touches.LONGEST_NOTE, **_WORD)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read the texts as what they mean."""
        try:
            for name in ("reference", "note", "membership", "source", "customer_id"):
                attrs[name] = reading.word(attrs[name], field=name, longest=touches.LONGEST_NOTE)
            attrs["touched_at"] = reading.instant(attrs["touched_at"], at=timezone.now(), field="touched_at")
            attrs["ends_on"] = _day(attrs["ends_on"]) if attrs["ends_on"] else None
            buyers.buyer_of(email=attrs["customer_email"], email_sha256=attrs["customer_email_sha256"])
        except BadValue as fault:
            raise serializers.ValidationError(detail_of(fault)) from None
        return attrs


class TouchShape(serializers.Serializer[Touch]):
    """A contact as it stands in the books."""

    id = serializers.CharField(source="public_id")
    membership = serializers.CharField(source="membership.public_id")
    program = serializers.CharField(source="membership.program.slug")
    kind = serializers.ChoiceField(choices=TouchKind.choices)
    reference = serializers.CharField()
    touched_at = serializers.DateTimeField()
    ends_on = serializers.DateField(allow_null=True)
    customer_id = serializers.SerializerMethodField()
    note = serializers.CharField()
    recorded_at = serializers.DateTimeField()

    def get_customer_id(self, row: Touch) -> str:
        """Return the shop's id of the customer."""
        return row.customer.external_id if row.customer else ""


class TouchesView(APIView):
    """Tell a contact."""

    permission_classes = [HasScope]
    scope = {"POST": Scope.TOUCHES_WRITE}

    @extend_schema(
        operation_id="tell_touch",
        summary="Tell a deal, a lead or an introduction of a partner",
        request=ToldTouchShape,
        parameters=[IDEMPOTENCY],
        examples=[OpenApiExample("A registered deal", value=DEAL, request_only=True)],
        responses={
            201: OpenApiResponse(TouchShape, description="It is recorded."),
            200: OpenApiResponse(TouchShape, description="It was told before; nothing changed."),
            **refusals(400, 413, 415, 422),
        },
        tags=["touches"],
    )
    def post(self, request: Request) -> Response:
        """Write a contact down: 201 the first time, 200 for a repeat, 422 when the reference was told with other facts."""
        return answered_once(request, lambda: self._tell(request))

    def _tell(self, request: Request) -> Response:
        check_parameters(request, ())
        shape = ToldTouchShape(data=request.data)
        shape.is_valid(raise_exception=True)
        told = shape.validated_data
        with transaction.atomic():
            touch, is_new = touches.tell(
                _membership(told["membership"]),
                kind=told["kind"],
                reference=told["reference"],
                customer=_customer(told["source"], told["customer_id"]),
                email=told["customer_email"],
                email_sha256=told["customer_email_sha256"],
                touched_at=told["touched_at"],
                ends_on=told["ends_on"],
                note=told["note"],
                by=None,
                at=timezone.now(),
            )
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(TouchShape(touch).data, status=code)


def _membership(public_id: str) -> Membership:
    found = Membership.objects.select_related("program", "partner").filter(public_id=public_id).first()
    if found is None:
        raise UnknownMembership
    return found


def _customer(source: str, external_id: str) -> Customer | None:
    if not external_id:
        return None
    found = Customer.objects.filter(source=source, external_id=external_id).first()
    if found is None:
        raise UnknownCustomer
    return found


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        told = _("This is not a day such as 2027-05-20.")
        raise serializers.ValidationError({"ends_on": [detail(told, "not_a_date")]}) from None
