"""What the calls of the API share: the refusals each of them may answer, switches in the address, and how a conversion is answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from prm.accounts.api_idempotency import HEADER
from prm.accounts.models import ApiKey
from prm.lib.errors import Refused
from referrals import reading
from referrals.api_fields import detail
from referrals.api_shapes import ConversionShape, ProblemShape
from referrals.facts import Event
from referrals.models import Click, Conversion, ConversionLine, Credit

PROBLEM_TYPE = "application/problem+json"
_SWITCHES = {"true": True, "1": True, "false": False, "0": False}
_SAID: dict[int, str] = {
    400: "Something in the call cannot be read.",
    401: "There is no key, or it opens nothing.",
    403: "The key does not carry the scope this call needs.",
    404: "There is no such thing.",
    409: "The same id came before with other facts.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    422: "It was read, and cannot be done as asked.",
    429: "Too many calls in this minute: Retry-After says how many seconds to wait.",
}

IDEMPOTENCY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Your name for this call. The same name with the same body is answered as the first time, for seven days.",
)
STRICT = OpenApiParameter(
    "strict", bool, description="Refuse an event with a click id we do not know, instead of a warning."
)


class UnknownClick(Refused):
    """The caller wants to be told, and nothing recorded, when a click id is not known."""

    message = _("We know no click with the id “%(click)s”.")
    field = "click_id"


def refusals(*codes: int) -> dict[Any, Any]:
    """Return the refusals a call may answer, for the description; every call may answer 401, 403 and 429."""
    return {
        (code, PROBLEM_TYPE): OpenApiResponse(ProblemShape, description=_SAID[code])
        for code in sorted({401, 403, 429, *codes})
    }


def key_of(request: Request) -> ApiKey:
    """Return the key that calls; `HasScope` lets nobody else in."""
    return cast(ApiKey, request.auth)


def switch(request: Request, name: str, told: Any = None) -> bool:
    """Say whether a call wants something, in the address or in its body.

    Raises: ValidationError.
    """
    asked = request.query_params.get(name)
    if asked is not None:
        told = _SWITCHES.get(asked)
    elif told is None:
        told = False
    if type(told) is not bool:
        raise serializers.ValidationError({name: [detail(_("Write true or false."), "not_a_switch")]})
    return told


def check_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse what the address asks for and the call does not know.

    Raises: ValidationError.
    """
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        fault = [detail(_("There is no such parameter."), "unknown_parameter")]
        raise serializers.ValidationError({reading.shown(name): fault for name in unknown})


def unknown_clicks(named: Iterable[str]) -> frozenset[str]:
    """Return the click ids among `named` that no click has."""
    ids = {click_id for click_id in named if click_id}
    if not ids:
        return frozenset()
    known = Click.objects.filter(click_id__in=ids).values_list("click_id", flat=True)
    return frozenset(ids.difference(known))


def refuse_unknown_click(event: Event, unknown: Collection[str]) -> None:
    """Refuse an event whose click nobody knows.

    Raises: UnknownClick.
    """
    if event.click_id in unknown:
        raise UnknownClick(params={"click": reading.shown(event.click_id)})


def readable(key: ApiKey) -> QuerySet[Conversion]:
    """Return the conversions a key may read, with what their answer shows."""
    standing = Credit.objects.standing().select_related("membership__program").order_by("pk")
    lines = ConversionLine.objects.order_by("position")
    return (
        Conversion.objects.visible_to_key(key)
        .select_related("customer")
        .prefetch_related(
            Prefetch("credits", standing, to_attr="standing_credits"),
            Prefetch("lines", lines, to_attr="lines_in_order"),
        )
    )


def told_back(*rows: Conversion) -> Any:
    """Return how conversions are answered."""
    context = {"unknown_clicks": unknown_clicks([row.click_id for row in rows])}
    shown: Any = rows
    return ConversionShape(shown, many=True, context=context).data
