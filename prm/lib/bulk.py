"""Write many rows of one table at once: COPY on PostgreSQL, executemany on SQLite. The caller gives values in the order of the
columns it named; constraints and triggers hold as for any other insert, and of one call all rows are written or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

from prm.lib.fields import EncryptedTextField

Encode = Callable[[Any], Any]

_NULL = "\\N"
_AT_ONCE = 1 << 16  # characters handed to the server in one piece


class BulkWriter:
    """Inserts rows into the table of `model`. `fields` are names of columns as model attributes, such as `credit_id`.

    Every field without a default in the database has to be among them: defaults of the model are not applied.
    """

    def __init__(self, model: type[models.Model], fields: Sequence[str]) -> None:
        by_name = {field.attname: field for field in model._meta.concrete_fields}
        self._model = model
        self._fields = [by_name[name] for name in fields]
        self.using = router.db_for_write(model)
        self._connection = connections[self.using]
        self._is_copying = self._connection.vendor == "postgresql"
        encoder = _copied if self._is_copying else _bound
        self._encode = [encoder(field, self._connection) for field in self._fields]
        self._promised = 0

    def reserve(self, count: int) -> list[int]:
        """Return `count` primary keys that nobody else gets, for rows that name each other before they are written.

        On SQLite they stay ours until the transaction ends, which holds the one write lock.
        """
        if self._is_copying:
            return _from_sequence(self._connection, self._model, count)
        first = max(_last_key(self._connection, self._model), self._promised) + 1
        self._promised = first + count - 1
        return list(range(first, first + count))

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Insert the rows; on PostgreSQL any number of them takes little memory when they come from an iterator.

        Raises: django.db.IntegrityError.
        """
        if self._is_copying:
            self._copy(rows)
        else:
            self._execute(rows)

    def _copy(self, rows: Iterable[Sequence[Any]]) -> None:
        stream = _Stream("\t".join(self._encoded(row)) + "\n" for row in rows)
        if not stream:
            return
        statement = f"COPY {self._table} ({self._columns}) FROM STDIN"
        with self._connection.cursor() as cursor, self._connection.wrap_database_errors:
            cursor.copy_expert(statement, stream, _AT_ONCE)

    def _execute(self, rows: Iterable[Sequence[Any]]) -> None:
        places = ", ".join(["%s"] * len(self._fields))
        statement = f"INSERT INTO {self._table} ({self._columns}) VALUES ({places})"  # noqa: S608  # names of ours
        values = [self._encoded(row) for row in rows]
        if values:
            with self._connection.cursor() as cursor:
                cursor.executemany(statement, values)

    def _encoded(self, row: Sequence[Any]) -> list[Any]:
        return [
            value if encode is _as_it_is else encode(value)
            for encode, value in zip(self._encode, row, strict=True)
        ]

    @property
    def _table(self) -> str:
        return self._connection.ops.quote_name(str(self._model._meta.db_table))

    @property
    def _columns(self) -> str:
        return ", ".join(self._connection.ops.quote_name(str(field.column)) for field in self._fields)


class _Stream:
    """Lines as the file the driver reads from."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._rest = next(lines, "")

    def __bool__(self) -> bool:
        return bool(self._rest)

    def read(self, size: int) -> str:
        parts, length = [self._rest], len(self._rest)
        while length < size and (line := next(self._lines, "")):
            parts.append(line)
            length += len(line)
        text = "".join(parts)
        self._rest = text[size:]
        return text[:size]


def _copied(field: models.Field[Any, Any], connection: BaseDatabaseWrapper) -> Encode:
    """Return how a value of `field` is written in the text format of COPY."""
    kind = _kind(field)
    encode: Encode = str
    if isinstance(kind, models.JSONField):
        encode = lambda value: json.dumps(value, cls=kind.encoder).replace("\\", "\\\\")  # noqa: E731
    elif isinstance(kind, models.CharField | models.TextField):
        encode = _escaped
    return (lambda value: _NULL if value is None else encode(value)) if field.null else encode


def _kind(field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    """Return the field whose values are stored: of a key, the one it points at."""
    kind = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(kind, EncryptedTextField):
        raise TypeError(f"{field} is encrypted when an object is saved; do not write it in bulk.")
    return kind


def _escaped(value: str | None) -> str:
    if value is None:
        return _NULL
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _bound(field: models.Field[Any, Any], connection: BaseDatabaseWrapper) -> Encode:
    """Return how a value of `field` is bound to a parameter on SQLite, as the ORM would do it but faster."""
    kind = _kind(field)
    if isinstance(kind, models.DateTimeField):
        return _naive_text
    if isinstance(kind, models.JSONField):
        return lambda value: None if value is None else json.dumps(value, cls=kind.encoder)
    if isinstance(kind, models.IntegerField | models.CharField | models.TextField):
        return _as_it_is
    return lambda value: kind.get_db_prep_save(value, connection)


def _as_it_is(value: Any) -> Any:
    return value


def _naive_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return str((value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None))


def _from_sequence(connection: BaseDatabaseWrapper, model: type[models.Model], count: int) -> list[int]:
    table = connection.ops.quote_name(str(model._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [table, model._meta.pk.column, count],
        )
        return [row[0] for row in cursor.fetchall()]


def _last_key(connection: BaseDatabaseWrapper, model: type[models.Model]) -> int:
    if not connection.in_atomic_block:
        raise RuntimeError("Keys are reserved inside the transaction that uses them.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
