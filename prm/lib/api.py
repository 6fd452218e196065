"""Speak to machines: one shape for every refusal (RFC 9457 problem+json) and one bounded parser. No input of a client ends in a
server error because of its depth, its size or a byte the database cannot store.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError
from django.http import Http404, JsonResponse
from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from prm.lib.errors import Refused

log = logging.getLogger(__name__)
MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
CONTENT_TYPE = "application/problem+json"


class BoundedJSONParser(BaseParser):
    """Parse JSON of bounded size and depth, refusing NaN, doubled keys, NUL and lone surrogates."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body.

        Raises: ParseError.
        """
        try:
            raw = stream.read(MAX_BYTES + 1)
        except RequestDataTooBig:
            raise exceptions.ParseError(
                f"The body is larger than {MAX_BYTES} bytes.", code="too_large"
            ) from None
        if len(raw) > MAX_BYTES:
            raise exceptions.ParseError(f"The body is larger than {MAX_BYTES} bytes.", code="too_large")
        try:
            value = json.loads(
                raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_doubles
            )
            _look_through(value, MAX_DEPTH)
        except RecursionError:
            raise exceptions.ParseError("The body is nested too deeply.", code="too_deep") from None
        except UnicodeError:
            raise exceptions.ParseError("The body is not valid UTF-8.", code="not_utf8") from None
        except ValueError as error:
            raise exceptions.ParseError(f"The body is not valid JSON: {error}") from None
        return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names the same key twice")
    return found


def _look_through(value: Any, depth: int) -> None:
    if depth == 0 and isinstance(value, dict | list):
        raise RecursionError
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text contains a NUL character")
        value.encode("utf-8")
    elif isinstance(value, dict):
        for key, item in value.items():
            _look_through(key, 0)
            _look_through(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _look_through(item, depth - 1)


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn an exception into a problem+json answer, or return nothing when it is a fault of ours."""
    answer = _answer(error)
    if answer is None:
        return None
    # Here, because rest_framework.views imports this module while it is being imported itself.
    from rest_framework.views import set_rollback

    set_rollback()
    body, code, headers = answer
    response = Response({"type": "about:blank", "status": code, **body}, status=code, headers=headers)
    response.content_type = CONTENT_TYPE
    return response


Answer = tuple[dict[str, Any], int, dict[str, str]]


def _answer(error: Exception) -> Answer | None:
    if isinstance(error, Refused):
        return _refused(error)
    if isinstance(error, exceptions.APIException):
        return _api_exception(error)
    if isinstance(error, ModelValidationError):
        fields = error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
        return _invalid(fields)
    return _other(error)


def _refused(error: Refused) -> Answer:
    # 422 names a field the caller may correct; 409 says that the thing itself no longer allows it.
    code = status.HTTP_422_UNPROCESSABLE_ENTITY if error.field else status.HTTP_409_CONFLICT
    body: dict[str, Any] = {"title": "Refused", "code": error.code, "detail": str(error)}
    if error.field:
        body["errors"] = {error.field: [str(error)]}
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
    errors = fields if isinstance(fields, dict) else {"non_field_errors": fields}
    return (
        {"title": "Invalid input", "code": "invalid", "detail": "See errors.", "errors": errors},
        status.HTTP_400_BAD_REQUEST,
        {},
    )


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
