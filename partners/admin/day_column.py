"""A column of the back office that shows a day as days are written everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from prm.accounts.back_office import Column, locale
from prm.lib import l10n

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def day_column(name: str, label: StrOrPromise) -> Column:
    """Return a column that shows a day; nothing known is a dash."""

    def column(obj: Any) -> str:
        day = getattr(obj, name)
        return "–" if day is None else l10n.date_text(day, locale())

    column.__name__ = f"day_{name}"
    return admin.display(description=label, ordering=name)(column)
