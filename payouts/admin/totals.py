"""Add up what a list shows: per currency, over the whole filter and not only over the page."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from prm.accounts.back_office import BackOfficeAdmin
from prm.lib.money import Money


class WithTotals(BackOfficeAdmin):
    """A list with its totals above; `total_of` names the column that is added up."""

    change_list_template = "admin/payouts/totals_list.html"
    total_of = "amount_minor"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Put the totals of the filtered rows into the page."""
        response = super().changelist_view(request, extra_context)
        listed = (
            response.context_data.get("cl")
            if isinstance(response, TemplateResponse) and response.context_data
            else None
        )
        if listed is not None:
            assert isinstance(response, TemplateResponse) and response.context_data is not None  # noqa: S101
            response.context_data["totals"] = totals(listed.queryset, self.total_of)
        return response


def totals(found: QuerySet[Any], minor: str) -> list[tuple[Money, int]]:
    """Return the sum and the number of rows in each currency."""
    rows = found.order_by().values("currency").annotate(total=Sum(minor), n=Count("pk")).order_by("currency")
    return [(Money(row["total"], row["currency"]), row["n"]) for row in rows]
