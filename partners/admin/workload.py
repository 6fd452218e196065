"""How much every account manager takes on, beside how much they look after now."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import assignment
from partners.admin.forms_eligibility import WorkloadForm
from partners.models import Workload
from prm.accounts.back_office import BackOfficeAdmin, attempt, list_url, person, require


@admin.register(Workload)
class WorkloadAdmin(BackOfficeAdmin):
    """Workloads."""

    section = gettext_lazy("Workloads")
    sees, adds = "see_applications", "manage_eligibility"
    list_display = ("whose", "looks_after", "most_open", "takes_new", "only_of")
    list_filter = ("takes_new",)
    search_fields = ("user__full_name", "user__email_folded")
    ordering = ("user__full_name", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workload]:
        """Count with the rows what everybody looks after."""
        return assignment.workloads().prefetch_related("programs")

    @admin.display(description=gettext_lazy("account manager"), ordering="user__full_name")
    def whose(self, workload: Workload) -> str:
        """Return the person's name."""
        return workload.user.full_name or workload.user.email

    @admin.display(description=gettext_lazy("looks after now"))
    def looks_after(self, workload: Workload) -> int:
        """Return how many undecided applications the person looks after."""
        return assignment.open_now(workload)

    @admin.display(description=gettext_lazy("only of these programs"))
    def only_of(self, workload: Workload) -> str:
        """Return the programs, or that it is all of them."""
        return ", ".join(each.name for each in workload.programs.all()) or _("All programs")

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Ask how much somebody takes."""
        require(request, self.adds)
        row = get_object_or_404(self.get_queryset(request), pk=object_id) if object_id else None
        initial = {}
        if row is not None:
            initial = {
                "user": row.user_id,
                "most_open": row.most_open,
                "takes_new": row.takes_new,
                "programs": [each.pk for each in row.programs.all()],
            }
        form = WorkloadForm(request.POST if request.method == "POST" else None, initial=initial)
        if row is not None:
            form.fields["user"].disabled = True
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            done = attempt(request, lambda: assignment.set_workload(by=by, at=at, **given), form=form)
            if done is not None:
                name = done.user.full_name or done.user.email
                messages.success(request, _("The workload of %(name)s is set.") % {"name": name})
                return HttpResponseRedirect(list_url(Workload))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Workload of %(name)s") % {"name": self.whose(row)} if row else _("New workload"),
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            verb=_("Set the workload"),
            consequences=[
                _(
                    "New applications are given by themselves to who has room, to the one with the fewest first."
                ),
                _("What somebody looks after already stays with them."),
            ],
            parent_url=list_url(Workload),
        )
