"""Let the database say no, on PostgreSQL and on SQLite alike. Rows are locked in primary-key order; triggers refuse with an
IntegrityError whose message a person can read."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from django.db import IntegrityError, OperationalError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState

M_co = TypeVar("M_co", bound=models.Model, covariant=True)
T = TypeVar("T")

# Whom the database sacrifices to let somebody else go on: deadlock_detected and serialization_failure.
_BEATEN = frozenset({"40P01", "40001"})

# One function serves all triggers that only refuse: the sentence travels as the trigger's argument.
_POSTGRESQL_REFUSE = """
CREATE OR REPLACE FUNCTION prm_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = '23000', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END $body$
"""


class Lockable(models.QuerySet[M_co]):
    """A queryset with `lock()`; write `class PaymentQuerySet(Lockable["Payment"])`."""

    def lock(self) -> Self:
        """Return the rows locked until the transaction ends, in primary-key order so that two verbs cannot deadlock.

        The lock is the one an UPDATE takes: verbs wait for each other, while rows that only point at these may be
        written. A stronger one would make a worker that books lines for a membership and a close that holds it wait
        for each other for ever.

        SQLite takes its one write lock when the transaction begins (BEGIN IMMEDIATE); there only the order counts.
        """
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


def persistently(work: Callable[[], T], *, times: int = 4, overtaken_by: str = "") -> T:
    """Return what `work`, which is one whole transaction, returns; begin it again when the database gave it up in favour of
    another one, or refused it by the trigger `overtaken_by`: somebody was faster.

    Inside a transaction there is nothing to begin again: the outermost caller has to.
    """
    for _attempt in range(times - 1):
        try:
            return work()
        except (OperationalError, IntegrityError) as error:
            if not _is_beaten(error, overtaken_by) or _in_transaction():
                raise
            time.sleep(random.uniform(0.01, 0.1))  # not both at once again
    return work()


def _is_beaten(error: Exception, overtaken_by: str) -> bool:
    cause = error.__cause__
    if getattr(cause, "pgcode", None) in _BEATEN:
        return True
    refused_by = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return bool(overtaken_by) and refused_by == overtaken_by


def _in_transaction() -> bool:
    return any(connection.in_atomic_block for connection in connections.all(initialized_only=True))


@contextmanager
def as_of_one_moment(*, using: str = "default") -> Iterator[None]:
    """Let all that is read inside the block stand as it did at one moment, whatever others write meanwhile.

    A transaction that has begun before keeps what it promises: the moment is fixed with a transaction's first query.
    """
    connection = connections[using]
    begins = not connection.in_atomic_block
    with transaction.atomic(using=using):
        if begins and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@dataclass(frozen=True)
class Trigger:
    """A named trigger: the statements that make and drop it, for each vendor."""

    name: str
    postgresql: Sequence[str]
    postgresql_drop: Sequence[str]
    sqlite: Sequence[str]
    sqlite_drop: Sequence[str]

    def statements(self, vendor: str, *, drop: bool) -> Sequence[str]:
        if vendor == "postgresql":
            return self.postgresql_drop if drop else self.postgresql
        if vendor == "sqlite":
            return self.sqlite_drop if drop else self.sqlite
        raise NotImplementedError(f"There are no triggers for {vendor}; use PostgreSQL or SQLite.")


class InstallTriggers(Operation):
    """A migration operation that makes triggers and, reversed, drops them.

    On SQLite, altering a field rebuilds its table and loses the table's triggers: such a migration installs them
    again afterwards, which is safe because they are dropped first.
    """

    reversible = True
    reduces_to_sql = True
    category = OperationCategory.SQL

    def __init__(self, *triggers: Trigger) -> None:
        self.triggers = triggers

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Triggers are no part of the models' state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        vendor = schema_editor.connection.vendor
        for trigger in self.triggers:
            for statement in (
                *trigger.statements(vendor, drop=True),
                *trigger.statements(vendor, drop=False),
            ):
                schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        for trigger in reversed(self.triggers):
            for statement in trigger.statements(schema_editor.connection.vendor, drop=True):
                schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return "Install the triggers " + ", ".join(trigger.name for trigger in self.triggers)


def triggers(*wanted: Trigger) -> InstallTriggers:
    """Return the migration operation that installs `wanted`."""
    return InstallTriggers(*wanted)


def forbid_update_delete(table: str, *, message: str | None = None) -> Trigger:
    """Make `table` append-only: no UPDATE, no DELETE, on PostgreSQL no TRUNCATE either."""
    message = message or f"{table} is append-only: post a correction instead."
    name = f"{table}_append_only"
    return _refusing(name, table, events=("UPDATE", "DELETE"), truncate=True, when="", message=message)


def forbid_delete(table: str, *, message: str | None = None) -> Trigger:
    """Refuse to delete rows of `table`, on PostgreSQL by TRUNCATE either."""
    message = message or f"Rows of {table} are never deleted."
    return _refusing(f"{table}_no_delete", table, events=("DELETE",), truncate=True, when="", message=message)


def forbid_update_of(
    table: str, columns: Sequence[str], *, message: str | None = None, when: str = ""
) -> Trigger:
    """Refuse to change any of `columns`; writing the same value again passes.

    `when` narrows it to some rows, in SQL both vendors read: "OLD.published_at IS NOT NULL".
    """
    message = message or f"{', '.join(columns)} of {table} cannot be changed."
    pairs = [(f'OLD."{column}"', f'NEW."{column}"') for column in columns]
    suffix = f" AND ({when})" if when else ""
    differs = " OR ".join(f"{old} IS DISTINCT FROM {new}" for old, new in pairs)
    is_not = " OR ".join(f"{old} IS NOT {new}" for old, new in pairs)
    return _refusing(
        f"{table}_frozen",
        table,
        events=("UPDATE",),
        truncate=False,
        when=f"({differs}){suffix}",
        sqlite_when=f"({is_not}){suffix}",
        message=message,
    )


def refuse_when(
    name: str, table: str, *, before: str, when: str, message: str, sqlite_when: str | None = None
) -> Trigger:
    """Refuse an INSERT, UPDATE or DELETE (`before`) of `table` when an SQL expression over NEW and OLD is true.

    The expression may hold sub-queries; `sqlite_when` replaces it where the vendors differ.
    """
    function = f"""
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        IF ({when}) THEN
            RAISE EXCEPTION '%', {_text(message)} USING ERRCODE = '23000', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
        END IF;
        RETURN {"OLD" if before == "DELETE" else "NEW"};
    END $body$
    """
    abort = f"SELECT RAISE(ABORT, {_text(message)});"
    return Trigger(
        name=name,
        postgresql=[
            function,
            f'CREATE TRIGGER "{name}" BEFORE {before} ON "{table}" FOR EACH ROW EXECUTE FUNCTION {name}()',
        ],
        postgresql_drop=[
            f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"',
            f"DROP FUNCTION IF EXISTS {name}()",
        ],
        sqlite=[
            f'CREATE TRIGGER "{name}" BEFORE {before} ON "{table}" WHEN {sqlite_when or when} BEGIN {abort} END',
        ],
        sqlite_drop=[f'DROP TRIGGER IF EXISTS "{name}"'],
    )


@contextmanager
def suspended_triggers(*, using: str = "default") -> Iterator[None]:
    """Put every trigger of ours out of the way inside the block: for tests that empty tables, and for nothing else."""
    connection = connections[using]
    pause = _without_triggers_sqlite if connection.vendor == "sqlite" else _without_triggers_postgresql
    with pause(connection):
        yield


def _refusing(
    name: str,
    table: str,
    *,
    events: Sequence[str],
    truncate: bool,
    when: str,
    message: str,
    sqlite_when: str | None = None,
) -> Trigger:
    call = f"EXECUTE FUNCTION prm_refuse({_text(message)})"
    condition = f"WHEN ({when})" if when else ""
    before = " OR ".join(events)
    create = [
        _POSTGRESQL_REFUSE,
        f'CREATE TRIGGER "{name}" BEFORE {before} ON "{table}" FOR EACH ROW {condition} {call}',
    ]
    drop = [f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"']
    if truncate:
        create.append(
            f'CREATE TRIGGER "{name}_truncate" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT {call}'
        )
        drop.append(f'DROP TRIGGER IF EXISTS "{name}_truncate" ON "{table}"')
    body = f"BEGIN SELECT RAISE(ABORT, {_text(message)}); END"
    sqlite_condition = f"WHEN {sqlite_when or when}" if when else ""
    return Trigger(
        name=name,
        postgresql=create,
        postgresql_drop=drop,
        sqlite=[
            f'CREATE TRIGGER "{name}_{event.lower()}" BEFORE {event} ON "{table}" {sqlite_condition} {body}'
            for event in events
        ],
        sqlite_drop=[f'DROP TRIGGER IF EXISTS "{name}_{event.lower()}"' for event in events],
    )


def _text(value: str) -> str:
    """Quote a text for SQL."""
    return "'" + value.replace("'", "''") + "'"


@contextmanager
def _without_triggers_sqlite(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = cursor.fetchall()
        for name, _sql in found:
            cursor.execute(f'DROP TRIGGER "{name}"')
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for _name, sql in found:
                cursor.execute(sql)


@contextmanager
def _without_triggers_postgresql(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        # A table with checks still to come at the commit cannot be altered; they are made now instead.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        )
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
