"""Pauses: what is kept back, why, and what should have been looked at by now. Pausing and ending are pages of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from payouts import pauses
from payouts.admin.pause_pages import PausePages, facts_of, is_overdue, readable, title_of, what_text
from payouts.models import Pause
from prm.accounts import policy
from prm.accounts.back_office import list_url, locale, person, require, when_column
from prm.lib import l10n


class StateFilter(admin.SimpleListFilter):
    """Pauses that hold, those nobody looked at in time, and those that ended."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [("open", _("Open")), ("overdue", _("Overdue")), ("ended", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Pause]) -> QuerySet[Pause]:
        """Keep what was asked for."""
        if self.value() == "open":
            return queryset.filter(ended_at=None)
        if self.value() == "overdue":
            return queryset.filter(pk__in=pauses.overdue(at=timezone.now()).values("pk"))
        return queryset.filter(ended_at__isnull=False) if self.value() == "ended" else queryset


@admin.register(Pause)
class PauseAdmin(PausePages):
    """Pauses, those to be looked at first on top."""

    section = gettext_lazy("Pauses")
    sees = "see_commissions"
    change_list_template = "admin/payouts/pause/change_list.html"
    list_display = (
        "what",
        "partner",
        "cause",
        "reason",
        "review",
        when_column("paused_at", gettext_lazy("paused")),
        "paused_by",
        when_column("ended_at", gettext_lazy("ended")),
    )
    list_filter = (StateFilter, "cause", "membership__program")
    list_select_related = (
        "membership__partner",
        "membership__program",
        "commission__conversion",
        "paused_by",
    )
    search_fields = ("membership__partner__name", "commission__conversion__external_id", "public_id")
    search_help_text = gettext_lazy("Partner, order or id")
    ordering = ("review_on", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that pause and end."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("line/<int:pk>/", wrap(both(self.pause_line)), name="payouts_pause_line"),
            path("membership/<int:pk>/", wrap(both(self.pause_payments)), name="payouts_pause_payments"),
            path("<int:pk>/end/", wrap(both(self.end)), name="payouts_pause_end"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pause]:
        """Read what the person may see."""
        return Pause.objects.visible_to(person(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above the list how many should have been looked at by now."""
        overdue = pauses.overdue(at=timezone.now()).count()
        extra = {"overdue": overdue, "overdue_url": list_url(Pause, state="overdue")}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show one pause."""
        require(request, self.sees)
        pause = get_object_or_404(readable(request), pk=object_id)
        can_end = pause.ended_at is None and policy.may(request.user, "pause_payments")
        return self.page(
            request,
            "admin/payouts/pause/pause.html",
            title=title_of(pause),
            facts=facts_of(pause),
            is_overdue=is_overdue(pause),
            end_url=reverse("admin:payouts_pause_end", args=[pause.pk]) if can_end else "",
        )

    @admin.display(description=gettext_lazy("what"))
    def what(self, pause: Pause) -> str:
        """Return the line that waits, or that everything does."""
        return what_text(pause)

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, pause: Pause) -> str:
        """Return the partner."""
        return pause.membership.partner.name

    @admin.display(description=gettext_lazy("looked at again by"), ordering="review_on")
    def review(self, pause: Pause) -> str:
        """Return the review day, marked when it is over."""
        day = l10n.date_text(pause.review_on, locale())
        if not is_overdue(pause):
            return day
        return format_html('{}<span class="sub">{}</span>', day, _("Overdue"))
