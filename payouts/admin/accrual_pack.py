"""The accrual pack of a month's end as a page and as a workbook. Its address holds what was asked; it changes nothing, and taking the
workbook is written down."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from payouts import accrual_pack
from payouts.accrual_pack import METHOD, Pack, xlsx
from payouts.accrual_pack.journal import USE
from payouts.admin.accrual_chart import age_text, charts
from payouts.choices import AccountKind
from payouts.models import Period
from prm import audit
from prm.accounts.back_office import BackOfficeAdmin, add_pages, attempt, locale, person, require
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month
from tiers.models import LegalEntity, Program

MOST_MONTHS = 36


class PackForm(forms.Form):
    """Whose month's end."""

    entity = forms.ModelChoiceField(
        label=gettext_lazy("Legal entity"),
        queryset=LegalEntity.objects.order_by("name"),
        to_field_name="number_prefix",
        empty_label=None,
    )
    program = forms.ModelChoiceField(
        label=gettext_lazy("Program"),
        queryset=Program.objects.order_by("name"),
        to_field_name="slug",
        required=False,
        empty_label=gettext_lazy("All programs"),
    )
    month = forms.ChoiceField(label=gettext_lazy("Month"))

    def __init__(self, *args: Any, months: list[Month], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        month = self.fields["month"]
        assert isinstance(month, forms.ChoiceField)  # noqa: S101
        month.choices = [(str(each), l10n.month_text(each, locale())) for each in months]

    def clean(self) -> dict[str, Any]:
        """Refuse a program of another entity."""
        cleaned = super().clean() or {}
        entity, program = cleaned.get("entity"), cleaned.get("program")
        if entity and program and program.legal_entity_id != entity.pk:
            self.add_error("program", _("This program belongs to another legal entity."))
        return cleaned


class AccrualPackPage:
    """The page, below another table of the back office."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.desk.admin_site.admin_view(require_safe(self.show))
        return [path("accruals/", view, name="payouts_accrual_pack")]

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show the pack that the address asks for, or send its workbook."""
        require(request, "see_ledger")
        at = timezone.now()
        months = _months()
        entity = LegalEntity.objects.order_by("name").first()
        asked = request.GET if "month" in request.GET else None
        initial = {
            "entity": entity.number_prefix if entity else "",
            "month": str(_newest_over(months, timezone.localtime(at).date())) if months else "",
        }
        form = PackForm(asked if asked is not None else initial, months=months)
        pack: Pack | None = None
        if months and form.is_valid():
            given = form.cleaned_data
            programs = [given["program"]] if given["program"] else None
            pack = attempt(
                request,
                lambda: accrual_pack.make(
                    given["entity"], Month.parse(given["month"]), at=at, programs=programs
                ),
                form=form,
            )
        if pack is not None and "xlsx" in request.GET:
            return self._file(request, pack)
        query = request.GET.copy() if asked is not None else _query(initial)
        query["xlsx"] = "1"
        return self.desk.page(
            request,
            "admin/payouts/accrual_pack/pack.html",
            title=_("Accrual pack"),
            form=form,
            has_months=bool(months),
            found=_shown(pack) if pack is not None else None,
            xlsx_url=f"?{query.urlencode()}",
            status=422 if form.errors and asked is not None else 200,
        )

    def _file(self, request: HttpRequest, pack: Pack) -> HttpResponse:
        audit.record(
            person(request), "accrual_pack.taken", pack.legal_entity, at=timezone.now(), month=str(pack.month)
        )
        response = HttpResponse(xlsx.render(pack), content_type=xlsx.CONTENT_TYPE)
        response["Content-Disposition"] = f'attachment; filename="{pack.name}.xlsx"'
        response["Cache-Control"] = "no-store"
        return response


def _months() -> list[Month]:
    """Return the months something was or can be posted in, the latest first."""
    rows = Period.objects.order_by("-year", "-month").values_list("year", "month").distinct()
    return [Month(year, month) for year, month in rows[:MOST_MONTHS]]


def _newest_over(months: list[Month], today: date) -> Month:
    """Return the month one accrues for: the latest that is over, or the latest there is."""
    return next((month for month in months if month.last_on < today), months[0])


def _query(values: dict[str, str]) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update(values)
    return query


def _shown(pack: Pack) -> dict[str, Any]:
    return {
        "pack": pack,
        "month": l10n.month_text(pack.month, locale()),
        "as_of": pack.month.last_on,
        "ages": [age_text(bucket) for bucket in reversed(accrual_pack.BUCKETS)],
        "charts": [
            {"chart": chart, "rows": [row for row in pack.totals if row.currency == chart.currency]}
            for chart in charts(pack.totals)
        ],
        "programs": [
            {
                "name": each.program.name,
                "rows": each.ageing,
                "expected": each.expected,
                "without_history": each.without_history,
            }
            for each in pack.programs
        ],
        "method": METHOD,
        "use": USE,
        "trial": [
            (AccountKind(kind).label, Money(minor, currency))
            for (kind, currency), minor in pack.trial.items()
        ],
    }


add_pages("period", lambda desk: AccrualPackPage(desk).urls())
