"""Customers: who the partner brought or is credited for, since when, until when later purchases earn, and what they came to."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from portal.rooms import Room, enter, show
from portal.views.customer_rows import Reading, page_of
from prm.lib.cells import formula_safe
from prm.lib.periods import local_day

CHUNK = 500
CSV_HEADER = (
    "customer",
    "country",
    "since",
    "yours",
    "earns_until",
    "orders",
    "net_revenue",
    "earned",
    "currency",
    "customer_id",
)


class CustomersForm(forms.Form):
    """What narrows the list; everything is optional."""

    q = forms.CharField(
        label=_("Customer"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    state = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            ("", _("All customers")),
            ("yours", _("Yours now")),
            ("earning", _("Yours, time not over")),
            ("over", _("Yours, time over")),
        ],
    )


@require_safe
@enter()
def customers(request: HttpRequest, room: Room) -> HttpResponse:
    """List the customers of the current membership."""
    form, values = _narrowed(request)
    reading = Reading.of(room)
    page = page_of(
        reading,
        q=values.get("q", ""),
        state=values.get("state", ""),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        url=lambda **changes: _url("portal:customers", values, **changes),
    )
    return show(
        request,
        room,
        "portal/customers/customers.html",
        nav="customers",
        form=form,
        page=page,
        is_filtered=bool(values),
        shows_customers=reading.shows_customers,
        owner_earns=reading.owner_earns,
        csv_href=_url("portal:customers_csv", values),
    )


@require_safe
@enter()
def customers_csv(request: HttpRequest, room: Room) -> StreamingHttpResponse:
    """Send the narrowed list as a file."""
    _form, values = _narrowed(request)
    rows = _csv_rows(Reading.of(room), q=values.get("q", ""), state=values.get("state", ""))
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    day = local_day(room.at, room.zone)
    response["Content-Disposition"] = f'attachment; filename="customers-{room.program.slug}-{day}.csv"'
    return response


def _narrowed(request: HttpRequest) -> tuple[CustomersForm, dict[str, str]]:
    """Return the form, and what of the address is understood; the rest narrows nothing."""
    form = CustomersForm(request.GET or None)
    form.is_valid()
    cleaned = getattr(form, "cleaned_data", {})
    return form, {key: cleaned[key] for key in ("q", "state") if cleaned.get(key)}


def _url(name: str, values: dict[str, str], **changes: str) -> str:
    query = urlencode({**values, **changes})
    return f"{reverse(name)}?{query}" if query else reverse(name)


def _csv_rows(reading: Reading, *, q: str, state: str) -> Iterator[str]:
    """Write the customers as CSV: ISO dates, decimal points, and no cell a spreadsheet would take for a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(CSV_HEADER)
    found = reading.customers(q=q, state=state).iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        for row in reading.rows(chunk):
            yield writer.writerow(
                (
                    formula_safe(row.name),
                    formula_safe(row.country),
                    row.since.isoformat() if row.since else "",
                    "yes" if row.is_yours else "no",
                    row.earns_until.isoformat() if row.earns_until and reading.owner_earns else "",
                    row.orders,
                    row.net.decimal(),
                    row.earned.decimal(),
                    row.net.currency,
                    row.public_id,
                )
            )


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> Any:
        return text
