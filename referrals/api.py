"""Conversions from server to server. A retry is always safe: the same event answers 200 with the conversion it made the first time,
and other facts under the same id answer 409.
"""

from __future__ import annotations

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.views import APIView

from prm.accounts.api_auth import HasScope
from prm.accounts.api_idempotency import answered_once
from prm.accounts.choices import Scope
from referrals import clicks, conversions, reading
from referrals.api_answers import (
    IDEMPOTENCY,
    STRICT,
    check_parameters,
    key_of,
    readable,
    refusals,
    refuse_unknown_click,
    switch,
    told_back,
    unknown_clicks,
)
from referrals.api_events import REFUND, SALE, EventShape
from referrals.api_fields import detail_of
from referrals.api_plain import read
from referrals.api_shapes import ConversionShape, FoundShape
from referrals.facts import Event, Status
from referrals.reading import BadValue


class ConversionsView(APIView):
    """Record one event, or look for one."""

    permission_classes = [HasScope]
    scope = {"POST": Scope.CONVERSIONS_WRITE, "GET": Scope.CONVERSIONS_READ}

    @extend_schema(
        operation_id="record_conversion",
        summary="Record a conversion or refund",
        request=EventShape,
        parameters=[IDEMPOTENCY, STRICT],
        examples=[
            OpenApiExample("A sale", value=SALE, request_only=True),
            OpenApiExample("A refund of half of it", value=REFUND, request_only=True),
        ],
        responses={
            201: OpenApiResponse(ConversionShape, description="It is recorded."),
            200: OpenApiResponse(ConversionShape, description="It was recorded before; nothing changed."),
            **refusals(400, 409, 413, 415, 422),
        },
        tags=["conversions"],
    )
    def post(self, request: Request) -> Response:
        """Record an event: 201 the first time, 200 for a repeat, 409 when the id was used for other facts."""
        return answered_once(request, lambda: self._record(request))

    def _record(self, request: Request) -> Response:
        check_parameters(request, {"strict"})
        is_strict, at = switch(request, "strict"), timezone.now()
        event = read(request.data, at=at)
        if is_strict:
            _want_known_click(event)
        outcome = conversions.record(event, at=at)
        row = readable(key_of(request)).get(public_id=outcome.public_id)
        code = status.HTTP_201_CREATED if outcome.status == Status.CREATED else status.HTTP_200_OK
        location = request.build_absolute_uri(f"{request.path.rstrip('/')}/{row.public_id}")
        return Response(told_back(row)[0], status=code, headers={"Location": location})

    @extend_schema(
        operation_id="find_conversion",
        summary="Find a conversion by the shop's own id",
        parameters=[
            OpenApiParameter(
                "event_id",
                {"type": "string", "minLength": 1, "maxLength": 100},
                required=True,
                description="The id the event was told with.",
            ),
            OpenApiParameter(
                "source",
                {"type": "string", "minLength": 1, "maxLength": 40, "default": "api"},
                description="The shop or system the id belongs to.",
            ),
        ],
        responses={200: FoundShape, **refusals(400)},
        tags=["conversions"],
    )
    def get(self, request: Request) -> Response:
        """Return the conversion with the shop's id, in a list that is empty when there is none."""
        check_parameters(request, {"source", "event_id"})
        told = request.query_params
        try:
            source = reading.word(told.get("source", "api"), field="source", longest=40, required=True)
            name = reading.word(told.get("event_id", ""), field="event_id", longest=100, required=True)
        except BadValue as fault:
            raise ValidationError(detail_of(fault)) from None
        rows = list(readable(key_of(request)).filter(source=source, external_id=name))
        return Response({"results": told_back(*rows)})


@transaction.atomic
def _want_known_click(event: Event) -> None:
    if event.click_id:
        clicks.settle([event.click_id])
        refuse_unknown_click(event, unknown_clicks([event.click_id]))


class ConversionView(APIView):
    """Look at one conversion."""

    permission_classes = [HasScope]
    scope = {"GET": Scope.CONVERSIONS_READ}

    @extend_schema(
        operation_id="read_conversion",
        summary="Read a conversion",
        responses={200: ConversionShape, **refusals(400, 404)},
        tags=["conversions"],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return a conversion with its credits."""
        return Response(told_back(get_object_or_404(readable(key_of(request)), public_id=public_id))[0])
