"""Statements: the monthly documents in a list, one of them on a page, and its files. A document nobody has asked for yet is made first."""

from __future__ import annotations

import io

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from payouts import documents
from payouts.choices import StatementKind
from payouts.exports import csv, pdf, xlsx
from payouts.exports.statement_page import ask_until
from payouts.models import Statement
from portal import roles
from portal.formats import active_locale
from portal.rooms import Room, enter, own_or_404, show
from portal.views.pages import StatementRow
from portal.views.statement_page import READ_WITH, payment_of, statement_page, status_of
from prm.lib import l10n
from prm.lib.bell import ring
from prm.lib.money import Money
from prm.lib.periods import Month, local_day

_FILES = {"csv": csv, "xlsx": xlsx}


@require_safe
@enter(roles.SEE_STATEMENTS)
def statements(request: HttpRequest, room: Room) -> HttpResponse:
    """List the statements of the current membership."""
    found = room.statements().select_related("period", "corrects").prefetch_related("payments").latest_first()
    rows = [_row(statement, room) for statement in found]
    open_month = l10n.month_text(Month.of(room.at, room.zone), active_locale(), "name")
    return show(
        request, room, "portal/statements/statements.html", nav="statements", rows=rows, open_month=open_month
    )


@require_safe
@enter(roles.SEE_STATEMENTS)
def statement(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show one statement."""
    found, room = own_or_404(request, room, _readable(room), public_id, capability=roles.SEE_STATEMENTS)
    page = statement_page(found, room, after=request.GET.get("after", ""))
    until = ask_until(found)
    may_ask = until is not None and local_day(room.at, room.zone) <= until and room.may(roles.ASK_QUESTIONS)
    return show(
        request, room, "portal/statements/statement.html", nav="statements", page=page, may_ask=may_ask
    )


@require_safe
@enter(roles.SEE_STATEMENTS)
def statement_file(request: HttpRequest, room: Room, public_id: str, kind: str) -> HttpResponseBase:
    """Send a statement as a file; a document nobody has asked for yet is made first."""
    found, room = own_or_404(request, room, _readable(room), public_id, capability=roles.SEE_STATEMENTS)
    if kind == "pdf":
        return _pdf(request, room, found)
    if kind not in _FILES:
        raise Http404
    export = _FILES[kind]
    response = HttpResponse(export.render(found), content_type=export.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{export.file_name(found)}"'
    return response


def _readable(room: Room) -> QuerySet[Statement]:
    return (
        Statement.objects.visible_to(room.user)
        .select_related("period", "membership__program", *READ_WITH)
        .prefetch_related("payments")
        .distinct()
    )


def _pdf(request: HttpRequest, room: Room, found: Statement) -> HttpResponseBase:
    if found.pdf:
        try:
            content = documents.read_pdf(found)
        except documents.DocumentDamaged as refusal:
            messages.error(request, str(refusal))
            return redirect("portal:statement", public_id=found.public_id)
        return FileResponse(io.BytesIO(content), as_attachment=True, filename=f"{found.number}.pdf")
    is_possible = pdf.is_possible()
    response = show(
        request,
        room,
        "portal/statements/making.html",
        nav="statements",
        status=202 if is_possible else 503,
        statement=found,
        is_possible=is_possible,
    )
    if is_possible:
        ring("payouts.render_statement", statement_id=found.pk)
        response["Refresh"] = (
            "3"  # works without scripts; the page says what happens and has a link to do it by hand
        )
    return response


def _row(found: Statement, room: Room) -> StatementRow:
    return StatementRow(
        month=found.period.as_month,
        number=found.number,
        note=_row_note(found),
        href=reverse("portal:statement", args=[found.public_id]),
        earned=Money(found.earned_minor, found.currency),
        taken_back=Money(found.reversed_minor, found.currency),
        tax=Money(found.vat_minor + found.withheld_minor, found.currency),
        paid=Money(found.paid_minor, found.currency),
        closing=found.closing,
        status=status_of(found, payment_of(found), room),
    )


def _row_note(found: Statement) -> str:
    """Say which statement a credit note takes back, or a new one replaces."""
    if found.corrects is None:
        return ""
    takes_back, replaces = _("takes back %(number)s"), _("replaces %(number)s")
    is_credit_note = found.kind == StatementKind.CREDIT_NOTE
    return (takes_back if is_credit_note else replaces) % {"number": found.corrects.number}
