"""Taxes of partners: details, withholdings and agreements. Rows are only read; pages say what follows and make one call."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.models import Partner
from payouts.admin.tax_desk import TaxDesk
from payouts.admin.tax_forms import EndForm, ProfileForm, WithholdingForm
from payouts.models import SelfBillingMandate, TaxProfile, Withholding
from payouts.tax import asked_again, mandates, profiles, withholding
from prm.accounts.back_office import (
    person,
    require,
    when_column,
)


class AskedAgainFilter(admin.SimpleListFilter):
    """Those whose country or legal name changed after they were set."""

    title = gettext_lazy("to be confirmed")
    parameter_name = "again"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the one way to look."""
        return [("yes", _("Name or country changed since"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaxProfile]) -> QuerySet[TaxProfile]:
        """Keep what was asked for."""
        if self.value() != "yes":
            return queryset
        return queryset.filter(ends_at=None, partner__in=asked_again.everybody(at=timezone.now()))


@admin.register(TaxProfile)
class TaxProfileAdmin(TaxDesk):
    """Tax details, those in force first."""

    list_display = (
        "whose",
        "country_code",
        "status",
        "vat_mode",
        "vat_rate",
        "vat_number",
        "needs_form",
        when_column("starts_at", gettext_lazy("from")),
        when_column("ends_at", gettext_lazy("until")),
    )
    list_display_links = ("country_code",)
    list_filter = (AskedAgainFilter, "status", "vat_mode", "needs_form", "is_set_by_hand")
    ordering = ("-starts_at", "-pk")
    fields = (
        "public_id",
        "whose",
        "country_code",
        "status",
        "vat_mode",
        "vat_rate",
        "is_set_by_hand",
        "vat_number",
        "registration_number",
        "exemption_reason",
        "needs_form",
        "starts_at",
        "ends_at",
        "set_at",
        "set_by",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Add the page that sets them."""
        view = self.wrapped(self.set)
        return [path("of/<int:partner_pk>/set/", view, name="payouts_taxprofile_set"), *super().get_urls()]

    def set(self, request: HttpRequest, partner_pk: int) -> HttpResponse:
        """Ask for a partner's tax details and keep them."""
        require(request, "manage_tax")
        partner, by, at = get_object_or_404(Partner, pk=partner_pk), person(request), timezone.now()
        before = profiles.in_force(partner, at=at)
        names = [*ProfileForm.base_fields]
        initial = {name: getattr(before, name, None) for name in names} if before else {}
        if before is not None and before.is_set_by_hand:
            initial |= {"mode": before.vat_mode, "rate": before.vat_rate or None}
        form = ProfileForm(request.POST or None, initial=initial)
        entities = ", ".join(entity.name for entity in profiles.entities_of(partner)) or "–"
        return self.ask(
            request,
            partner,
            title=_("Tax details of %(partner)s") % {"partner": partner.name},
            verb=_("Save the tax details"),
            done=_("The tax details are saved."),
            form=form,
            consequences=[
                _("They count for statements issued from now on; those before stay as they are."),
                _("Left to itself, VAT follows from the countries of the partner and of %(entities)s.")
                % {"entities": entities},
            ],
            move=lambda _form: profiles.set_profile(partner, form.facts(), by=by, at=at),
        )


@admin.register(Withholding)
class WithholdingAdmin(TaxDesk):
    """What is withheld, the newest first."""

    list_display = ("whose", "rate", "basis", "starts_on", "ends_on", "set_by")
    list_display_links = ("rate",)
    ordering = ("-starts_on", "-pk")
    change_form_template = "admin/payouts/taxprofile/withholding.html"
    fields = ("public_id", "whose", "rate", "basis", "starts_on", "ends_on", "set_at", "set_by")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Add setting and ending."""
        return [
            path("of/<int:partner_pk>/set/", self.wrapped(self.set), name="payouts_withholding_set"),
            path("<int:pk>/end/", self.wrapped(self.end), name="payouts_withholding_end"),
            *super().get_urls(),
        ]

    def set(self, request: HttpRequest, partner_pk: int) -> HttpResponse:
        """Ask for a rate and its day."""
        require(request, "manage_tax")
        partner, by, at = get_object_or_404(Partner, pk=partner_pk), person(request), timezone.now()
        form = WithholdingForm(request.POST or None, initial={"starts_on": at.date()})
        return self.ask(
            request,
            partner,
            title=_("Withhold tax from %(partner)s") % {"partner": partner.name},
            verb=_("Withhold"),
            done=_("It is withheld from that day on."),
            form=form,
            consequences=[
                _("This share of each payment goes to the tax office; the partner sees it on its statement."),
                _("A rate that holds now ends on that day. Payments already prepared stay as they are."),
            ],
            move=lambda _form: withholding.set_rate(partner, **form.cleaned_data, by=by, at=at),
        )

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the day it ends."""
        require(request, "manage_tax")
        row = get_object_or_404(Withholding.objects.select_related("partner"), pk=pk)
        by, at = person(request), timezone.now()
        form = EndForm(request.POST or None, initial={"ends_on": at.date()})
        return self.ask(
            request,
            row.partner,
            title=_("Withhold no longer"),
            verb=_("End it"),
            done=_("It ends on that day."),
            form=form,
            consequences=[_("Payments from that day on go to the partner whole.")],
            move=lambda _form: withholding.end(row, **form.cleaned_data, by=by, at=at),
        )


@admin.register(SelfBillingMandate)
class SelfBillingMandateAdmin(TaxDesk):
    """Agreements on self-billing, the newest first."""

    list_display = (
        "series_prefix",
        "whose",
        "legal_entity",
        "agreement_version",
        when_column("agreed_at", gettext_lazy("agreed")),
        "agreed_by",
        when_column("ended_at", gettext_lazy("ended")),
    )
    list_filter = ("legal_entity",)
    list_select_related = ("partner", "legal_entity", "agreed_by")  # type: ignore[assignment]
    ordering = ("-agreed_at", "-pk")
    change_form_template = "admin/payouts/selfbillingmandate/change_form.html"
    fields = (
        "public_id",
        "whose",
        "legal_entity",
        "series_prefix",
        "agreement_version",
        "agreement_text",
        "accepts_after_days",
        "agreed_at",
        "agreed_by",
        "agreed_from",
        "ended_at",
        "ended_by",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Add ending."""
        view = self.wrapped(self.end)
        return [path("<int:pk>/end/", view, name="payouts_selfbillingmandate_end"), *super().get_urls()]

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, then write no more invoices by it."""
        require(request, "manage_tax")
        row = get_object_or_404(SelfBillingMandate.objects.select_related("partner"), pk=pk)
        by, at = person(request), timezone.now()
        return self.ask(
            request,
            row.partner,
            title=_("End agreement %(series)s") % {"series": row.series_prefix},
            verb=_("End the agreement"),
            done=_("The agreement has ended."),
            consequences=[
                _("No more invoices are written in its series, and no VAT is added from now on."),
                _("Invoices already written stay valid."),
                _("Only the partner can agree again."),
            ],
            move=lambda _form: mandates.end(row, by=by, at=at),
        )
