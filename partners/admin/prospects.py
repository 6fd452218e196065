"""Prospects in the back office: the list with what is due next, the page of one with what was said, and the file. Whoever looks after a
prospect sees at once which touch is late."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partners import prospect_watch, prospects
from partners.admin.applications import history_of
from partners.admin.forms_outreach import ProspectForm, StageForm, TouchForm
from partners.choices import ProspectStage
from partners.models import Prospect
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    locale,
    person,
    require,
    row_url,
    state_column,
)
from prm.lib import l10n
from prm.lib.cells import formula_safe

CAPABILITY = "manage_prospects"
_FILE = (
    "id",
    "name",
    "company",
    "email",
    "phone",
    "website",
    "country",
    "program",
    "stage",
    "owner",
    "source",
    "source_note",
    "next_touch_on",
    "competes_with",
    "introduced_by",
)


class WhoseFilter(admin.SimpleListFilter):
    """Whose prospects, and whether a touch is late."""

    title = gettext_lazy("what to do")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the ways to look."""
        return [("mine", _("Mine")), ("overdue", _("Touch is late")), ("open", _("Open"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prospect]) -> QuerySet[Prospect]:
        """Keep what was asked for."""
        if self.value() == "mine":
            return queryset.filter(owner=person(request)).exclude(stage=ProspectStage.LOST)
        if self.value() == "overdue":
            return queryset.filter(prospect_watch.overdue(timezone.localdate()))
        if self.value() == "open":
            return queryset.exclude(stage__in=[ProspectStage.JOINED, ProspectStage.LOST])
        return queryset


@admin.register(Prospect)
class ProspectAdmin(BackOfficeAdmin):
    """Prospects, those whose next touch is due first."""

    section = gettext_lazy("Prospects")
    sees = adds = CAPABILITY
    change_list_template = "admin/partners/prospect/change_list.html"
    list_display = (
        "called",
        state_column("prospect", gettext_lazy("stage"), name="stage"),
        "program",
        "owner",
        "next_touch",
    )
    list_filter = (
        WhoseFilter,
        "stage",
        "program",
        "source",
        ("owner", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("program", "owner")
    search_fields = ("full_name", "company", "email_folded", "customer_reference", "public_id")
    search_help_text = gettext_lazy("Name, company, address, customer or id")
    # What is late comes first, and what is planned for no day comes last, on every database.
    ordering = (F("next_touch_on").asc(nulls_last=True), "-created_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that add and change, what the page of one does, and the file."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("add/", wrap(both(self.add_page)), name="partners_prospect_add"),
            path("file.csv", wrap(require_safe(self.file)), name="partners_prospect_file"),
            path("<int:pk>/edit/", wrap(both(self.edit_page)), name="partners_prospect_edit"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the file of exactly the rows that are shown."""
        query = request.GET.urlencode()
        file_url = reverse("admin:partners_prospect_file")
        extra = {"file_url": f"{file_url}?{query}" if query else file_url}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("prospect"), ordering="company")
    def called(self, prospect: Prospect) -> str:
        """Return the name, with the person or the address under it."""
        other = prospect.full_name if prospect.company else prospect.email
        return format_html('{}<span class="sub">{}</span>', prospect.name, other or prospect.email or "")

    @admin.display(description=gettext_lazy("next touch"), ordering="next_touch_on")
    def next_touch(self, prospect: Prospect) -> str:
        """Return the day, and whether it is over."""
        return _touch_text(prospect)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one prospect, or note a touch or another stage."""
        if object_id is None:
            return None
        require(request, self.sees)
        prospect = get_object_or_404(self._rows(), pk=object_id)
        touch_form, stage_form, done = TouchForm(), StageForm(initial={"stage": prospect.stage}), None
        if request.method == "POST" and request.POST.get("move") == "stage":
            stage_form = StageForm(request.POST)
            done = _moved(request, prospect, stage_form)
        elif request.method == "POST":
            touch_form = TouchForm(request.POST)
            done = _touched(request, prospect, touch_form)
        if done is not None:
            return HttpResponseRedirect(row_url(prospect))
        wrong = next((form for form in (touch_form, stage_form) if form.errors), None)
        return self.page(
            request,
            "admin/partners/prospect/prospect.html",
            title=prospect.name,
            status=422 if wrong else 200,
            prospect=prospect,
            facts=_facts(prospect),
            touches=prospect.touches.select_related("touched_by").order_by("-touched_at", "-pk"),
            invitations=prospect.invitations.select_related("program").order_by("-invited_at", "-pk"),
            history=history_of(prospect)[::-1],
            touch_form=touch_form,
            stage_form=stage_form,
            form=wrong,
            may_invite=policy.may(request.user, "invite_partners"),
            invite_url=f"{reverse('admin:partners_programinvitation_add')}?prospect={prospect.public_id}",
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Write a prospect down."""
        require(request, CAPABILITY)
        initial = {"owner": person(request).pk, "program": request.GET.get("program")}
        form = ProspectForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            values, by, at = dict(form.cleaned_data), person(request), timezone.now()
            made = attempt(request, lambda: prospects.add(by=by, at=at, **values), form=form)
            if made is not None:
                messages.success(request, _("%(name)s is on the list.") % {"name": made.name})
                return HttpResponseRedirect(row_url(made))
        return self._form_page(request, form, title=_("Add a prospect"), back=None)

    def edit_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what is known of a prospect."""
        require(request, CAPABILITY)
        prospect = get_object_or_404(Prospect, pk=pk)
        name = prospect.name
        form = ProspectForm(request.POST or None, instance=prospect)
        if request.method == "POST" and form.is_valid():
            values, by, at = dict(form.cleaned_data), person(request), timezone.now()
            row = Prospect(pk=pk)
            if attempt(request, lambda: prospects.change(row, by=by, at=at, **values), form=form):
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(row_url(row))
        return self._form_page(request, form, title=_("Change %(name)s") % {"name": name}, back=prospect)

    def file(self, request: HttpRequest) -> HttpResponse:
        """Write the rows the list shows as CSV; no cell can be taken for a formula."""
        require(request, CAPABILITY)
        rows = self.listed(request)
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="prospects.csv"'
        writer = csv.writer(response)
        writer.writerow(_FILE)
        count = 0
        for prospect in rows.select_related("program", "owner", "introducer__partner").iterator(500):
            writer.writerow([formula_safe(cell) for cell in _cells(prospect)])
            count += 1
        audit.record(person(request), "prospect.file_taken", None, at=timezone.now(), rows=count)
        return response

    def _rows(self) -> QuerySet[Prospect]:
        return Prospect.objects.select_related(
            "program", "owner", "introducer__partner", "application", "membership__partner"
        )

    def _form_page(
        self, request: HttpRequest, form: ProspectForm, *, title: str, back: Prospect | None
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/partners/prospect/form.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            parent=back.name if back and not form.errors else "",
            parent_url=row_url(back) if back else "",
            back_url=row_url(back) if back else reverse("admin:partners_prospect_changelist"),
        )


def _touched(request: HttpRequest, prospect: Prospect, form: TouchForm) -> object | None:
    if not form.is_valid():
        return None
    values, by, at = dict(form.cleaned_data), person(request), timezone.now()
    made = attempt(request, lambda: prospects.touch(prospect, by=by, at=at, **values), form=form)
    if made is not None:
        messages.success(request, _("The touch is noted."))
    return made


def _moved(request: HttpRequest, prospect: Prospect, form: StageForm) -> object | None:
    if not form.is_valid():
        return None
    stage, by, at = form.cleaned_data["stage"], person(request), timezone.now()
    moved = attempt(request, lambda: prospects.move(prospect, stage=stage, by=by, at=at), form=form)
    if moved is not None:
        messages.success(request, _("The stage is changed."))
    return moved


def _touch_text(prospect: Prospect) -> str:
    day = prospect.next_touch_on
    if day is None:
        return "–"
    text = l10n.date_text(day, locale())
    is_open = prospect.stage not in (ProspectStage.JOINED, ProspectStage.LOST)
    return _("%(date)s, late") % {"date": text} if is_open and day < timezone.localdate() else text


def _facts(prospect: Prospect) -> list[Fact]:
    told: list[tuple[Any, Any]] = [
        (_("Name"), prospect.full_name),
        (_("Company"), prospect.company),
        (_("E-mail"), prospect.email),
        (_("Phone"), prospect.phone),
        (_("Website or channel"), prospect.website),
        (_("Country"), prospect.country),
        (_("Language"), prospect.get_language_display()),
        (_("Program"), prospect.program.name if prospect.program else ""),
        (_("Owner"), prospect.owner.get_full_name() if prospect.owner else _("nobody")),
        (_("Source"), ": ".join(filter(None, (prospect.get_source_display(), prospect.source_note)))),
        (_("Customer"), prospect.customer_reference),
        (_("Introduced by"), link_to(prospect.introducer.partner, prospect.introducer.partner.name))
        if prospect.introducer
        else ("", ""),
        (_("Next touch"), _touch_text(prospect) if prospect.next_touch_on else ""),
        (_("Competes or overlaps with"), prospect.competes_with),
        (_("Application"), link_to(prospect.application, _("Open it")) if prospect.application else ""),
        (_("Partner"), link_to(prospect.membership.partner, prospect.membership.partner.name))
        if prospect.membership
        else ("", ""),
    ]
    return [Fact(label, value) for label, value in told if value]


def _cells(prospect: Prospect) -> list[str]:
    return [
        prospect.public_id,
        prospect.full_name,
        prospect.company,
        prospect.email,
        prospect.phone,
        prospect.website,
        prospect.country,
        prospect.program.slug if prospect.program else "",
        prospect.stage,
        prospect.owner.get_full_name() if prospect.owner else "",
        prospect.source,
        prospect.source_note,
        prospect.next_touch_on.isoformat() if prospect.next_touch_on else "",
        prospect.competes_with,
        prospect.introducer.partner.name if prospect.introducer else "",
    ]
