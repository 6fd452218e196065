"""A filter a list opens with: what waits for staff now, unless somebody looks for words or for something else by name."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class OpeningFilter(admin.SimpleListFilter):
    """Subclasses name the ways to look, the one the list opens with first, and `unless`: what asks for all rows when it is in the address."""

    opens_with = "yes"
    unless: tuple[str, ...] = ("q",)

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        is_asked = any(request.GET.get(name) for name in self.unless)
        self._default = "all" if is_asked else self.opens_with
        super().__init__(request, params, model, model_admin)

    def choices(self, changelist: Any) -> Any:
        """Offer the ways to look, without the one that would say the same as the first."""
        return [choice for number, choice in enumerate(super().choices(changelist)) if number]

    def value(self) -> str | None:
        """Return what was asked for, or what the list opens with."""
        return super().value() or self._default
