"""See the database refuse a row because of one constraint, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, models, transaction


def words_of(model: type[models.Model], name: str) -> str:
    """Return how this database begins its refusal: SQLite tells a unique constraint by its columns, PostgreSQL by its name."""
    constraint = next(each for each in model._meta.constraints if each.name == name)
    kind = "unique" if isinstance(constraint, models.UniqueConstraint) else "check"
    if connection.vendor == "postgresql":
        return f'violates {kind} constraint "{name}"'
    if isinstance(constraint, models.UniqueConstraint):
        columns = (model._meta.get_field(field).column for field in constraint.fields)  # type: ignore[union-attr]
        return f"UNIQUE constraint failed: {', '.join(f'{model._meta.db_table}.{c}' for c in columns)}"
    return f"CHECK constraint failed: {name}"


def assert_refused(name: str, model: type[models.Model], act: Callable[[], object]) -> None:
    """Let `act` write what the constraint `name` of `model` forbids, and see that it was this one that refused."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    assert str(refusal.value).splitlines()[0].endswith(words_of(model, name))
