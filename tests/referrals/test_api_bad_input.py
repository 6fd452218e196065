"""Every kind of bad input has a code, a sentence and a field of its own, is answered 4xx, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from referrals.models import Conversion, ConversionLine, Credit, Customer
from tests.factories.prm import ApiKeyFactory
from tests.factories.referrals import CodeFactory, ConversionFactory, new_membership

pytestmark = pytest.mark.django_db
URL = "/api/v1/conversions"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "event_id": "A1",
    "kind": "sale",
    "occurred_at": "2026-11-22T11:00:00Z",
    "amount": "12.50",
    "currency": "GBP",
}
LINE = {"product": "P1", "amount": "1.00"}
REFUND = {"kind": "refund", "source": "shop", "original_event_id": "S1"}


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def shop() -> Client:
    key = ApiKeyFactory.create(scopes=["conversions:write"], created_at=NOW)
    return Client(headers={"authorization": f"Bearer {ApiKeyFactory.text_of(key)}"})


def without(*names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in EVENT.items() if name not in names} | more


def send(shop: Client, raw: bytes, content_type: str = "application/json", url: str = URL) -> Any:
    return shop.post(url, raw, content_type=content_type)


BODIES = [
    (b"{", 400, "malformed_json"),
    (b"[1, 2", 400, "malformed_json"),
    (b"\xef\xbb\xbf{}", 400, "malformed_json"),
    (b"\xff\xfe{\x00}\x00", 400, "not_utf8"),
    ('{"event_id": "é"}'.encode("latin-1"), 400, "not_utf8"),
    (b'{"amount": NaN}', 400, "not_a_number"),
    (b'{"amount": -Infinity}', 400, "not_a_number"),
    (b'{"amount_minor": 1e999}', 400, "number_too_large"),
    (b'{"amount_minor": ' + b"9" * 5000 + b"}", 400, "number_too_large"),
    (b'{"event_id": "A1", "event_id": "A2"}', 400, "duplicate_key"),
    (b'{"event_id": "a\\u0000b"}', 400, "bad_character"),
    (b'{"event_id": "\\ud800"}', 400, "bad_character"),
    (b'{"a":' * 30 + b"1" + b"}" * 30, 400, "too_deep"),
    (b"[" * 100_000, 400, "too_deep"),
    (b'{"event_id": "' + b"x" * 300_000 + b'"}', 413, "too_large"),
]


@pytest.mark.parametrize(
    ("raw", "status", "code"), BODIES, ids=[f"{each[2]}-{n}" for n, each in enumerate(BODIES)]
)
def test_a_body_that_cannot_be_read_says_why(shop: Client, raw: bytes, status: int, code: str) -> None:
    answer = send(shop, raw)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 15


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
def test_what_is_no_json_is_415(shop: Client, content_type: str) -> None:
    answer = send(shop, json.dumps(EVENT).encode(), content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert not Conversion.objects.exists()


# What is sent, the field that is named, and its code: one line for each way of being wrong.
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    (without("event_id"), "event_id", "required"),
    (EVENT | {"event_id": None}, "event_id", "null"),
    (EVENT | {"event_id": " "}, "event_id", "blank"),
    (EVENT | {"event_id": 7}, "event_id", "not_a_text"),
    (EVENT | {"event_id": "x" * 101}, "event_id", "max_length"),
    (EVENT | {"event_id": "a\u0007b"}, "event_id", "control_character"),
    (EVENT | {"evnt": "x"}, "evnt", "unknown_field"),
    (EVENT | {"kind": "sales"}, "kind", "invalid_choice"),
    (EVENT | {"kind": ["sale"]}, "kind", "invalid_choice"),
    (EVENT | {"amount": "-1.00"}, "amount", "negative"),
    (EVENT | {"amount": "NaN"}, "amount", "not_an_amount"),
    (EVENT | {"amount": "1e999"}, "amount", "not_an_amount"),
    (EVENT | {"amount": "1e3"}, "amount", "not_an_amount"),
    (EVENT | {"amount": "12,50"}, "amount", "not_an_amount"),
    (EVENT | {"amount": "12.505"}, "amount", "too_many_decimals"),
    (EVENT | {"amount": "9" * 30}, "amount", "too_large"),
    (EVENT | {"amount": 12.5}, "amount", "not_a_text"),
    (without("amount"), "amount", "one_amount"),
    (EVENT | {"amount_minor": 1250}, "amount", "one_amount"),
    (without("amount", amount_minor=-1), "amount_minor", "min_value"),
    (without("amount", amount_minor=1.5e3), "amount_minor", "not_a_whole_number"),
    (without("amount", amount_minor=2**63), "amount_minor", "max_value"),
    (EVENT | {"currency": "XXQ"}, "currency", "unknown_currency"),
    (EVENT | {"currency": "gbp"}, "currency", "unknown_currency"),
    (EVENT | {"occurred_at": "2026-11-22T12:10:01Z"}, "occurred_at", "in_the_future"),
    (EVENT | {"occurred_at": "1989-12-31T23:59:59Z"}, "occurred_at", "date_out_of_range"),
    (EVENT | {"occurred_at": "2026-11-22T11:00:00"}, "occurred_at", "naive_date"),
    (EVENT | {"occurred_at": "2026-02-30T11:00:00Z"}, "occurred_at", "not_a_date"),
    (EVENT | {"original_event_id": "S1"}, "original_event_id", "not_a_refund"),
    (EVENT | {"tax": "1.00", "tax_minor": 100}, "tax", "told_twice"),
    (EVENT | {"quantity": True}, "quantity", "not_a_whole_number"),
    (EVENT | {"attributes": {"a": 1.5}}, "attributes", "bad_attribute"),
    (EVENT | {"attributes": []}, "attributes", "not_an_object"),
    (EVENT | {"lines": {}}, "lines", "not_a_list"),
    (EVENT | {"lines": [LINE] * 201}, "lines", "too_many_lines"),
    (EVENT | {"lines": [LINE, {"amount": "11.51"}]}, "lines", "lines_above_amount"),
    (EVENT | {"lines": [LINE, {"amount": "1.00", "quantity": -1}]}, "lines[1].quantity", "min_value"),
    (EVENT | {"lines": [{"amount": "1.005"}]}, "lines[0].amount", "too_many_decimals"),
    (EVENT | {"lines": [{}]}, "lines[0].amount", "one_amount"),
    (EVENT | {"lines": [LINE | {"price": "1"}]}, "lines[0].price", "unknown_field"),
    (EVENT | {"lines": [LINE | {"quantity": 2**31 - 1}] * 2}, "lines", "too_large"),
    (EVENT | {"customer_email": "nobody"}, "customer_email", "not_an_email"),
    (EVENT | {"customer_email_sha256": "abc"}, "customer_email_sha256", "not_a_hash"),
    (EVENT | {"customer_ip": "300.1.1.1"}, "customer_ip", "not_an_address"),
    (EVENT | {"customer_vat_number": "V" * 31}, "customer_vat_number", "max_length"),
    (EVENT | {"payment_fingerprint": 4}, "payment_fingerprint", "not_a_text"),
]


@pytest.mark.parametrize(
    ("body", "field", "code"), FAULTS, ids=[f"{field}-{code}" for _b, field, code in FAULTS]
)
def test_a_value_that_cannot_be_read_has_a_field_a_code_and_a_sentence(
    shop: Client, body: dict[str, Any], field: str, code: str
) -> None:
    answer = send(shop, json.dumps(body).encode())
    assert answer.status_code == 400, answer.content
    [fault] = answer.json()["faults"]
    assert (fault["field"], fault["code"]) == (field, code)
    assert len(fault["message"]) > 10
    in_batch = send(shop, json.dumps({"events": [body]}).encode(), url=f"{URL}/batch").json()["results"][0]
    assert (in_batch["index"], in_batch["status"], in_batch["faults"]) == (0, "invalid", [fault])
    assert not (Conversion.objects.exists() or Customer.objects.exists() or ConversionLine.objects.exists())


# What the books refuse: it could be read, and cannot be so.
REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"code": "NOBODY"}, "", "code", "unknown_code"),
    ({"code": "EURO"}, "", "currency", "other_currency"),
    ({"click_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "?strict=true", "click_id", "unknown_click"),
    ({"tax": "12.51"}, "", "tax", "deductions_above_amount"),
    (REFUND | {"amount": "50.01"}, "", "amount", "more_than_sold"),
    (REFUND | {"currency": "EUR"}, "", "currency", "other_currency_than_sale"),
    (REFUND | {"kind": "refund", "original_event_id": "R1"}, "", "original_event_id", "not_a_sale"),
]


@pytest.mark.parametrize(("change", "query", "field", "code"), REFUSED, ids=[each[3] for each in REFUSED])
def test_what_the_books_refuse_is_422_with_field_code_and_sentence(
    shop: Client, change: dict[str, Any], query: str, field: str, code: str
) -> None:
    CodeFactory.create(code="EURO", membership=new_membership(currency="EUR"))
    ConversionFactory.create(source="shop", external_id="S1", amount_minor=50_00)
    ConversionFactory.create(source="shop", external_id="R1", kind="refund", amount_minor=1_00)
    before = (Conversion.objects.count(), Credit.objects.count(), Customer.objects.count())
    body = EVENT | {"customer_id": "C9"} | change
    answer = send(shop, json.dumps(body).encode(), url=URL + query)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.content
    [fault] = answer.json()["faults"]
    assert (fault["field"], fault["code"]) == (field, code)
    assert len(fault["message"]) > 10
    assert (Conversion.objects.count(), Credit.objects.count(), Customer.objects.count()) == before


def test_an_unknown_click_is_taken_with_a_warning(shop: Client) -> None:
    answer = send(shop, json.dumps(EVENT | {"click_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}).encode())
    assert answer.status_code == 201
    [warning] = answer.json()["warnings"]
    assert (warning["field"], warning["code"]) == ("click_id", "unknown_click")


def test_a_refund_of_a_strangers_order_waits_and_says_so(shop: Client) -> None:
    ConversionFactory.create(source="another shop", external_id="S1", amount_minor=50_00)
    answer = send(shop, json.dumps(EVENT | REFUND).encode())
    assert answer.status_code == 201
    assert answer.json()["waits_for_original"] is True
    assert [each["code"] for each in answer.json()["warnings"]] == ["waits_for_original"]
    assert Conversion.objects.get(external_id="S1").state == "recorded"


def test_ten_minutes_ahead_are_a_clock_that_runs_fast(shop: Client) -> None:
    assert send(shop, json.dumps(EVENT | {"occurred_at": "2026-11-22T12:10:00Z"}).encode()).status_code == 201


def test_what_tells_who_a_buyer_is_is_neither_answered_nor_stored(
    shop: Client, caplog: pytest.LogCaptureFixture
) -> None:
    private = {
        "customer_id": "C1",
        "customer_email": "Jo.Doe@Mail.Example",
        "customer_vat_number": "PL 7971047341",
        "payment_fingerprint": "card_5b1d9f",
        "customer_ip": "203.0.113.77",
    }
    answers = [
        send(shop, json.dumps(EVENT | private).encode()),
        send(
            shop, json.dumps(EVENT | private | {"event_id": "A2", "customer_email": "Jo.Doe@Mail"}).encode()
        ),
        send(shop, json.dumps(EVENT | private | {"event_id": "A3", "customer_ip": "203.0.113.777"}).encode()),
    ]
    assert [answer.status_code for answer in answers] == [201, 400, 400]
    stored = str([*Conversion.objects.values(), *Customer.objects.values()])
    said = stored + caplog.text + "".join(answer.content.decode() for answer in answers)
    for secret in ("doe@", "7971047341", "card_5b1d9f", "203.0.113"):
        assert secret not in said.lower()
    assert Conversion.objects.get().payment_key
