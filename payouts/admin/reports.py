"""Reports for staff: of all programs of a currency, of one program or of one partner. They read the daily totals and nothing else; the address
holds what is asked, and nothing is changed here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from partners.models import Partner
from payouts.models import DailyTotal
from payouts.reports import asking, csv_file, reading, staff
from payouts.reports.page import Chip, page
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, Panel, add_panels, list_url, require
from prm.accounts.models import User
from prm.lib.periods import local_day
from tiers.models import Program

KEPT = ("program", "partner", "currency")


@dataclass(frozen=True)
class Scope:
    """Whose figures: some programs of one currency, and perhaps one partner in them."""

    programs: tuple[Program, ...]
    currency: str
    program: Program | None
    partner: Partner | None

    def rows(self) -> reading.Totals:
        """Return the daily totals of members in this scope."""
        found = DailyTotal.objects.filter(program__in=[each.pk for each in self.programs])
        if self.partner is not None:
            return found.filter(membership__partner=self.partner)
        return found

    def today(self, at: datetime) -> date:
        """Return the day it is in the program, or here when there are several."""
        return local_day(at, self.program.zone) if self.program else timezone.localdate(at)

    @property
    def name(self) -> str:
        if self.partner is not None:
            return self.partner.public_id
        return self.program.slug if self.program else f"all-{self.currency.lower()}"


@admin.register(DailyTotal)
class ReportAdmin(BackOfficeAdmin):
    """Reports in the place of the table they read."""

    section = gettext_lazy("Reports")
    sees = "see_reports"

    def get_urls(self) -> list[URLPattern]:
        """Add the report as a file."""
        view = self.admin_site.admin_view(require_safe(self.csv))
        return [path("report.csv", view, name="payouts_report_csv"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the report the address asks for."""
        require(request, self.sees)
        programs, scope, asked = _read(request)
        return self._report(request, programs, scope, asked)

    def csv(self, request: HttpRequest) -> HttpResponseBase:
        """Send all rows of the report the address asks for."""
        require(request, self.sees)
        _programs, scope, asked = _read(request)
        rows = reading.every_row(scope.rows(), asked)
        return csv_file.response(rows, asked, currency=scope.currency, about=scope.name)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show no row by itself: a day's row says nothing without the others."""
        require(request, self.sees)
        return self.page(request, "admin/payouts/reports/no_row.html", title=_("Reports"), status=404)

    def _report(
        self, request: HttpRequest, programs: list[Program], scope: Scope, asked: asking.Asked
    ) -> HttpResponse:
        report = reading.make(scope.rows(), asked, scope.currency)
        whole = asked.key is None
        beside = (
            staff.beside(scope.rows(), asked, scope.currency) if whole and scope.partner is None else None
        )
        return self.page(
            request,
            "admin/payouts/reports/reports.html",
            title=_("Reports"),
            page=page(report),
            form=asked.form,
            hidden=asked.hidden(),
            status=422 if asked.form.errors else 200,
            partner=scope.partner,
            scopes=_chips(programs, scope, asked),
            beside=beside,
            all_url=asked.query(partner=None, key=None),
            zone=scope.program.time_zone if scope.program else _("each program"),
            csv_href=reverse("admin:payouts_report_csv") + asked.query(),
        )


def _read(request: HttpRequest) -> tuple[list[Program], Scope, asking.Asked]:
    programs = list(Program.objects.order_by("name", "pk"))
    scope = _scope(request, programs)
    return programs, scope, asking.read(request.GET, today=scope.today(timezone.now()), kept=KEPT)


def _scope(request: HttpRequest, programs: list[Program]) -> Scope:
    """Read whose figures the address asks for; without any, those of the currency most programs have."""
    program = next((each for each in programs if each.slug == request.GET.get("program")), None)
    wanted = request.GET.get("partner", "")
    partner = Partner.objects.filter(public_id=wanted).first() if wanted.startswith("ptn_") else None
    if program is not None:
        return Scope((program,), program.currency, program, partner)
    currencies = [each.currency for each in programs]
    usual = max(sorted(set(currencies)), key=currencies.count, default="EUR")
    currency = request.GET.get("currency", "")
    currency = currency if currency in currencies else usual
    chosen = tuple(each for each in programs if each.currency == currency)
    return Scope(chosen, currency, None, partner)


def _chips(programs: list[Program], scope: Scope, asked: asking.Asked) -> list[Chip]:
    """Return the ways to look at one program, or at all of a currency."""
    currencies = sorted({each.currency for each in programs})
    chips = [
        Chip(
            _("All programs, %(currency)s") % {"currency": currency},
            asked.query(program=None, currency=currency, key=None),
            scope.program is None and scope.currency == currency,
        )
        for currency in currencies
    ]
    return chips + [
        Chip(each.name, asked.query(program=each.slug, currency=None, key=None), scope.program == each)
        for each in programs
    ]


def partner_panels(partner: Partner, by: User, at: datetime) -> list[Panel]:
    """Lead from a partner to its report."""
    if not policy.may(by, "see_reports"):
        return []
    programs = Program.objects.filter(memberships__partner=partner).order_by("name").distinct()
    ways = [
        (program.name, list_url(DailyTotal, partner=partner.public_id, program=program.slug))
        for program in programs
    ]
    return [Panel(_("Clicks, leads and sales"), "admin/payouts/reports/_panel.html", {"ways": ways})]


add_panels("partner", partner_panels)
