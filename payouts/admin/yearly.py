"""The yearly list of payees: whom an entity paid how much in a year, on a page and as a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from payouts import bookkeeping
from payouts.exports import yearly
from prm.accounts.back_office import BackOfficeAdmin, add_pages, attempt, money_text, person, require, row_url
from tiers.models import LegalEntity

_SHOWN = 500


class YearForm(forms.Form):
    """Whose payments, and of which year."""

    entity = forms.ModelChoiceField(
        label=gettext_lazy("Legal entity"), queryset=LegalEntity.objects.order_by("name"), empty_label=None
    )
    year = forms.IntegerField(label=gettext_lazy("Year"), min_value=2000, max_value=2999)


class YearlyPage:
    """The page and its files, below the pages about accounting."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses of the page and of its files."""
        wrap = self.desk.admin_site.admin_view
        return [
            path("yearly/", wrap(require_safe(self.show)), name="payouts_yearly"),
            path(
                "yearly/<int:entity_pk>/<int:year>.<str:form>",
                wrap(require_safe(self.file)),
                name="payouts_yearly_file",
            ),
        ]

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show the list of the year that was asked for, or of this one."""
        require(request, "manage_tax")
        at = timezone.now()
        first = LegalEntity.objects.order_by("name", "pk").first()
        asked = request.GET if "year" in request.GET else None
        initial = {"entity": first.pk if first else None, "year": at.year}
        form = YearForm(asked, initial=initial, auto_id="year_%s")
        entity, year = (first, at.year) if asked is None else (None, 0)
        if form.is_valid():
            entity, year = form.cleaned_data["entity"], form.cleaned_data["year"]
        payees = None
        if entity is not None:
            wanted, by = entity, person(request)
            payees = attempt(
                request,
                lambda: bookkeeping.yearly_list(wanted, year, by=by, at=at),
                form=form if asked else None,
            )
        return self.desk.page(
            request,
            "admin/payouts/accountcode/yearly.html",
            title=_("Payments of a year"),
            form=form,
            found=_found(entity, year, payees) if entity is not None and payees is not None else None,
        )

    def file(self, request: HttpRequest, entity_pk: int, year: int, form: str) -> HttpResponse:
        """Send the list as a file."""
        require(request, "manage_tax")
        entity = get_object_or_404(LegalEntity, pk=entity_pk)
        if form not in yearly.CONTENT_TYPES:
            raise Http404
        by, at = person(request), timezone.now()
        try:
            content = bookkeeping.take_yearly_list(entity, year, form=form, by=by, at=at)
        except bookkeeping.UnknownYear as refusal:
            raise Http404 from refusal
        response = HttpResponse(content, content_type=yearly.CONTENT_TYPES[form])
        name = bookkeeping.yearly_name(entity, year, form)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response


def _found(entity: LegalEntity, year: int, payees: list[yearly.Payee]) -> dict[str, Any]:
    return {
        "entity": entity,
        "year": str(year),
        "rows": [_row(payee) for payee in payees[:_SHOWN]],
        "count": len(payees),
        "more": max(len(payees) - _SHOWN, 0),
        "totals": [money_text(total) for total in yearly.totals(payees).values()],
        "to_report": sum(payee.reaches_threshold is True for payee in payees),
        "has_dollars": any(payee.threshold is not None for payee in payees),
        "files": [
            {"label": form.upper(), "url": reverse("admin:payouts_yearly_file", args=[entity.pk, year, form])}
            for form in yearly.CONTENT_TYPES
        ],
    }


def _row(payee: yearly.Payee) -> dict[str, Any]:
    partner = payee.partner
    number = payee.vat_number or (
        _("%(form)s, ending %(ending)s") % {"form": payee.tax_form, "ending": payee.tax_number_ending}
        if payee.tax_number_ending
        else ""
    )
    return {
        "name": partner.legal_name or partner.name,
        "url": row_url(partner),
        "country": payee.country_code,
        "number": number,
        "payments": payee.payments,
        "paid": payee.paid,
        "by_network": payee.by_network,
        "reportable": payee.reportable,
        "withheld": payee.withheld,
        "threshold": payee.threshold,
        "reaches": payee.reaches_threshold,
    }


add_pages("accounting", lambda desk: YearlyPage(desk).urls())
