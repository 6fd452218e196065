"""Memberships and where they stand. Changing the tier is a page of its own that says what changes and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.admin.leaving import LeavingPages, buttons, standing_notes
from partners.admin.own_terms import OwnTermsPages
from partners.admin.recruiting import RecruiterPages, may_name_recruiter
from partners.admin.tier_change import ChangeTierPages
from partners.models import Membership, Placement
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    link_to,
    panels_of,
    person,
    state_column,
    when_column,
)

if TYPE_CHECKING:
    PlacementTable = admin.TabularInline[Placement, Membership]
else:
    PlacementTable = admin.TabularInline


class PlacementInline(PlacementTable):
    """Where the membership stood, and since when."""

    model = Placement
    template = "admin/rows.html"
    fields = ("tier", "starts_at", "ends_at", "because", "placed_by")
    readonly_fields = fields
    ordering = ("-starts_at", "-pk")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placement]:
        """Read tiers and people with the rows."""
        return super().get_queryset(request).select_related("tier", "placed_by")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let all staff look."""
        return policy.may(request.user, "see_partners")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Placements are made by their verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rewrites a placement."""
        return False


@admin.register(Membership)
class MembershipAdmin(ChangeTierPages, LeavingPages, OwnTermsPages, RecruiterPages, BackOfficeAdmin):
    """Memberships."""

    sees = "see_partners"
    change_form_template = "admin/partners/membership/change_form.html"
    list_display = (
        "member",
        "program",
        "tier",
        state_column("membership", gettext_lazy("state")),
        when_column("joined_at", gettext_lazy("joined")),
    )
    list_display_links = ("member",)
    list_filter = ("program", "state")
    search_fields = ("partner__name", "partner__email", "public_id")
    ordering = ("partner__name", "program__name", "pk")
    fields = (
        "whose",
        "program",
        "state",
        "joined_at",
        "ended_at",
        "recruited_by",
        "recruited_at",
        "public_id",
    )
    readonly_fields = fields
    inlines = (PlacementInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Read partner, program and open placement with the rows."""
        now = Placement.objects.open().select_related("tier")
        found = Membership.objects.visible_to(person(request)).select_related("partner", "program")
        return found.prefetch_related(Prefetch("placements", now, to_attr="standing"))

    def get_urls(self) -> list[URLPattern]:
        """Add the page that changes the tier, those of own terms, and the one that names a recruiter."""
        return [
            *self.tier_urls(),
            *self.leaving_urls(),
            *self.terms_urls(),
            *self.recruiter_urls(),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("partner"), ordering="partner__name")
    def member(self, membership: Membership) -> str:
        """Return the partner's name."""
        return membership.partner.name

    @admin.display(description=gettext_lazy("partner"))
    def whose(self, membership: Membership) -> str:
        """Return the partner as a link."""
        return link_to(membership.partner)

    @admin.display(description=gettext_lazy("tier"))
    def tier(self, membership: Membership) -> str:
        """Return the tier it stands in now."""
        return ", ".join(placed.tier.name for placed in getattr(membership, "standing", ()))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer what may be changed to those who may."""
        context["may_place"] = policy.may(request.user, "place_in_tiers")
        by = person(request)
        context["panels"] = panels_of("membership", kwargs["obj"], by=by, at=timezone.now())
        context["may_name_recruiter"] = may_name_recruiter(request, kwargs["obj"])
        context["leaving_buttons"] = buttons(request, kwargs["obj"])
        context["standing_notes"] = standing_notes(kwargs["obj"])
        context["title"] = _("%(partner)s in %(program)s") % _names(kwargs["obj"])
        context["subtitle"] = None
        return super().render_change_form(request, context, *args, **kwargs)


def _names(membership: Membership) -> dict[str, str]:
    return {"partner": membership.partner.name, "program": membership.program.name}
