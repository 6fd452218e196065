"""A program's plan: its versions, the button that begins a new one, and an order to try on what is in force."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url
from tiers import publishing, trial
from tiers.admin.forms import OrderForm
from tiers.engine.facts import Because
from tiers.models import Plan


@admin.register(Plan)
class PlanAdmin(BackOfficeAdmin):
    """Plans, one for each program; they come into being with it."""

    sees = "try_plans"
    list_display = ("name", "program")
    list_select_related = ("program",)
    search_fields = ("name", "program__name", "public_id")
    ordering = ("program__name", "pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the button for a new version."""
        draft = self.admin_site.admin_view(require_POST(self.draft))
        return [path("<int:pk>/draft/", draft, name="tiers_plan_draft"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the plan, and what the order in the address would earn."""
        require(request, self.sees)
        plan = get_object_or_404(Plan.objects.select_related("program"), pk=object_id)
        at = timezone.now()
        form = OrderForm(request.GET if "amount" in request.GET else None, program=plan.program)
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
            order_form=form,
            **_tried(form),
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


def _tried(form: OrderForm) -> dict[str, Any]:
    """Return what the order earns under the version in force at its date."""
    if not (form.is_bound and form.is_valid()):
        return {}
    at = form.occurred_at()
    facts = trial.facts_in_force(form.program, at=at)
    if facts is None:
        form.add_error("on", _("No version was in force on this day."))
        return {}
    return {"outcome": outcome(form, trial.try_order(facts, at=at, **order(form)))}


def order(form: OrderForm) -> dict[str, Any]:
    """Return what the form says about the order, as the engine takes it."""
    given = form.cleaned_data
    return {name: given[name] for name in ("tier", "kind", "amount", "country")}


def outcome(form: OrderForm, because: Because) -> dict[str, Any]:
    """Return what the page prints about an order that was tried."""
    return {"because": because, "zone": form.program.time_zone}
