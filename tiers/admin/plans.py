"""A program's plan: its versions, the button that begins a new one, and the way to try an order on what is in force."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, pages_of, person, require, row_url
from tiers import publishing
from tiers.models import Plan


@admin.register(Plan)
class PlanAdmin(BackOfficeAdmin):
    """Plans, one for each program; they come into being with it."""

    section = gettext_lazy("Plans and rules")
    sees = "try_plans"
    list_display = ("name", "program")
    list_select_related = ("program",)
    search_fields = ("name", "program__name", "public_id")
    ordering = ("program__name", "pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the button for a new version, and the pages of apps downstream."""
        draft = self.admin_site.admin_view(require_POST(self.draft))
        own = [path("<int:pk>/draft/", draft, name="tiers_plan_draft")]
        return [*own, *pages_of("plan", self), *super().get_urls()]

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show the plan with its versions."""
        require(request, self.sees)
        plan = get_object_or_404(Plan.objects.select_related("program"), pk=object_id)
        at = timezone.now()
        versions = plan.versions.select_related("published_by").prefetch_related("rules").order_by("-number")
        return self.page(
            request,
            "admin/tiers/plan/plan.html",
            title=plan.name,
            plan=plan,
            program=plan.program,
            versions=versions,
            current=publishing.in_force(plan, at=at),
            may_publish=policy.may(request.user, "publish_plans"),
        )

    def draft(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin the next version, or go on with the draft there is."""
        plan = get_object_or_404(Plan, pk=pk)
        draft = attempt(request, lambda: publishing.draft_from(plan, by=person(request), at=timezone.now()))
        if draft is None:
            return HttpResponseRedirect(row_url(plan))
        messages.success(
            request, _("Version %(number)s is a draft. Nothing earns by it yet.") % {"number": draft.number}
        )
        return HttpResponseRedirect(row_url(draft))
