"""The bank's files: load one up, see what it would book, and book it. What a file said of each payment stays readable, and so does the file
as it came."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from payouts import results
from payouts.admin import results_page as shown
from payouts.choices import ResultFormat
from payouts.models import ResultFile
from payouts.results import jobs, reading, reconcile
from payouts.results.csv import OPTIONAL, OUTCOMES, REQUIRED
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    list_url,
    locale,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from tiers.models import LegalEntity

IMPORTS = "settle_pay_runs"
PER_PAGE = 100
RUNS_PER_PAGE = 24
_SALT = "payouts.results.look"


class UploadForm(forms.Form):
    """A file of the bank, and whose account it is about."""

    entity = forms.ModelChoiceField(
        label=gettext_lazy("Legal entity"), queryset=LegalEntity.objects.order_by("name"), empty_label=None
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("camt.053, camt.054, pain.002 or CSV, up to 20 MB."),
        widget=forms.FileInput(attrs={"accept": ".xml,.csv,.txt,text/xml,application/xml,text/csv"}),
    )


class EntityForm(forms.Form):
    """Whose runs to show."""

    entity = forms.ModelChoiceField(
        label=gettext_lazy("Legal entity"), queryset=LegalEntity.objects.order_by("name"), empty_label=None
    )


@admin.register(ResultFile)
class ResultFileAdmin(BackOfficeAdmin):
    """Files of banks, the newest first."""

    sees = "see_ledger"
    section = gettext_lazy("Bank results")
    change_list_template = "admin/payouts/resultfile/change_list.html"
    list_display = (
        "name",
        when_column("imported_at", gettext_lazy("imported")),
        "format",
        "num_rows",
        "num_settled",
        "num_returned",
        "num_known",
        "num_foreign",
        "legal_entity",
        "imported_by",
    )
    list_filter = ("format", "legal_entity", "imported_at")
    list_select_related = ("legal_entity", "imported_by")
    search_fields = ("name", "public_id", "sha256", "results__payment__end_to_end_id")
    search_help_text = gettext_lazy("File name, id, hash, or the end-to-end id of a payment in it")
    ordering = ("-imported_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ResultFile]:
        """Read files without their content."""
        return ResultFile.objects.defer("content").select_related("legal_entity", "imported_by")

    def get_urls(self) -> list[URLPattern]:
        """Add loading up, looking, taking the file and the page over all runs."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("upload/", wrap(both(self.upload)), name="payouts_resultfile_upload"),
            path("look/<str:token>/", wrap(both(self.look)), name="payouts_resultfile_look"),
            path("reconcile/", wrap(require_safe(self.reconcile)), name="payouts_resultfile_reconcile"),
            path("<int:pk>/content/", wrap(require_safe(self.content)), name="payouts_resultfile_content"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("bookings"), ordering="row_count")
    def num_rows(self, file: ResultFile) -> str:
        """Return how many bookings it has."""
        return l10n.number_text(file.row_count, locale())

    @admin.display(description=gettext_lazy("paid"), ordering="settled_count")
    def num_settled(self, file: ResultFile) -> str:
        """Return how many payments it settled."""
        return l10n.number_text(file.settled_count, locale())

    @admin.display(description=gettext_lazy("came back"), ordering="returned_count")
    def num_returned(self, file: ResultFile) -> str:
        """Return how many payments came back."""
        return l10n.number_text(file.returned_count, locale())

    @admin.display(description=gettext_lazy("known before"), ordering="known_count")
    def num_known(self, file: ResultFile) -> str:
        """Return how many results were known."""
        return l10n.number_text(file.known_count, locale())

    @admin.display(description=gettext_lazy("not ours"), ordering="foreign_count")
    def num_foreign(self, file: ResultFile) -> str:
        """Return how many bookings are about something else."""
        return l10n.number_text(file.foreign_count, locale())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to import to those who may."""
        may_import = policy.may(request.user, IMPORTS)
        return super().changelist_view(request, {"may_import": may_import, **(extra_context or {})})

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show a file with all it said of our payments."""
        require(request, self.sees)
        file = get_object_or_404(self.get_queryset(request), pk=object_id)
        found = file.results.select_related("payment__membership__partner", "payment__pay_run")
        page = Paginator(found.order_by("-outcome", "pk"), PER_PAGE).get_page(request.GET.get("page"))
        url = reverse("admin:payouts_resultfile_content", args=[file.pk])
        return self.page(
            request,
            "admin/payouts/resultfile/file.html",
            title=file.name,
            facts=list(shown.facts_of_file(file)),
            rows=shown.rows_of_file(page),
            page=page,
            previous_url=f"?page={page.previous_page_number()}" if page.has_previous() else "",
            next_url=f"?page={page.next_page_number()}" if page.has_next() else "",
            content_url=url if policy.may(request.user, IMPORTS) else "",
        )

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take a file, and go on to what it would book."""
        require(request, IMPORTS)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            entity, file = form.cleaned_data["entity"], form.cleaned_data["file"]
            content = file.read(reading.LARGEST + 1)
            by, at = person(request), timezone.now()
            if attempt(request, lambda: results.look(entity, content=content, by=by), form=form) is not None:
                word = jobs.keep(content, at=at)
                given = {"word": word, "entity": entity.pk, "name": file.name[-120:], "by": by.pk}
                token = signing.dumps(given, salt=_SALT)
                return HttpResponseRedirect(reverse("admin:payouts_resultfile_look", args=[token]))
        return self.page(
            request,
            "admin/payouts/resultfile/upload.html",
            title=_("Import a file of the bank"),
            form=form,
            errors=bool(form.errors),
            required=REQUIRED,
            optional=OPTIONAL,
            outcomes=tuple(OUTCOMES),
        )

    def look(self, request: HttpRequest, token: str) -> HttpResponse:
        """Say what a file would book, or book it; a large one is handed to a worker."""
        require(request, IMPORTS)
        try:
            given = signing.loads(token, salt=_SALT, max_age=24 * 60 * 60)
        except signing.BadSignature:
            given = {}
        by = person(request)
        content = attempt(request, lambda: jobs.kept(str(given.get("word", ""))))
        if content is None or given["by"] != by.pk:
            return HttpResponseRedirect(reverse("admin:payouts_resultfile_upload"))
        entity = get_object_or_404(LegalEntity, pk=given["entity"])
        seen = attempt(request, lambda: results.look(entity, content=content, by=by))
        if seen is None:
            return HttpResponseRedirect(reverse("admin:payouts_resultfile_upload"))
        if request.method == "POST" and not seen.plan.faults.count:
            return self._book(request, entity, content, given, len(seen.plan.settled + seen.plan.came_back))
        plan, rows = seen.plan, shown.rows_of_plan(seen.plan)
        return self.page(
            request,
            "admin/payouts/resultfile/look.html",
            title=_("What the file would book"),
            parent=_("Import a file of the bank"),
            parent_url=reverse("admin:payouts_resultfile_upload"),
            facts=list(shown.facts_of_look(seen, entity.name, given["name"])),
            faults=plan.faults.kept,
            hidden_faults=plan.faults.count - len(plan.faults.kept),
            refused_text=ngettext(
                "One booking does not match what we sent, so nothing of the file is booked.",
                "%(count)s bookings do not match what we sent, so nothing of the file is booked.",
                plan.faults.count,
            )
            % {"count": l10n.number_text(plan.faults.count, locale())},
            earlier=seen.earlier,
            earlier_url=row_url(seen.earlier) if seen.earlier is not None else "",
            rows=rows,
            hidden=len(plan.settled) + len(plan.came_back) - len(rows),
            consequences=shown.consequences_of(plan),
            verb=shown.verb_of(plan),
        )

    def _book(
        self, request: HttpRequest, entity: LegalEntity, content: bytes, given: dict[str, Any], count: int
    ) -> HttpResponse:
        by, at = person(request), timezone.now()
        word, name = given["word"], given["name"]
        if count > jobs.AT_ONCE:
            run = attempt(request, lambda: jobs.start(entity, word=word, name=name, by=by, at=at))
            if run is None:
                return HttpResponseRedirect(list_url(ResultFile))
            messages.success(request, _("The file was taken. You can leave this page while it is booked."))
            return HttpResponseRedirect(row_url(run))
        file = attempt(request, lambda: results.import_file(entity, name=name, content=content, by=by, at=at))
        if file is None:
            return HttpResponseRedirect(request.path)
        jobs.drop(word)
        messages.success(request, _("What the bank said is booked."))
        return HttpResponseRedirect(row_url(file))

    def content(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the file as it came, and write down who took it."""
        require(request, IMPORTS)
        file = get_object_or_404(ResultFile, pk=pk)
        audit.record(person(request), "results.file_taken", file, at=timezone.now(), file=file.name)
        kind = "text/csv; charset=utf-8" if file.format == ResultFormat.CSV else "application/xml"
        response = HttpResponse(bytes(file.content), content_type=kind)
        ending = "csv" if file.format == ResultFormat.CSV else "xml"
        response["Content-Disposition"] = f'attachment; filename="{file.public_id}.{ending}"'
        response["Cache-Control"] = "no-store"
        return response

    def reconcile(self, request: HttpRequest) -> HttpResponse:
        """Show how the runs of an entity stand: what left, what is in files, what came of it, and the difference."""
        require(request, self.sees)
        entity = LegalEntity.objects.filter(pk=_number(request.GET.get("entity"))).first()
        entity = entity or LegalEntity.objects.order_by("name").first()
        page = Paginator(shown.out_runs(entity.pk if entity else 0), RUNS_PER_PAGE).get_page(
            request.GET.get("page")
        )
        found = reconcile.of_runs(list(page))
        keep = f"&entity={entity.pk}" if entity else ""
        return self.page(
            request,
            "admin/payouts/resultfile/reconcile.html",
            title=_("Reconcile all runs"),
            form=EntityForm(initial={"entity": entity}),
            rows=shown.rows_of_runs(found),
            totals=shown.totals_of_runs(found),
            wrong=not all(each.agrees for each in found),
            page=page,
            previous_url=f"?page={page.previous_page_number()}{keep}" if page.has_previous() else "",
            next_url=f"?page={page.next_page_number()}{keep}" if page.has_next() else "",
        )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
