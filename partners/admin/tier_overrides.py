"""Tiers that a person decided until a day, and waivers: who stands where because of them, why, and until when. They are ended here before their
day; they begin on the page of a membership or of a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.models import TierOverride
from partners.tier_reviews import overrides
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
    when_column,
)
from prm.lib import l10n

CAPABILITY = "place_in_tiers"
Found = QuerySet[TierOverride]


class HoldingFilter(admin.SimpleListFilter):
    """Whether the decision holds. The list opens with those that do."""

    title = gettext_lazy("whether it holds")
    parameter_name = "holds"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the ways to look."""
        return [("yes", _("Holds")), ("no", _("Ended")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        """Offer the ways to look, without the one that would say the same as the first."""
        return [choice for number, choice in enumerate(super().choices(changelist)) if number]

    def value(self) -> str | None:
        """Return what was asked for, or what the list opens with."""
        return super().value() or "yes"

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep what was asked for."""
        if self.value() == "yes":
            return queryset.filter(ended_at=None)
        return queryset.filter(ended_at__isnull=False) if self.value() == "no" else queryset


@admin.register(TierOverride)
class TierOverrideAdmin(BackOfficeAdmin):
    """Decisions by hand, those that end first in front."""

    section = gettext_lazy("Tiers by hand")
    sees = "see_partners"
    list_display = (
        "member",
        "kind",
        "tier",
        when_column("made_at", gettext_lazy("since")),
        when_column("expires_at", gettext_lazy("until")),
        "reason",
        "by",
    )
    list_filter = (HoldingFilter, "kind", "membership__program")
    search_fields = ("membership__partner__name", "public_id")
    ordering = (F("ended_at").desc(nulls_first=True), "expires_at", "pk")

    def get_queryset(self, request: HttpRequest) -> Found:
        """Read what the rows name."""
        return TierOverride.objects.select_related(
            "membership__partner", "membership__program", "tier", "made_by", "ended_by", "review"
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that ends a decision."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.end_page))
        return [path("<int:pk>/end/", view, name="partners_tieroverride_end"), *super().get_urls()]

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def member(self, row: TierOverride) -> str:
        """Return the partner's name."""
        return row.membership.partner.name

    @admin.display(description=gettext_lazy("by"))
    def by(self, row: TierOverride) -> str:
        """Return who decided."""
        return row.made_by.full_name or row.made_by.email

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one decision."""
        if object_id is None:
            return None
        require(request, self.sees)
        row, at = get_object_or_404(self.get_queryset(request), pk=object_id), timezone.now()
        may_end = row.ended_at is None and policy.may(request.user, CAPABILITY)
        return self.page(
            request,
            "admin/partners/tieroverride/override.html",
            title=_("%(kind)s of %(partner)s")
            % {"kind": row.get_kind_display(), "partner": row.membership.partner.name},
            facts=_facts(row, at=at),
            end_url=row_url(row, "end") if may_end else "",
        )

    def end_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End a decision before its day, after saying what that does."""
        require(request, CAPABILITY)
        row, at = get_object_or_404(self.get_queryset(request), pk=pk), timezone.now()
        if row.ended_at is not None:
            return HttpResponseRedirect(row_url(row))
        named = {"partner": row.membership.partner.name}
        if request.method == "POST":
            by = person(request)
            if attempt(request, lambda: overrides.end(row, by=by, at=at)) is not None:
                messages.success(request, _("The figures of %(partner)s decide again.") % named)
            return HttpResponseRedirect(row_url(row))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Let the figures of %(partner)s decide again") % named,
            verb=_("End it now"),
            parent=named["partner"],
            parent_url=row_url(row),
            consequences=[
                _(
                    "The figures are looked at now: a rise is proposed, a fall begins with a notice and its grace."
                ),
                _("Until a case is decided the partner stays in %(tier)s.") % {"tier": row.tier.name},
                _("The end and your name stay on record."),
            ],
        )


def _facts(row: TierOverride, *, at: datetime) -> list[Fact]:
    zone = row.membership.program.zone

    def moment(instant: datetime) -> str:
        return l10n.datetime_text(instant, zone, locale())

    facts = [
        Fact(_("Membership"), link_to(row.membership, row.membership.partner.name)),
        Fact(_("Program"), row.membership.program.name),
        Fact(_("Tier"), row.tier.name),
        Fact(_("Reason"), row.reason),
        Fact(_("Decided by"), row.made_by.full_name or row.made_by.email),
        Fact(_("Since"), moment(row.made_at)),
        Fact(_("Until"), moment(row.expires_at), _("Over") if row.expires_at <= at else ""),
    ]
    if row.ended_at is not None:
        by = (row.ended_by.full_name or row.ended_by.email) if row.ended_by else _("by itself")
        facts.append(Fact(_("Ended"), moment(row.ended_at), by))
    if row.review is not None:
        facts.append(Fact(_("Case"), link_to(row.review, _("Open it"))))
    return facts
