"""Longer holds: for whom or what, how long and why. Setting and ending one are pages that say whom it concerns and what it leaves alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.models import Membership
from payouts import reserves
from payouts.admin.hold_forms import ReserveForm
from payouts.models import Reserve
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
    when_column,
)
from prm.lib import l10n


class InForceFilter(admin.SimpleListFilter):
    """Longer holds in force and those that ended."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [("yes", _("In force")), ("no", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reserve]) -> QuerySet[Reserve]:
        """Keep what was asked for."""
        now = timezone.now()
        if self.value() == "yes":
            return queryset.filter(pk__in=Reserve.objects.in_force(at=now).values("pk"))
        return queryset.filter(ends_at__lte=now) if self.value() == "no" else queryset


@admin.register(Reserve)
class ReserveAdmin(BackOfficeAdmin):
    """Longer holds, the newest first."""

    section = gettext_lazy("Longer holds")
    sees = "see_ledger"
    change_list_template = "admin/payouts/reserve/change_list.html"
    list_display = (
        "about",
        "program",
        "hold_days",
        "reason",
        when_column("starts_at", gettext_lazy("for events from")),
        when_column("ends_at", gettext_lazy("for events before")),
        "set_by",
    )
    list_filter = (InForceFilter, "program")
    list_select_related = ("program", "membership__partner", "set_by")
    search_fields = ("membership__partner__name", "product", "category", "reason")
    search_help_text = gettext_lazy("Partner, product, category or reason")
    ordering = ("-set_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that set and end one."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("set/", wrap(both(self.set_one)), name="payouts_reserve_set"),
            path("set/<int:pk>/", wrap(both(self.set_one)), name="payouts_reserve_set_for"),
            path("<int:pk>/end/", wrap(both(self.end)), name="payouts_reserve_end"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to set one to those who may."""
        extra = {"may_set": policy.may(request.user, "adjust_balances")}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show one longer hold."""
        require(request, self.sees)
        reserve = get_object_or_404(_readable(), pk=object_id)
        is_over = reserve.ends_at is not None and reserve.ends_at <= timezone.now()
        can_end = not is_over and policy.may(request.user, "adjust_balances")
        return self.page(
            request,
            "admin/payouts/reserve/reserve.html",
            title=_("Hold of %(days)s days: %(about)s")
            % {"days": reserve.hold_days, "about": _about(reserve)},
            facts=_facts(reserve),
            end_url=reverse("admin:payouts_reserve_end", args=[reserve.pk]) if can_end else "",
        )

    @admin.display(description=gettext_lazy("about"))
    def about(self, reserve: Reserve) -> str:
        """Return whom or what it is about."""
        return _about(reserve)

    def set_one(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Ask what is held longer, how long and why, and set it; with a membership it is about that partner."""
        require(request, "adjust_balances")
        found = Membership.objects.select_related("partner", "program")
        membership = get_object_or_404(found, pk=pk) if pk is not None else None
        form = ReserveForm(
            request.POST if request.method == "POST" else None, for_partner=membership is not None
        )
        if request.method == "POST" and form.is_valid():
            given = dict(form.cleaned_data)
            program = membership.program if membership is not None else given.pop("program")
            reserve = attempt(
                request,
                lambda: reserves.hold_longer(
                    program, membership=membership, **given, by=person(request), at=timezone.now()
                ),
                form=form,
            )
            if reserve is not None:
                messages.success(request, _("It applies to what happens from now on."))
                return HttpResponseRedirect(row_url(reserve))
        title = (
            _("Hold longer what %(partner)s earns") % {"partner": membership.partner.name}
            if membership is not None
            else _("Hold a product or category longer")
        )
        return self.page(
            request,
            "admin/confirm.html",
            title=title,
            form=form,
            errors=bool(form.errors),
            verb=_("Hold longer"),
            parent_url=row_url(membership.partner) if membership is not None else list_url(Reserve),
            consequences=_setting(membership),
        )

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what happens and end a longer hold."""
        require(request, "adjust_balances")
        reserve = get_object_or_404(_readable(), pk=pk)
        if request.method == "POST":
            ended = attempt(request, lambda: reserves.end(reserve, by=person(request), at=timezone.now()))
            if ended is not None:
                messages.success(request, _("The longer hold has ended."))
            return HttpResponseRedirect(row_url(reserve))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("End the longer hold"),
            verb=_("End the longer hold"),
            parent_url=row_url(reserve),
            consequences=[
                _("What happens from now on waits %(days)s days again, as the program says.")
                % {"days": reserve.program.hold_days},
                _("Lines that are on hold keep the date they were told."),
            ],
        )


def _readable() -> QuerySet[Reserve]:
    return Reserve.objects.select_related("program", "membership__partner", "set_by")


def _about(reserve: Reserve) -> str:
    named = [
        reserve.membership.partner.name if reserve.membership is not None else "",
        _("product %(name)s") % {"name": reserve.product} if reserve.product else "",
        _("category %(name)s") % {"name": reserve.category} if reserve.category else "",
    ]
    return ", ".join(name for name in named if name)


def _facts(reserve: Reserve) -> list[Fact]:
    zone = timezone.get_current_timezone()
    ends = (
        l10n.datetime_text(reserve.ends_at, zone, locale()) if reserve.ends_at is not None else _("Open end")
    )
    facts = [Fact(_("Program"), reserve.program.name)]
    if reserve.membership is not None:
        facts.append(Fact(_("Partner"), link_to(reserve.membership.partner)))
    facts += [
        Fact(label, text)
        for label, text in ((_("Product"), reserve.product), (_("Category"), reserve.category))
        if text
    ]
    usual = _("instead of %(days)s") % {"days": reserve.program.hold_days}
    return [
        *facts,
        Fact(_("Hold, days"), reserve.hold_days, usual),
        Fact(_("Reason"), reserve.reason),
        Fact(_("For events from"), l10n.datetime_text(reserve.starts_at, zone, locale())),
        Fact(_("For events before"), ends),
        Fact(_("Set"), l10n.datetime_text(reserve.set_at, zone, locale()), str(reserve.set_by)),
    ]


def _setting(membership: Membership | None) -> list[str]:
    said = [
        _("It applies to what happens from now on; lines that are on hold keep the date they were told."),
        _("Each line that waits longer says so, with your reason. The longest hold that applies counts."),
    ]
    if membership is not None:
        usual = _("%(program)s holds for %(days)s days; here it is longer.")
        numbers = {"program": membership.program.name, "days": membership.program.hold_days}
        return [usual % numbers, *said]
    return said
