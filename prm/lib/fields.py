"""Columns with a habit: public ids that make themselves, and texts that are encrypted at rest. Ciphertext is bound to its table
and column, so a value copied elsewhere cannot be read there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Exact

from prm.lib import crypto
from prm.lib.crypto import Unreadable, blind_index
from prm.lib.ids import public_id

__all__ = ["EncryptedTextField", "PublicIdField", "Unreadable", "blind_index"]


class PublicIdField(models.CharField):
    """The name of a row outside the house, made when the object is."""

    def __init__(self, *args: Any, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        fixed = {"max_length": 40, "unique": True, "editable": False, "default": partial(public_id, prefix)}
        super().__init__(*args, **{**kwargs, **fixed})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("max_length", "unique", "editable", "default"):
            kwargs.pop(fixed, None)
        return name, path, args, {**kwargs, "prefix": self.prefix}


class EncryptedTextField(models.TextField):
    """Text that only the application can read. It cannot be searched: keep a `blind_index` beside it for that."""

    @property
    def context(self) -> str:
        return f"{self.model._meta.db_table}|{self.column}"

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        prepared = super().get_db_prep_save(value, connection)
        return crypto.encrypt(prepared, context=self.context) if isinstance(prepared, str) else prepared

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> str | None:
        return None if value is None else crypto.decrypt(value, context=self.context)

    def get_lookup(self, lookup_name: str) -> Any:
        return {"exact": _ExactlyEmpty, "isnull": super().get_lookup("isnull")}.get(lookup_name)


class _ExactlyEmpty(Exact):
    """Equality with the empty text, the one value that is stored as it is."""

    def get_prep_lookup(self) -> Any:
        if self.rhs != "":
            raise TypeError(
                "An encrypted text can only be compared with the empty text; search its blind index."
            )
        return super().get_prep_lookup()
