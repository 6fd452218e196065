"""Exchange rates: how old the newest of each pair is, the pairs payments need first, and the two ways rates come in. A stored rate is
never changed here, because what was converted with it must be found again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Max, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from payouts import fx, fx_import
from payouts.models import FxRate
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, list_url, locale, person, require
from prm.lib import l10n
from prm.lib.currencies import EXPONENTS

LARGEST_FILE = 1024 * 1024  # 90 days are a tenth of it; the file of all days is for the command line


class RatesFileForm(forms.Form):
    """A file of reference rates."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "Of the European Central Bank: eurofxref-daily.xml, eurofxref-hist-90d.xml or a CSV file."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".xml,.csv"}),
    )

    def clean_file(self) -> Any:
        """Leave what takes long to the command line."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(
                _("This file is larger than 1 MB. Import it on the server: manage.py import_fx_rates FILE")
            )
        return file


class RateForm(forms.Form):
    """One rate a person read elsewhere."""

    base = forms.ChoiceField(label=gettext_lazy("One unit of"))
    rate = forms.CharField(
        label=gettext_lazy("is worth"),
        max_length=21,
        help_text=gettext_lazy("With a decimal point, such as 1.0832."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    quote = forms.ChoiceField(label=gettext_lazy("units of"))
    rate_on = forms.DateField(label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    corrects = forms.BooleanField(
        label=gettext_lazy("It corrects the rate entered for this day before"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("base", "quote"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            field.choices = [(code, code) for code in sorted(EXPONENTS)]


@dataclass(frozen=True)
class Row:
    """A pair with its newest rate; `fault` says why payments cannot use it now."""

    base: str
    quote: str
    rate: str
    on: date | None
    source: str
    age: str
    fault: str


@admin.register(FxRate)
class FxRateAdmin(BackOfficeAdmin):
    """Exchange rates, the pairs payments need first."""

    sees = "manage_fx"
    fields = ("base", "quote", "rate", "rate_on", "source", "entered_at", "entered_by")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Add the two ways rates come in."""
        wrap, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        return [
            path("import/", wrap(both(self.import_file)), name="payouts_fxrate_import"),
            path("enter/", wrap(both(self.enter)), name="payouts_fxrate_enter"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the newest rate of each pair."""
        require(request, self.sees)
        today = timezone.localdate()
        pairs = fx.needed_pairs()
        rates = fx.Rates({code for pair in pairs for code in pair}, on=today)
        return self.page(
            request,
            "admin/payouts/fxrate/rates.html",
            title=_("Exchange rates"),
            needed=[_needed(rates, *pair, today=today) for pair in pairs],
            stored=[_stored(row, today=today) for row in _newest()],
            days=fx.OLDEST.days,
            may_add=policy.may(request.user, "manage_fx"),
        )

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file, or take what is new in it."""
        require(request, "manage_fx")
        form = RatesFileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file, by, at = form.cleaned_data["file"], person(request), timezone.now()
            content = file.read()
            found = attempt(
                request, lambda: fx_import.import_rates(content, by=by, at=at, name=file.name), form=form
            )
            if found is not None:
                messages.success(request, _said(found))
                return HttpResponseRedirect(list_url(FxRate))
        return self._form(request, form, title=_("Import rates"), verb=_("Import the file"), is_file=True)

    def enter(self, request: HttpRequest) -> HttpResponse:
        """Ask for one rate, or store it."""
        require(request, "manage_fx")
        first = {"base": request.GET.get("base"), "quote": request.GET.get("quote")}
        form = RateForm(request.POST or None, initial={**first, "rate_on": timezone.localdate()})
        if request.method == "POST" and form.is_valid():
            given = {**form.cleaned_data, "by": person(request), "at": timezone.now()}
            on = given.pop("rate_on")
            row = attempt(request, lambda: fx_import.enter(**given, on=on), form=form)
            if row is not None:
                messages.success(request, _("%(rate)s is stored.") % {"rate": row})
                return HttpResponseRedirect(list_url(FxRate))
        return self._form(request, form, title=_("Enter a rate"), verb=_("Store the rate"), is_file=False)

    def _form(
        self, request: HttpRequest, form: forms.Form, *, title: str, verb: str, is_file: bool
    ) -> HttpResponse:
        consequences = (
            [
                _("Rates of days that are stored already stay as they are."),
                _("If one of them differs from the file, nothing is imported."),
            ]
            if is_file
            else [
                _("It comes before an imported rate of the same day."),
                _("It is never changed afterwards; a correction is stored beside it."),
            ]
        )
        return self.page(
            request,
            "admin/payouts/fxrate/form.html",
            title=title,
            form=form,
            errors=bool(form.errors),
            verb=verb,
            is_file=is_file,
            consequences=consequences,
            parent_url=list_url(FxRate),
            status=422 if form.errors else 200,
        )


def _newest() -> list[FxRate]:
    """Return the newest stored rate of each pair; of one day the one that is used."""
    days = (
        FxRate.objects.exclude(source__startswith=fx.CROSS)
        .values_list("base", "quote")
        .annotate(newest=Max("rate_on"))
        .order_by("base", "quote")
    )
    wanted = Q(pk__in=[])
    for base, quote, day in days:
        wanted |= Q(base=base, quote=quote, rate_on=day)
    found: dict[tuple[str, str], FxRate] = {}
    rows = FxRate.objects.filter(wanted).exclude(source__startswith=fx.CROSS)
    for row in sorted(rows, key=lambda row: (fx.is_entered(row), row.entered_at, row.pk)):
        found[row.base, row.quote] = row
    return [found[pair] for pair in sorted(found)]


def _needed(rates: fx.Rates, base: str, quote: str, *, today: date) -> Row:
    try:
        rate = rates.rate(base, quote)
    except fx.NoRate:
        return Row(base, quote, "–", None, "", "", _("Missing: payments in this pair are left out"))
    return _row(base, quote, rate.decimal, rate.on, rate.source, today=today)


def _stored(row: FxRate, *, today: date) -> Row:
    return _row(row.base, row.quote, row.rate, row.rate_on, row.source, today=today)


def _row(base: str, quote: str, rate: Decimal, on: date, source: str, *, today: date) -> Row:
    days = (today - on).days
    age = _("today") if days == 0 else ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    fault = _("Too old to be used") if days > fx.OLDEST.days else ""
    return Row(base, quote, f"{rate.normalize():f}", on, _source(source), age, fault)


def _source(source: str) -> str:
    if source.startswith(fx.ENTERED):
        return _("Entered by a person")
    if source.startswith(fx.CROSS):
        return _("Computed from others")
    return _("European Central Bank") if source == fx_import.SOURCE else source


def _said(found: fx_import.Imported) -> str:
    if not found.created:
        return _("Every rate of the file was stored already.")
    text = ngettext("%(count)s rate is new.", "%(count)s rates are new.", found.created)
    return text % {"count": l10n.number_text(found.created, locale())}
