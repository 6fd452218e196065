"""Dry runs: ask for one, watch it, read what the change would cost and whom. Nothing on these pages moves money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from payouts import dry_runs
from payouts.admin.dry_run_chart import chart
from payouts.admin.dry_run_form import DryRunForm, first_range
from payouts.choices import DryRunKind
from payouts.dry_runs.report import csv_text
from payouts.models import DryRun
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    Panel,
    add_panels,
    attempt,
    list_url,
    locale,
    money_text,
    person,
    require,
    row_url,
    when_column,
)
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.runs import cards
from tiers.models import PlanVersion, Program

SHOWN = 50


@admin.register(DryRun)
class DryRunAdmin(BackOfficeAdmin):
    """Dry runs, the newest first."""

    sees = "try_plans"
    adds = "try_plans"
    section = gettext_lazy("Dry runs")
    list_display = (
        "public_id",
        "program",
        "kind",
        "version",
        when_column("requested_at", gettext_lazy("asked for")),
        "requested_by",
        when_column("finished_at", gettext_lazy("finished")),
    )
    list_filter = ("program", "kind")
    list_select_related = ("program", "version__plan", "requested_by")
    ordering = ("-requested_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the form for a program, and the report as a file."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/csv/", wrap(require_safe(self.csv)), name="payouts_dryrun_csv"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DryRun]:
        """Read what the pages name with each run; the reports only where they are shown."""
        return DryRun.objects.select_related("program", "version__plan", "requested_by").defer("report")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what to try. The program and a version can come in the address, from the page of the plan."""
        require(request, self.adds)
        programs = Program.objects.order_by("name", "pk")
        wanted = request.GET.get("program", "")
        program = programs.filter(pk=int(wanted)).first() if wanted.isdecimal() else None
        if program is None and programs.count() == 1:
            program = programs.get()
        if program is None:
            return self.page(
                request, "admin/payouts/dryrun/programs.html", title=_("Dry run"), programs=programs
            )
        at = timezone.now()
        form = DryRunForm(program, request.POST or None, initial=self._initial(request, program, at=at))
        if request.method == "POST" and form.is_valid():
            asked = form.asked()
            made = attempt(
                request,
                lambda: dry_runs.ask(
                    program,
                    asked.kind,
                    starts_at=asked.starts_at,
                    ends_at=asked.ends_at,
                    version=asked.version,
                    changes=asked.changes,
                    by=person(request),
                    at=at,
                ),
                form=form,
            )
            if made is not None:
                return HttpResponseRedirect(row_url(made[0]))
        return self.page(
            request,
            "admin/payouts/dryrun/ask.html",
            title=_("Dry run for %(program)s") % {"program": program},
            form=form,
            status=422 if form.errors else 200,
        )

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show how far a dry run is, and its report."""
        require(request, self.sees)
        found = get_object_or_404(self.get_queryset(request).defer(None), pk=object_id)
        at = timezone.now()
        run = dry_runs.latest_run(found)
        context = cards.context(run, at=at) if run is not None and found.finished_at is None else {}
        return self.page(
            request,
            "admin/payouts/dryrun/report.html",
            title=title_of(found),
            dry_run=found,
            facts=list(_facts(found)),
            tables=list(_tables(found.report)) if found.finished_at else [],
            chart=chart(found.report),
            report=found.report,
            csv_url=reverse("admin:payouts_dryrun_csv", args=[found.pk]),
            **context,
        )

    def csv(self, request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
        """Hand out the report as a file."""
        require(request, self.sees)
        found = get_object_or_404(DryRun, pk=pk, finished_at__isnull=False)
        answer = StreamingHttpResponse(csv_text(found.report), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{found.public_id}.csv"'
        return answer

    def _initial(self, request: HttpRequest, program: Program, *, at: datetime) -> dict[str, Any]:
        version = request.GET.get("version", "")
        chosen = {"version": int(version)} if version.isdecimal() else {}
        return {"kind": DryRunKind.PLAN, **first_range(program, at=at), **chosen}


def title_of(dry_run: DryRun) -> str:
    """Say what is tried."""
    changes = dry_run.changes
    if dry_run.kind == DryRunKind.PLAN:
        return _("Dry run of %(version)s") % {"version": dry_run.version}
    if dry_run.kind == DryRunKind.TIER:
        tiers = {tier.key: tier.name for tier in dry_run.program.tiers.all()}
        params = {"from": tiers.get(changes["from"], _("any tier")), "to": tiers[changes["to"]]}
        return _("Dry run: partners in %(from)s stand in %(to)s") % params
    if dry_run.kind == DryRunKind.MOVES:
        count = len(changes["moves"])
        return ngettext(
            "Dry run: %(count)s partner in another tier", "Dry run: %(count)s partners in other tiers", count
        ) % {"count": l10n.number_text(count, locale())}
    return _("Dry run of other settings for %(program)s") % {"program": dry_run.program}


def _facts(dry_run: DryRun) -> Iterator[Fact]:
    zone = dry_run.program.zone
    first = dry_run.starts_at.astimezone(zone).date()
    last = (dry_run.ends_at - timedelta.resolution).astimezone(zone).date()
    days = (l10n.date_text(first, locale()), l10n.date_text(last, locale()))
    yield Fact(_("Events"), _("%(first)s to %(last)s") % {"first": days[0], "last": days[1]})
    yield Fact(_("Asked for by"), dry_run.requested_by)
    for name, value in dry_run.changes.items() if dry_run.kind == DryRunKind.SETTING else ():
        shown = ", ".join(value) if isinstance(value, list) else value
        yield Fact(_SETTING_LABELS[name], shown if shown not in (None, "") else _("none"))
    report = dry_run.report
    if not dry_run.finished_at:
        return
    currency, total = report["currency"], report["total"]
    yield Fact(_("Events rated"), l10n.number_text(total["events"], locale()))
    yield Fact(_("Now"), money_text(Money(total["old"], currency)))
    yield Fact(_("With the change"), money_text(Money(total["new"], currency)))
    yield Fact(_("Change"), money_text(Money(total["new"] - total["old"], currency)))
    yield Fact(_("Partners who gain"), l10n.number_text(report["winners"], locale()))
    yield Fact(_("Partners who lose"), l10n.number_text(report["losers"], locale()))
    yield Fact(_("Events no rule covers"), l10n.number_text(report["uncovered"], locale()))


_SETTING_LABELS = {
    "clawback_days": gettext_lazy("Claw-back window, days"),
    "deducts": gettext_lazy("Taken off before commission"),
    "excluded_products": gettext_lazy("Products that earn nothing"),
    "excluded_categories": gettext_lazy("Categories that earn nothing"),
}


def _tables(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = {
        "partners": (_("By partner"), _("Partner")),
        "tiers": (_("By tier"), _("Tier")),
        "products": (_("By product"), _("Product")),
        "months": (_("By month"), _("Month")),
    }
    for name, (title, column) in names.items():
        rows = report[name]
        if name == "products" and [row["name"] for row in rows] == [""]:
            continue
        yield {
            "name": name,
            "title": title,
            "column": column,
            "rows": [_shown(name, row, report["currency"]) for row in rows[:SHOWN]],
            "more": max(len(rows) - SHOWN, 0),
        }


def _shown(table: str, row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    name = row["name"]
    if table == "months":
        name = l10n.month_text(Month.parse(name), locale())
    elif not name:
        name = _("No tier") if table == "tiers" else _("No product named")
    amounts = {key: Money(row[key], currency) for key in ("old", "new", "change")}
    return {"name": name, "events": row["events"], **amounts}


def panel_of(version: PlanVersion, by: User, at: datetime) -> Iterator[Panel]:
    """Show a plan version's dry runs on its own page, with the way to a new one."""
    if not policy.may(by, "try_plans"):
        return
    ask = reverse("admin:payouts_dryrun_add")
    program = version.plan.program_id
    found = DryRun.objects.filter(version=version, finished_at__isnull=False).order_by("-finished_at", "-pk")
    yield Panel(
        title=_("Dry runs"),
        template="admin/payouts/dryrun/panel.html",
        context={
            "dry_runs": [
                {
                    "url": row_url(each),
                    "at": each.finished_at,
                    "change": Money(each.report["total"]["change"], each.report["currency"]),
                    "winners": each.report["winners"],
                    "losers": each.report["losers"],
                }
                for each in found[:5]
            ],
            "ask_url": f"{ask}?program={program}&version={version.pk}",
            "all_url": list_url(DryRun, program__id__exact=program),
        },
    )


add_panels("planversion", panel_of)
