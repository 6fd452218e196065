"""Applications: the queue. It opens with those that wait for us, the oldest first; what decides about a row stands in it, and several rows
can be decided together."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import screening_counts
from partners.admin.applications_facts import waiting_words
from partners.admin.applications_filters import (
    AgeFilter,
    CountryFilter,
    OwnerFilter,
    SignalsFilter,
    TypeFilter,
    WaitingFilter,
    saved_filters,
)
from partners.admin.applications_review import ReviewPages
from partners.admin.bulk_decisions import BulkPages
from partners.admin.history import history_of as history_of
from partners.application_forms.channels import ChannelKind
from partners.choices import ApplicationState
from partners.eligibility_conditions import number
from partners.models import Application
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, list_url, locale, person, require, row_url, state_column
from prm.lib import l10n
from tiers.choices import PartnershipType


@admin.register(Application)
class ApplicationAdmin(ReviewPages, BulkPages, BackOfficeAdmin):
    """Applications, those waiting the longest first; what decides about a row stands at its left."""

    sees = "see_applications"
    change_list_template = "admin/partners/application/change_list.html"
    list_display = (
        "applicant",
        "waiting",
        "signals",
        "owner",
        "kind",
        "audience_shown",
        "country",
        state_column("application", gettext_lazy("state")),
        "program",
    )
    list_filter = (
        WaitingFilter,
        "state",
        TypeFilter,
        AgeFilter,
        OwnerFilter,
        SignalsFilter,
        "program",
        CountryFilter,
    )
    list_select_related = ("program", "manager", "rule")
    search_fields = ("company", "full_name", "email_folded", "website", "public_id")
    search_help_text = gettext_lazy("Company, name, address, website or reference")
    ordering = ("decided_at", "submitted_at", "pk")
    list_per_page = 25

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        """Read what the person may see; drafts are the applicants' own."""
        seen = Application.objects.visible_to(person(request)).exclude(state=ApplicationState.DRAFT)
        return seen.select_related("program", "manager", "rule")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of one application, and those of several."""
        return [*self.review_urls(), *self.bulk_urls(), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer decisions on several rows to those who decide."""
        return self.bulk_actions() if policy.may(request.user, "decide_applications") else {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with the looks most often wanted above it."""
        context = {
            "saved_filters": saved_filters(request),
            "may_enter": policy.may(request.user, "decide_applications"),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Count the signals of the whole page at once."""
        listed = super().get_changelist_instance(request)
        counts = screening_counts.warning_counts(list(listed.result_list))
        for application in listed.result_list:
            application.warning_count = counts.get(application.pk)
        return listed

    @admin.display(description=gettext_lazy("applicant"), ordering="company")
    def applicant(self, application: Application) -> str:
        """Return the company with the person's name under it."""
        return format_html(
            '{}<span class="sub">{}</span>',
            application.company or application.full_name,
            application.full_name,
        )

    @admin.display(description=gettext_lazy("type"))
    def kind(self, application: Application) -> str:
        """Return the kind of partnership applied for."""
        value = application.partnership_type or application.program.partnership_type
        return str(dict(PartnershipType.choices).get(value, value))

    @admin.display(description=gettext_lazy("audience"))
    def audience_shown(self, application: Application) -> str:
        """Return the channels, or what was said about the audience."""
        return channels_text(application) or application.audience[:80] or "–"

    @admin.display(description=gettext_lazy("signals"))
    def signals(self, application: Application) -> str:
        """Return how many signals want a second look; nothing once it is decided."""
        count: int | None = getattr(application, "warning_count", None)
        return "–" if count is None else str(count)

    @admin.display(description=gettext_lazy("waiting"), ordering="submitted_at")
    def waiting(self, application: Application) -> str:
        """Return how long it has waited for a decision, and whether the promise is broken."""
        if application.state not in ApplicationState.undecided():
            return "–"
        if application.counts_since is None:
            return _("for the applicant to confirm the e-mail")
        return waiting_words(application, at=timezone.now())

    @admin.display(description=gettext_lazy("owner"), ordering="manager__full_name")
    def owner(self, application: Application) -> str:
        """Return who looks after it."""
        manager = application.manager
        return (manager.full_name or manager.email) if manager is not None else "–"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show an application with its decision, or carry the decision out."""
        require(request, self.sees)
        return self.review(request, object_id)

    def after(self, request: HttpRequest, decided: Application) -> HttpResponseRedirect:
        """Go on to the next of the queue."""
        following = self.get_queryset(request).exclude(pk=decided.pk)
        first = following.waiting_for_us().first()  # type: ignore[attr-defined]
        return HttpResponseRedirect(row_url(first) if first is not None else list_url(Application))


def channels_text(application: Application) -> str:
    """Return the first channels in a few words."""
    channels = application.channels if isinstance(application.channels, list) else []
    labels, parts = {str(value): str(label) for value, label in ChannelKind.choices}, []
    for each in [row for row in channels if isinstance(row, dict)][:3]:
        kind, size = str(each.get("kind", "")), number(each.get("audience"))
        shown = labels.get(kind, kind)
        parts.append(shown if size is None else f"{shown}: {l10n.number_text(int(size), locale())}")
    return ", ".join(parts)
