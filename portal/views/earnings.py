"""Earnings: every commission, what it is made of and when it is paid. The total row, the tile that led here and the file are the same
rows added up.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from payouts import overview
from payouts.explained import subject
from payouts.models import Commission
from portal import lines, why
from portal.formats import active_locale
from portal.forms import STAGE_LABELS
from portal.rooms import Room, enter, own_or_404, show
from portal.views.filters import Filters
from portal.views.keyset import slice_of
from portal.views.pages import Chip, EarningsPage
from portal.views.questions import asking_about
from prm.lib import l10n
from prm.lib.cells import formula_safe
from prm.lib.periods import local_day

CSV_HEADER = (
    "date",
    "order",
    "event",
    "customer",
    "via",
    "sale",
    "commission",
    "currency",
    "status",
    "ready_to_pay_from",
    "statement",
    "commission_id",
    "kind",
)


@require_safe
@enter()
def earnings(request: HttpRequest, room: Room) -> HttpResponse:
    """List the commissions of the current membership, narrowed by the address."""
    filters = Filters(request.GET, room)
    page = earnings_page(
        room, filters, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    return show(request, room, "portal/earnings/earnings.html", nav="earnings", page=page, form=filters.form)


@require_safe
@enter()
def earnings_csv(request: HttpRequest, room: Room) -> StreamingHttpResponse:
    """Send the narrowed list as a file."""
    found = Filters(request.GET, room).apply(room.commissions())
    response = StreamingHttpResponse(csv_rows(found, room), content_type="text/csv; charset=utf-8")
    day = local_day(room.at, room.zone)
    response["Content-Disposition"] = f'attachment; filename="commissions-{room.program.slug}-{day}.csv"'
    return response


@require_safe
@enter()
def commission(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Explain one commission: as a page, or as the inside of a drawer."""
    found = why.readable(Commission.objects.visible_to(room.user)).distinct()
    line, room = own_or_404(request, room, found, public_id)
    template = (
        "portal/earnings/why.html" if request.headers.get("HX-Request") else "portal/earnings/commission.html"
    )
    asking = asking_about(line, room)
    return show(request, room, template, nav="earnings", why=why.explain(line, at=room.at), asking=asking)


def earnings_page(room: Room, filters: Filters, *, after: str, before: str) -> EarningsPage:
    """Gather the list of earnings."""
    found = filters.apply(room.commissions())
    total, count = overview.total_of(found, room.program.currency)
    cut = slice_of(lines.readable(found), total=count, after=after, before=before, url=filters.url)
    return EarningsPage(
        rows=tuple(lines.rows(cut.rows, room.zone)),
        chips=_chips(filters),
        pages=cut.pages,
        total=total,
        total_label=_total_text(count),
        csv_href=filters.url("portal:earnings_csv"),
        clear_href=filters.url(**dict.fromkeys(filters.values, "")),
        is_filtered=filters.is_active,
        is_new=not count and not room.commissions().exists(),
    )


def csv_rows(found: QuerySet[Commission], room: Room) -> Iterator[str]:
    """Write the lines as CSV: ISO dates, decimal points, and no cell a spreadsheet would take for a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(CSV_HEADER)
    ordered = lines.readable(found).order_by("-effective_at", "-pk")
    for line in ordered.iterator(chunk_size=1000):
        yield writer.writerow(_csv_row(line, room))


def _csv_row(line: Commission, room: Room) -> tuple[str, ...]:
    sale = subject.signed_sale(line)
    return (
        local_day(line.effective_at, room.zone).isoformat(),
        formula_safe(subject.order_text(line)),
        line.conversion.kind if line.conversion is not None else "",
        formula_safe(subject.masked_customer(line)),
        formula_safe(subject.via_text(line)),
        str(sale.decimal()) if sale is not None else "",
        str(line.amount.decimal()),
        line.currency,
        line.state,
        local_day(line.payable_at, room.zone).isoformat(),
        line.statement.number if line.statement is not None else "",
        line.public_id,
        line.kind,
    )


def _chips(filters: Filters) -> tuple[Chip, ...]:
    everything = Chip(_("All"), filters.url(stage=""), not filters.stage)
    named = (
        Chip(str(label), filters.url(stage=key), filters.stage == key) for key, label in STAGE_LABELS.items()
    )
    return (everything, *named)


def _total_text(count: int) -> str:
    text = ngettext("Total of %(count)s commission", "Total of all %(count)s commissions", count)
    return text % {"count": l10n.number_text(count, active_locale())}


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> Any:
        return text
