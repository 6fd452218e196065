"""The pages that take a file of sales: upload it, say what its columns mean and see the first lines as they would be read, try all of
them, then record them. The file lies here between the steps, and every step works without a script."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require
from prm.lib.errors import Refused
from prm.runs.models import Run
from referrals import import_files, imports, mapping_memory, reading, sales_mapped
from referrals.admin_import_forms import ColumnsForm, ImportForm
from referrals.import_files import FileGone
from referrals.mapping import FileMapping
from referrals.sales_files import OPTIONAL, REQUIRED, BadFile, Row, RowError, SalesFile
from referrals.sales_mapped import MappedFile

CAPABILITY = "import_conversions"
UPLOAD = "admin:referrals_conversion_import"
COLUMNS = "admin:referrals_conversion_import_columns"
RESULT = "admin:referrals_conversion_import_result"
PREVIEWED = 15


def import_file(desk: BackOfficeAdmin, request: HttpRequest) -> HttpResponse:
    """Take a file: one in the product's own format goes to a worker, for others we ask what their columns mean."""
    require(request, CAPABILITY)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        wants_to_look = "look" in request.POST
        answer = attempt(request, lambda: _taken(request, form, look=wants_to_look), form=form)
        if answer is not None:
            return answer
    return desk.page(
        request,
        "admin/referrals/conversion/import.html",
        title=_("Import sales"),
        status=422 if form.errors else 200,
        form=form,
        errors=bool(form.errors),
        steps=steps(1),
        required=REQUIRED,
        optional=(*OPTIONAL, "attribute:NAME"),
    )


def _taken(request: HttpRequest, form: ImportForm, *, look: bool) -> HttpResponse:
    """Keep the file and lead on.

    Raises: Forbidden, BadFile, BadValue.
    """
    given, by, at = form.cleaned_data, person(request), timezone.now()
    source = reading.word(given["source"], field="source", longest=40, required=True)
    if look or not _is_own_format(given["file"], source=source):
        sales_mapped.look(import_files.binary(given["file"]))
        stored, sha256 = import_files.keep(given["file"])
        name = given["file"].name or ""
        ticket = import_files.ticket(stored=stored, sha256=sha256, name=name, source=source, by=by)
        return HttpResponseRedirect(reverse(COLUMNS, args=[ticket]))
    run = imports.start(
        given["file"], source=source, by=by, at=at, atomic=given["atomic"], dry_run=given["dry_run"]
    )
    return _to_result(request, run)


def _is_own_format(upload: Any, *, source: str) -> bool:
    try:
        SalesFile(import_files.binary(upload), source=source, at=timezone.now())
    except BadFile:
        return False
    return True


def _to_result(request: HttpRequest, run: Run) -> HttpResponse:
    messages.success(request, _("The file was taken. You can leave this page while it is read."))
    return HttpResponseRedirect(reverse(RESULT, args=[run.public_id]))


def columns(desk: BackOfficeAdmin, request: HttpRequest, ticket: str) -> HttpResponse:
    """Ask what the columns mean, show the first lines as they would be read, and try or record all of them."""
    require(request, CAPABILITY)
    told = import_files.of_ticket(ticket, by=person(request))
    if told is None:
        raise Http404
    try:
        with closing(import_files.opened(told["stored"])) as stream:
            delimiter, header, rows = sales_mapped.look(stream)
    except FileGone as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse(UPLOAD))
    suggested = mapping_memory.suggest(told["source"], header, rows, delimiter=delimiter)
    form = ColumnsForm(request.POST or None, header=header, rows=rows, suggested=suggested)
    chosen = suggested
    if request.method == "POST" and form.is_valid():
        chosen = form.told()
        if {"try", "apply"} & set(request.POST):
            run = attempt(request, lambda: _started(request, told, header, chosen, form=form))
            if run is not None:
                return _to_result(request, run)
    preview = _preview(told, chosen, form) if not form.errors else []
    return desk.page(
        request,
        "admin/referrals/conversion/import_columns.html",
        title=_("What the columns mean"),
        status=422 if form.errors else 200,
        form=form,
        errors=bool(form.errors),
        steps=steps(2),
        parent=_("Import sales"),
        parent_url=reverse(UPLOAD),
        name=told["name"],
        source=told["source"],
        preview=preview,
        earlier=imports.earlier(told["sha256"]),
    )


def _started(
    request: HttpRequest, told: dict[str, str], header: list[str], chosen: FileMapping, *, form: ColumnsForm
) -> Run | None:
    """Remember the columns and hand the file to a worker; a refusal is shown at its question."""
    by, at = person(request), timezone.now()
    try:
        mapping_memory.remember(told["source"], header, chosen, by=by, at=at)
        return imports.start_stored(
            told["stored"],
            name=told["name"],
            source=told["source"],
            sha256=told["sha256"],
            by=by,
            at=at,
            atomic=form.cleaned_data["atomic"],
            dry_run="try" in request.POST,
            told=chosen,
        )
    except Refused as refusal:
        form.add_error(form.place_of(refusal.field), str(refusal))
        return None


def _preview(told: dict[str, str], chosen: FileMapping, form: ColumnsForm) -> list[Row | RowError]:
    """Return the first lines as they would be read; what keeps all of them from being read is said at its question."""
    try:
        with closing(import_files.opened(told["stored"])) as stream:
            sales = MappedFile(stream, source=told["source"], at=timezone.now(), mapping=chosen)
            return list(islice(sales, PREVIEWED))
    except Refused as refusal:
        if form.is_bound:
            form.add_error(form.place_of(refusal.field), str(refusal))
        return []


def steps(current: int) -> list[dict[str, Any]]:
    """Return the steps of an import, for the line above the page."""
    labels = (_("File"), _("Columns"), _("Trial and result"))
    return [
        {"label": label, "done": number < current, "current": number == current}
        for number, label in enumerate(labels, start=1)
    ]
