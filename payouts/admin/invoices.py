"""Self-billed invoices as they were issued, with their files. Taking a file is written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from payouts.admin.totals import WithTotals
from payouts.einvoice import documents
from payouts.models import Invoice
from payouts.tax.invoices import is_unchanged
from prm import audit
from prm.accounts.back_office import (
    Fact,
    attempt,
    link_to,
    locale,
    money_column,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from prm.lib.money import Money

_LINKED = ("statement__membership__partner__id__exact",)


@admin.register(Invoice)
class InvoiceAdmin(WithTotals):
    """Invoices and credit notes, the newest first."""

    sees = "see_statements"
    total_of = "gross_minor"
    list_display = (
        "number",
        "kind",
        "partner",
        money_column("net_minor", gettext_lazy("net")),
        money_column("vat_minor", gettext_lazy("VAT")),
        money_column("gross_minor", gettext_lazy("total")),
        "vat_mode",
        when_column("issued_at", gettext_lazy("issued")),
    )
    list_filter = ("kind", "vat_mode", "currency", "year", "mandate__legal_entity")
    list_select_related = ("statement__membership__partner", "mandate")
    search_fields = ("number", "statement__number", "statement__membership__partner__name")
    search_help_text = gettext_lazy("Number, statement or partner")
    ordering = ("-issued_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        """Read what the person may see."""
        found = Invoice.objects.visible_to(person(request))
        return found.select_related("statement__membership__partner", "mandate", "credits")

    def get_urls(self) -> list[URLPattern]:
        """Add the files."""
        view = self.admin_site.admin_view(require_safe(self.file))
        return [path("<int:pk>/file/<str:kind>/", view, name="payouts_invoice_file"), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the links other pages make."""
        return lookup in _LINKED or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("partner"), ordering="statement__membership__partner__name")
    def partner(self, invoice: Invoice) -> str:
        """Return who the seller is."""
        return invoice.statement.membership.partner.name

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show an invoice."""
        require(request, self.sees)
        invoice = get_object_or_404(self.get_queryset(request), pk=object_id)
        return self.page(
            request,
            "admin/payouts/invoice/invoice.html",
            title=f"{invoice.get_kind_display()} {invoice.number}",
            facts=list(_facts(invoice)),
            lines=[
                (row["name"], row["count"], _amount(row["amount_minor"], invoice))
                for row in invoice.facts["lines"]
            ],
            sums=[
                (_("Net"), _amount(invoice.net_minor, invoice)),
                (_("VAT"), _amount(invoice.vat_minor, invoice)),
                (_("Total"), _amount(invoice.gross_minor, invoice)),
            ],
            mentions=[invoice.facts["vat"]["reason"], *invoice.facts["mentions"]],
            is_unchanged=is_unchanged(invoice),
            files=[
                (kind.upper(), reverse("admin:payouts_invoice_file", args=[invoice.pk, kind]))
                for kind in documents.KINDS
                if invoice.cii_xml or kind == "pdf"
            ],
        )

    def file(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Send an invoice as a file."""
        require(request, self.sees)
        invoice = get_object_or_404(self.get_queryset(request), pk=pk)
        if kind not in documents.KINDS:
            raise Http404
        content = attempt(request, lambda: documents.content_of(invoice, kind))
        if content is None:
            return HttpResponseRedirect(row_url(invoice))
        audit.record(person(request), "invoice.file_taken", invoice, at=timezone.now(), kind=kind)
        response = HttpResponse(content, content_type=documents.KINDS[kind][0])
        response["Content-Disposition"] = f'attachment; filename="{documents.file_name(invoice, kind)}"'
        response["Cache-Control"] = "no-store"
        return response


def _amount(minor: int, invoice: Invoice) -> Money:
    return Money(minor, invoice.currency)


def _facts(invoice: Invoice) -> Iterator[Fact]:
    facts = invoice.facts
    yield Fact(_("Partner"), link_to(invoice.statement.membership.partner))
    yield Fact(_("Statement"), link_to(invoice.statement))
    yield Fact(_("Agreement"), link_to(invoice.mandate))
    yield Fact(_("Issued"), l10n.date_text(date.fromisoformat(facts["issued_on"]), locale()))
    if invoice.credits is not None:
        yield Fact(_("Takes back"), link_to(invoice.credits))
        yield Fact(_("Reason"), facts["reason"])
    elif facts["refers_to"]:
        yield Fact(_("Refers to"), facts["refers_to"]["number"])
    for later in invoice.credited_by.all():
        yield Fact(_("Taken back by"), link_to(later))
    yield Fact(_("VAT"), invoice.get_vat_mode_display())
    yield Fact(_("Hash"), invoice.sha256)
