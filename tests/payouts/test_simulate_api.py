from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from payouts.models import Commission
from tests.factories.prm import ApiKeyFactory
from tests.factories.tiers import PlanVersionFactory, ProgramFactory, RuleFactory, TierFactory, published_plan
from tests.people import ada
from tiers.models import Program

pytestmark = pytest.mark.django_db
URL = "/api/v1/simulate"


@pytest.fixture
def program() -> Program:
    program = ProgramFactory.create(slug="affiliates")
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    published_plan(program, {"rate": "5", "name": "Every order"}, by=ada())
    return program


def send(body: Any, *scopes: str) -> Any:
    key = ApiKeyFactory.create(scopes=list(scopes or ("plans:try",)))
    client = Client(headers={"authorization": f"Bearer prm_live_{key.prefix}_{ApiKeyFactory.SECRET}"})
    return client.post(URL, json.dumps(body), content_type="application/json")


def asked(**order: Any) -> dict[str, Any]:
    return {"program": "affiliates", "order": {"kind": "sale", "amount": "418.00", **order}}


def test_an_order_is_tried_and_explained_and_nothing_is_booked(program: Program) -> None:
    answer = send(asked())
    assert answer.status_code == 200
    body = answer.json()
    assert (body["amount"], body["amount_minor"], body["currency"]) == ("20.90", 20_90, "GBP")
    assert (body["outcome"], body["version"], body["not_applied"]) == ("lines", 1, [])
    assert body["because"]["lines"][0]["parts"][0]["amount_minor"] == 20_90
    [line] = body["lines"]
    assert sum(row["amount_minor"] for row in line["rows"] if row["counts"]) == line["amount_minor"] == 20_90
    assert body["text"].splitlines()[-1] == "Commission: £20.90"
    assert not Commission.objects.exists()


def test_a_draft_is_tried_by_its_id(program: Program) -> None:
    version = PlanVersionFactory.create(plan=program.plan, number=2)
    RuleFactory.create(version=version, rate=Decimal(10))
    body = send({**asked(), "version": version.public_id}).json()
    assert (body["amount_minor"], body["version"]) == (41_80, 2)


def test_a_key_without_the_scope_is_refused(program: Program) -> None:
    answer = send(asked(), "commissions:read", "conversions:write")
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert Client().post(URL, "{}", content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"order": {"amount": "1"}}, 400, "program"),
        ({"program": "affiliates"}, 400, "order"),
        ({"program": "affiliates", "order": "sale"}, 400, "order"),
        ({"program": "affiliates", "order": {"amount": 12.5}}, 400, "order"),
        ({"program": "affiliates", "order": {"deductions": {"tax": 1.5}}}, 400, "order"),
        ({"program": "affiliates", "order": {"amount": "1.005"}}, 422, "amount"),
        ({"program": "affiliates", "order": {"amount": "1", "colour": "red"}}, 422, "colour"),
        ({"program": "affiliates", "order": {"amount": "1", "tier": "gold"}}, 422, "tier"),
        ({"program": "affiliates", "order": {"amount": "1", "partner": "mem_none"}}, 422, "partner"),
        ({"program": "affiliates", "order": {"amount": "1", "currency": "EUR"}}, 422, "currency"),
    ],
)
def test_bad_input_is_refused_with_the_field_named(
    program: Program, body: dict[str, Any], status: int, field: str
) -> None:
    answer = send(body)
    assert answer.status_code == status, answer.content
    assert field in answer.json()["errors"]


@pytest.mark.parametrize("body", [{"program": "nowhere"}, {"program": "affiliates", "version": "plv_x"}])
def test_what_does_not_exist_answers_404(program: Program, body: dict[str, str]) -> None:
    assert send({"order": {"amount": "1"}, **body}).status_code == 404
