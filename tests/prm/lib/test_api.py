"""How machines are answered: one shape for refusals, and no body that could break the server."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError
from django.http import Http404
from rest_framework import exceptions

from prm.lib.api import MAX_BYTES, BoundedJSONParser, problem
from prm.lib.errors import Refused


class Closed(Refused):
    message = "The month is closed."


class TooSmall(Refused):
    message = "The amount is too small."
    field = "amount"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Closed(), 409, "closed"),
        (TooSmall(), 422, "too_small"),
        (ModelValidationError({"amount": ["no"]}), 400, "invalid"),
        (ModelValidationError("no"), 400, "invalid"),
        (exceptions.ValidationError({"amount": ["no"]}), 400, "invalid"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (RecursionError(), 400, "too_deep"),
        (DataError(), 400, "invalid"),
        (IntegrityError("secret_table_name"), 409, "conflict"),
    ],
)
def test_every_refusal_has_one_shape(error: Exception, status: int, code: str) -> None:
    answer = problem(error, {})
    assert answer is not None
    assert answer.status_code == answer.data["status"] == status
    assert answer.data["code"] == code
    assert answer.content_type == "application/problem+json"
    assert set(answer.data) >= {"type", "title", "status", "code", "detail"}
    assert "secret_table_name" not in str(answer.data)


def test_a_refusal_about_a_field_names_it() -> None:
    answer = problem(TooSmall(), {})
    assert answer is not None
    assert answer.data["errors"] == {"amount": ["The amount is too small."]}


def test_a_fault_of_ours_stays_a_fault() -> None:
    assert problem(ZeroDivisionError(), {}) is None


def parse(body: bytes) -> Any:
    return BoundedJSONParser().parse(io.BytesIO(body))


def test_a_plain_body_is_parsed() -> None:
    body = {"amount": "12.50", "items": [1, {"a": None}], "name": "Zażółć 🎈"}
    assert parse(json.dumps(body).encode()) == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": ["\\ud800"]}',
        b"\xff\xfe",
        b"[" * 21 + b"]" * 21,
        b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 50_000,
        b'"' + b"x" * MAX_BYTES + b'"',
        b"1" * 5000,
    ],
    ids=[
        "empty",
        "torn",
        "twice",
        "nan",
        "infinity",
        "nul",
        "nul key",
        "surrogate",
        "latin",
        "deep",
        "deeper",
        "torn deep",
        "big",
        "digits",
    ],
)
def test_a_hostile_body_is_refused_and_nothing_breaks(body: bytes) -> None:
    with pytest.raises(exceptions.ParseError):
        parse(body)
