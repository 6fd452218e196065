"""The report of what is asked about as a file: UTF-8, commas, a point for decimals, and no cell a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse

from payouts.disputes import report
from prm.lib.cells import formula_safe


def file_of(rows: list[report.CauseRow], name: str) -> StreamingHttpResponse:
    """Return the rows as a download."""
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(rows: list[report.CauseRow]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(report.HEADER)
    for cells in report.cells(rows):
        # Only names are somebody's text; an amount may begin with a minus.
        yield writer.writerow((formula_safe(cells[0]), *cells[1:]))


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> Any:
        """Return the text."""
        return text
