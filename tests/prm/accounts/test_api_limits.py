"""How often a key may call, and what a caller is told about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from redis.exceptions import RedisError

from prm.accounts import api_limits
from prm.accounts.models import ApiKey
from tests.factories.prm import ApiKeyFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, 20, tzinfo=UTC)
URL = "/api/v1/conversions?event_id=A1"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def caller(**fields: Any) -> Client:
    key = ApiKeyFactory.create(scopes=["conversions:read"], created_at=NOW, **fields)
    return Client(headers={"authorization": f"Bearer {ApiKeyFactory.text_of(key)}"})


def test_a_key_calls_as_often_as_it_may_in_a_minute_and_then_waits_for_the_next(
    clock: time_machine.Traveller,
) -> None:
    client = caller(calls_per_minute=2)
    answers = [client.get(URL) for _time in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    last = answers[-1]
    assert (last.headers["Retry-After"], last.headers["RateLimit-Reset"]) == ("40", "40")
    assert (last.json()["code"], last.headers["Content-Type"]) == ("throttled", "application/problem+json")
    clock.shift(40)
    assert client.get(URL).status_code == 200


def test_each_key_has_its_own_count_and_without_a_limit_the_one_of_the_installation(settings: Any) -> None:
    settings.PRM_API_CALLS_PER_MINUTE = 1
    first, second = caller(), caller()
    assert [first.get(URL).status_code, second.get(URL).status_code, first.get(URL).status_code] == [
        200,
        200,
        429,
    ]


def test_a_batch_dearer_than_the_whole_minute_is_let_through_once() -> None:
    key = ApiKeyFactory.create(calls_per_minute=3)

    class View:
        headers: dict[str, str] = {}

    assert api_limits._charge(key, 1).is_kept
    api_limits.charge_events(key, View, 1000)
    assert View.headers["RateLimit-Remaining"] == "0"


def test_calls_at_once_are_counted_one_by_one() -> None:
    key = ApiKey(pk=10**9, calls_per_minute=50)
    with ThreadPoolExecutor(8) as pool:
        kept = [pace.is_kept for pace in pool.map(lambda _n: api_limits._charge(key, 1), range(400))]
    # What is refused is taken back; while that happens a call too few may be let through, and never one too many.
    assert 45 <= sum(kept) <= 50


def test_wrong_keys_from_one_address_are_429_after_a_while_and_a_right_one_still_opens() -> None:
    wrong = Client(headers={"authorization": "Bearer prm_live_wrong"})
    statuses = [wrong.get(URL).status_code for _time in range(api_limits.FAILURES_A_MINUTE + 1)]
    assert statuses == [401] * api_limits.FAILURES_A_MINUTE + [429]
    assert int(wrong.get(URL).headers["Retry-After"]) == 40
    assert wrong.get(URL, REMOTE_ADDR="198.51.100.9").status_code == 401
    assert caller().get(URL).status_code == 200


def test_without_a_cache_calls_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def incr(self, *_arguments: Any) -> int:
            raise RedisError("gone")

    monkeypatch.setattr(api_limits, "cache", Broken())
    assert caller(calls_per_minute=1).get(URL).status_code == 200


def test_problems_carry_the_pace_too() -> None:
    client = caller(calls_per_minute=5)
    answer = client.post("/api/v1/conversions", json.dumps({}), content_type="application/json")
    assert answer.status_code == 403
    assert client.get("/api/v1/conversions").headers["RateLimit-Remaining"] == "4"
