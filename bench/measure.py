"""What the benchmarks share: a process of its own for each size, its peak memory, and a bare limit in tables of the same shape."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any


def in_a_process(name: str, *arguments: object) -> dict[str, Any]:
    """Run one size of a benchmark in a process of its own, so that its peak memory is its own; return what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", name, "--one", *(str(each) for each in arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def numbers(arguments: Sequence[str], option: str, otherwise: Sequence[int]) -> list[int]:
    """Return the whole numbers given after `option`, separated by commas."""
    if option in arguments:
        return [int(text) for text in arguments[arguments.index(option) + 1].split(",")]
    return list(otherwise)


def peak_mb() -> int:
    """Return the most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def bare_copy(table: str, where: str) -> tuple[int, float]:
    """Write the chosen rows into a table of the same shape and indexes, without any logic; return how many, and the seconds."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
        began = time.perf_counter()
        cursor.execute(f"INSERT INTO bare_{table} SELECT * FROM {table} WHERE {where}")
        seconds, rows = time.perf_counter() - began, cursor.rowcount
        cursor.execute(f"DROP TABLE bare_{table}")
    return rows, seconds
