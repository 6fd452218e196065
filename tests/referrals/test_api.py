"""The conversions API as a shop's server meets it: statuses, bodies, and every kind of bad input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from referrals.models import Conversion, Credit
from tests.factories.prm import ApiKeyFactory
from tests.factories.referrals import CodeFactory, ConversionFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/conversions"
EVENT = {
    "event_id": "A1",
    "kind": "sale",
    "occurred_at": "2026-11-01T10:00:00+01:00",
    "amount": "12.50",
    "currency": "GBP",
}


class Shop:
    """A server with a key."""

    def __init__(self, *scopes: str) -> None:
        key = ApiKeyFactory.create(scopes=list(scopes))
        self.client = Client(
            headers={"authorization": f"Bearer prm_live_{key.prefix}_{ApiKeyFactory.SECRET}"}
        )

    def send(self, body: Any, url: str = URL) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post(url, raw, content_type="application/json")


@pytest.fixture
def shop() -> Shop:
    return Shop("conversions:write", "conversions:read")


def test_the_first_telling_answers_201_with_the_conversion(shop: Shop) -> None:
    code = CodeFactory.create(code="ANA-1")
    response = shop.send(EVENT | {"code": "ana-1", "customer_id": "C1", "country": "France"})
    row = Conversion.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"].endswith(f"{URL}/{row.public_id}")
    body = response.json()
    assert body.pop("recorded_at")
    assert body == {
        "id": row.public_id,
        "source": "api",
        "event_id": "A1",
        "kind": "sale",
        "state": "recorded",
        "occurred_at": "2026-11-01T09:00:00Z",
        "amount": "12.50",
        "amount_minor": 1250,
        "currency": "GBP",
        "customer_id": "C1",
        "country": "France",
        "code": "ANA-1",
        "click_id": "",
        "original_event_id": "",
        "product": "",
        "category": "",
        "quantity": 1,
        "tax_minor": 0,
        "shipping_minor": 0,
        "discount_minor": 0,
        "cost_minor": 0,
        "sub_id": "",
        "deal": "",
        "attributes": {},
        "campaign": "",
        "lead": "",
        "channel": "api",
        "lines": [],
        "warnings": [],
        "waits_for_original": False,
        "credits": [
            {
                "membership": code.membership.public_id,
                "program": code.membership.program.slug,
                "role": "sourced",
                "reason": "code",
                "share": "1.000000",
            }
        ],
    }


def test_a_repeat_answers_200_with_the_same_body(shop: Shop) -> None:
    first = shop.send(EVENT)
    again = shop.send(EVENT)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Conversion.objects.count() == 1


def test_minor_units_and_decimal_text_tell_the_same(shop: Shop) -> None:
    shop.send(EVENT)
    minor = {key: value for key, value in EVENT.items() if key != "amount"} | {"amount_minor": 1250}
    assert shop.send(minor).status_code == 200


def test_another_body_under_the_same_id_answers_409_and_changes_nothing(shop: Shop) -> None:
    shop.send(EVENT)
    response = shop.send(EVENT | {"amount": "99.00"})
    assert response.status_code == 409
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "other_body"
    assert "amount" in response.json()["detail"]
    assert Conversion.objects.get().amount_minor == 1250


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"code": "NOBODY"}, "code", "unknown_code"),
        ({"code": "EURO"}, "currency", "other_currency"),
        ({"kind": "refund", "amount": "50.01", "original_event_id": "S1"}, "amount", "more_than_sold"),
        ({"kind": "refund", "original_event_id": "R1"}, "original_event_id", "not_a_sale"),
    ],
)
def test_what_the_business_refuses_answers_422_and_names_the_field(
    shop: Shop, change: dict[str, str], field: str, code: str
) -> None:
    from tests.factories.referrals import new_membership

    CodeFactory.create(code="EURO", membership=new_membership(currency="EUR"))
    shop.send(EVENT | {"event_id": "S1", "amount": "50.00"})
    shop.send(EVENT | {"event_id": "R1", "kind": "refund"})
    response = shop.send(EVENT | change)
    assert response.status_code == 422
    assert response.json()["code"] == code
    assert list(response.json()["errors"]) == [field]
    assert not Conversion.objects.filter(external_id="A1").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 12.5}, "amount"),
        ({"amount": 12}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "\u0661\u0662"}, "amount"),
        ({"amount": "12.505"}, "amount"),
        ({"amount": "-1.00"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "9" * 30}, "amount"),
        ({"amount_minor": 5}, "amount"),
        ({"amount": "1.00", "currency": "XXX"}, "currency"),
        ({"currency": "gbp"}, "currency"),
        ({"currency": ["GBP"]}, "currency"),
        ({"occurred_at": "2026-11-01T10:00:00"}, "occurred_at"),
        ({"occurred_at": "2026-13-01T10:00:00Z"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at"),
        ({"occurred_at": 1762000000}, "occurred_at"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 101}, "event_id"),
        ({"event_id": 7}, "event_id"),
        ({"event_id": "a\u0007b"}, "event_id"),
        ({"kind": "sales"}, "kind"),
        ({"kind": {}}, "kind"),
        ({"original_event_id": "S1"}, "original_event_id"),
        ({"orignal_event_id": "S1"}, "orignal_event_id"),
        ({"click_id": "x" * 27}, "click_id"),
        ({"code": "X" * 41}, "code"),
        ({"source": ""}, "source"),
    ],
)
def test_input_that_cannot_be_read_answers_400_and_names_the_field(
    shop: Shop, change: dict[str, Any], field: str
) -> None:
    response = shop.send(EVENT | change)
    assert response.status_code == 400, response.content
    assert field in response.json()["errors"]
    assert Conversion.objects.count() == 0


@pytest.mark.parametrize("minor", [12.0, "12", True, -1, 2**63, None])
def test_minor_units_are_a_whole_json_number(shop: Shop, minor: Any) -> None:
    body = {key: value for key, value in EVENT.items() if key != "amount"} | {"amount_minor": minor}
    response = shop.send(body)
    assert response.status_code == 400
    assert "amount_minor" in response.json()["errors"]


@pytest.mark.parametrize("missing", ["event_id", "kind", "occurred_at", "amount", "currency"])
def test_what_is_missing_is_named(shop: Shop, missing: str) -> None:
    response = shop.send({key: value for key, value in EVENT.items() if key != missing})
    assert response.status_code == 400
    assert missing in response.json()["errors"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"event_id": "A1", "event_id": "A2"}',
        b'{"event_id": "\\u0000"}',
        b'{"event_id": "\\ud800"}',
        b'{"amount": NaN}',
        b"\xff\xfe",
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
    ],
)
def test_a_body_that_is_no_event_answers_400(shop: Shop, raw: bytes) -> None:
    response = shop.send(raw)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


def test_without_a_key_the_answer_is_401() -> None:
    response = Client().post(URL, json.dumps(EVENT), content_type="application/json")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = Client(headers={"authorization": "Bearer prm_live_wrong"})
    assert wrong.post(URL, json.dumps(EVENT), content_type="application/json").status_code == 401
    assert Conversion.objects.count() == 0


def test_a_key_without_the_scope_is_turned_away_with_403() -> None:
    reader = Shop("conversions:read")
    assert reader.send(EVENT).status_code == 403
    assert reader.send({"events": [EVENT]}, f"{URL}/batch").status_code == 403
    writer = Shop("conversions:write")
    row = ConversionFactory.create()
    assert writer.client.get(f"{URL}/{row.public_id}").status_code == 403
    assert Conversion.objects.count() == 1


def test_a_conversion_can_be_read_by_its_id(shop: Shop) -> None:
    told = shop.send(EVENT).json()
    response = shop.client.get(f"{URL}/{told['id']}")
    assert (response.status_code, response.json()) == (200, told)
    assert shop.client.get(f"{URL}/cnv_nothing").status_code == 404
    assert shop.client.delete(f"{URL}/{told['id']}").status_code == 405


def test_a_batch_answers_for_each_event_in_its_order(shop: Shop) -> None:
    CodeFactory.create(code="ANA-1")
    shop.send(EVENT)
    response = shop.send(
        {
            "events": [
                EVENT,
                EVENT | {"event_id": "A2", "code": "ANA-1"},
                EVENT | {"event_id": "A3", "amount": 1.5},
                EVENT | {"event_id": "A4", "code": "NOBODY"},
                EVENT | {"amount": "1.00"},
                "nonsense",
            ]
        },
        f"{URL}/batch",
    )
    assert response.status_code == 200
    body = response.json()
    assert (body["created"], body["replayed"], body["failed"]) == (1, 1, 4)
    assert [result["status"] for result in body["results"]] == [
        "replayed",
        "created",
        "invalid",
        "refused",
        "conflict",
        "invalid",
    ]
    assert [list(result["errors"]) for result in body["results"]] == [
        [],
        [],
        ["amount"],
        ["code"],
        ["event_id"],
        ["non_field_errors"],
    ]
    assert body["results"][0]["id"] == Conversion.objects.get(external_id="A1").public_id
    assert (Conversion.objects.count(), Credit.objects.count()) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"events": []}, {"events": {}}, {"events": [EVENT], "more": 1}, {"events": [{}] * 1001}, None],
)
def test_a_batch_that_is_none_answers_400(shop: Shop, body: Any) -> None:
    response = shop.send(body, f"{URL}/batch")
    assert response.status_code == 400
    assert "events" in response.json()["errors"]


def test_1000_events_are_taken_at_once(shop: Shop) -> None:
    events = [EVENT | {"event_id": f"E{number}", "product": "P" * 60} for number in range(1000)]
    response = shop.send({"events": events}, f"{URL}/batch")
    assert response.json()["created"] == 1000


def test_the_description_of_the_api_is_valid_and_for_everybody() -> None:
    from drf_spectacular.validation import validate_schema

    response = Client().get("/api/schema/?format=json")
    assert response.status_code == 200
    schema = json.loads(response.content)
    validate_schema(schema)
    assert set(schema["paths"]) >= {URL, f"{URL}/batch", f"{URL}/{{public_id}}"}
    assert schema["components"]["securitySchemes"]["apiKey"] == {"type": "http", "scheme": "bearer"}


def test_the_page_of_the_description_has_no_inline_script_or_style() -> None:
    response = Client().get("/api/docs/")
    html = response.content.decode()
    assert response.status_code == 200
    assert "https://" not in html.replace("https://testserver", "")
    assert "<style" not in html and " style=" not in html
    assert all("src=" in piece.split(">", 1)[0] for piece in html.split("<script")[1:])


FURTHER = {
    "product": "85123A",
    "category": "candles",
    "quantity": 6,
    "tax": "2.00",
    "shipping_minor": 150,
    "discount": "0.50",
    "cost": "20",
    "sub_id": "spring-mail",
    "deal": "D-7",
    "attributes": {"channel": "phone", "first order": True, "employees": 120},
}


def test_what_rules_ask_about_is_taken_in_and_answered(shop: Shop) -> None:
    body = shop.send(EVENT | FURTHER).json()
    told = {name: value for name, value in FURTHER.items() if name not in ("tax", "discount", "cost")}
    minor = {"tax_minor": 200, "shipping_minor": 150, "discount_minor": 50, "cost_minor": 20_00}
    assert {name: body[name] for name in (*told, *minor)} == told | minor
    assert shop.send(EVENT | FURTHER).status_code == 200


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"attributes": {"channel": "phone", "first order": 1, "employees": 120}}, "attributes"),
        ({"tax": "2.01"}, "tax"),
        ({"quantity": 7}, "quantity"),
        ({"deal": ""}, "deal"),
    ],
)
def test_other_facts_are_another_body(shop: Shop, change: dict[str, Any], named: str) -> None:
    shop.send(EVENT | FURTHER)
    response = shop.send(EVENT | FURTHER | change)
    assert response.status_code == 409
    assert response.json()["detail"].endswith(f"another {named}.")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tax": "2.005"}, "tax"),
        ({"tax": "-1.00"}, "tax"),
        ({"tax": 2}, "tax"),
        ({"tax": ""}, "tax"),
        ({"tax": "1", "tax_minor": 100}, "tax"),
        ({"shipping": "lots"}, "shipping"),
        ({"shipping_minor": -1}, "shipping_minor"),
        ({"discount_minor": 1.5}, "discount_minor"),
        ({"cost": "9" * 30}, "cost"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": "3"}, "quantity"),
        ({"quantity": 1.0}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": 2**31}, "quantity"),
        ({"product": "P" * 61}, "product"),
        ({"category": "C" * 61}, "category"),
        ({"sub_id": "a\u0007b"}, "sub_id"),
        ({"deal": 7}, "deal"),
        ({"attributes": []}, "attributes"),
        ({"attributes": None}, "attributes"),
        ({"attributes": {"a": 1.5}}, "attributes"),
        ({"attributes": {"a": None}}, "attributes"),
        ({"attributes": {"a": ["b"]}}, "attributes"),
        ({"attributes": {"a": "x" * 201}}, "attributes"),
        ({"attributes": {"a": 10**18}}, "attributes"),
        ({"attributes": {"": "x"}}, "attributes"),
        ({"attributes": {"a:b": "x"}}, "attributes"),
        ({"attributes": {"n" * 41: "x"}}, "attributes"),
        ({"attributes": {f"a{n}": n for n in range(21)}}, "attributes"),
        ({"kind": "chargeback_won"}, "original_event_id"),
        ({"original_event_id": "S1"}, "original_event_id"),
    ],
)
def test_bad_further_facts_are_refused_by_name(shop: Shop, change: dict[str, Any], field: str) -> None:
    response = shop.send(EVENT | change)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]
    assert not Conversion.objects.exists()


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"tax": "12.51"}, "tax"),
        ({"tax": "10.00", "shipping": "2.51"}, "shipping"),
        ({"tax": "10.00", "shipping": "2.00", "discount_minor": 51}, "discount"),
    ],
)
def test_deductions_above_the_amount_are_refused_by_the_one_that_is_too_much(
    shop: Shop, parts: dict[str, Any], field: str
) -> None:
    response = shop.send(EVENT | parts)
    assert response.status_code == 422
    assert response.json()["code"] == "deductions_above_amount"
    assert list(response.json()["errors"]) == [field]
    assert not Conversion.objects.exists()


def test_the_whole_amount_may_be_deductions_and_goods_may_cost_more(shop: Shop) -> None:
    assert shop.send(EVENT | {"tax": "2.50", "discount": "10.00", "cost": "99.00"}).status_code == 201


def test_a_chargeback_is_won_back_through_the_api(shop: Shop) -> None:
    shop.send(EVENT)
    charged = EVENT | {"event_id": "B1", "kind": "chargeback", "original_event_id": "A1"}
    won = EVENT | {"event_id": "W1", "kind": "chargeback_won", "original_event_id": "B1", "amount": "2.50"}
    assert shop.send(charged).status_code == 201
    assert shop.send(won).json()["waits_for_original"] is False
    assert Conversion.objects.get(external_id="A1").state == "partially_refunded"
    too_much = shop.send(won | {"event_id": "W2", "amount": "10.01"})
    assert (too_much.status_code, too_much.json()["code"]) == (422, "more_than_charged_back")
