"""The page that takes a file of sales: it is looked at at the door, and read by a worker that names every faulty line."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url
from referrals import imports
from referrals.sales_files import OPTIONAL, REQUIRED


class ImportForm(forms.Form):
    """A file of sales and how to take it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, plain or .gz, in UTF-8, with a header line."),
        widget=forms.FileInput(attrs={"accept": ".csv,.gz,text/csv,application/gzip"}),
    )
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=40,
        initial="import",
        help_text=gettext_lazy(
            "The shop or system the event ids belong to. The same id of the same source counts once."
        ),
    )
    dry_run = forms.BooleanField(
        label=gettext_lazy("Only try it: check every line and keep nothing"), required=False, initial=True
    )
    atomic = forms.BooleanField(
        label=gettext_lazy("Take all lines or none"),
        required=False,
        help_text=gettext_lazy("Otherwise the good lines are taken and the faulty ones are named."),
    )


def import_file(desk: BackOfficeAdmin, request: HttpRequest) -> HttpResponse:
    """Take a file and hand it to a worker."""
    require(request, "import_conversions")
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        run = attempt(
            request,
            lambda: imports.start(
                given["file"],
                source=given["source"],
                by=person(request),
                at=timezone.now(),
                atomic=given["atomic"],
                dry_run=given["dry_run"],
            ),
            form=form,
        )
        if run is not None:
            messages.success(request, _("The file was taken. You can leave this page while it is read."))
            return HttpResponseRedirect(row_url(run))
    return desk.page(
        request,
        "admin/referrals/conversion/import.html",
        title=_("Import sales"),
        form=form,
        errors=bool(form.errors),
        required=REQUIRED,
        optional=(*OPTIONAL, "attribute:NAME"),
    )
