"""Draw what is owed by age: for each age one bar for each account, from one zero line. Measures are whole SVG units made from minor units,
and every group says its age and amounts in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from payouts.accrual_pack import BUCKETS, Ageing
from prm.accounts.back_office import money_text
from prm.lib.money import Money

HEIGHT, HEAD, FOOT = 240, 24, 24
_WIDTHS = (("wide", 720), ("narrow", 360))
# The stages of money, as every chart colours them.
STAGES = {"pending": "hold", "payable": "ready", "in_payment": "sent"}


@dataclass(frozen=True)
class Bar:
    stage: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Group:
    """One age with a bar for each account."""

    label: str
    tick: str
    middle: int
    value: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Plot:
    """One drawing; there is one for wide and one for narrow screens."""

    name: str
    width: int
    height: int
    zero_y: int
    tick_y: int
    value_y: int
    hatch_id: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Chart:
    """One currency."""

    currency: str
    title: str
    legend: tuple[tuple[str, str], ...]
    plots: tuple[Plot, ...]


def age_text(bucket: str) -> str:
    """Return an age in words."""
    if bucket == "over_90":
        return _("over 90 days")
    return _("%(age)s days") % {"age": bucket.replace("_", "–")}


def charts(totals: Sequence[Ageing]) -> list[Chart]:
    """Return a drawing for each currency in which something is owed."""
    currencies = sorted({row.currency for row in totals})
    drawn = (_chart([row for row in totals if row.currency == currency], currency) for currency in currencies)
    return [chart for chart in drawn if chart is not None]


def _chart(rows: Sequence[Ageing], currency: str) -> Chart | None:
    if not any(row.minor[bucket] for row in rows for bucket in BUCKETS):
        return None
    return Chart(
        currency=currency,
        title=_("Owed to partners by age, %(currency)s") % {"currency": currency},
        legend=tuple((STAGES[row.kind], row.label) for row in rows),
        plots=tuple(_plot(rows, currency, name, width) for name, width in _WIDTHS),
    )


def _plot(rows: Sequence[Ageing], currency: str, name: str, width: int) -> Plot:
    amounts = [row.minor[bucket] for row in rows for bucket in BUCKETS]
    high, low = max(*amounts, 0), min(*amounts, 0)
    room = HEIGHT - FOOT - HEAD
    zero_y = HEAD + room * high // (high - low)
    slot = width // len(BUCKETS)
    wide = slot * 3 // 5 // len(rows)

    def bar(row: Ageing, bucket: str, x: int) -> Bar:
        minor = row.minor[bucket]
        tall = max(room * abs(minor) // (high - low), 1 if minor else 0)
        return Bar(STAGES[row.kind], x, zero_y - tall if minor > 0 else zero_y, wide, tall)

    groups = []
    for index, bucket in enumerate(reversed(BUCKETS)):
        left = index * slot + slot // 5
        bars = tuple(bar(row, bucket, left + number * wide) for number, row in enumerate(rows))
        total = Money(sum(row.minor[bucket] for row in rows), currency)
        groups.append(
            Group(
                label=_label(rows, bucket),
                tick=age_text(bucket),
                middle=index * slot + slot // 2,
                value=money_text(total),
                bars=tuple(each for each in bars if each.height),
            )
        )
    return Plot(
        name=name,
        width=width,
        height=HEIGHT,
        zero_y=zero_y,
        tick_y=HEIGHT - 6,
        value_y=HEAD - 10,
        hatch_id=f"hatch-{currency.lower()}-{name}",
        groups=tuple(groups),
    )


def _label(rows: Sequence[Ageing], bucket: str) -> str:
    parts = [f"{row.label} {money_text(row.amount(bucket))}" for row in rows]
    return f"{age_text(bucket)}: {', '.join(parts)}"
