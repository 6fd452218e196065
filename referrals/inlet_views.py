"""The doors of inlets: `/in/<inlet>` for servers with a signature, `/px/<inlet>.gif` for browsers as the last resort. A picture is answered
whatever was told; what became of it stands in a header."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from prm.lib.errors import Refused
from referrals import addresses, inlet_events, inlets
from referrals.choices import InletKind
from referrals.door import PIXEL
from referrals.facts import Status
from referrals.inlet_events import MOST_BYTES, Busy, Stale, Unreadable, Unsigned
from referrals.limiter import Limiter
from referrals.redirect import wants_no_tracking
from referrals.repeats import OtherBody

RESULT = "X-PRM-Result"
PROBLEM = "application/problem+json"
CALLS_A_MINUTE, WRONG_A_MINUTE = 1200, 60
_calls, _wrong = Limiter(), Limiter()
_STATUS: tuple[tuple[type[Refused], int], ...] = (
    (Unreadable, 400),
    (Unsigned, 401),
    (Stale, 401),
    (OtherBody, 409),
    (Busy, 429),
)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def postback(request: HttpRequest, public_id: str) -> HttpResponse:
    """Record what a shop's server tells: 201 the first time, 200 for a repeat, 4xx with a code and a field for everything else."""
    at, caller = timezone.now(), addresses.client_address(request.META)
    inlet = inlets.find(public_id, kind=InletKind.POSTBACK)
    if inlet is None:
        return _problem(404, "not_found", "There is no such inlet.")
    if inlet.closed_at is not None:
        return _problem(410, "closed", "This inlet is closed.")
    if _calls.tries(public_id) > CALLS_A_MINUTE:
        return _too_many()
    try:
        told = inlet_events.post(inlet, inlet_events.parameters(*_queries(request)), at=at)
    except Refused as refusal:
        is_wrong = isinstance(refusal, Unsigned | Stale)
        if is_wrong and _wrong.tries(f"{public_id} {caller}") > WRONG_A_MINUTE:
            return _too_many()
        return _refused(refusal)
    status = 201 if told.status == Status.CREATED else 200
    body = {"id": told.public_id, "event_id": told.event.external_id, "status": told.status}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


@require_safe
def pixel(request: HttpRequest, public_id: str) -> HttpResponse:
    """Record what a browser tells, and answer a picture of one point whatever became of it."""
    result = _shown(request, public_id)
    headers = {
        "Cache-Control": "no-store",
        # Shops show it on their own pages; who reads what became of it is whoever looks at the network.
        "Cross-Origin-Resource-Policy": "cross-origin",
        RESULT: result,
    }
    return HttpResponse(PIXEL, content_type="image/gif", headers=headers)


def _shown(request: HttpRequest, public_id: str) -> str:
    """Return what became of a picture that was asked for, for programs."""
    at = timezone.now()
    if request.method != "GET":
        return "not_asked"
    if wants_no_tracking({name.lower(): value for name, value in request.headers.items()}):
        return "opted_out"
    # By address and inlet: a shop's busy day is not one browser's.
    if _calls.tries(f"{public_id} {addresses.client_address(request.META)}") > WRONG_A_MINUTE:
        return "too_many"
    inlet = inlets.find(public_id, kind=InletKind.PIXEL)
    if inlet is None or inlet.closed_at is not None:
        return "not_found" if inlet is None else "closed"
    try:
        values = inlet_events.parameters(request.META.get("QUERY_STRING", ""))
        return inlet_events.show(inlet, values, at=at).status
    except Refused as refusal:
        return refusal.code


def _queries(request: HttpRequest) -> list[str]:
    """Return the query and the body, which is a form like the query.

    Raises: Unreadable.
    """
    query = request.META.get("QUERY_STRING", "")
    if request.method != "POST":
        return [query]
    sent = request.META.get("CONTENT_LENGTH") or "0"
    if not sent.isdecimal() or int(sent) > MOST_BYTES:
        raise Unreadable
    if int(sent) and request.content_type != "application/x-www-form-urlencoded":
        raise Unreadable
    try:
        return [query, request.body.decode("ascii")]
    except (OSError, UnicodeDecodeError):
        raise Unreadable from None


def _refused(refusal: Refused) -> HttpResponse:
    status = next((status for kind, status in _STATUS if isinstance(refusal, kind)), 422)
    return _problem(status, refusal.code, str(refusal), field=refusal.field)


def _too_many() -> HttpResponse:
    response = _problem(429, "too_many", "Too many calls in this minute.")
    response.headers["Retry-After"] = "60"
    return response


def _problem(status: int, code: str, detail: str, *, field: str | None = None) -> HttpResponse:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": detail,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if field:
        body["errors"] = {field: [detail]}
        body["faults"] = [{"field": field, "code": code, "message": detail}]
    headers = {"Cache-Control": "no-store"}
    return JsonResponse(body, status=status, content_type=PROBLEM, headers=headers)
