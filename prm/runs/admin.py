"""The back office's window on long jobs. Rows are read only; stopping and retrying are single moves with their own button."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.runs import cards, lifecycle
from prm.runs.models import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):
    """Jobs, the newest first, each with its progress."""

    list_display = ("title", "kind", "state", "phase", "done", "total", "failed", "created_at", "created_by")
    list_filter = ("state", "kind")
    search_fields = ("title", "public_id", "subject")
    search_help_text = "Title, run id or object id"
    list_select_related = ("created_by",)
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    show_full_result_count = False
    change_form_template = "admin/runs/run/change_form.html"
    fieldsets = (
        (None, {"fields": ("title", "public_id", "kind", "subject", "state", "created_by", "created_at")}),
        ("Progress", {"fields": ("phase", "done", "total", "failed", "skipped", "attempts")}),
        ("Times", {"fields": ("started_at", "heartbeat_at", "finished_at", "cancel_requested_at")}),
        ("Details", {"fields": ("parameters", "result", "log_tail")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs begin with the work they are about."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Nobody edits a run."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Nobody deletes a run."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the card, its figures and the two buttons."""
        wrap = self.admin_site.admin_view
        own = [
            path("<str:public_id>/card/", wrap(require_safe(self.card)), name="runs_run_card"),
            path("<str:public_id>/progress.json", wrap(require_safe(self.figures)), name="runs_run_progress"),
            path("<str:public_id>/cancel/", wrap(require_POST(self.cancel)), name="runs_run_cancel"),
            path("<str:public_id>/retry/", wrap(require_POST(self.retry)), name="runs_run_retry"),
        ]
        return own + super().get_urls()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the run with its card above."""
        run = Run.objects.filter(pk=object_id).first() if object_id and object_id.isdigit() else None
        card = cards.context(run, at=timezone.now()) if run is not None else {}
        if run is not None and not self._may_steer(request, run):
            card |= {"cancel_url": "", "retry_url": ""}
        return super().changeform_view(request, object_id, form_url, {**card, **(extra_context or {})})

    def card(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Answer with the progress card, as the page asks for every two seconds; a browser without script gets the page."""
        run = self._run(request, public_id)
        if not request.headers.get("HX-Request"):
            return HttpResponseRedirect(self._page_of(run))
        response = render(request, "components/progress_card.html", cards.context(run, at=timezone.now()))
        response.headers["Cache-Control"] = "no-store"
        return response

    def figures(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Answer with the same numbers as JSON."""
        run = self._run(request, public_id)
        return JsonResponse(cards.as_json(run, at=timezone.now()), headers={"Cache-Control": "no-store"})

    def cancel(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Ask the job to stop after its current batch."""
        run = self._own_run(request, public_id)
        at = timezone.now()
        if lifecycle.request_cancel(run, at=at):
            audit.record(self._person(request), "run.cancel_asked", run, at=at)
            messages.success(request, _("It stops after the current batch. What is done is kept."))
        else:
            messages.warning(request, _("It has already come to an end."))
        return HttpResponseRedirect(self._page_of(run))

    def retry(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Hand the job to a worker again."""
        run = self._own_run(request, public_id)
        at = timezone.now()
        try:
            if lifecycle.retry(run, at=at):
                audit.record(self._person(request), "run.retried", run, at=at)
                messages.success(request, _("A worker will carry on with it."))
            else:
                messages.warning(request, _("Nothing to do: it is at work or finished."))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(self._page_of(run))

    def _run(self, request: HttpRequest, public_id: str) -> Run:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Run, public_id=public_id)

    def _own_run(self, request: HttpRequest, public_id: str) -> Run:
        """Return a run the person may steer: who started it, or an administrator who manages the house."""
        run = self._run(request, public_id)
        if not self._may_steer(request, run):
            raise PermissionDenied
        return run

    def _may_steer(self, request: HttpRequest, run: Run) -> bool:
        return run.created_by_id == request.user.pk or policy.may(request.user, "steer_runs")

    def _person(self, request: HttpRequest) -> Any:
        return request.user

    def _page_of(self, run: Run) -> str:
        return reverse("admin:runs_run_change", args=[run.pk])
