"""See the database refuse a row because of one constraint, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, models, transaction


def assert_refused(name: str, model: type[models.Model], act: Callable[[], object]) -> None:
    """Let `act` write what the constraint `name` of `model` forbids, and see that it was this one that refused."""
    constraint = next(each for each in model._meta.constraints if each.name == name)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    if connection.vendor == "postgresql" or isinstance(constraint, models.CheckConstraint):
        assert name in str(refusal.value)
    else:  # SQLite names the columns of a unique index, not the index
        assert isinstance(constraint, models.UniqueConstraint)
        columns = [model._meta.get_field(field).column for field in constraint.fields]  # type: ignore[union-attr]
        assert all(f".{column}" in str(refusal.value) for column in columns)
