"""Encrypt again, with the current key, what an older key has encrypted. Rows are taken in small steps and only when nobody changed them
meanwhile, so it can run beside everything else and be started again wherever it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import Value
from django.db.models.functions import Cast

from prm.lib import crypto
from prm.lib.fields import EncryptedTextField

AT_ONCE = 500


@dataclass
class Rotated:
    """What became of one column: how many values the current key opens already, how many were encrypted again, how many stayed."""

    table: str
    column: str
    current: int = 0
    rotated: int = 0
    unreadable: int = 0

    @property
    def done(self) -> int:
        return self.current + self.rotated + self.unreadable


def columns() -> Iterator[EncryptedTextField]:
    """Yield every encrypted column of the product, table by table."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield field


def count(field: EncryptedTextField) -> int:
    """Return how many rows hold something in the column."""
    return field.model._base_manager.exclude(**{field.name: ""}).count()


def rotate(
    field: EncryptedTextField, *, tell: Callable[[Rotated], None] = lambda _now: None, dry_run: bool = False
) -> Rotated:
    """Encrypt one column again and return the figures; `tell` hears of them after each step.

    A value no key of ours opens stays as it is and is counted.
    """
    found, after = Rotated(field.model._meta.db_table, field.name), 0
    while rows := _some(field, after=after):
        after = rows[-1][0]
        with transaction.atomic():
            for pk, envelope in rows:
                _one(field, pk, envelope, found, dry_run=dry_run)
        tell(found)
    return found


def _some(field: EncryptedTextField, *, after: int) -> list[tuple[int, str]]:
    """Return the next rows with their envelopes."""
    rows = _sealed(field).filter(pk__gt=after).exclude(envelope="").order_by("pk")
    return list(rows.values_list("pk", "envelope")[:AT_ONCE])


def _one(field: EncryptedTextField, pk: int, envelope: str, found: Rotated, *, dry_run: bool) -> None:
    if crypto.is_current(envelope):
        found.current += 1
        return
    try:
        text = crypto.decrypt(envelope, context=field.context)
    except crypto.Unreadable:
        found.unreadable += 1
        return
    found.rotated += 1
    if not dry_run:
        sealed = Value(crypto.encrypt(text, context=field.context), output_field=models.TextField())
        # Only as long as it is what was read: whoever wrote meanwhile wrote with the current key.
        _sealed(field).filter(pk=pk, envelope=envelope).update(**{field.name: sealed})


def _sealed(field: EncryptedTextField) -> models.QuerySet[Any]:
    """Return the rows with what is stored as `envelope`: the field itself would hand out the text."""
    return field.model._base_manager.annotate(envelope=Cast(field.name, models.TextField()))
