"""Speak to machines: one shape for every refusal (RFC 9457 problem+json), whose faults each carry a code, a sentence and a field. No input
of a client ends in a server error because of its depth, its size or a byte the database cannot store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError
from django.http import Http404, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from prm.lib.api_body import MAX_BYTES as MAX_BYTES
from prm.lib.api_body import BoundedJSONParser as BoundedJSONParser
from prm.lib.errors import Refused

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
WHOLE = "non_field_errors"  # the field of a fault that is about the body as a whole

Answer = tuple[dict[str, Any], int, dict[str, str]]
Fault = dict[str, str]


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn an exception into a problem+json answer, or return nothing when it is a fault of ours."""
    answer = _answer(error)
    if answer is None:
        return None
    # Here, because rest_framework.views imports this module while it is being imported itself.
    from rest_framework.views import set_rollback

    set_rollback()
    body, code, headers = answer
    return problem_answer(body, code, headers)


def problem_answer(body: dict[str, Any], code: int, headers: dict[str, str] | None = None) -> Response:
    """Return a problem for a view of the REST framework."""
    response = Response({"type": "about:blank", "status": code, **body}, status=code, headers=headers)
    response.content_type = CONTENT_TYPE
    return response


def faults_of(detail: Any, path: str = "") -> Iterator[Fault]:
    """Yield what is wrong, one fault after the other, from the nested texts of the REST framework: field, code and sentence of each.

    A fault inside a list is named by its place, as in `lines[2].amount`.
    """
    if isinstance(detail, Mapping):
        for name, each in detail.items():
            yield from faults_of(each, _inside(path, name))
    elif isinstance(detail, list | tuple):
        for index, each in enumerate(detail):
            is_deeper = isinstance(each, Mapping | list | tuple)
            yield from faults_of(each, f"{path}[{index}]" if is_deeper else path)
    elif detail is not None:
        code = str(getattr(detail, "code", "invalid"))
        yield {"field": path or WHOLE, "code": code, "message": str(detail)}


def _inside(path: str, name: Any) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    if not path:
        return str(name)
    return path if name == WHOLE else f"{path}.{name}"


def refusal_faults(error: Refused, *, otherwise: str = WHOLE) -> list[Fault]:
    """Return a refusal in the shape of a fault."""
    return [{"field": error.field or otherwise, "code": error.code, "message": str(error)}]


def _answer(error: Exception) -> Answer | None:
    if isinstance(error, Refused):
        return _refused(error)
    if isinstance(error, exceptions.APIException):
        return _api_exception(error)
    if isinstance(error, ModelValidationError):
        fields = error.message_dict if hasattr(error, "error_dict") else {WHOLE: error.messages}
        return _invalid(fields)
    return _other(error)


def _refused(error: Refused) -> Answer:
    # 422 names a field the caller may correct; 409 says that the thing itself no longer allows it.
    code = status.HTTP_422_UNPROCESSABLE_ENTITY if error.field else status.HTTP_409_CONFLICT
    body: dict[str, Any] = {"title": "Refused", "code": error.code, "detail": str(error)}
    if error.field:
        body["errors"] = {error.field: [str(error)]}
        body["faults"] = refusal_faults(error)
    return body, code, {}


def _api_exception(error: exceptions.APIException) -> Answer:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    if isinstance(error, exceptions.ValidationError):
        body, code, _headers = _invalid(error.detail)
        return body, code, headers
    return (
        {"title": str(error.default_detail), "code": str(error.get_codes()), "detail": str(error.detail)},
        error.status_code,
        headers,
    )


def _invalid(fields: Any) -> Answer:
    errors = fields if isinstance(fields, dict) else {WHOLE: fields}
    body = {"title": "Invalid input", "code": "invalid", "detail": "See faults.", "errors": errors}
    return {**body, "faults": list(faults_of(errors))}, status.HTTP_400_BAD_REQUEST, {}


def _other(error: Exception) -> Answer | None:
    known: list[tuple[type[Exception], int, str, str]] = [
        (Http404, 404, "not_found", "There is no such thing, or it is not yours to see."),
        (PermissionDenied, 403, "forbidden", "You may not do this."),
        (RecursionError, 400, "too_deep", "The body is nested too deeply."),
        (ProtectedError, 409, "protected", "Other records depend on this one."),
        (DataError, 400, "invalid", "A value cannot be stored."),
        (IntegrityError, 409, "conflict", "This contradicts what is already stored."),
    ]
    for kind, code, name, detail in known:
        if isinstance(error, kind):
            if kind in (DataError, IntegrityError):
                log.warning("the database refused an API request: %s", error)
            return {"title": detail, "code": name, "detail": detail}, code, {}
    return None


def problem_response(*, code: str, detail: str, status_code: int) -> JsonResponse:
    """Return a problem for a view outside the REST framework."""
    body = {"type": "about:blank", "status": status_code, "title": detail, "code": code, "detail": detail}
    return JsonResponse(body, status=status_code, content_type=CONTENT_TYPE)
