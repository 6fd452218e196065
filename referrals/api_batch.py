"""Up to a thousand events in one call, each answered by its place. Those that can be taken are taken, unless the caller wants all or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from prm.accounts.api_auth import HasScope
from prm.accounts.api_idempotency import answered_once
from prm.accounts.api_limits import charge_events
from prm.accounts.choices import Scope
from prm.lib.api import faults_of, problem_answer, refusal_faults
from prm.lib.api_body import BoundedJSONParser
from prm.lib.errors import Refused
from referrals import clicks, conversions
from referrals.api_answers import (
    IDEMPOTENCY,
    PROBLEM_TYPE,
    STRICT,
    check_parameters,
    key_of,
    refusals,
    refuse_unknown_click,
    switch,
    unknown_clicks,
)
from referrals.api_events import REFUND, SALE
from referrals.api_fields import detail
from referrals.api_plain import read
from referrals.api_shapes import (
    INVALID,
    NOT_TAKEN,
    BatchAnswerShape,
    BatchShape,
    RefusedBatchShape,
    warnings_of,
)
from referrals.conversions import MOST_AT_ONCE
from referrals.facts import Event, Outcome, Status

TAKEN = frozenset({str(Status.CREATED), str(Status.REPLAYED)})
ATOMIC = OpenApiParameter(
    "atomic", bool, description="Take all events or, when one cannot be taken, none; or a key of the body."
)
Result = dict[str, Any]


class BatchParser(BoundedJSONParser):
    """Takes bodies that a thousand events fit into."""

    most_bytes = 2 * 1024 * 1024


@dataclass(frozen=True)
class Wanted:
    """What a batch asks for."""

    told: list[Any]
    is_atomic: bool
    is_strict: bool


class ConversionBatchView(APIView):
    """Record many events at once."""

    permission_classes = [HasScope]
    parser_classes = [BatchParser]
    scope = {"POST": Scope.CONVERSIONS_WRITE}

    @extend_schema(
        operation_id="record_conversions",
        summary="Record up to 1,000 conversions and refunds",
        description="Answers 200 with a result for each event; one that is refused does not stop the others. With `atomic` it answers"
        " 422 when any cannot be taken, and nothing is recorded. Counts as one call, and one more for each hundred events begun.",
        request=BatchShape,
        parameters=[IDEMPOTENCY, ATOMIC, STRICT],
        examples=[
            OpenApiExample("A sale and its refund", value={"events": [SALE, REFUND]}, request_only=True),
            OpenApiExample("All or none", value={"events": [SALE], "atomic": True}, request_only=True),
        ],
        responses={
            200: BatchAnswerShape,
            **refusals(400, 413, 415),
            (422, PROBLEM_TYPE): OpenApiResponse(
                RefusedBatchShape, description="An atomic batch of which nothing was taken, or a reused key."
            ),
        },
        tags=["conversions"],
    )
    def post(self, request: Request) -> Response:
        """Record the events that can be recorded and say of each what became of it."""
        return answered_once(request, lambda: self._record(request))

    def _record(self, request: Request) -> Response:
        wanted = _wanted(request)
        charge_events(key_of(request), self, len(wanted.told))
        results = _recorded(wanted, at=timezone.now())
        counts = [result["status"] for result in results]
        created, replayed = counts.count(Status.CREATED), counts.count(Status.REPLAYED)
        failed = sum(result["status"] not in {*TAKEN, NOT_TAKEN} for result in results)
        answer = {"created": created, "replayed": replayed, "failed": failed, "results": results}
        if wanted.is_atomic and failed:
            told = _("Nothing was recorded: %(failed)s of the events cannot be taken.") % {"failed": failed}
            body = {"title": "Refused", "code": "batch_refused", "detail": str(told), **answer}
            return problem_answer(body, status.HTTP_422_UNPROCESSABLE_ENTITY)
        return Response(answer)


def _wanted(request: Request) -> Wanted:
    """Return what a batch asks for, before any of its events is read.

    Raises: ValidationError.
    """
    check_parameters(request, {"atomic", "strict"})
    data = request.data
    if not isinstance(data, dict) or not isinstance(data.get("events"), list):
        fault = detail(_("Send an object with a list of events."), "no_events")
        raise serializers.ValidationError({"events": [fault]})
    if unknown := sorted(set(data) - {"events", "atomic", "strict"}):
        fault = detail(_("There is no such field: %(name)s.") % {"name": unknown[0][:40]}, "unknown_field")
        raise serializers.ValidationError({"events": [fault]})
    told: list[Any] = data["events"]
    if not 1 <= len(told) <= MOST_AT_ONCE:
        message = _("Send between 1 and %(most)s events.") % {"most": MOST_AT_ONCE}
        raise serializers.ValidationError(
            {"events": [detail(message, "too_many_events" if told else "no_events")]}
        )
    return Wanted(
        told,
        is_atomic=switch(request, "atomic", data.get("atomic")),
        is_strict=switch(request, "strict", data.get("strict")),
    )


@transaction.atomic
def _recorded(wanted: Wanted, *, at: datetime) -> list[Result]:
    """Record what can be recorded and return what became of each event."""
    results: list[Result] = [{} for _told in wanted.told]
    events: list[tuple[int, Event]] = []
    for index, data in enumerate(wanted.told):
        try:
            events.append((index, read(data, at=at)))
        except serializers.ValidationError as error:
            results[index] = _unread(index, data, error)
    if wanted.is_strict:
        events = _with_known_clicks(events, results)
    outcomes = conversions.record_many([event for _index, event in events], at=at)
    unknown = unknown_clicks(event.click_id for _index, event in events)
    for (index, event), outcome in zip(events, outcomes, strict=True):
        results[index] = _of_outcome(index, event, outcome, is_click_unknown=event.click_id in unknown)
    if wanted.is_atomic and any(result["status"] not in TAKEN for result in results):
        transaction.set_rollback(True)
        _forget_created(results)
    return results


def _with_known_clicks(events: Sequence[tuple[int, Event]], results: list[Result]) -> list[tuple[int, Event]]:
    """Return the events whose click is known or that name none; say of the others that they are refused."""
    named = [event.click_id for _index, event in events if event.click_id]
    if not named:
        return list(events)
    clicks.settle(named)
    unknown, known = unknown_clicks(named), []
    for index, event in events:
        try:
            refuse_unknown_click(event, unknown)
            known.append((index, event))
        except Refused as refusal:
            results[index] = _of_outcome(index, event, Outcome(Status.REFUSED, refusal=refusal))
    return known


def _forget_created(results: list[Result]) -> None:
    """Say of events that were recorded in a transaction that is undone that they are not."""
    for result in results:
        if result["status"] == Status.CREATED:
            result.update(status=NOT_TAKEN, id=None, warnings=[])


def _unread(index: int, data: Any, error: serializers.ValidationError) -> Result:
    name = data.get("event_id") if isinstance(data, dict) else None
    told = name if isinstance(name, str) and len(name) <= 100 else None
    faults = list(faults_of(error.detail))
    return _result(index, INVALID, event_id=told, code=INVALID, errors=error.detail, faults=faults)


def _of_outcome(index: int, event: Event, outcome: Outcome, *, is_click_unknown: bool = False) -> Result:
    refusal = outcome.refusal
    if refusal is None:
        found = warnings_of(is_click_unknown=is_click_unknown, is_waiting=outcome.is_waiting)
        return _result(
            index,
            str(outcome.status),
            event_id=event.external_id,
            public_id=outcome.public_id,
            warnings=found,
        )
    faults = refusal_faults(refusal, otherwise="event_id")
    return _result(
        index,
        str(outcome.status),
        event_id=event.external_id,
        public_id=outcome.public_id,
        code=refusal.code,
        errors={faults[0]["field"]: [faults[0]["message"]]},
        faults=faults,
    )


def _result(
    index: int,
    state: str,
    *,
    event_id: str | None,
    public_id: str = "",
    code: str | None = None,
    errors: Any = None,
    faults: Sequence[dict[str, str]] = (),
    warnings: Sequence[dict[str, str]] = (),
) -> Result:
    return {
        "index": index,
        "status": state,
        "id": public_id or None,
        "event_id": event_id,
        "code": code,
        "errors": errors or {},
        "faults": list(faults),
        "warnings": list(warnings),
    }
