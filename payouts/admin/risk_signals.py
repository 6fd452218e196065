"""Signals: what was seen and nobody has decided about, the worst first. Several can be set aside together; those of one partner become a case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners.models import Membership
from payouts.admin.risk_case_page import signal_row
from payouts.admin.risk_forms import DismissForm, OpenForm
from payouts.choices import RiskSeverity
from payouts.models import RiskCase, RiskSignal
from payouts.risk import cases, words
from payouts.risk.monitor import REVIEW_DAYS
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    chosen_ids,
    link_to,
    list_url,
    person,
    require,
    row_url,
    state_column,
    when_column,
)
from prm.lib.db import persistently
from prm.lib.periods import local_day, working_day_after

AT_ONCE = 200
_ORDER = ("turn", "worst", "detected_at", "pk")


class StateFilter(admin.SimpleListFilter):
    """Signals that wait, those in cases and those set aside."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [("free", _("To look at")), ("case", _("In a case")), ("dismissed", _("Set aside"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RiskSignal]) -> QuerySet[RiskSignal]:
        """Keep what was asked for."""
        if self.value() == "free":
            return queryset.filter(case=None, dismissed_at=None)
        if self.value() == "case":
            return queryset.filter(case__isnull=False)
        return queryset.filter(dismissed_at__isnull=False) if self.value() == "dismissed" else queryset


@admin.register(RiskSignal)
class RiskSignalAdmin(BackOfficeAdmin):
    """Signals, those nobody has looked at on top, the worst and the oldest first."""

    section = gettext_lazy("Risk signals")
    sees = "see_risk"
    list_display = (
        "what",
        "partner",
        state_column("risk_severity", gettext_lazy("severity"), name="severity"),
        when_column("detected_at", gettext_lazy("seen")),
        "standing",
    )
    list_filter = (StateFilter, "severity", "kind", "membership__program")
    search_fields = ("public_id", "membership__partner__name", "conversion__external_id")
    search_help_text = gettext_lazy("Partner, order or id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RiskSignal]:
        """Read the signals in the order of the work."""
        number = IntegerField()
        turn = Case(When(case=None, dismissed_at=None, then=Value(0)), default=Value(1), output_field=number)
        worst = Case(
            When(severity=RiskSeverity.HIGH, then=Value(0)),
            When(severity=RiskSeverity.MEDIUM, then=Value(1)),
            default=Value(2),
            output_field=number,
        )
        found = RiskSignal.objects.annotate(turn=turn, worst=worst)
        return found.select_related(
            "membership__partner", "membership__program", "conversion", "case", "dismissed_by"
        ).order_by(*_ORDER)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by the work."""
        return _ORDER

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the links other pages make."""
        return lookup == "membership__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        """Add setting several aside, and opening a case."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("together/", wrap(both(self.together)), name="payouts_risksignal_together"),
            path("case/<int:pk>/", wrap(both(self.open_case)), name="payouts_risksignal_case"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer to set the rows ticked aside to those who may."""
        if not policy.may(request.user, "decide_risk"):
            return {}
        return {"dismiss": (_go, "dismiss", gettext_lazy("Set the signals ticked aside"))}

    @admin.display(description=gettext_lazy("what was seen"), ordering="kind")
    def what(self, signal: RiskSignal) -> str:
        """Return the kind and the evidence."""
        evidence = words.evidence_of(signal)
        return format_html('{}<span class="sub">{}</span>', signal.get_kind_display(), evidence)

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, signal: RiskSignal) -> str:
        """Return who it is about."""
        program = signal.membership.program.name
        return format_html('{}<span class="sub">{}</span>', signal.membership.partner.name, program)

    @admin.display(description=gettext_lazy("state"))
    def standing(self, signal: RiskSignal) -> str:
        """Say what became of it."""
        return _standing(signal)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show one signal."""
        require(request, self.sees)
        signal = get_object_or_404(self.get_queryset(request), pk=object_id)
        is_free = signal.case_id is None and signal.dismissed_at is None
        may = is_free and policy.may(request.user, "decide_risk")
        return self.page(
            request,
            "admin/payouts/riskcase/signal.html",
            title=str(signal.get_kind_display()),
            facts=_facts(signal),
            row=signal_row(signal),
            dismiss_url=_together_url([signal.pk]) if may else "",
            case_url=_case_url(signal.membership) if may else "",
        )

    def together(self, request: HttpRequest) -> HttpResponse:
        """Say what would be set aside, or set it aside."""
        require(request, "decide_risk")
        chosen = chosen_ids((request.POST or request.GET).get("ids", ""), most=AT_ONCE)
        found = self.get_queryset(request).filter(pk__in=chosen, case=None, dismissed_at=None)
        rows = list(found)
        form = DismissForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and rows:
            by, at, because = person(request), timezone.now(), form.cleaned_data["because"]
            done = [
                attempt(request, lambda each=each: cases.dismiss(each, because=because, by=by, at=at))  # type: ignore[misc]
                for each in rows
            ]
            count = sum(each is not None for each in done)
            text = ngettext("%(count)s signal is set aside.", "%(count)s signals are set aside.", count)
            messages.success(request, text % {"count": count})
            return HttpResponseRedirect(list_url(RiskSignal, state="free"))
        return self.page(
            request,
            "admin/payouts/riskcase/together.html",
            title=_("Set signals aside"),
            rows=[{**signal_row(each), "partner": each.membership.partner.name} for each in rows],
            ids=",".join(str(each.pk) for each in rows),
            form=form,
            errors=bool(form.errors),
            consequences=_setting_aside(len(rows)),
            status=422 if form.errors else 200,
        )

    def open_case(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what a case is about, say what happens, and open it."""
        require(request, "decide_risk")
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        known = RiskCase.objects.open().filter(membership=membership).first()
        if known is not None:
            return HttpResponseRedirect(reverse("admin:payouts_riskcase_step", args=[known.pk, "add"]))
        form = _open_form(request, membership)
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()
            case = attempt(
                request,
                lambda: persistently(lambda: cases.open_case(membership, by=by, at=at, **form.cleaned_data)),
                form=form,
            )
            if case is not None:
                messages.success(request, _("The case is open and the partner was told."))
                return HttpResponseRedirect(row_url(case))
        names = {"partner": membership.partner.name}
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Open a case about %(partner)s") % names,
            parent=membership.partner.name,
            parent_url=list_url(RiskSignal, membership__id__exact=membership.pk),
            form=form,
            errors=bool(form.errors),
            verb=_("Open the case"),
            consequences=[
                _(
                    "The lines these signals are about wait until the case is decided, as far as they are on hold."
                ),
                _("Lines already released or paid go on and are listed in the case."),
                _("%(partner)s gets an e-mail at once with your reason, the lines and the day.") % names,
                _("Nothing ends by itself: past its day the case leads the queue."),
            ],
            status=422 if form.errors else 200,
        )


def _go(_desk: Any, _request: HttpRequest, queryset: QuerySet[RiskSignal]) -> HttpResponse:
    return HttpResponseRedirect(_together_url(queryset.values_list("pk", flat=True)[:AT_ONCE]))


def _together_url(pks: Any) -> str:
    address = reverse("admin:payouts_risksignal_together")
    return f"{address}?{urlencode({'ids': ','.join(map(str, pks))})}"


def _case_url(membership: Membership) -> str:
    return reverse("admin:payouts_risksignal_case", args=[membership.pk])


def _open_form(request: HttpRequest, membership: Membership) -> OpenForm:
    free = RiskSignal.objects.unseen().filter(membership=membership).order_by("pk")
    seen = [(each.kind, each.severity) for each in free]
    day = working_day_after(local_day(timezone.now(), membership.program.zone), REVIEW_DAYS)
    initial = {
        "signals": [each.pk for each in free],
        "reason": words.reason_of(seen) if seen else "",
        "review_on": max(day, local_day(timezone.now(), membership.program.zone) + timedelta(days=1)),
    }
    form = OpenForm(request.POST or None, initial=initial)
    form.fields["signals"].queryset = free  # type: ignore[attr-defined]
    return form


def _standing(signal: RiskSignal) -> str:
    if signal.dismissed_at is not None:
        return _("Set aside: %(because)s") % {"because": signal.dismissed_because}
    if signal.case is not None:
        return link_to(signal.case, _("In a case"))
    return _("To look at")


def _facts(signal: RiskSignal) -> list[Fact]:
    return [
        Fact(_("Partner"), link_to(signal.membership.partner)),
        Fact(_("Program"), signal.membership.program.name),
        Fact(_("State"), _standing(signal), str(signal.dismissed_by or "")),
        Fact(_("Version of the rule"), signal.rule_version),
    ]


def _setting_aside(count: int) -> list[str]:
    text = ngettext(
        "%(count)s signal is kept with your reason and waits for nobody any more.",
        "%(count)s signals are kept with your reason and wait for nobody any more.",
        count,
    )
    return [
        text % {"count": count},
        _("The same thing is not raised again. No line is stopped and no partner is told."),
    ]
