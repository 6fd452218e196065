"""Which products an event was about, and each one's part of an amount. The parts add up to the amount; what no product was told for, such as
shipping, is the part of none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from prm.lib.money import Money
from referrals.models import Conversion, ConversionLine

Lines = Sequence[tuple[str, int]]  # product and gross amount


class Products:
    """The lines of some events, and of the sales they take back."""

    def __init__(self, events: QuerySet[Any, Any]) -> None:
        of_sales = Conversion.objects.filter(pk__in=events, original__isnull=False).values("original")
        rows = ConversionLine.objects.filter(Q(conversion__in=events) | Q(conversion__in=of_sales))
        self._lines: dict[int, list[tuple[str, int]]] = defaultdict(list)
        self._amounts: dict[int, int] = {}
        columns = ("conversion", "conversion__amount_minor", "product", "amount_minor")
        for conversion, whole, product, minor in rows.order_by("conversion", "position").values_list(
            *columns
        ):
            self._lines[conversion].append((product, minor))
            self._amounts[conversion] = whole

    def split(
        self, minor: int, currency: str, event: int, original: int | None, product: str, *, about: Any = None
    ) -> dict[str, int]:
        """Return each product's part of `minor`; `about` are the lines a commission was computed on, when it says so."""
        told = _told(about)
        if told:
            return _parts(minor, currency, told)
        for pk in (event, original):
            if pk is not None and pk in self._lines:
                lines = self._lines[pk]
                rest = self._amounts[pk] - sum(own for _product, own in lines)
                return _parts(minor, currency, [*lines, ("", rest)] if rest > 0 else lines)
        return {product: minor}


def _told(about: Any) -> Lines:
    """Return the lines in an explanation; nothing of an explanation without any."""
    if not isinstance(about, list):
        return ()
    rows = [row for row in about if isinstance(row, Mapping)]
    lines = [(str(row.get("product") or ""), _whole(row.get("amount"))) for row in rows]
    return lines if all(own >= 0 for _product, own in lines) else ()


def _whole(amount: Any) -> int:
    return amount if isinstance(amount, int) else -1


def _parts(minor: int, currency: str, lines: Lines) -> dict[str, int]:
    """Return the parts in proportion to the lines' amounts, or in equal parts when they are all nothing."""
    weights = [own for _product, own in lines]
    amounts = Money(minor, currency).allocate(weights if any(weights) else [1] * len(weights))
    parts: dict[str, int] = defaultdict(int)
    for (product, _own), amount in zip(lines, amounts, strict=True):
        parts[product] += amount.minor
    return dict(parts)
