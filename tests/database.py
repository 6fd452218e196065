"""Build the test database once, however many workers a run has: the first one runs the migrations, the others take a copy. What they
copy is what the migrations made, before any test wrote to it; on SQLite also the next run takes it, as long as nothing that makes the
schema has changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase
from django.test.utils import setup_databases

from prm.accounts import policy
from prm.lib.db import suspended_triggers

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "var" / "test-schema"
# What the schema, and the rows that come with it, are made from.
MADE_FROM = (
    "*/migrations/*.py",
    "*/*/migrations/*.py",
    "prm/accounts/policy.py",
    "prm/lib/*.py",
    "requirements/*",
)
# What the apps write after the migrations, and no test changes for good.
PERMISSIONS = {"auth_group", "auth_group_permissions", "auth_permission", "django_content_type"}


def prepare() -> None:
    """Make the test database exist and be the one in use."""
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        _build()
        return
    with _one_at_a_time() as folder:
        if (folder / "built").exists():
            _take(folder)
            return
        _build()
        connection.close()
        _keep(folder)
        (folder / "built").touch()


def give_back() -> None:
    """Leave nothing on a server; files go with the folder of the run. Who still comes builds its own."""
    connection.close()
    if connection.vendor != "postgresql":
        return
    _drop(str(connection.settings_dict["NAME"]))
    if os.environ.get("PYTEST_XDIST_WORKER"):
        with _one_at_a_time() as folder:
            (folder / "built").unlink(missing_ok=True)
            _drop(_original(folder))


def empty(test: TransactionTestCase) -> None:
    """Leave what the migrations made after a test that wrote for good. Django's own way empties every table there is and has every
    app write its permissions again; here only tables with rows are emptied, and the permissions are left alone."""
    # The ledger refuses to be emptied, which is what it is for; only the end of such a test may do it.
    with transaction.atomic(), suspended_triggers(), connection.cursor() as cursor:
        _check_references(cursor, "DEFERRED")
        for table in _with_rows(cursor):
            cursor.execute(f'DELETE FROM "{table}"')
        _check_references(
            cursor, "IMMEDIATE"
        )  # a table with checks still to come cannot have its triggers back
    Group.objects.exclude(name__in=policy.ROLES).delete()
    policy.ensure_groups()


def _check_references(cursor: CursorWrapper, when: str) -> None:
    if connection.vendor == "postgresql":  # SQLite does it at the commit
        cursor.execute(f"SET CONSTRAINTS ALL {when}")


def _with_rows(cursor: CursorWrapper) -> list[str]:
    """Name the tables to be emptied."""
    tables = sorted(set(connection.introspection.django_table_names(include_views=False)) - PERMISSIONS)
    cursor.execute(
        " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables)
    )
    return [row[0] for row in cursor.fetchall()]


@contextmanager
def _one_at_a_time() -> Iterator[Path]:
    folder = Path(os.environ["PRM_TEST_FOLDER"]).parent
    with (folder / "building.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _build() -> None:
    """Run the migrations, or take what they made before; on a server they always run."""
    if connection.vendor != "sqlite":
        setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
        return
    kept = KEPT / f"{_fingerprint()}.sqlite3"
    if kept.exists():
        _use(kept)
        return
    setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    connection.close()
    KEPT.mkdir(parents=True, exist_ok=True)
    for stale in KEPT.glob("*.sqlite3"):
        stale.unlink(missing_ok=True)
    fresh = kept.with_suffix(f".{os.getpid()}")
    shutil.copy(str(connection.settings_dict["NAME"]), fresh)
    fresh.rename(kept)  # at once whole for whoever looks


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in MADE_FROM:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def _use(original: Path) -> None:
    name = str(connection.creation._get_test_db_name())  # type: ignore[attr-defined]
    connection.close()
    shutil.copy(original, name)
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _keep(folder: Path) -> None:
    """Put a copy of the fresh database by, for the others."""
    fresh = str(connection.settings_dict["NAME"])
    if connection.vendor == "postgresql":
        _drop(_original(folder))
        _run(f'CREATE DATABASE "{_original(folder)}" TEMPLATE "{fresh}"')
    else:
        shutil.copy(fresh, folder / "original.sqlite3")


def _take(folder: Path) -> None:
    """Copy what was put by, and use the copy."""
    connection.close()
    name = str(connection.creation._get_test_db_name())  # type: ignore[attr-defined]
    if connection.vendor == "postgresql":
        _drop(name)
        _run(f'CREATE DATABASE "{name}" TEMPLATE "{_original(folder)}"')
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    else:
        _use(folder / "original.sqlite3")


def _original(folder: Path) -> str:
    return f"original_{folder.name}".replace("-", "_").lower()


def _drop(name: str) -> None:
    _run(f'DROP DATABASE IF EXISTS "{name}"')


def _run(statement: str) -> None:
    with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(statement)
