"""Figures that staff enters by hand: one membership at a time, or many from a list whose rows are shown with what is wrong before anything is
entered. A figure is never changed; a newer one counts instead."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners import pasted_lists
from partners.admin.day_column import day_column
from partners.admin.engagement_forms import FigureForm, FigureListForm
from partners.admin.membership_choice import choose_page
from partners.engagement import figure_lists, figures
from partners.engagement.activities import CAPABILITY
from partners.models import Membership, StaffFigure
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    list_url,
    locale,
    person,
    require,
    row_url,
)
from prm.lib import l10n

_SALT, _VALID_SECONDS = "partners.admin.figures", 24 * 3600


class FigureFilter(admin.SimpleListFilter):
    """Figures of one kind, by its name."""

    title = gettext_lazy("figure")
    parameter_name = "metric"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Name the kinds."""
        return list(figures.LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[StaffFigure]) -> QuerySet[StaffFigure]:
        """Keep one kind."""
        return queryset.filter(metric=self.value()) if self.value() else queryset


@admin.register(StaffFigure)
class StaffFigureAdmin(BackOfficeAdmin):
    """Figures, what was entered last first."""

    section = gettext_lazy("Figures entered by hand")
    sees = "see_partners"
    change_list_template = "admin/partners/figures/change_list.html"
    list_display = (
        "named",
        "partner",
        "program",
        "value",
        day_column("counted_on", gettext_lazy("as of")),
        "note",
    )
    list_filter = (FigureFilter, "membership__program")
    list_select_related = ("membership__partner", "membership__program", "entered_by")
    search_fields = ("membership__partner__name", "membership__public_id", "note")
    search_help_text = gettext_lazy("Partner, membership or source")
    ordering = ("-entered_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that enter one, and many."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("enter/", wrap(require_safe(self.choose)), name="partners_stafffigure_choose"),
            path("enter/<int:pk>/", wrap(both(self.enter)), name="partners_stafffigure_enter"),
            path("list/", wrap(both(self.list_page)), name="partners_stafffigure_list"),
            path("list/enter/", wrap(require_POST(self.enter_list)), name="partners_stafffigure_list_enter"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffFigure]:
        """Read partner, program and person with the rows."""
        rows = super().get_queryset(request)
        return rows.select_related("membership__partner", "membership__program", "entered_by")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to enter figures to those who may."""
        extra = {"may_enter": policy.may(request.user, CAPABILITY)}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("figure"), ordering="metric")
    def named(self, figure: StaffFigure) -> str:
        """Return what the figure is."""
        return str(figures.LABELS[figure.metric])

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, figure: StaffFigure) -> str:
        """Return the partner."""
        return figure.membership.partner.name

    @admin.display(description=gettext_lazy("program"), ordering="membership__program__name")
    def program(self, figure: StaffFigure) -> str:
        """Return the program."""
        return figure.membership.program.name

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one figure, with every other one of the membership."""
        if object_id is None:
            return None
        require(request, self.sees)
        found = get_object_or_404(self.get_queryset(request), pk=object_id if object_id.isdecimal() else 0)
        membership = found.membership
        return self.page(
            request,
            "admin/partners/figures/figure.html",
            title=_("%(figure)s of %(partner)s")
            % {"figure": figures.LABELS[found.metric], "partner": membership.partner.name},
            facts=[
                Fact(_("Partner"), link_to(membership.partner)),
                Fact(_("Program"), link_to(membership, membership.program.name)),
                Fact(_("Value"), l10n.number_text(found.value, locale())),
                Fact(_("As of"), l10n.date_text(found.counted_on, locale())),
                Fact(_("Where it comes from"), found.note),
                Fact(_("Entered by"), found.entered_by.get_full_name()),
            ],
            entered=_history(membership),
            enter_url=_enter_url(membership) if policy.may(request.user, CAPABILITY) else "",
        )

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Find the membership a figure is about."""
        require(request, CAPABILITY)
        return choose_page(
            self,
            request,
            title=_("Enter a figure"),
            question=_("Whose figure is it?"),
            view="admin:partners_stafffigure_enter",
        )

    def enter(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a figure of one membership."""
        require(request, CAPABILITY)
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        form = FigureForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given, by, at = dict(form.cleaned_data), person(request), timezone.now()
            made = attempt(request, lambda: figures.enter(membership, **given, by=by, at=at), form=form)
            if made is not None:
                messages.success(request, _("The figure is entered. The newest day counts."))
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/partners/figures/enter.html",
            title=_("Enter a figure of %(partner)s") % {"partner": membership.partner.name},
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            back_url=row_url(membership),
            entered=_history(membership),
            consequences=[
                _("It counts for tiers from its day on, until a newer one is entered."),
                _("It stays on record with your name, and cannot be changed."),
            ],
        )

    def list_page(self, request: HttpRequest) -> HttpResponse:
        """Take a list, and show what is wrong with its rows."""
        require(request, CAPABILITY)
        form = FigureListForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            rows = attempt(request, lambda: figure_lists.parse(_text(form)), form=form)
            if rows is not None:
                return self._look(request, rows)
        return self.page(
            request,
            "admin/partners/figures/list.html",
            title=_("Enter many figures"),
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            names=[(key, label) for key, label in figures.LABELS.items()],
            back_url=list_url(StaffFigure),
        )

    def enter_list(self, request: HttpRequest) -> HttpResponse:
        """Enter what was shown, row by row."""
        require(request, CAPABILITY)
        try:
            kept = signing.loads(request.POST.get("list", ""), salt=_SALT, max_age=_VALID_SECONDS)
        except signing.BadSignature:
            messages.error(request, _("This page is too old. Give the list again."))
            return HttpResponseRedirect(reverse("admin:partners_stafffigure_list"))
        rows = [figure_lists.Row(*row) for row in kept]
        entered, left = figure_lists.enter_all(rows, by=person(request), at=timezone.now())
        text = ngettext("%(count)s figure is entered.", "%(count)s figures are entered.", entered)
        messages.success(request, text % {"count": entered})
        if not left:
            return HttpResponseRedirect(list_url(StaffFigure))
        return self.page(
            request,
            "admin/partners/figures/list_look.html",
            title=_("What was not entered"),
            found=left,
            kept="",
            count=0,
            parent=_("Enter many figures"),
            parent_url=reverse("admin:partners_stafffigure_list"),
        )

    def _look(self, request: HttpRequest, rows: list[figure_lists.Row]) -> HttpResponse:
        found = figure_lists.check(rows, at=timezone.now())
        count = sum(not each.fault for each in found)
        kept = [[r.line, r.membership, r.figure, r.value, r.day, r.source] for r in rows]
        verb = ngettext("Enter %(count)s figure", "Enter %(count)s figures", count)
        return self.page(
            request,
            "admin/partners/figures/list_look.html",
            title=_("Check the list"),
            found=found,
            count=count,
            kept=signing.dumps(kept, salt=_SALT, compress=True),
            verb=verb % {"count": count},
            consequences=_consequences(count, len(found) - count),
            parent=_("Enter many figures"),
            parent_url=reverse("admin:partners_stafffigure_list"),
        )


def _history(membership: Membership) -> list[tuple[str, StaffFigure]]:
    return [(str(figures.LABELS[row.metric]), row) for row in figures.history(membership)[:50]]


def _enter_url(membership: Membership) -> str:
    return reverse("admin:partners_stafffigure_enter", args=[membership.pk])


def _text(form: FigureListForm) -> str:
    upload = form.cleaned_data.get("file")
    if upload is None:
        return str(form.cleaned_data["text"])
    if upload.size > pasted_lists.MOST_BYTES:
        raise pasted_lists.TooLarge
    return pasted_lists.read_file(upload.read())


def _consequences(count: int, others: int) -> list[str]:
    enters = ngettext(
        "%(count)s figure is entered with your name; it cannot be changed.",
        "%(count)s figures are entered with your name; they cannot be changed.",
        count,
    )
    told = [enters % {"count": count}]
    if others:
        left = ngettext(
            "%(count)s row is left out, for the reason beside it.",
            "%(count)s rows are left out, for the reasons beside them.",
            others,
        )
        told.append(left % {"count": others})
    return told
