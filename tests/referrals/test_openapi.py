"""The API as it describes itself, tried with what its description allows and with what it forbids: whatever is sent, no answer is a fault of
ours, and every answer is one that the description promises.

`PRM_API_EXAMPLES` sets how many bodies each call is tried with in each of the two ways.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from payouts.models import Commission
from prm.accounts.choices import Scope
from prm.accounts.models import ApiKey
from referrals.models import Conversion
from tests.factories.prm import ApiKeyFactory
from tests.house import START, open_house

EXAMPLES = int(os.environ.get("PRM_API_EXAMPLES", "12"))
CHECKS = [
    negative_data_rejection,
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLS = [
    "record_conversion",
    "record_conversions",
    "find_conversion",
    "read_conversion",
    "tell_touch",
    "read_commission",
    "simulate",
]
# Texts that make a made-up event one that can be taken.
REAL = {
    "code": "ANA-1",
    "currency": "GBP",
    "occurred_at": "2026-03-01T12:00:00Z",
    "kind": "sale",
    "amount": "10.00",
}


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the test's own connection, in whose transaction the rows are, open between calls, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def known_host(settings: Settings) -> None:
    """Let in who calls the way the tool does."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "localhost"]


@cache
def described() -> Any:
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())


@pytest.fixture
def key(db: None) -> ApiKey:
    """A key that may do everything, in a house where something has happened."""
    house = open_house()
    house.member("ANA-1")
    house.sale("S1", "100.00", "ANA-1", START)
    house.rate(START)
    key: ApiKey = ApiKeyFactory.create(scopes=list(Scope.values), calls_per_minute=1_000_000)
    return key


def test_every_call_is_tried(db: None) -> None:
    found = [each.ok().definition.raw["operationId"] for each in described().get_all_operations()]
    assert sorted(found) == sorted(CALLS)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=["allowed", "forbidden"])
@pytest.mark.parametrize("call", CALLS)
def test_whatever_is_sent_the_answer_is_one_of_those_described(
    key: ApiKey, call: str, mode: GenerationMode
) -> None:
    operation = described().find_operation_by_id(call)
    real = {
        "read_conversion": Conversion.objects.get().public_id,
        "read_commission": Commission.objects.get().public_id,
    }
    headers = {"Authorization": f"Bearer {ApiKeyFactory.text_of(key)}"}

    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize="PRM_API_EXAMPLES" not in os.environ,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode), is_real=st.booleans())
    def tried(case: Case, is_real: bool) -> None:
        if is_real and mode == GenerationMode.POSITIVE:
            _make_real(case, real.get(call, ""))
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code < 500

    tried()


def _make_real(case: Case, public_id: str) -> None:
    """Put what is in the books into a made-up call, so that more than its refusal is tried."""
    if public_id:
        case.path_parameters = {"public_id": public_id}
    body = case.body
    for event in body.get("events", [body]) if isinstance(body, dict) else []:
        if isinstance(event, dict) and "event_id" in event:
            event.pop("amount_minor", None)
            event.update(REAL)
            for name in (
                "lines",
                "tax",
                "shipping",
                "discount",
                "original_event_id",
                "customer_email_sha256",
            ):
                event.pop(name, None)


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Bearer prm_live_k000000000_" + "x" * 43])
def test_nobody_comes_in_without_a_key(key: ApiKey, header: str | None) -> None:
    client = Client(headers={"authorization": header} if header else {})
    for path, calls in described().raw_schema["paths"].items():
        for method, call in calls.items():
            url = path.replace("{public_id}", "x")
            answer = client.generic(method.upper(), url, json.dumps({}), content_type="application/json")
            assert (call["operationId"], answer.status_code) == (call["operationId"], 401)
            assert "application/problem+json" in call["responses"]["401"]["content"]
