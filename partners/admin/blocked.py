"""The list of what programs take nobody from: added with a reason, ended and kept."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import blocking
from partners.admin.forms_eligibility import BlockForm
from partners.models import Blocked
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    list_url,
    person,
    require,
    row_url,
    when_column,
)


class HoldsFilter(admin.SimpleListFilter):
    """Entries that hold, and those that ended."""

    title = gettext_lazy("state")
    parameter_name = "holds"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name both."""
        return [("yes", _("Holds")), ("no", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Blocked]) -> QuerySet[Blocked]:
        """Keep one of them."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(ended_at__isnull=self.value() == "yes")


@admin.register(Blocked)
class BlockedAdmin(BackOfficeAdmin):
    """What is blocked, the newest first."""

    section = gettext_lazy("Blocked")
    sees, adds = "see_applications", "manage_eligibility"
    list_display = (
        "value",
        "kind",
        "where",
        "reason",
        when_column("created_at", gettext_lazy("since")),
        when_column("ended_at", gettext_lazy("ended")),
    )
    list_filter = (HoldsFilter, "kind", "program")
    list_select_related = ("program",)
    search_fields = ("value", "reason")
    ordering = ("-created_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that ends an entry."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.end))
        return [path("<int:pk>/end/", view, name="partners_blocked_end"), *super().get_urls()]

    @admin.display(description=gettext_lazy("program"), ordering="program__name")
    def where(self, entry: Blocked) -> str:
        """Return the program, or every one."""
        return entry.program.name if entry.program is not None else _("Every program")

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show one entry, or ask for a new one."""
        if object_id is None:
            return self._add(request)
        require(request, self.sees)
        found = Blocked.objects.select_related("program", "created_by", "ended_by")
        entry = get_object_or_404(found, pk=object_id)
        may_end = entry.ended_at is None and policy.may(request.user, "manage_eligibility")
        return self.page(
            request,
            "admin/partners/blocked/entry.html",
            title=entry.value,
            facts=[
                Fact(_("Kind"), entry.get_kind_display()),
                Fact(_("Program"), self.where(entry)),
                Fact(_("Reason"), entry.reason),
                Fact(_("Added by"), entry.created_by.full_name or entry.created_by.email),
                Fact(_("State"), _("Holds") if entry.ended_at is None else _("Ended")),
            ],
            end_url=reverse("admin:partners_blocked_end", args=[entry.pk]) if may_end else "",
        )

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End an entry, after saying what that does."""
        require(request, "manage_eligibility")
        entry = get_object_or_404(Blocked, pk=pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: blocking.unblock(entry, by=by, at=at)) is not None:
                messages.success(request, _("%(value)s is not blocked any more.") % {"value": entry.value})
            return HttpResponseRedirect(list_url(Blocked))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Stop blocking %(value)s") % {"value": entry.value},
            verb=_("Stop blocking"),
            consequences=[
                _("Applications from there warn nobody any more, and rules see nothing of it."),
                _("The entry stays in the list as ended."),
            ],
            parent=entry.value,
            parent_url=row_url(entry),
        )

    def _add(self, request: HttpRequest) -> HttpResponse:
        require(request, self.adds)
        form = BlockForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            entry = attempt(request, lambda: blocking.block(by=by, at=at, **given), form=form)
            if entry is not None:
                messages.success(request, _("%(value)s is blocked from now on.") % {"value": entry.value})
                return HttpResponseRedirect(list_url(Blocked))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Block something"),
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            verb=_("Block"),
            consequences=[
                _("Every application from there shows a warning, those that wait already too."),
                _("Nobody is declined by it alone: a person decides, or a rule that asks about this signal."),
            ],
            parent_url=list_url(Blocked),
        )
