"""Partners: who they are and where they stand, with what other apps know about them beside it. Details are edited here; money never."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from partners.admin.applications import history_of
from partners.models import Invitation, Member, Membership, Partner, Placement
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, panels_of, person
from prm.accounts.models import User


@admin.register(Partner)
class PartnerAdmin(BackOfficeAdmin):
    """Partners."""

    sees, changes = "see_partners", "manage_partners"
    change_form_template = "admin/partners/partner/change_form.html"
    list_display = ("name", "in_programs", "country", "account_manager", "member_count", "created_at")
    list_filter = (
        "memberships__program",
        "memberships__state",
        ("account_manager", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("account_manager",)
    search_fields = ("name", "legal_name", "email", "website", "public_id")
    search_help_text = gettext_lazy("Name, address, website or id")
    ordering = ("name", "pk")
    fieldsets = (
        (
            None,
            {"fields": ("name", "legal_name", "website", "email", "phone", "language", "account_manager")},
        ),
        (
            gettext_lazy("Address and tax"),
            {"fields": ("street", "building_number", "postcode", "town", "country", "vat_number")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        """Read memberships and people with the rows."""
        memberships = Membership.objects.select_related("program").order_by("joined_at", "pk")
        members = Count("members", filter=Q(members__ended_at=None), distinct=True)
        found = Partner.objects.visible_to(person(request)).annotate(people=members)
        return found.prefetch_related(Prefetch("memberships", memberships))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer staff as account managers, and nobody else."""
        if db_field.name == "account_manager":
            kwargs["queryset"] = User.objects.filter(is_staff=True, is_active=True).order_by(
                "full_name", "pk"
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=gettext_lazy("programs"))
    def in_programs(self, partner: Partner) -> str:
        """Return the programs the partner is in."""
        return ", ".join(membership.program.name for membership in partner.memberships.all())

    @admin.display(description=gettext_lazy("people"), ordering="people")
    def member_count(self, partner: Partner) -> int:
        """Return how many people sign in for the partner."""
        count: int = getattr(partner, "people", 0)
        return count

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Put memberships, people, money and history before the details."""
        partner = kwargs.get("obj")
        if partner is not None:
            by, at = person(request), timezone.now()
            context.update(
                {
                    "title": partner.name,
                    "subtitle": None,
                    "partner": partner,
                    "memberships": _memberships(partner),
                    "people": _people(partner),
                    "invitations": _invitations(partner),
                    "panels": panels_of("partner", partner, by=by, at=at),
                    "events": history_of(partner)[::-1],
                    "may_place": policy.may(by, "place_in_tiers"),
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Partner, form: Any, change: bool) -> None:
        """Save what changed, and note which details did."""
        fields = list(form.changed_data)
        if fields:
            obj.save(update_fields=fields)
            audit.record(person(request), "partner.changed", obj, at=timezone.now(), fields=sorted(fields))


@admin.register(Member)
class MemberAdmin(BackOfficeAdmin):
    """People of partners, for looking them up."""

    sees = "see_partners"
    list_display = ("user", "partner", "role", "joined_at", "ended_at")
    list_filter = ("role",)
    list_select_related = ("user", "partner")
    search_fields = ("user__email_folded", "user__full_name", "partner__name")
    ordering = ("partner__name", "pk")


def _memberships(partner: Partner) -> list[Membership]:
    now = Placement.objects.open().select_related("tier")
    found = partner.memberships.select_related("program").order_by("joined_at", "pk")
    return list(found.prefetch_related(Prefetch("placements", now, to_attr="standing")))


def _people(partner: Partner) -> list[Member]:
    return list(partner.members.current().select_related("user").order_by("joined_at", "pk"))


def _invitations(partner: Partner) -> list[Invitation]:
    return list(partner.invitations.filter(accepted_at=None, withdrawn_at=None).order_by("invited_at", "pk"))
