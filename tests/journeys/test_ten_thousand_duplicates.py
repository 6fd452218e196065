"""A shop that repeats itself up to ten thousand times, from many processes and threads at once, has told a hundred sales."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from prm.accounts.choices import Scope
from referrals.models import AttributionRecord, Conversion, Credit, Customer
from tests.factories.prm import ApiKeyFactory
from tests.factories.referrals import CodeFactory

# Two minutes for all of them; a build sends fewer, `make test-duplicates` ten thousand.
POSTS = int(os.environ.get("PRM_POSTS", "1500"))
EVENTS = 100
PROCESSES = 4
THREADS = 4
URL = "/api/v1/conversions"


def body(number: int) -> str:
    told = {
        "source": "shop",
        "event_id": f"order-{number}",
        "kind": "sale",
        "occurred_at": "2026-11-01T10:00:00Z",
        "amount": f"{number + 1}.00",
        "currency": "GBP",
        "customer_id": f"c-{number % 10}",
        "code": "ANA-1",
    }
    return json.dumps(told)


def post_many(header: str, numbers: list[int]) -> Counter[tuple[int, int, str]]:
    """Post events from several threads; return how often each event was answered with which status and id."""
    connections.close_all()  # those of the process this one was forked from
    bodies = [body(number) for number in range(EVENTS)]

    def post(some: list[int]) -> Counter[tuple[int, int, str]]:
        client = Client(headers={"authorization": header})
        found: Counter[tuple[int, int, str]] = Counter()
        try:
            for number in some:
                answer = client.post(URL, bodies[number], content_type="application/json")
                found[number, answer.status_code, answer.json().get("id", "")] += 1
        finally:
            connections.close_all()
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(post, [numbers[at::THREADS] for at in range(THREADS)]), Counter())


@pytest.mark.slow
@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_ten_thousand_posts_of_a_hundred_sales_leave_a_hundred() -> None:
    code = CodeFactory.create(code="ANA-1")
    key = ApiKeyFactory.create(scopes=[Scope.CONVERSIONS_WRITE], calls_per_minute=1_000_000)
    header = f"Bearer {ApiKeyFactory.text_of(key)}"
    numbers = [number % EVENTS for number in range(POSTS)]
    random.Random(7).shuffle(numbers)
    connections.close_all()

    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        shares = [(header, numbers[at::PROCESSES]) for at in range(PROCESSES)]
        found = sum(pool.starmap(post_many, shares), Counter[tuple[int, int, str]]())

    statuses: Counter[int] = Counter()
    for (_number, status, _id), times in found.items():
        statuses[status] += times
    assert statuses == {201: EVENTS, 200: POSTS - EVENTS}
    assert {number for number, status, _id in found if status == 201} == set(range(EVENTS))
    # Whoever asked was answered with the one conversion of the event.
    rows = {row.external_id: row.public_id for row in Conversion.objects.all()}
    assert {(f"order-{number}", name) for number, _status, name in found} == set(rows.items())
    assert (len(rows), Customer.objects.count(), AttributionRecord.objects.count()) == (EVENTS, 10, EVENTS)
    credits = Credit.objects.values_list("conversion__external_id", "membership_id", "share")
    assert sorted(credits) == sorted((name, code.membership_id, 1) for name in rows)
