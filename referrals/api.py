"""Conversions from server to server. A retry is always safe: the same event answers 200 with the conversion it made the first time,
and other facts under the same id answer 409.
"""

from __future__ import annotations

from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from prm.accounts.api_auth import HasScope
from prm.accounts.choices import Scope
from prm.accounts.models import ApiKey
from prm.lib.errors import Refused
from referrals import conversions
from referrals.api_shapes import (
    BatchAnswerShape,
    BatchShape,
    ConversionShape,
    EventShape,
    ProblemShape,
)
from referrals.conversions import MOST_AT_ONCE
from referrals.facts import Event, Outcome, Status
from referrals.models import Conversion, Credit

PROBLEM = OpenApiResponse(ProblemShape, description="A problem (application/problem+json).")
REFUSALS: dict[int, Any] = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM}


class ConversionsView(APIView):
    """Record one event."""

    permission_classes = [HasScope]
    scope = {"POST": Scope.CONVERSIONS_WRITE}

    @extend_schema(
        operation_id="record_conversion",
        summary="Record a conversion or refund",
        request=EventShape,
        responses={201: ConversionShape, 200: ConversionShape, **REFUSALS, 409: PROBLEM, 422: PROBLEM},
        tags=["conversions"],
    )
    def post(self, request: Request) -> Response:
        """Record an event: 201 the first time, 200 for a repeat, 409 when the id was used for other facts."""
        shape = EventShape(data=request.data)
        shape.is_valid(raise_exception=True)
        outcome = conversions.record(shape.validated_data["event"], at=timezone.now())
        row = _with_credits(_key(request)).get(pk=outcome.conversion_id)
        code = status.HTTP_201_CREATED if outcome.status == Status.CREATED else status.HTTP_200_OK
        location = request.build_absolute_uri(f"{request.path.rstrip('/')}/{row.public_id}")
        return Response(ConversionShape(row).data, status=code, headers={"Location": location})


class ConversionBatchView(APIView):
    """Record many events at once."""

    permission_classes = [HasScope]
    scope = {"POST": Scope.CONVERSIONS_WRITE}

    @extend_schema(
        operation_id="record_conversions",
        summary="Record up to 500 conversions and refunds",
        description="Answers 200 with a result for each event; one that is refused does not stop the others.",
        request=BatchShape,
        responses={200: BatchAnswerShape, **REFUSALS},
        tags=["conversions"],
    )
    def post(self, request: Request) -> Response:
        """Record the events that can be recorded and say of each what became of it."""
        told = _told(request.data)
        results: list[dict[str, Any]] = [{} for _ in told]
        events: list[tuple[int, Event]] = []
        for index, data in enumerate(told):
            shape = EventShape(data=data)
            if shape.is_valid():
                events.append((index, shape.validated_data["event"]))
            else:
                results[index] = _result("invalid", None, code="invalid", errors=shape.errors)
        outcomes = conversions.record_many([event for _index, event in events], at=timezone.now())
        for (index, event), outcome in zip(events, outcomes, strict=True):
            results[index] = _of_outcome(event, outcome)
        counts = [result["status"] for result in results]
        created, replayed = counts.count(Status.CREATED), counts.count(Status.REPLAYED)
        failed = len(results) - created - replayed
        return Response({"created": created, "replayed": replayed, "failed": failed, "results": results})


class ConversionView(APIView):
    """Look at one conversion."""

    permission_classes = [HasScope]
    scope = {"GET": Scope.CONVERSIONS_READ}

    @extend_schema(
        operation_id="read_conversion",
        summary="Read a conversion",
        responses={200: ConversionShape, **REFUSALS, 404: PROBLEM},
        tags=["conversions"],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return a conversion with its credits."""
        row = get_object_or_404(_with_credits(_key(request)), public_id=public_id)
        return Response(ConversionShape(row).data)


def _key(request: Request) -> ApiKey:
    return cast(ApiKey, request.auth)  # HasScope lets nobody else in


def _with_credits(key: ApiKey) -> Any:
    return (
        Conversion.objects.visible_to_key(key)
        .select_related("customer")
        .prefetch_related(Prefetch("credits", _standing_credits(), to_attr="standing_credits"))
    )


def _standing_credits() -> QuerySet[Credit]:
    return Credit.objects.standing().select_related("membership__program").order_by("pk")


def _told(data: Any) -> list[Any]:
    """Return the events of a batch before any of them is read."""
    if not isinstance(data, dict) or set(data) != {"events"} or not isinstance(data["events"], list):
        raise serializers.ValidationError({"events": ["Send an object with one key, a list of events."]})
    told: list[Any] = data["events"]
    if not 1 <= len(told) <= MOST_AT_ONCE:
        raise serializers.ValidationError({"events": [f"Send between 1 and {MOST_AT_ONCE} events."]})
    return told


def _result(
    state: str,
    event: Event | None,
    *,
    public_id: str | None = None,
    code: str | None = None,
    errors: Any = None,
) -> dict[str, Any]:
    return {
        "status": state,
        "id": public_id or None,
        "event_id": event.external_id if event else None,
        "code": code,
        "errors": errors or {},
    }


def _of_outcome(event: Event, outcome: Outcome) -> dict[str, Any]:
    if outcome.refusal is None:
        return _result(outcome.status, event, public_id=outcome.public_id)
    refusal: Refused = outcome.refusal
    errors = {refusal.field or "event_id": [str(refusal)]}
    return _result(outcome.status, event, public_id=outcome.public_id, code=refusal.code, errors=errors)
