"""Draw the next number of a gapless series. The counter is locked until the caller's transaction ends, so a number is used or was never
drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from payouts.models import NumberSeries

if TYPE_CHECKING:
    from tiers.models import LegalEntity

STATEMENTS, FILES = "statement", "file"


def draw(legal_entity: LegalEntity, *, series: str, year: int) -> int:
    """Take the next number of the entity's series for the year, counting from 1; others wait until this transaction ends."""
    row, _made = NumberSeries.objects.get_or_create(legal_entity=legal_entity, series=series, year=year)
    NumberSeries.objects.filter(pk=row.pk).update(last=models.F("last") + 1)
    return NumberSeries.objects.get(pk=row.pk).last


def file_number(legal_entity: LegalEntity, *, year: int) -> str:
    """Return the next number of a payment file, such as HG-F-2026-00012."""
    return f"{legal_entity.number_prefix}-F-{year}-{draw(legal_entity, series=FILES, year=year):05d}"
