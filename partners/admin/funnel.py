"""The funnel for staff: how many visited, started, sent, confirmed and were approved, by program, link and time. The address holds what is
asked; nothing is changed here."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from partners import funnel
from partners.admin.funnel_chart import chart, share_text
from prm.accounts.back_office import BackOfficeAdmin, add_pages, locale, require
from prm.lib import l10n
from tiers.models import Program

PERIODS = (7, 30, 90, 365)
USUAL_DAYS = 30


class FunnelPage:
    """The page, below the table of recruiting links."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.desk.admin_site.admin_view(require_safe(self.show))
        return [path("funnel/", view, name="partners_funnel")]

    def show(self, request: HttpRequest) -> HttpResponseBase:
        """Show the figures the address asks for, or send them as a file."""
        require(request, "see_funnel")
        programs = list(Program.objects.order_by("name", "pk"))
        program = next((each for each in programs if each.slug == request.GET.get("program")), None)
        days = _days(request.GET.get("days", ""))
        last = timezone.localdate()
        first = last - timedelta(days=days - 1)
        rows = funnel.read([program] if program else programs, first=first, last=last)
        source = request.GET.get("source")
        shown = [row for row in rows if source is None or row.key == source]
        if "csv" in request.GET:
            return _file(shown, f"funnel-{first:%Y-%m-%d}-{last:%Y-%m-%d}.csv")
        here = {"program": program.slug if program else None, "days": str(days), "source": source}
        stages = funnel.stages(shown)
        return self.desk.page(
            request,
            "admin/partners/funnel/funnel.html",
            title=_("Funnel"),
            chart=chart(stages),
            stages=[(stage, share_text(stage)) for stage in stages],
            labels=[label for _key, label in funnel.STAGES],
            rows=shown,
            period=_period_text(first, last),
            programs=_program_chips(request, programs, here),
            periods=_period_chips(request, here),
            sources=_source_chips(request, rows, here),
            csv_url=_address(request, {**here, "csv": "1"}),
        )


def _days(text: str) -> int:
    return int(text) if text in {str(days) for days in PERIODS} else USUAL_DAYS


def _program_chips(
    request: HttpRequest, programs: Sequence[Program], here: dict[str, str | None]
) -> list[dict[str, Any]]:
    """Return the ways to look at one program; its links are others, so the source is asked anew."""
    named: list[tuple[str | None, str]] = [(None, _("All programs"))]
    named += [(program.slug, program.name) for program in programs]
    return [
        {
            "label": label,
            "href": _address(request, {**here, "program": slug, "source": None}),
            "current": here["program"] == slug,
        }
        for slug, label in named
    ]


def _period_chips(request: HttpRequest, here: dict[str, str | None]) -> list[dict[str, Any]]:
    return [
        {
            "label": ngettext("Last %(count)s day", "Last %(count)s days", days) % {"count": days},
            "href": _address(request, {**here, "days": str(days)}),
            "current": here["days"] == str(days),
        }
        for days in PERIODS
    ]


def _source_chips(
    request: HttpRequest, rows: Sequence[funnel.Row], here: dict[str, str | None]
) -> list[dict[str, Any]]:
    """Return the links of the rows; of links of the same word in two programs the first gives the name."""
    named: dict[str | None, str] = {None: _("All sources")}
    for row in rows:
        named.setdefault(row.key, row.source)
    return [
        {
            "label": label,
            "href": _address(request, {**here, "source": key}),
            "current": here["source"] == key,
        }
        for key, label in named.items()
    ]


def _address(request: HttpRequest, asked: dict[str, str | None]) -> str:
    query = request.GET.copy()
    query.clear()
    query.update({name: value for name, value in asked.items() if value is not None})
    return f"{request.path}?{query.urlencode()}"


def _period_text(first: date, last: date) -> str:
    values = {"first": l10n.date_text(first, locale()), "last": l10n.date_text(last, locale())}
    return _("%(first)s to %(last)s") % values


def _file(rows: Sequence[funnel.Row], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(rows: Sequence[funnel.Row]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(funnel.HEADER)
    for row in funnel.cells(rows):
        yield writer.writerow(row)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> Any:
        """Return the text."""
        return text


add_pages("recruitinglink", lambda desk: FunnelPage(desk).urls())
