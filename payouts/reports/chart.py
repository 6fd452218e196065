"""Draw one figure over time as columns, by day, week or month so that there are never too many. Measures are whole SVG units, and every
column says its stretch and its value in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from babel.dates import format_skeleton
from django.utils.translation import gettext as _

from payouts.reports.asking import DRAWN
from payouts.reports.figures import Figures
from payouts.reports.reading import Report, added
from prm.lib import l10n
from prm.lib.money import Money, exponent

HEIGHT, HEAD, FOOT = 220, 16, 24
_PLOTS = (
    ("wide", 720, 60, 10),
    ("narrow", 360, 52, 5),
)  # name, width, room at the left, ticks under it at most
_LINES = 4
_DAYS_AS_DAYS, _DAYS_AS_WEEKS = 45, 200
_MONEY = frozenset({"earned", "revenue"})
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5))


@dataclass(frozen=True)
class Column:
    """A stretch of days and what it came to."""

    label: str
    value: str
    said: str
    tick: str
    x: int
    y: int
    width: int
    height: int
    hit_x: int
    hit_width: int
    middle: int
    is_down: bool


@dataclass(frozen=True)
class Line:
    y: int
    text_y: int
    text: str
    is_zero: bool


@dataclass(frozen=True)
class Plot:
    name: str
    width: int
    height: int
    left: int
    text_x: int
    top: int
    tall: int
    tick_y: int
    lines: tuple[Line, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Chart:
    title: str
    step: str
    plots: tuple[Plot, ...]
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Part:
    """A stretch with its value as a whole number: minor units, or a count."""

    first: date
    label: str
    short: str
    value: int
    text: str


def chart(report: Report) -> Chart:
    """Return the drawing of the figure that was asked for."""
    step, parts = _parts(report)
    return Chart(
        title=str(dict(DRAWN)[report.asked.drawn]),
        step=step,
        plots=tuple(_plot(parts, report, *plot) for plot in _PLOTS),
        rows=tuple((part.label, part.text) for part in parts),
    )


def _parts(report: Report) -> tuple[str, list[_Part]]:
    days = report.asked.days
    groups: dict[date, list[Figures]] = {}
    for day, figures in report.days:
        groups.setdefault(_start(day, days), []).append(figures)
    step = _("Each column is one month.")
    if days <= _DAYS_AS_WEEKS:
        step = _("Each column is one day.") if days <= _DAYS_AS_DAYS else _("Each column is one week.")
    return step, [_part(first, added(many), report, days) for first, many in groups.items()]


def _start(day: date, days: int) -> date:
    """Return the first day of the column that a day belongs to."""
    if days <= _DAYS_AS_DAYS:
        return day
    return day - timedelta(days=day.weekday()) if days <= _DAYS_AS_WEEKS else day.replace(day=1)


def _part(first: date, figures: Figures, report: Report, days: int) -> _Part:
    locale = l10n.active_locale()
    value = _value(figures, report.asked.drawn)
    if days > _DAYS_AS_WEEKS:
        label, short = _written("yMMMM", first, locale), _written("MMM", first, locale)
    else:
        shown = max(first, report.asked.first)  # the first week may have begun before
        label, short = l10n.date_text(shown, locale), _written("MMMd", shown, locale)
        if days > _DAYS_AS_DAYS:
            label = _("Week from %(day)s") % {"day": label}
    return _Part(first, label, short, value, _text(value, report, locale))


def _written(skeleton: str, day: date, locale: str) -> str:
    return str(format_skeleton(skeleton, day, locale=l10n.locale_of(locale)))


def _value(figures: Figures, drawn: str) -> int:
    return int(getattr(figures, f"{drawn}_minor" if drawn in _MONEY else drawn))


def _text(value: int, report: Report, locale: str) -> str:
    if report.asked.drawn in _MONEY:
        return l10n.money_text(Money(value, report.currency), locale)
    return l10n.number_text(value, locale)


def _plot(parts: Sequence[_Part], report: Report, name: str, width: int, left: int, ticks: int) -> Plot:
    low, high, step = _scale([part.value for part in parts], report)
    tall = HEIGHT - HEAD - FOOT

    def y(value: int) -> int:
        return HEAD + tall * (high - value) // (high - low)

    lines = [Line(y(at), y(at) + 4, _axis(at, report), at == 0) for at in range(low, high + 1, step)]
    return Plot(
        name=name,
        width=width,
        height=HEIGHT,
        left=left,
        text_x=left - 7,
        top=HEAD,
        tall=tall,
        tick_y=HEIGHT - 6,
        lines=tuple(lines),
        columns=tuple(_columns(parts, y, width, left, every=-(-len(parts) // ticks))),
    )


def _columns(
    parts: Sequence[_Part], y: Callable[[int], int], width: int, left: int, *, every: int
) -> Iterator[Column]:
    room = width - left
    for index, part in enumerate(parts):
        hit_x = left + room * index // len(parts)
        hit_width = left + room * (index + 1) // len(parts) - hit_x
        wide = max(min(hit_width * 3 // 4, 40), 2)
        zero, top = y(0), y(part.value)
        yield Column(
            label=part.label,
            value=part.text,
            said=f"{part.label}: {part.text}",
            tick=part.short if index % every == 0 else "",
            x=hit_x + (hit_width - wide) // 2,
            y=min(zero, top),
            width=wide,
            height=max(abs(zero - top), 1 if part.value else 0),
            hit_x=hit_x,
            hit_width=hit_width,
            middle=hit_x + hit_width // 2,
            is_down=part.value < 0,
        )


def _scale(values: Sequence[int], report: Report) -> tuple[int, int, int]:
    """Return round ends that cover all values and zero, and the step between lines."""
    unit = 10 ** exponent(report.currency) if report.asked.drawn in _MONEY else 1
    low, high = min(0, *values, 0), max(*values, 0, unit)
    power = 0
    while True:
        for factor in _STEPS:
            step = factor.scaleb(power)
            if step == step.to_integral_value() and (high - low) <= step * _LINES:
                whole = int(step)
                return low // whole * whole, -(-high // whole) * whole, whole
        power += 1


def _axis(at: int, report: Report) -> str:
    locale = l10n.active_locale()
    if report.asked.drawn in _MONEY:
        return l10n.number_text(Money(at, report.currency).decimal().normalize(), locale)
    return l10n.number_text(at, locale)
