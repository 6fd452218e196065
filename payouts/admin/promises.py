"""How often the days partners were told were kept: two shares with the counts behind them, and everything that was late, by name."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from payouts import promises
from payouts.explained import subject
from payouts.models import Commission, Statement
from payouts.promises import Kept
from prm.accounts.back_office import locale, require, row_url
from prm.lib import l10n
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.back_office import BackOfficeAdmin as Desk

LATE_SHOWN = 200
_SPAN = timedelta(days=90)
_LONGEST = timedelta(days=1100)
_DATE = forms.DateInput(attrs={"type": "date"})


class SpanForm(forms.Form):
    """Which promises: those whose day lies in a stretch of days."""

    first = forms.DateField(label=gettext_lazy("Promised from"), widget=_DATE)
    last = forms.DateField(label=gettext_lazy("Promised until"), widget=_DATE)

    def clean(self) -> dict[str, Any]:
        """Refuse a stretch that runs backwards or is too long to count at once."""
        given = super().clean() or {}
        first, last = given.get("first"), given.get("last")
        if first and last and first > last:
            self.add_error("last", _("The last day comes before the first."))
        elif first and last and last - first > _LONGEST:
            self.add_error("first", _("Choose at most three years."))
        return given


def addresses(desk: Desk) -> list[URLPattern]:
    """Return the address of the page."""

    def view(request: HttpRequest) -> HttpResponse:
        return show(desk, request)

    return [path("promises/", desk.admin_site.admin_view(require_safe(view)), name="payouts_promises")]


def show(desk: Desk, request: HttpRequest) -> HttpResponse:
    """Count the promises of a stretch of days and list what was late."""
    require(request, "see_ledger")
    now = timezone.now()
    today = timezone.localdate(now, timezone.get_current_timezone())
    usual = {"first": today - _SPAN, "last": today}
    form = SpanForm(request.GET if "first" in request.GET else None, initial=usual)
    is_asked = form.is_bound and form.is_valid()
    first, last = (form.cleaned_data["first"], form.cleaned_data["last"]) if is_asked else usual.values()
    programs = list(Program.objects.select_related("legal_entity").order_by("name", "pk"))
    lines = promises.lines_kept(programs, first, last, at=now)
    statements = promises.statements_kept(programs, first, last, at=now)
    return desk.page(
        request,
        "admin/payouts/commission/promises.html",
        title=_("Promises kept"),
        form=form,
        errors=bool(form.errors),
        cards=[
            _card("late-lines", _("Lines ready by the day first told"), lines),
            _card("late-statements", _("Statements sent to the bank by their day"), statements),
        ],
        late_lines=_late_lines(programs, first, last, now),
        late_statements=_late_statements(programs, first, last, now),
        lines_shown=min(lines.late, LATE_SHOWN),
        lines_late=lines.late,
        statements_shown=min(statements.late, LATE_SHOWN),
        statements_late=statements.late,
    )


def _card(anchor: str, title: str, kept: Kept) -> dict[str, Any]:
    share = kept.share
    # Rounded down: 9,999 of 10,000 is 99.9 % and not all of them.
    shown = None if share is None else share.quantize(Decimal("0.001"), ROUND_DOWN)
    return {
        "anchor": anchor,
        "title": title,
        "share": "" if shown is None else l10n.percent_text(shown, locale()),
        "kept": kept.kept,
        "due": kept.due,
        "late": kept.late,
    }


def _late_lines(programs: list[Program], first: date, last: date, now: datetime) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for program in programs:
        found = promises.late_lines(program, first, last, at=now)[: LATE_SHOWN - len(rows)]
        rows += [_line_row(line, program) for line in found]
    return rows


def _line_row(line: Commission, program: Program) -> dict[str, Any]:
    facts = vars(line)  # the days were read with the line
    return {
        "partner": line.membership.partner.name,
        "what": subject.title_text(line, program.zone),
        "url": row_url(line),
        "amount": line.amount,
        "promised": facts["promised_on"],
        "done": facts["ready_on"],
    }


def _late_statements(programs: list[Program], first: date, last: date, now: datetime) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for program in programs:
        found = promises.late_statements(program, first, last, at=now)[: LATE_SHOWN - len(rows)]
        rows += [_statement_row(statement) for statement in found]
    return rows


def _statement_row(statement: Statement) -> dict[str, Any]:
    return {
        "partner": statement.membership.partner.name,
        "what": statement.number,
        "url": row_url(statement),
        "amount": statement.closing,
        "promised": statement.due_on,
        "done": vars(statement)["sent_on"],
    }
