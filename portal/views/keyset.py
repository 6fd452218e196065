"""Walk through commission lines page by page, newest first, from the last row seen. However long a list is, no page is slower to
find than the first, and a row that arrives meanwhile shifts nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from payouts.models import Commission
from portal.views.pages import Pages

SIZE = 25


@dataclass(frozen=True)
class Slice:
    """The rows of one page and where it stands in the list."""

    rows: list[Commission]
    pages: Pages


def slice_of(
    lines: QuerySet[Commission],
    *,
    total: int,
    after: str,
    before: str,
    url: Callable[..., str],
    size: int = SIZE,
) -> Slice:
    """Return the rows behind the row `after`, or in front of the row `before`, or the first ones.

    A mark that names no row of the list is ignored.
    """
    edge = lines.filter(public_id=after or before).first() if after or before else None
    backwards = edge is not None and not after
    rows = _in_front(lines, edge, size) if edge is not None and not after else _behind(lines, edge, size)
    has_more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    position = lines.filter(_newer(rows[0])).count() if rows and edge is not None else 0
    has_next = position + len(rows) < total if backwards else has_more
    return Slice(
        rows=rows,
        pages=Pages(
            first=position + 1 if rows else 0,
            last=position + len(rows),
            total=total,
            previous_url=url(before=rows[0].public_id) if rows and position else "",
            next_url=url(after=rows[-1].public_id) if rows and has_next else "",
        ),
    )


def _behind(lines: QuerySet[Commission], edge: Commission | None, size: int) -> list[Commission]:
    if edge is not None:
        lines = lines.filter(
            Q(effective_at__lt=edge.effective_at) | Q(effective_at=edge.effective_at, pk__lt=edge.pk)
        )
    return list(lines.order_by("-effective_at", "-pk")[: size + 1])


def _in_front(lines: QuerySet[Commission], edge: Commission, size: int) -> list[Commission]:
    return list(lines.filter(_newer(edge)).order_by("effective_at", "pk")[: size + 1])


def _newer(edge: Commission) -> Q:
    return Q(effective_at__gt=edge.effective_at) | Q(effective_at=edge.effective_at, pk__gt=edge.pk)
