"""The limit the demo's stages are measured against: the same rows put bare into an empty table of the same columns, in the same
run, on the same database."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Bare:
    """How long the rows of a table took without any logic."""

    table: str
    rows: int
    seconds: float

    @property
    def per_second(self) -> int:
        return round(self.rows / self.seconds) if self.seconds else 0


def insert(model: type[models.Model]) -> Bare:
    """Insert every row of `model`'s table into a temporary table with the same columns and a unique first column."""
    table = model._meta.db_table
    quoted, copy = connection.ops.quote_name(table), connection.ops.quote_name(f"bare_{table}")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {quoted}")  # noqa: S608  # a table name of ours
        rows = cursor.fetchall()
        places = ", ".join(["%s"] * len(cursor.description))
        cursor.execute(f"CREATE TEMPORARY TABLE {copy} AS SELECT * FROM {quoted} LIMIT 0")  # noqa: S608
        cursor.execute(f"CREATE UNIQUE INDEX bare_{table}_first ON {copy} (id)")
        began = time.perf_counter()
        for start in range(0, len(rows), ROWS_AT_ONCE):
            with transaction.atomic():
                cursor.executemany(
                    f"INSERT INTO {copy} VALUES ({places})",  # noqa: S608
                    [_plain(row) for row in rows[start : start + ROWS_AT_ONCE]],
                )
        seconds = time.perf_counter() - began
        cursor.execute(f"DROP TABLE {copy}")
    return Bare(table, len(rows), seconds)


def _plain(row: tuple[Any, ...]) -> list[Any]:
    """Return a row as the driver takes it back: what came as a parsed JSON value goes as text."""
    return [json.dumps(value) if isinstance(value, dict | list) else value for value in row]
