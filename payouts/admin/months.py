"""Months: where each program stands, and the page that closes one. Closing says beforehand what it will do, and is done by a worker."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from payouts import months, periods
from payouts.choices import PeriodState
from payouts.models import Period, Statement
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    list_url,
    locale,
    pages_of,
    person,
    require,
)
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.runs import cards
from tiers.models import Program

TOTALS = ("commission_lines", "commission_minor", "statements", "closing_minor", "entries", "entries_minor")


@admin.register(Period)
class PeriodAdmin(BackOfficeAdmin):
    """Months of programs."""

    section = gettext_lazy("Months")
    sees = "see_ledger"
    search_fields = ("program__name",)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that closes a month."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.close))
        return [
            path("<slug:slug>/<str:text>/close/", view, name="payouts_period_close"),
            *pages_of("period", self),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show every program's months."""
        require(request, self.sees)
        programs = list(Program.objects.order_by("name", "pk"))
        found = months.months_of(programs, at=timezone.now())
        return self.page(
            request,
            "admin/payouts/period/months.html",
            title=_("Months"),
            ready=[
                {"program": program.name, **_row(each)}
                for program in programs
                for each in found[program.pk]
                if each.can_close
            ],
            programs=[
                {"program": program, "months": [_row(each) for each in found[program.pk]]}
                for program in programs
            ],
        )

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Lead to the month's own page."""
        require(request, self.sees)
        period = get_object_or_404(Period.objects.select_related("program"), pk=object_id)
        return HttpResponseRedirect(close_url(period.program, period.as_month))

    def close(self, request: HttpRequest, slug: str, text: str) -> HttpResponse:
        """Show a month with what speaks against closing it, or put the close in the queue."""
        require(request, self.sees)
        program = get_object_or_404(Program, slug=slug)
        month, at = _month(text), timezone.now()
        if request.method == "POST":
            require(request, "close_periods")
            run = attempt(request, lambda: months.start_close(program, month, by=person(request), at=at))
            if run is not None:
                messages.success(request, _("A worker closes the month. You can leave this page."))
            return HttpResponseRedirect(close_url(program, month))
        period = Period.objects.filter(program=program, year=month.year, month=month.month).first()
        is_closed = period is not None and period.state == PeriodState.CLOSED
        run = months.latest_run(program, month)
        context = cards.context(run, at=at) if run is not None else {}
        if run is not None and not run.is_open:
            context["result_url"] = (
                list_url(Statement, period__id__exact=period.pk) if period is not None else ""
            )
        is_begun = period is not None and period.state != PeriodState.OPEN
        against = [] if is_begun else periods.preconditions(program, month, at=at)
        name = l10n.month_text(month, locale())
        return self.page(
            request,
            "admin/payouts/period/close.html",
            title=_("%(month)s of %(program)s") % {"month": name, "program": program.name},
            program=program,
            month=month,
            month_name=name,
            state=period.state if period is not None else PeriodState.OPEN.value,
            is_closed=is_closed,
            facts=_facts(program, month, period),
            checks=_checks(against, month),
            matters=[] if is_closed else _matters(program, month),
            may_close=not is_closed and not against and policy.may(request.user, "close_periods"),
            is_running=run is not None and run.is_open,
            consequences=[] if is_closed else _consequences(program, month),
            **context,
        )


def close_url(program: Program, month: Month) -> str:
    """Return the address of a month's page."""
    return reverse("admin:payouts_period_close", args=[program.slug, str(month)])


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise Http404 from error


def _row(each: months.ProgramMonth) -> dict[str, Any]:
    return {
        "name": l10n.month_text(each.month, locale()),
        "url": close_url(each.program, each.month),
        "state": each.state,
        "lines": each.lines,
        "amount": each.amount,
        "note": _why_not(each),
        "can_close": each.can_close,
    }


def _why_not(each: months.ProgramMonth) -> str:
    if each.state == PeriodState.CLOSED:
        return ""
    if not each.is_over:
        return _("Not over yet")
    if each.has_unrated:
        return _("Commissions are still being computed")
    return "" if each.is_next else _("An earlier month is open")


def _checks(against: list[Any], month: Month) -> list[dict[str, Any]]:
    """Return the conditions, each met or not."""
    refused = {refusal.code for refusal in against}
    met = {
        "month_not_over": _("The month is over"),
        "earlier_month_open": _("Every earlier month is closed"),
        "events_not_rated": _("Every sale and refund up to its end has its commission"),
        "lines_in_review": _("No commission waits for a review"),
        "rate_missing": _("Every exchange rate its statements need is there"),
        "invoice_not_possible": _("Every self-billed invoice can be written"),
    }
    fine = [{"text": text, "ok": True} for code, text in met.items() if code not in refused]
    return [*({"text": str(refusal), "ok": False} for refusal in against), *fine]


def _matters(program: Program, month: Month) -> list[str]:
    """Say what is undecided and does not keep the month open."""
    found = periods.open_matters(program, month)
    texts = {
        "disputes": ngettext(
            "%(count)s question of a partner is open",
            "%(count)s questions of partners are open",
            found["disputes"],
        ),
        "adjustments": ngettext(
            "%(count)s adjustment waits for a second person",
            "%(count)s adjustments wait for a second person",
            found["adjustments"],
        ),
        "pauses": ngettext("%(count)s pause is in force", "%(count)s pauses are in force", found["pauses"]),
    }
    return [
        text % {"count": l10n.number_text(found[key], locale())} for key, text in texts.items() if found[key]
    ]


def _facts(program: Program, month: Month, period: Period | None) -> list[Fact]:
    found = period.control_totals if period is not None and period.state == PeriodState.CLOSED else None
    if found is None:
        shadow = period or Period(program=program, year=month.year, month=month.month)
        found = periods.control_totals(shadow) if shadow.pk else dict.fromkeys(TOTALS, 0)

    def money(name: str) -> str:
        return l10n.money_text(Money(found[name], program.currency), locale())

    return [
        Fact(
            _("Commission lines"),
            l10n.number_text(found["commission_lines"], locale()),
            money("commission_minor"),
        ),
        Fact(_("Statements issued"), l10n.number_text(found["statements"], locale()), money("closing_minor")),
        Fact(
            _("Postings in the ledger"), l10n.number_text(found["entries"], locale()), money("entries_minor")
        ),
        Fact(_("Time zone"), program.time_zone),
    ]


def _consequences(program: Program, month: Month) -> list[str]:
    shadow = Period(program=program, year=month.year, month=month.month)
    count = periods.members_of(shadow).count()
    statements = ngettext(
        "%(count)s statement is issued, with a number that is never used again.",
        "%(count)s statements are issued, with numbers that are never used again.",
        count,
    )
    return [
        _("What has left its hold by the end of the month becomes ready to pay."),
        statements % {"count": l10n.number_text(count, locale())},
        _("Whatever arrives later for this month is booked in the next open one."),
        _("A closed month cannot be opened again."),
    ]
