"""Reports: what a membership's links and codes brought, by day, link, code, sub-id, campaign, country and product. They read the daily totals and
nothing else; the address is the whole state, and the file holds the same rows."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from payouts.models import DailyTotal
from payouts.reports import asking, csv_file, reading
from payouts.reports.page import page
from portal.rooms import Room, enter, show
from prm.lib.periods import local_day
from referrals.models import Link


@require_safe
@enter()
def reports(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the report the address asks for."""
    asked = asking.read(request.GET, today=local_day(room.at, room.zone))
    report = reading.make(_rows(room), asked, room.program.currency)
    has_links = not report.is_empty or Link.objects.filter(membership=room.membership).exists()
    return show(
        request,
        room,
        "portal/reports/reports.html",
        nav="reports",
        status=422 if asked.form.errors else 200,
        page=page(report),
        form=asked.form,
        hidden=asked.hidden(),
        has_links=has_links,
        zone=room.program.time_zone,
        csv_href=reverse("portal:reports_csv") + asked.query(page=None),
    )


@require_safe
@enter()
def reports_csv(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Send all rows of the report as a file."""
    asked = asking.read(request.GET, today=local_day(room.at, room.zone))
    rows = reading.every_row(_rows(room), asked)
    return csv_file.response(rows, asked, currency=room.program.currency, about=room.program.slug)


def _rows(room: Room) -> reading.Totals:
    return DailyTotal.objects.filter(membership=room.membership)
