"""Tax forms of partners: what is valid, what ends soon, the file, and revoking. The number on a form is shown by its ending alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.models import Partner
from payouts import evidence
from payouts.admin.tax_desk import TaxDesk
from payouts.admin.tax_forms import ReceiveForm
from payouts.models import TaxForm
from payouts.tax import forms as tax_forms
from prm import audit
from prm.accounts.back_office import (
    person,
    require,
    when_column,
)


class ExpiringFilter(admin.SimpleListFilter):
    """Forms that end soon."""

    title = gettext_lazy("validity")
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the kinds."""
        soon = _("Ends within %(days)s days") % {"days": tax_forms.REMIND_DAYS}
        return [("soon", soon), ("valid", _("Valid")), ("over", _("Expired or revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaxForm]) -> QuerySet[TaxForm]:
        """Keep what was asked for."""
        today = timezone.now().date()
        if self.value() == "soon":
            return queryset.filter(pk__in=tax_forms.expiring(on=today).values("pk"))
        if self.value() == "valid":
            return queryset.filter(pk__in=tax_forms.holding(on=today).values("pk"))
        if self.value() == "over":
            return queryset.exclude(pk__in=tax_forms.holding(on=today).values("pk"))
        return queryset


@admin.register(TaxForm)
class TaxFormAdmin(TaxDesk):
    """Tax forms, the newest first; the number on them is shown by its ending alone."""

    list_display = (
        "whose",
        "kind",
        "masked",
        "signed_on",
        "expires_on",
        when_column("revoked_at", gettext_lazy("revoked")),
    )
    list_display_links = ("kind",)
    list_filter = (ExpiringFilter, "kind")
    ordering = ("-received_at", "-pk")
    change_form_template = "admin/payouts/taxform/change_form.html"
    # The number itself is in no field here, so no page can show it.
    fields = (
        "public_id",
        "whose",
        "kind",
        "masked",
        "signed_on",
        "expires_on",
        "document_name",
        "received_at",
        "received_by",
        "revoked_at",
        "revoked_by",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxForm]:
        """Read forms without their numbers."""
        return super().get_queryset(request).defer("tax_number")

    def get_urls(self) -> list[URLPattern]:
        """Add receiving, revoking and the file."""
        return [
            path("of/<int:partner_pk>/receive/", self.wrapped(self.receive), name="payouts_taxform_receive"),
            path("<int:pk>/revoke/", self.wrapped(self.revoke), name="payouts_taxform_revoke"),
            path("<int:pk>/file/", self.wrapped(self.file, reads=True), name="payouts_taxform_file"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("tax number"))
    def masked(self, form: TaxForm) -> str:
        """Return the ending of the number."""
        return f"•••• {form.tax_number_ending}" if form.tax_number_ending else "–"

    def receive(self, request: HttpRequest, partner_pk: int) -> HttpResponse:
        """Take a form that came by another way."""
        require(request, "manage_tax")
        partner, by, at = get_object_or_404(Partner, pk=partner_pk), person(request), timezone.now()
        form = ReceiveForm(request.POST or None, request.FILES or None)
        return self.ask(
            request,
            partner,
            title=_("Tax form of %(partner)s") % {"partner": partner.name},
            verb=_("Keep the form"),
            done=_("The form is kept."),
            form=form,
            consequences=[_("While it is valid, the partner can be paid where a form is needed.")],
            template="admin/payouts/taxform/receive.html",
            move=lambda _form: tax_forms.receive(partner, **form.cleaned_data, by=by, at=at),
        )

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, then let the form count no longer."""
        require(request, "manage_tax")
        row = get_object_or_404(self.get_queryset(request).select_related("partner"), pk=pk)
        by, at = person(request), timezone.now()
        return self.ask(
            request,
            row.partner,
            title=_("Revoke %(form)s") % {"form": row.get_kind_display()},
            verb=_("Revoke the form"),
            done=_("The form is revoked."),
            consequences=[
                _("It counts no longer from now on; the file stays."),
                _("If a form is needed and no other is valid, payments to %(partner)s wait.")
                % {"partner": row.partner.name},
            ],
            move=lambda _form: tax_forms.revoke(row, by=by, at=at),
        )

    def file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send the file; who took it is written down."""
        require(request, "manage_tax")
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        response = evidence.attachment(row.document, row.document_name)
        audit.record(person(request), "tax_form.file_taken", row, at=timezone.now())
        return response
