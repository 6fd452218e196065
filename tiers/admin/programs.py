"""Programs with their tiers, and legal entities. Currency and time zone are fixed once a program exists: its months and its money hang on
them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, money_column, pages_of, panels_of, person
from tiers.admin.forms import ProgramForm, TierForm, TierRows
from tiers.models import LegalEntity, Plan, Program, Tier

if TYPE_CHECKING:
    TierTable = admin.StackedInline[Tier, Program]
else:
    TierTable = admin.StackedInline


class TierInline(TierTable):
    """The rungs a new program begins with; later they have pages of their own."""

    model = Tier
    form = TierForm
    formset = TierRows
    fields = ("rank", "key", "name", "benefits")
    extra = 1
    ordering = ("rank", "pk")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let all staff look."""
        return policy.may(request.user, "see_partners")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those add tiers who manage them."""
        return policy.may(request.user, "manage_tiers")


# Amounts are typed into the first and only read as the second.
_AMOUNTS = {"minimum_payout": "minimum", "second_person_above": "second_person"}


@admin.register(Program)
class ProgramAdmin(BackOfficeAdmin):
    """Programs."""

    sees, adds, changes = "see_partners", "manage_programs", "manage_programs"
    form = ProgramForm
    change_form_template = "admin/tiers/program/change_form.html"
    list_display = (
        "name",
        "partnership_type",
        "currency",
        "time_zone",
        "hold_days",
        money_column("minimum_payout_minor", _("minimum payout")),
        "is_open",
        "is_public",
    )
    list_filter = ("partnership_type", "is_open", "is_public")
    search_fields = ("name", "slug", "public_id")
    ordering = ("name", "pk")
    list_select_related = ("legal_entity",)
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "partnership_type", "legal_entity", "summary")}),
        (
            _("Money and time"),
            {
                "fields": (
                    "currency",
                    "time_zone",
                    "minimum_payout",
                    "hold_days",
                    "clawback_days",
                    "payment_day",
                    "fx_moment",
                    "second_person_above",
                )
            },
        ),
        (_("Questions about commissions"), {"fields": ("dispute_days", "answer_days")}),
        (_("Links"), {"fields": ("cookie_days", "destination_url", "allowed_domains")}),
        (
            _("Applications"),
            {"fields": ("is_public", "contact_email", "most_partners", "reopens_on", "decision_days")},
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the pages other apps put below a program."""
        return [*pages_of("program", self), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Program | None = None) -> tuple[str, ...]:
        """Fix what money hangs on, once the program exists."""
        return (
            ("currency", "time_zone", *_AMOUNTS.values())
            if self._is_looking(request, obj)
            else self._fixed(obj)
        )

    def get_fieldsets(self, request: HttpRequest, obj: Program | None = None) -> Any:
        """Show the amount as text to those who may only look."""
        if not self._is_looking(request, obj):
            return self.fieldsets
        return [
            (
                title,
                {"fields": tuple(_AMOUNTS.get(str(name), str(name)) for name in options["fields"])},
            )
            for title, options in self.fieldsets
        ]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Program | None = None) -> dict[str, Any]:
        """Propose an address for a new program only."""
        return {} if obj is not None else dict(self.prepopulated_fields)

    def get_inlines(self, request: HttpRequest, obj: Program | None) -> list[Any]:
        """Ask for the tiers of a new program only."""
        return [TierInline] if obj is None else []

    @admin.display(description=_("minimum payout"))
    def minimum(self, program: Program) -> str:
        """Return the minimum payout as text."""
        return str(money_column("minimum_payout_minor", "")(program))

    @admin.display(description=_("adjustments need a second person above"))
    def second_person(self, program: Program) -> str:
        """Return the limit of adjustments as text."""
        return str(money_column("second_person_above_minor", "")(program))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Put what other apps know about a program before its settings."""
        program = kwargs.get("obj")
        if program is not None:
            panels = panels_of("program", program, by=person(request), at=timezone.now())
            context.update({"title": program.name, "subtitle": None, "panels": panels})
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Program, form: Any, change: bool) -> None:
        """Save the program with its plan, and note what changed. A new one is closed until it is ready and somebody opens it."""
        if not change:
            obj.is_open = False
        super().save_model(request, obj, form, change)
        if not change:
            Plan.objects.get_or_create(program=obj, defaults={"name": obj.name})
        action = "program.changed" if change else "program.added"
        audit.record(person(request), action, obj, at=timezone.now(), fields=sorted(form.changed_data))

    def _is_looking(self, request: HttpRequest, obj: Program | None) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)

    def _fixed(self, obj: Program | None) -> tuple[str, ...]:
        if obj is None:
            return ()
        # Refunds are rated again by the claw-back window: members keep the one they joined under.
        has_members = obj.memberships.exists()
        return ("currency", "time_zone", "clawback_days") if has_members else ("currency", "time_zone")


_US_ACCOUNT = ("us_routing_number", "us_account_number", "us_company_id")


@admin.register(LegalEntity)
class LegalEntityAdmin(BackOfficeAdmin):
    """Who issues statements, and from where payments leave."""

    sees, adds, changes = "manage_programs", "manage_programs", "manage_programs"
    list_display = ("name", "number_prefix", "town", "country_code", "vat_number", "contact_email")
    search_fields = ("name", "number_prefix")
    ordering = ("name", "pk")
    fieldsets = (
        (None, {"fields": ("name", "number_prefix", "vat_number", "registration_number", "contact_email")}),
        (_("Address"), {"fields": ("street", "building_number", "postcode", "town", "country_code")}),
        (_("Account payments leave from"), {"fields": ("iban", "bic", "bank_file")}),
        (_("US account payments leave from"), {"fields": _US_ACCOUNT}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: LegalEntity | None = None) -> tuple[str, ...]:
        """Fix the prefix of numbers that have been given out."""
        return ("number_prefix",) if obj is not None else ()

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Give the account one line."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in ("iban", "us_account_number") and field is not None:
            field.widget = AdminTextInputWidget()
        return field

    def save_model(self, request: HttpRequest, obj: LegalEntity, form: Any, change: bool) -> None:
        """Save, and note which fields changed, never their values."""
        super().save_model(request, obj, form, change)
        action = "legal_entity.changed" if change else "legal_entity.added"
        audit.record(person(request), action, obj, at=timezone.now(), fields=sorted(form.changed_data))
