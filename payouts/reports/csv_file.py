"""Write a report as CSV: ISO dates, decimal points, rates as fractions, and no cell a spreadsheet would take for a formula. It holds all rows,
not the page that is shown."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

from payouts.reports.asking import Asked
from payouts.reports.reading import Row
from prm.lib.cells import formula_safe
from prm.lib.money import Money

FIGURES = (
    "clicks",
    "unique_visitors",
    "hits_not_counted",
    "leads",
    "qualified_leads",
    "conversions",
    "refunds",
    "revenue",
    "earnings",
    "currency",
    "earnings_per_click",
    "conversion_rate",
)


def response(rows: Iterable[Row], asked: Asked, *, currency: str, about: str) -> StreamingHttpResponse:
    """Return a report as a file named by what it is about and its days."""
    sent = StreamingHttpResponse(lines(rows, asked, currency), content_type="text/csv; charset=utf-8")
    name = f"report-{about}-{asked.by}-{asked.first:%Y-%m-%d}-{asked.last:%Y-%m-%d}.csv"
    sent["Content-Disposition"] = f'attachment; filename="{name}"'
    sent["Cache-Control"] = "no-store"
    return sent


def lines(rows: Iterable[Row], asked: Asked, currency: str) -> Iterator[str]:
    """Yield the file line by line."""
    writer = csv.writer(_Echo())
    yield writer.writerow(("day", *FIGURES) if asked.is_by_day else (asked.by, "name", *FIGURES))
    for row in rows:
        named = (row.day.isoformat(),) if row.day else (formula_safe(row.key), formula_safe(row.label))
        yield writer.writerow((*named, *_cells(row, currency)))


def _cells(row: Row, currency: str) -> tuple[str, ...]:
    figures = row.figures
    epc, rate = figures.epc(currency), figures.conversion_rate
    return (
        *(
            str(count)
            for count in (
                figures.clicks,
                figures.visitors,
                figures.uncounted,
                figures.leads,
                figures.qualified,
                figures.conversions,
                figures.refunds,
            )
        ),
        str(Money(figures.revenue_minor, currency).decimal()),
        str(Money(figures.earned_minor, currency).decimal()),
        currency,
        "" if epc is None else str(epc.decimal()),
        "" if rate is None else str(rate),
    )


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> Any:
        """Return the text."""
        return text
