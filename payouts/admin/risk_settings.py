"""What a program looks for, below its page, and what is under review on the page of a partner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.models import Partner
from payouts.admin.risk_case_page import clock_badge, signal_row
from payouts.admin.risk_forms import ThresholdsForm
from payouts.models import RiskCase, RiskSignal
from payouts.risk import thresholds
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_pages,
    add_panels,
    attempt,
    badge,
    list_url,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from tiers.models import Program

SHOWN = 5


class RiskSettingsPage:
    """The page with a program's thresholds."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.desk.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.show))
        return [path("<int:pk>/risk/", view, name="payouts_risk_settings")]

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what a program looks for, and change it."""
        require(request, "see_risk")
        program = get_object_or_404(Program, pk=pk)
        now = thresholds.thresholds_of([program])[program.pk]
        form = ThresholdsForm(request.POST or None, now=now)
        if request.method == "POST":
            require(request, "manage_risk")
            if form.is_valid():
                by, at = person(request), timezone.now()
                done = attempt(
                    request, lambda: thresholds.change(program, form.given(), by=by, at=at), form=form
                )
                if done is not None:
                    messages.success(request, _("Saved. The next look uses these figures."))
                    return HttpResponseRedirect(reverse("admin:payouts_risk_settings", args=[pk]))
        return self.desk.page(
            request,
            "admin/payouts/riskcase/settings.html",
            title=_("What %(program)s looks for") % {"program": program.name},
            parent=program.name,
            parent_url=row_url(program),
            form=form,
            errors=bool(form.errors),
            may=policy.may(request.user, "manage_risk"),
            status=422 if form.errors else 200,
        )


def panel_of_program(program: Program, by: User, at: datetime) -> Iterator[Panel]:
    """Lead from a program's page to what it looks for."""
    if not policy.may(by, "see_risk"):
        return
    now = thresholds.thresholds_of([program])[program.pk]
    yield Panel(
        title=_("Risk"),
        template="admin/payouts/riskcase/_program_panel.html",
        context={
            "url": reverse("admin:payouts_risk_settings", args=[program.pk]),
            "on": sum(now.is_on(kind) for kind in thresholds.FIGURES),
            "of": len(thresholds.FIGURES),
        },
    )


def panel_of_partner(partner: Partner, by: User, at: datetime) -> Iterator[Panel]:
    """Say on a partner's page what is under review, and what was seen."""
    if not policy.may(by, "see_risk"):
        return
    cases = RiskCase.objects.filter(membership__partner=partner)
    found = cases.select_related("membership__program", "membership__partner").order_by("-opened_at", "-pk")
    free = RiskSignal.objects.unseen().filter(membership__partner=partner)
    signals = free.select_related("conversion", "membership").order_by("-detected_at", "-pk")[:SHOWN]
    yield Panel(
        title=_("Risk"),
        template="admin/payouts/riskcase/_partner_panel.html",
        context={
            "cases": [
                {
                    "url": row_url(case),
                    "reason": case.reason,
                    "program": case.membership.program.name,
                    "state": badge(case.state, "risk_case"),
                    "clock": clock_badge(case, at=at),
                }
                for case in found[:SHOWN]
            ],
            "signals": [
                {
                    **signal_row(each),
                    "case_url": reverse("admin:payouts_risksignal_case", args=[each.membership_id]),
                }
                for each in signals
            ],
            "url": list_url(RiskSignal, q=partner.name),
            "may": policy.may(by, "decide_risk"),
        },
    )


add_panels("program", panel_of_program)
add_panels("partner", panel_of_partner)
add_pages("program", lambda desk: RiskSettingsPage(desk).urls())
