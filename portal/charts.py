"""Draw earnings by month as columns of money in its stages. Every measure is a whole number of SVG units computed from minor units, so
the same figures always give the same picture, and each column says its amount in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prm.lib import l10n
from prm.lib.money import Money, exponent
from prm.lib.periods import Month

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# From the most settled money at the foot of a column to the least settled on top.
STAGES: tuple[tuple[str, StrOrPromise], ...] = (
    ("paid", gettext_lazy("Paid")),
    ("sent", gettext_lazy("On its way")),
    ("ready", gettext_lazy("Ready to pay")),
    ("hold", gettext_lazy("On hold")),
    ("review", gettext_lazy("In review")),
)
DOWN = "down"  # a month in which more was taken back than earned
GAP = 2
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_NARROW_MONTHS = 6


@dataclass(frozen=True)
class Column:
    """One month: minor units by stage (`paid`, `sent`, `ready`, `hold`, `review`) and where its rows are listed."""

    month: Month
    stages: dict[str, int]
    href: str = ""

    @property
    def total(self) -> int:
        return sum(self.stages.values())


@dataclass(frozen=True)
class Block:
    stage: str
    x: int
    y: int
    width: int
    height: int
    fill: str = ""


@dataclass(frozen=True)
class Bar:
    href: str
    label: str
    tick: str
    value: str
    middle: int
    hit_x: int
    hit_width: int
    value_y: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Rule:
    y: int
    text_y: int
    text: str
    is_zero: bool


@dataclass(frozen=True)
class Plot:
    """One drawing, ready for a template: nothing is left to compute."""

    name: str
    hatch_id: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    tick_y: int
    rules: tuple[Rule, ...]
    bars: tuple[Bar, ...]

    @property
    def plot_height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True)
class Row:
    month: str
    href: str
    cells: tuple[Money, ...]
    total: Money


@dataclass(frozen=True)
class EarningsChart:
    """The same months drawn wide and narrow, with a table as their twin."""

    currency: str
    title: str
    summary: str
    legend: tuple[tuple[str, str], ...]
    wide: Plot
    narrow: Plot
    rows: tuple[Row, ...] = field(default=())

    @property
    def plots(self) -> tuple[Plot, Plot]:
        return self.wide, self.narrow


@dataclass(frozen=True)
class _Frame:
    name: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    ticks: int


_WIDE = _Frame("wide", 720, 240, left=52, right=712, top=32, bottom=208, ticks=4)
_NARROW = _Frame("narrow", 360, 220, left=48, right=356, top=32, bottom=188, ticks=3)


def earnings_chart(
    columns: Sequence[Column], currency: str, locale: str, *, title: str = "", key: str = "e"
) -> EarningsChart:
    """Turn months of money into drawings and their table.

    `key` keeps the ids of several charts on one page apart. An empty sequence gives an empty drawing.
    """
    title = title or _("Earnings by month")
    used = [stage for stage, _label in STAGES if any(column.stages.get(stage) for column in columns)]
    legend = tuple((stage, str(label)) for stage, label in STAGES if stage in used)
    return EarningsChart(
        currency=currency,
        title=title,
        summary=_summary(columns, currency, locale),
        legend=legend,
        wide=_plot(columns, currency, locale, _WIDE, key),
        narrow=_plot(columns[-_NARROW_MONTHS:], currency, locale, _NARROW, key),
        rows=tuple(_row(column, currency, locale, used) for column in columns),
    )


def nice_ticks(low: int, high: int, *, about: int) -> list[int]:
    """Return evenly spaced round values that cover `low` to `high` and zero.

    The step is 1, 2, 2.5 or 5 times a power of ten, the smallest that needs at most `about` steps above zero.
    """
    low, high = min(low, 0), max(high, 0)
    span = high - low
    if span == 0:
        return [0, 1]
    step = next(step for step in _steps() if -(-span // step) <= about)
    first = -(-abs(low) // step) * -step
    last = -(-high // step) * step
    return list(range(first, last + step, step))


def _steps() -> Iterator[int]:
    for power in count():
        for factor in _STEPS[:-1]:
            step = factor.scaleb(power)
            if step == step.to_integral_value():
                yield int(step)


def _summary(columns: Sequence[Column], currency: str, locale: str) -> str:
    if not columns:
        return ""
    best = max(columns, key=lambda column: column.total)
    return _("%(months)s months. Highest: %(month)s with %(amount)s.") % {
        "months": len(columns),
        "month": l10n.month_text(best.month, locale),
        "amount": l10n.money_text(Money(best.total, currency), locale),
    }


def _row(column: Column, currency: str, locale: str, used: Sequence[str]) -> Row:
    return Row(
        month=l10n.month_text(column.month, locale),
        href=column.href,
        cells=tuple(Money(column.stages.get(stage, 0), currency) for stage in used),
        total=Money(column.total, currency),
    )


def _plot(columns: Sequence[Column], currency: str, locale: str, frame: _Frame, key: str) -> Plot:
    highest = max((sum(v for v in column.stages.values() if v > 0) for column in columns), default=0)
    lowest = min((sum(v for v in column.stages.values() if v < 0) for column in columns), default=0)
    minor_per_major = 10 ** exponent(currency)
    ticks = nice_ticks(lowest, max(highest, minor_per_major), about=frame.ticks)
    scale = _Scale(ticks[0], ticks[-1], frame)
    return Plot(
        name=frame.name,
        hatch_id=f"hatch-{key}-{frame.name}",
        width=frame.width,
        height=frame.height,
        left=frame.left,
        right=frame.right,
        top=frame.top,
        bottom=frame.bottom,
        tick_y=frame.bottom + 19,
        rules=tuple(_rule(tick, scale, currency, locale) for tick in ticks),
        bars=tuple(_bars(columns, scale, currency, locale, key)),
    )


@dataclass(frozen=True)
class _Scale:
    low: int
    high: int
    frame: _Frame

    def y(self, minor: int) -> int:
        height = self.frame.bottom - self.frame.top
        share = Decimal(self.high - minor) * height / (self.high - self.low)
        return self.frame.top + int(share.to_integral_value(ROUND_HALF_UP))


def _rule(tick: int, scale: _Scale, currency: str, locale: str) -> Rule:
    y = scale.y(tick)
    return Rule(y=y, text_y=y + 4, text=_axis_text(tick, currency, locale), is_zero=tick == 0)


@lru_cache(maxsize=512)
def _axis_text(tick: int, currency: str, locale: str) -> str:
    return l10n.number_text(Money(tick, currency).decimal().normalize(), locale)


def _bars(columns: Sequence[Column], scale: _Scale, currency: str, locale: str, key: str) -> Iterator[Bar]:
    frame = scale.frame
    slot = (frame.right - frame.left) // max(len(columns), 1)
    width = min(slot * 5 // 8, 48)
    for index, column in enumerate(columns):
        hit_x = frame.left + index * slot
        x = hit_x + (slot - width) // 2
        amount = l10n.money_text(Money(column.total, currency), locale)
        blocks = tuple(_blocks(column, scale, x, width, f"hatch-{key}-{frame.name}"))
        yield Bar(
            href=column.href,
            label=_("%(month)s: %(amount)s")
            % {"month": l10n.month_text(column.month, locale), "amount": amount},
            tick=_month_tick(column.month, locale),
            value=amount,
            middle=x + width // 2,
            hit_x=hit_x,
            hit_width=slot,
            value_y=min((block.y for block in blocks), default=scale.y(0)) - 8,
            blocks=blocks,
        )


def _blocks(column: Column, scale: _Scale, x: int, width: int, hatch_id: str) -> Iterator[Block]:
    up = down = 0
    for stage, _label in STAGES:
        minor = column.stages.get(stage, 0)
        if minor > 0:
            top, foot = scale.y(up + minor), scale.y(up)
            if up:
                foot -= GAP
            up += minor
            yield Block(stage, x, top, width, max(foot - top, 1), _fill(stage, hatch_id))
        elif minor < 0:
            top, foot = scale.y(down), scale.y(down + minor)
            down += minor
            yield Block(DOWN, x, top, width, max(foot - top, 1))


def _fill(stage: str, hatch_id: str) -> str:
    return f"url(#{hatch_id})" if stage == "hold" else ""


@lru_cache(maxsize=512)
def _month_tick(month: Month, locale: str) -> str:
    """Return the month without its year, which is in the label and in the table."""
    return l10n.month_text(month, locale, "abbreviation")
