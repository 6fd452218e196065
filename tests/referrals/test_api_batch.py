"""Batches: each event is answered by its place; all or none when wanted; plain reading and the described shape agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from prm.accounts import api_limits
from prm.accounts.models import ApiKey
from referrals import api_plain
from referrals.api_events import EventShape
from referrals.models import Conversion, Credit, Customer
from tests.factories.prm import ApiKeyFactory
from tests.factories.referrals import CodeFactory

URL = "/api/v1/conversions/batch"
EVENT: dict[str, Any] = {
    "event_id": "A1",
    "kind": "sale",
    "occurred_at": "2026-11-01T10:00:00+01:00",
    "amount": "12.50",
    "currency": "GBP",
}
BAD = [EVENT | {"event_id": "B1", "amount": "x"}, EVENT | {"event_id": "B2", "code": "NOBODY"}]


@pytest.fixture
def shop(db: None) -> Client:
    key = ApiKeyFactory.create(scopes=["conversions:write"])
    return Client(headers={"authorization": f"Bearer {ApiKeyFactory.text_of(key)}"})


def send(shop: Client, body: Any, query: str = "") -> Any:
    return shop.post(URL + query, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize(("query", "keys"), [("?atomic=true", {}), ("", {"atomic": True})])
def test_of_an_atomic_batch_with_faults_nothing_is_taken_and_all_faults_are_named(
    shop: Client, query: str, keys: dict[str, Any]
) -> None:
    CodeFactory.create(code="ANA-1")
    send(shop, {"events": [EVENT | {"event_id": "OLD"}]})
    good = EVENT | {"event_id": "A2", "code": "ANA-1", "customer_id": "C1"}
    answer = send(shop, {"events": [EVENT | {"event_id": "OLD"}, good, *BAD], **keys}, query)
    body = answer.json()
    assert (answer.status_code, body["code"], body["failed"]) == (422, "batch_refused", 2)
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = [
        (each["index"], each["status"], [fault["field"] for fault in each["faults"]])
        for each in body["results"]
    ]
    assert told == [
        (0, "replayed", []),
        (1, "not_taken", []),
        (2, "invalid", ["amount"]),
        (3, "refused", ["code"]),
    ]
    assert body["results"][1]["id"] is None
    assert (Conversion.objects.count(), Credit.objects.count(), Customer.objects.count()) == (1, 0, 0)


def test_an_atomic_batch_without_faults_is_taken(shop: Client) -> None:
    answer = send(shop, {"events": [EVENT, EVENT | {"event_id": "A2"}], "atomic": True})
    assert (answer.status_code, answer.json()["created"]) == (200, 2)
    assert Conversion.objects.count() == 2


def test_strict_refuses_events_with_unknown_clicks_only(shop: Client) -> None:
    body = {
        "events": [EVENT | {"click_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, EVENT | {"event_id": "A2"}],
        "strict": True,
    }
    results = send(shop, body).json()["results"]
    assert [each["status"] for each in results] == ["refused", "created"]
    assert results[0]["code"] == "unknown_click"


@pytest.mark.parametrize(
    ("body", "query", "field", "code"),
    [
        ({"events": [EVENT], "atomc": True}, "", "events", "unknown_field"),
        ({"events": [EVENT], "atomic": "yes"}, "", "atomic", "not_a_switch"),
        ({"events": [EVENT]}, "?strict=maybe", "strict", "not_a_switch"),
        ({"events": [EVENT]}, "?stric=true", "stric", "unknown_parameter"),
        ({"events": []}, "", "events", "no_events"),
        ({"events": [{}] * 1001}, "", "events", "too_many_events"),
        ([EVENT], "", "events", "no_events"),
    ],
)
def test_a_batch_that_is_none_says_why(shop: Client, body: Any, query: str, field: str, code: str) -> None:
    answer = send(shop, body, query)
    assert answer.status_code == 400
    assert [(each["field"], each["code"]) for each in answer.json()["faults"]] == [(field, code)]
    assert not Conversion.objects.exists()


def test_two_megabytes_are_taken_and_more_is_413(shop: Client) -> None:
    long = {"attributes": {f"a{number}": "x" * 200 for number in range(9)}}
    events = [EVENT | long | {"event_id": f"E{number}"} for number in range(900)]
    assert len(json.dumps({"events": events})) > 1_800_000
    assert send(shop, {"events": events}).json()["created"] == 900
    assert send(shop, {"events": [{"event_id": "x" * 2_200_000}]}).status_code == 413


def test_a_batch_counts_as_a_call_and_one_for_each_hundred_begun(shop: Client) -> None:
    ApiKey.objects.update(calls_per_minute=20)
    answer = send(shop, {"events": [EVENT | {"event_id": f"E{number}"} for number in range(101)]})
    assert (answer.headers["RateLimit-Limit"], answer.headers["RateLimit-Remaining"]) == ("20", "17")
    assert api_limits.EVENTS_PER_CALL == 100


def test_lines_and_all_kinds_come_in(shop: Client) -> None:
    kinds = ["signup", "qualified_lead", "sale", "renewal", "refund", "chargeback", "install", "custom"]
    events = [EVENT | {"event_id": kind, "kind": kind} for kind in kinds]
    events.append(
        EVENT | {"event_id": "lines", "lines": [{"product": "P1", "amount_minor": 1250, "quantity": 3}]}
    )
    assert send(shop, {"events": events}).json()["created"] == 9
    row = Conversion.objects.get(external_id="lines")
    assert (row.quantity, [(line.product, line.amount_minor, line.quantity) for line in row.lines.all()]) == (
        3,
        [("P1", 1250, 3)],
    )


_texts = st.one_of(
    st.sampled_from(["", " ", "x", " P1 ", "a\tb", "12.50", "1e3", "x" * 101]), st.text(max_size=12)
)
_values = st.one_of(
    _texts,
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False),
    st.lists(st.integers(), max_size=2),
)
_lines = st.lists(
    st.one_of(
        _values,
        st.fixed_dictionaries(
            {"amount_minor": st.integers(-1, 700)},
            optional={"product": _texts, "quantity": st.integers(-1, 5)},
        ),
    ),
    max_size=3,
)
_known = sorted(set(EventShape().fields) - {"customer_ip"})
_changes = st.one_of(
    st.dictionaries(st.sampled_from([*_known, "nonsense"]), _values, max_size=3),
    st.fixed_dictionaries({"lines": _lines}),
    st.fixed_dictionaries({"attributes": st.dictionaries(_texts, _values, max_size=3)}),
)


@given(_changes, st.sampled_from([None, "amount", "kind", "currency"]))
def test_what_is_read_plainly_the_described_shape_reads_the_same(
    change: dict[str, Any], gone: str | None
) -> None:
    body = {name: value for name, value in (EVENT | change).items() if name != gone}
    event = api_plain.plain(body, at=timezone.now())
    if event is not None:
        shape = EventShape(data=body)
        assert shape.is_valid(), shape.errors
        assert shape.validated_data["event"] == event


def test_a_whole_event_is_read_plainly() -> None:
    whole = EVENT | {
        "lines": [{"amount": "12.50"}],
        "attributes": {"a": 1},
        "quantity": 2,
        "tax": "1.00",
        "code": "x",
    }
    assert api_plain.plain(whole, at=timezone.now()) is not None
