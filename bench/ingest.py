"""Conversions through the API on PostgreSQL: batches of 1,000 beside bare inserts of the same rows, and single posts beside a view of the
same framework that does nothing. All in one run, because only the ratios say something about us.

    tools/with_services.py python -m bench ingest --batches 20 --singles 1000
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.urls import include, path
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.measure import numbers, peak_mb
from prm.accounts.api_auth import HasScope

BATCH = 1000
URL = "/api/v1/conversions"
CODES = 20


class EmptyView(APIView):
    """Reads the body and answers it, for anybody: what the framework costs."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = (AllowAny,)

    def post(self, request: Request) -> Response:
        """Answer what was sent."""
        return Response(request.data, status=201)


class EmptyKeyedView(EmptyView):
    """The same with our keys and limits."""

    authentication_classes = APIView.authentication_classes
    permission_classes = (HasScope,)
    scope = "conversions:write"


class TextbookShape(serializers.Serializer[Any]):
    """What the conversions of a tutorial would read."""

    source = serializers.CharField(max_length=40)  # type: ignore[assignment]
    event_id = serializers.CharField(max_length=100)
    kind = serializers.CharField(max_length=16)
    occurred_at = serializers.DateTimeField()
    amount = serializers.DecimalField(max_digits=20, decimal_places=2)
    currency = serializers.CharField(max_length=3)
    customer_id = serializers.CharField(max_length=100)
    country = serializers.CharField(max_length=64)
    code = serializers.CharField(max_length=40, required=False, default="")


class TextbookView(EmptyKeyedView):
    """A serializer and get_or_create, for the event alone."""

    def post(self, request: Request) -> Response:
        """Keep what was sent unless it is there."""
        from django.utils import timezone

        from referrals.models import Conversion, Customer

        shape = TextbookShape(data=request.data)
        shape.is_valid(raise_exception=True)
        told = shape.validated_data
        now = timezone.now()
        customer, _made = Customer.objects.get_or_create(
            source="textbook",
            external_id=told["customer_id"],
            defaults={"country": told["country"], "first_seen_at": now},
        )
        facts = {
            "kind": told["kind"],
            "occurred_at": told["occurred_at"],
            "amount_minor": int(told["amount"] * 100),
            "currency": told["currency"],
            "code_text": told["code"],
            "customer": customer,
            "recorded_at": now,
        }
        row, is_new = Conversion.objects.get_or_create(
            source="textbook", external_id=told["event_id"], defaults=facts
        )
        return Response({"id": row.public_id}, status=201 if is_new else 200)


urlpatterns = [
    path("bench/empty", EmptyView.as_view()),
    path("bench/keyed", EmptyKeyedView.as_view()),
    path("bench/textbook", TextbookView.as_view()),
    path("", include("prm.urls")),
]


def run(arguments: list[str]) -> dict[str, object]:
    """Run both parts and return their figures and ratios."""
    batches = numbers(arguments, "--batches", [20])[0]
    singles = numbers(arguments, "--singles", [1000])[0]
    with _house() as post:
        found: dict[str, object] = {**_bulk(post, batches), **_single(post, singles), "peak_mb": peak_mb()}
    for name, value in found.items():
        print(f"{name}: {value}", file=sys.stderr)
    return {"ingest": found}


Post = Callable[[str, Any], Any]


@contextmanager
def _house() -> Iterator[Post]:
    """Make a program with codes and a key, and yield what posts with it."""
    from django.test import Client, override_settings
    from django.utils import timezone

    from bench import seed
    from prm.accounts import api_keys
    from prm.accounts.models import User
    from referrals.models import Code

    _program, members = seed.program("ingest", seed.PERCENT, CODES)
    now = timezone.now()
    Code.objects.bulk_create(
        Code(membership_id=pk, code=f"BENCH-{number}", created_at=now) for number, pk in enumerate(members)
    )
    by = User.objects.get(email="bench@halden.example")
    issued = api_keys.issue(name="Bench", scopes=["conversions:write"], by=by, at=now)
    api_keys.set_pace(issued.key, calls_per_minute=api_keys.MOST_CALLS, by=by, at=now)
    client = Client(SERVER_NAME="127.0.0.1", headers={"authorization": f"Bearer {issued.text}"})

    def post(url: str, body: Any) -> Any:
        answer = client.post(url, body, content_type="application/json")
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"{url} answered {answer.status_code}: {answer.content[:500]!r}")
        return answer

    with override_settings(ROOT_URLCONF="bench.ingest"):
        yield post


def event(name: str, number: int) -> dict[str, object]:
    """Return an event of a shop; every other one names a partner's code."""
    from django.utils import timezone

    at = timezone.now() - timedelta(minutes=number % 1000)
    told: dict[str, object] = {
        "source": "bench",
        "event_id": f"{name}-{number}",
        "kind": "sale",
        "occurred_at": at.isoformat(),
        "amount": f"{5 + number % 90}.{number % 100:02}",
        "currency": "GBP",
        "customer_id": f"{name}-c{number // 4}",
        "country": "France",
        "product": f"P{number % 500}",
        "tax": "0.50",
    }
    return told | ({"code": f"BENCH-{number % CODES}"} if number % 2 else {})


def _bulk(post: Post, batches: int) -> dict[str, object]:
    from referrals.models import Conversion, Credit

    bodies = [
        json.dumps({"events": [event("b", batch * BATCH + number) for number in range(BATCH)]})
        for batch in range(batches)
    ]
    post(f"{URL}/batch", json.dumps({"events": [event("warm", number) for number in range(BATCH)]}))
    last = Conversion.objects.order_by("-pk").values_list("pk", flat=True)[0]
    rows = batches * BATCH

    first, cpu, answers = _timed(post, bodies)
    again, _cpu, replies = _timed(post, bodies)
    if any(answer["created"] != BATCH for answer in answers) or any(
        answer["replayed"] != BATCH for answer in replies
    ):
        raise RuntimeError("not every event was recorded once")
    if [[each["id"] for each in answer["results"]] for answer in answers] != [
        [each["id"] for each in answer["results"]] for answer in replies
    ]:
        raise RuntimeError("a repeat was answered with another conversion")
    sent, inside = _bare_from_here(last, rows), _bare_in_server(last, rows)
    return {
        "bulk_rows": rows,
        "bulk_credits": Credit.objects.filter(conversion_id__gt=last).count(),
        "bulk_rows_per_second": round(rows / first),
        "bulk_cpu_us_per_row": round(cpu / rows * 1e6, 1),
        "replay_rows_per_second": round(rows / again),
        "replay_against_first_time": round(again / first, 2),
        "bare_insert_rows_per_second": round(rows / sent),
        "bulk_against_bare_insert": round(sent / first, 2),
        "bare_insert_in_the_server_rows_per_second": round(rows / inside),
        "bulk_against_bare_insert_in_the_server": round(inside / first, 2),
    }


def _timed(post: Post, bodies: list[str]) -> tuple[float, float, list[Any]]:
    began, cpu = time.perf_counter(), time.process_time()
    answers = [post(f"{URL}/batch", body) for body in bodies]
    return time.perf_counter() - began, time.process_time() - cpu, [answer.json() for answer in answers]


_TABLE = "referrals_conversion"


def _bare_from_here(last: int, rows: int) -> float:
    """Insert the same rows from this process, a thousand in a statement and a transaction, into a table of the same shape."""
    from django.db import connection
    from psycopg2.extras import Json, execute_values

    seconds = 0.0
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bare_{_TABLE} (LIKE {_TABLE} INCLUDING ALL)")
        cursor.execute(f"SELECT * FROM {_TABLE} WHERE id > %s ORDER BY id LIMIT %s", [last, rows])
        found = [[_bound(value, Json) for value in row] for row in cursor.fetchall()]
    for begin in range(0, rows, BATCH):
        began = time.perf_counter()
        with connection.cursor() as cursor:
            execute_values(
                cursor.cursor,
                f"INSERT INTO bare_{_TABLE} VALUES %s ON CONFLICT DO NOTHING",
                found[begin : begin + BATCH],
                page_size=BATCH,
            )
        seconds += time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE bare_{_TABLE}")
    return seconds


def _bound(value: Any, as_json: Callable[[Any], Any]) -> Any:
    return as_json(value) if isinstance(value, dict) else value


def _bare_in_server(last: int, rows: int) -> float:
    """Insert the same rows inside the server, a thousand in a statement and a transaction."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bare_{_TABLE} (LIKE {_TABLE} INCLUDING ALL)")
        began = time.perf_counter()
        for begin in range(0, rows, BATCH):
            cursor.execute(
                f"INSERT INTO bare_{_TABLE} SELECT * FROM {_TABLE} WHERE id > %s AND id <= %s ON CONFLICT DO NOTHING",
                [last + begin, last + begin + BATCH],
            )
        seconds = time.perf_counter() - began
        cursor.execute(f"SELECT count(*) FROM bare_{_TABLE}")
        if cursor.fetchone()[0] != rows:
            raise RuntimeError("the bare insert did not write the same rows")
        cursor.execute(f"DROP TABLE bare_{_TABLE}")
    return seconds


def _single(post: Post, singles: int) -> dict[str, object]:
    urls = {
        "empty_view": "/bench/empty",
        "empty_view_with_a_key": "/bench/keyed",
        "textbook": "/bench/textbook",
        "single": URL,
    }
    seconds = dict.fromkeys([*urls, "single_again"], 0.0)
    for url in urls.values():
        post(url, json.dumps(event("single-warm", 1)))
    # They take turns, so that a busy moment of the machine is nobody's alone.
    for begin in range(0, singles, 100):
        some = range(begin, min(begin + 100, singles))
        bodies = [json.dumps(event("single", number)) for number in some]
        for name, url in [*urls.items(), ("single_again", URL)]:
            began = time.perf_counter()
            for body in bodies:
                post(url, body)
            seconds[name] += time.perf_counter() - began
    ours = seconds["single"]
    return {
        **{f"{name}_per_second": round(singles / each) for name, each in seconds.items()},
        "single_against_empty_view": round(seconds["empty_view"] / ours, 2),
        "single_against_empty_view_with_a_key": round(seconds["empty_view_with_a_key"] / ours, 2),
        "single_against_textbook": round(seconds["textbook"] / ours, 2),
    }
