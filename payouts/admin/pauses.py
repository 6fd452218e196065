"""Pauses: what is kept back, why, and what should have been looked at by now. Pausing and ending are pages that say in numbers what happens."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.models import Membership
from payouts import pauses
from payouts.adjustment_checks import balance_of
from payouts.admin.hold_forms import EndForm, PauseForm
from payouts.explained import subject
from payouts.models import Commission, Pause
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    list_url,
    locale,
    money_text,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from prm.lib.periods import local_day


class StateFilter(admin.SimpleListFilter):
    """Pauses that hold, those nobody looked at in time, and those that ended."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [("open", _("Open")), ("overdue", _("Overdue")), ("ended", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Pause]) -> QuerySet[Pause]:
        """Keep what was asked for."""
        if self.value() == "open":
            return queryset.filter(ended_at=None)
        if self.value() == "overdue":
            return queryset.filter(pk__in=pauses.overdue(at=timezone.now()).values("pk"))
        return queryset.filter(ended_at__isnull=False) if self.value() == "ended" else queryset


@admin.register(Pause)
class PauseAdmin(BackOfficeAdmin):
    """Pauses, those to be looked at first on top."""

    section = gettext_lazy("Pauses")
    sees = "see_commissions"
    change_list_template = "admin/payouts/pause/change_list.html"
    list_display = (
        "what",
        "partner",
        "cause",
        "reason",
        "review",
        when_column("paused_at", gettext_lazy("paused")),
        "paused_by",
        when_column("ended_at", gettext_lazy("ended")),
    )
    list_filter = (StateFilter, "cause", "membership__program")
    list_select_related = (
        "membership__partner",
        "membership__program",
        "commission__conversion",
        "paused_by",
    )
    search_fields = ("membership__partner__name", "commission__conversion__external_id", "public_id")
    search_help_text = gettext_lazy("Partner, order or id")
    ordering = ("review_on", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that pause and end."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("line/<int:pk>/", wrap(both(self.pause_line)), name="payouts_pause_line"),
            path("membership/<int:pk>/", wrap(both(self.pause_payments)), name="payouts_pause_payments"),
            path("<int:pk>/end/", wrap(both(self.end)), name="payouts_pause_end"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pause]:
        """Read what the person may see."""
        return Pause.objects.visible_to(person(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above the list how many should have been looked at by now."""
        overdue = pauses.overdue(at=timezone.now()).count()
        extra = {"overdue": overdue, "overdue_url": list_url(Pause, state="overdue")}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one pause."""
        require(request, self.sees)
        pause = get_object_or_404(_readable(request), pk=object_id)
        can_end = pause.ended_at is None and policy.may(request.user, "pause_payments")
        return self.page(
            request,
            "admin/payouts/pause/pause.html",
            title=_title(pause),
            facts=_facts(pause),
            is_overdue=_is_overdue(pause),
            end_url=reverse("admin:payouts_pause_end", args=[pause.pk]) if can_end else "",
        )

    @admin.display(description=gettext_lazy("what"))
    def what(self, pause: Pause) -> str:
        """Return the line that waits, or that everything does."""
        return _what(pause)

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, pause: Pause) -> str:
        """Return the partner."""
        return pause.membership.partner.name

    @admin.display(description=gettext_lazy("looked at again by"), ordering="review_on")
    def review(self, pause: Pause) -> str:
        """Return the review day, marked when it is over."""
        day = l10n.date_text(pause.review_on, locale())
        if not _is_overdue(pause):
            return day
        return format_html('{}<span class="sub">{}</span>', day, _("Overdue"))

    def pause_line(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for reason and day, say what happens, and pause a line."""
        require(request, "pause_payments")
        found = Commission.objects.select_related("membership__partner", "membership__program", "conversion")
        line = get_object_or_404(found, pk=pk)
        form = PauseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            pause = attempt(
                request,
                lambda: pauses.pause_line(line, **form.cleaned_data, by=person(request), at=timezone.now()),
                form=form,
            )
            if pause is not None:
                messages.success(request, _("The line is paused and the partner was told."))
                return HttpResponseRedirect(row_url(line))
        order = subject.title_text(line, line.membership.program.zone)
        numbers = {"amount": money_text(line.amount), "order": order, "partner": line.membership.partner.name}
        return self._confirm(
            request,
            form,
            title=_("Pause %(amount)s for %(order)s") % numbers,
            verb=_("Pause this line"),
            parent_url=row_url(line),
            consequences=[
                _("%(amount)s for %(order)s is not released until the pause ends.") % numbers,
                _("%(partner)s gets an e-mail at once with your reason and the day.") % numbers,
                _("Everything else is earned, released and paid as ever."),
            ],
        )

    def pause_payments(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for reason and day, say what happens, and pause a membership's payments."""
        require(request, "pause_payments")
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        form = PauseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            pause = attempt(
                request,
                lambda: pauses.pause_payments(
                    membership, **form.cleaned_data, by=person(request), at=timezone.now()
                ),
                form=form,
            )
            if pause is not None:
                messages.success(request, _("Payments are paused and the partner was told."))
                return HttpResponseRedirect(row_url(pause))
        numbers = {
            "partner": membership.partner.name,
            "program": membership.program.name,
            "balance": money_text(balance_of(membership)),
        }
        return self._confirm(
            request,
            form,
            title=_("Pause payments to %(partner)s") % numbers,
            verb=_("Pause payments"),
            parent_url=row_url(membership.partner),
            consequences=[
                _("Pay runs leave %(partner)s out, with your reason; %(balance)s is ready to pay now.")
                % numbers,
                _("What is earned with %(program)s is computed, released and put on statements as ever.")
                % numbers,
                _("%(partner)s gets an e-mail at once with your reason and the day.") % numbers,
            ],
        )

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what came of it, say what happens, and end a pause."""
        require(request, "pause_payments")
        pause = get_object_or_404(_readable(request), pk=pk)
        form = EndForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            outcome = form.cleaned_data["outcome"]
            ended = attempt(
                request,
                lambda: pauses.resume(pause, outcome=outcome, by=person(request), at=timezone.now()),
                form=form,
            )
            if ended is not None:
                messages.success(request, _("The pause has ended and the partner was told."))
                return HttpResponseRedirect(row_url(pause))
        return self._confirm(
            request,
            form,
            title=_("End the pause"),
            verb=_("End the pause"),
            parent_url=row_url(pause),
            consequences=_ending(pause),
        )

    def _confirm(
        self,
        request: HttpRequest,
        form: forms.Form,
        *,
        title: str,
        verb: str,
        parent_url: str,
        consequences: list[str],
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=title,
            form=form,
            errors=bool(form.errors),
            verb=verb,
            parent_url=parent_url,
            consequences=consequences,
        )


def _readable(request: HttpRequest) -> QuerySet[Pause]:
    found = Pause.objects.visible_to(person(request))
    return found.select_related(
        "membership__partner", "membership__program", "commission__conversion", "paused_by", "ended_by"
    )


def _is_overdue(pause: Pause) -> bool:
    today: date = local_day(timezone.now(), pause.membership.program.zone)
    return pause.ended_at is None and pause.review_on < today


def _title(pause: Pause) -> str:
    return _("Pause of %(what)s") % {"what": _what(pause)}


def _what(pause: Pause) -> str:
    line = pause.commission
    if line is None:
        return _("All payments")
    order = subject.title_text(line, pause.membership.program.zone)
    return _("%(order)s, %(amount)s") % {"order": order, "amount": money_text(line.amount)}


def _facts(pause: Pause) -> list[Fact]:
    zone = timezone.get_current_timezone()
    facts = [
        Fact(_("Partner"), link_to(pause.membership.partner)),
        Fact(_("Program"), pause.membership.program.name),
        Fact(_("What waits"), link_to(pause.commission, _what(pause)) or _what(pause)),
        Fact(_("Cause"), pause.get_cause_display()),
        Fact(_("Reason"), pause.reason),
        Fact(_("Looked at again by"), l10n.date_text(pause.review_on, locale(), "long")),
        Fact(_("Paused"), l10n.datetime_text(pause.paused_at, zone, locale()), str(pause.paused_by or "")),
    ]
    if pause.ended_at is not None:
        ended = l10n.datetime_text(pause.ended_at, zone, locale())
        facts += [
            Fact(_("Ended"), ended, str(pause.ended_by or "")),
            Fact(_("What came of it"), pause.outcome),
        ]
    return facts


def _ending(pause: Pause) -> list[str]:
    line, partner = pause.commission, pause.membership.partner.name
    told = _("%(partner)s gets an e-mail that it goes on.") % {"partner": partner}
    if line is None:
        balance = money_text(balance_of(pause.membership))
        return [
            _(
                "The next pay run pays %(partner)s again, unless another pause is open; %(balance)s is ready to pay."
            )
            % {"partner": partner, "balance": balance},
            told,
        ]
    day = l10n.date_text(local_day(line.payable_at, pause.membership.program.zone), locale(), "long")
    numbers = {"amount": money_text(line.amount), "day": day}
    has_come = line.payable_at <= timezone.now()
    text = (
        _("%(amount)s goes back on hold. Its day was %(day)s, so it is released the next night.")
        if has_come
        else _("%(amount)s goes back on hold and is released on %(day)s.")
    )
    return [text % numbers, told]
