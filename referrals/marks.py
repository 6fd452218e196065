"""Mark days whose figures have to be counted again. A mark is a row of its own, written in the transaction that changed something, so
that whoever counts sees either both or neither."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from referrals.models import RollupMark

Day = tuple[int | None, date]


def mark(days: Iterable[Day]) -> None:
    """Mark days, each a program and a local day of it; without a program a UTC day of what nobody brought."""
    wanted = sorted(set(days), key=lambda day: (day[0] or 0, day[1]))
    RollupMark.objects.bulk_create(RollupMark(program_id=program, happened_on=day) for program, day in wanted)
