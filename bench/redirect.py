"""Follow links as fast as the server answers, each click written down, beside a bare Django project that answers 302 and nothing else: the same
server, the same load, in turns. On PostgreSQL and Redis, then in the embedded default."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from bench import seed
from bench.load import Answers, asking, load, server
from bench.measure import bare_copy, numbers

LINKS = 200
ROUNDS = 5
AT_ONCE = 10_000


def run(arguments: list[str]) -> dict[str, object]:
    """Measure in the database this process runs on, and in the embedded default as well when that is another one."""
    from django.db import connection

    seconds = numbers(arguments, "--seconds", (3,))[0]
    shape = "postgresql_and_redis" if connection.vendor == "postgresql" else "embedded"
    found: dict[str, object] = {shape: _measured(seconds)}
    if connection.vendor == "postgresql":
        found["embedded"] = _embedded(seconds)
    return found


def _embedded(seconds: int) -> object:
    without = {"DATABASE_URL", "REDIS_URL", "CACHE_URL", "PRM_BENCH_FOLDER", "PRM_VAR"}
    env = {name: value for name, value in os.environ.items() if name not in without}
    command = [sys.executable, "-m", "bench", "redirect", "--json", "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
    return json.loads(done.stdout)["embedded"]


def _measured(seconds: int) -> dict[str, Any]:
    from referrals import stream
    from referrals.models import Click, Link

    program, members = seed.program("links", seed.PERCENT, 20)
    Link.objects.bulk_create(
        Link(
            membership_id=members[number % len(members)],
            slug=f"bench-{number}",
            label="Bench",
            destination_url=program.destination_url,
            created_at=seed.BEGIN,
        )
        for number in range(LINKS)
    )
    ask = asking([f"/r/bench-{number}" for number in range(LINKS)], random.Random(7))
    env = {**os.environ, "PRM_PROXIES": "1", "PRM_LOG_LEVEL": "ERROR"}
    bare_env = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    ours, bare, rates = Answers(), Answers(), []
    with (
        server("prm.wsgi:application", env) as our_port,
        server("bench.bare_redirect:application", bare_env) as port,
    ):
        for each, at in ((ours, our_port), (bare, port)):
            each.clicks += load(at, ask, seconds=1).clicks  # to be warm
        for _round in range(ROUNDS):
            first, second = load(our_port, ask, seconds=seconds), load(port, ask, seconds=seconds)
            ours.add(first)
            bare.add(second)
            rates.append(first.per_second / second.per_second)
            print(f"{first.per_second:.0f} against {second.per_second:.0f} a second", file=sys.stderr)
    drained = _drain()
    clicks = set(ours.clicks)
    written = sum(
        Click.objects.filter(click_id__in=sorted(clicks)[begin : begin + AT_ONCE]).count()
        for begin in range(0, len(clicks), AT_ONCE)
    )
    return {
        "clicks_go_through": "stream" if stream.is_used() else "database",
        "seconds": round(ours.seconds, 1),
        "redirects_per_second": round(ours.per_second),
        "bare_per_second": round(bare.per_second),
        "times_the_bare_view": round(statistics.median(rates), 2),
        "p50_ms": round(ours.percentile_ms(50), 2),
        "p99_ms": round(ours.percentile_ms(99), 2),
        "bare_p50_ms": round(bare.percentile_ms(50), 2),
        "bare_p99_ms": round(bare.percentile_ms(99), 2),
        "statuses": ours.statuses,
        "clicks_acknowledged": len(clicks),
        "of_them_written": written,
        "clicks_in_the_database": Click.objects.count(),
        **drained,
    }


def _drain() -> dict[str, object]:
    """Write what waits, and measure it against one bare COPY of the same rows."""
    from django.db import connection

    from referrals import drain, stream

    if not stream.is_used():
        return {}
    began, done = time.perf_counter(), 0
    while part := drain.drain():
        done += part
    rate = done / (time.perf_counter() - began)
    rows, seconds = bare_copy("referrals_click", "true")
    copied = rows / _copy_seconds(connection)
    return {
        "drained_per_second": round(rate),
        "bare_copy_per_second": round(copied),
        "bare_insert_select_per_second": round(rows / seconds),
        "drain_times_the_bare_copy": round(rate / copied, 2),
    }


def _copy_seconds(connection: Any) -> float:
    """Return how long one COPY takes of the same clicks into a table of the same shape."""
    with tempfile.TemporaryFile() as file, connection.cursor() as cursor:
        cursor.copy_expert("COPY referrals_click TO STDOUT", file)
        file.seek(0)
        cursor.execute("CREATE TABLE bare_clicks (LIKE referrals_click INCLUDING ALL)")
        began = time.perf_counter()
        cursor.copy_expert("COPY bare_clicks FROM STDIN", file)
        seconds = time.perf_counter() - began
        cursor.execute("DROP TABLE bare_clicks")
    return seconds
