"""Partners: who they are and where they stand, with what other apps know about them beside it. Details are edited here; money never."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import duplicates, merging, profiles
from partners.admin.applications import history_of
from partners.admin.merging import MergePages, may_merge
from partners.admin.profile_form import PartnerForm
from partners.admin.team import TeamPages
from partners.models import Invitation, Member, Membership, Partner, Placement
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, panels_of, person, require, row_url
from prm.accounts.models import User


class MergedFilter(admin.SimpleListFilter):
    """Rows that were joined with another partner are kept and not shown unless asked for."""

    title = gettext_lazy("joined with another one")
    parameter_name = "merged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the other way to look."""
        return [("yes", _("Joined with another one"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Call what is shown without asking by its name."""
        for place, choice in enumerate(super().choices(changelist)):
            yield {**choice, "display": _("Going on")} if place == 0 else dict(choice)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Partner]) -> QuerySet[Partner]:
        """Keep the living ones, or those that were joined."""
        return queryset.filter(merged_into__isnull=self.value() != "yes")


@admin.register(Partner)
class PartnerAdmin(MergePages, TeamPages, BackOfficeAdmin):
    """Partners."""

    form = PartnerForm

    sees, changes = "see_partners", "manage_partners"
    change_form_template = "admin/partners/partner/change_form.html"
    list_display = ("name", "in_programs", "country", "account_manager", "member_count", "created_at")
    list_filter = (
        "memberships__program",
        "memberships__state",
        ("account_manager", admin.RelatedOnlyFieldListFilter),
        MergedFilter,
    )
    list_select_related = ("account_manager",)
    search_fields = ("name", "legal_name", "email", "website", "public_id")
    search_help_text = gettext_lazy("Name, address, website or id")
    ordering = ("name", "pk")
    fieldsets = (
        (
            None,
            {"fields": ("name", "legal_name", "legal_form", "website", "email", "phone")},
        ),
        (
            gettext_lazy("Address and tax"),
            {"fields": ("street", "building_number", "postcode", "town", "region", "country", "vat_number")},
        ),
        (
            gettext_lazy("What they do"),
            {"fields": ("language", "languages", "specialities", "account_manager")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        """Read memberships and people with the rows."""
        memberships = Membership.objects.select_related("program").order_by("joined_at", "pk")
        members = Count("members", filter=Q(members__ended_at=None), distinct=True)
        found = Partner.objects.visible_to(person(request)).annotate(people=members)
        return found.prefetch_related(Prefetch("memberships", memberships))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the team, and those that join two partners."""
        return [*self.team_urls(), *self.merge_urls(), *super().get_urls()]

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Lead from a partner that was joined with another one to the one that goes on."""
        if object_id is None or not object_id.isdecimal():
            return None
        partner = Partner.objects.filter(pk=object_id, merged_into__isnull=False).first()
        if partner is None:
            return None
        require(request, self.sees)
        goes_on = merging.standing(partner)
        said = _("%(duplicate)s was joined with %(into)s, which this page is about.")
        messages.info(request, said % {"duplicate": partner.name, "into": goes_on.name})
        return HttpResponseRedirect(row_url(goes_on))

    def get_readonly_fields(self, request: HttpRequest, obj: Partner | None = None) -> Any:
        """Leave alone what has its one source elsewhere."""
        return tuple(profiles.kept_elsewhere(obj, at=timezone.now())) if obj is not None else ()

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
                    "may_invite": policy.may(by, "invite_partners"),
                    "may_merge": may_merge(by),
                    "candidates": duplicates.candidates(partner) if may_merge(by) else [],
                    "changes": profiles.history(partner, most=10),
                    "now": at,
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Partner, form: Any, change: bool) -> None:
        """Save what changed by the verb that keeps the history; who looks after the partner is noted apart."""
        by, at = person(request), timezone.now()
        given = {name: form.cleaned_data[name] for name in profiles.FIELDS if name in form.cleaned_data}
        changed = profiles.change(Partner.objects.get(pk=obj.pk), given, by=by, at=at)
        if "account_manager" in form.changed_data:
            changed.account_manager = form.cleaned_data["account_manager"]
            changed.save(update_fields=["account_manager"])
            audit.record(by, "partner.changed", changed, at=at, fields=["account_manager"])


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
