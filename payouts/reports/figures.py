"""What one row of a report holds, and what is worked out of it. Sums of rows are rows again; a rate without anything to divide by is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from prm.lib.money import Money

_WHOLE = Decimal(10_000)
_MINUTES_A_DAY = 24 * 60


class Key(NamedTuple):
    """Which row of a day: without a membership it is what nobody brought."""

    membership: int | None
    dimension: str
    key: str
    currency: str


@dataclass(slots=True)
class Figures:
    """The counted columns of a daily total, for one row or added up over many."""

    clicks: int = 0
    visitors: int = 0
    uncounted: int = 0
    leads: int = 0
    qualified: int = 0
    conversions: int = 0
    from_clicks: int = 0
    waited_minutes: int = 0
    refunds: int = 0
    revenue_minor: int = 0
    earned_minor: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Figures:
        """Return the figures among the columns of a row."""
        return cls(**{name: int(row[name] or 0) for name in COLUMNS})

    def add(self, other: Figures) -> None:
        """Add the other row to this one."""
        for name in COLUMNS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in COLUMNS)

    @property
    def conversion_rate(self) -> Decimal | None:
        """Conversions that a click was credited for, of all clicks."""
        return share(self.from_clicks, self.clicks)

    @property
    def close_rate(self) -> Decimal | None:
        """Conversions for each lead."""
        return share(self.conversions, self.leads)

    @property
    def qualification_rate(self) -> Decimal | None:
        """Qualified leads for each sign-up."""
        return share(self.qualified, self.leads - self.qualified)

    @property
    def days_to_convert(self) -> Decimal | None:
        """Days from the credited click to the conversion, on average, with one decimal."""
        if not self.from_clicks:
            return None
        days = Decimal(self.waited_minutes) / (self.from_clicks * _MINUTES_A_DAY)
        return days.quantize(Decimal("0.1"), ROUND_HALF_UP)

    def epc(self, currency: str) -> Money | None:
        """Return what was earned for each click, to the minor unit."""
        if not self.clicks:
            return None
        each = Decimal(self.earned_minor) / self.clicks
        return Money(int(each.to_integral_value(ROUND_HALF_UP)), currency)


COLUMNS = tuple(field.name for field in fields(Figures))


def share(part: int, whole: int) -> Decimal | None:
    """Return a part of a whole as a fraction with four decimals, none of nothing."""
    if whole <= 0:
        return None
    exact = Decimal(part) / whole
    return (exact * _WHOLE).to_integral_value(ROUND_HALF_UP) / _WHOLE
