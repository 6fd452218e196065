"""Draw old against new by month: two columns for each month, from the same zero line. Measures are whole SVG units made from minor
units, so that the same report always gives the same picture; every column says its month and amounts in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from prm.accounts.back_office import locale, money_text
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month

WIDTH, HEIGHT, FOOT, SLOT = 960, 220, 24, 60
MOST_MONTHS = 24


@dataclass(frozen=True)
class Bar:
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class MonthBars:
    """One month: what the present terms pay and what the tried ones would."""

    label: str
    tick: str
    middle: int
    old: Bar
    new: Bar


@dataclass(frozen=True)
class Chart:
    width: int
    height: int
    zero_y: int
    tick_y: int
    title: str
    months: tuple[MonthBars, ...]


def chart(report: Mapping[str, Any]) -> Chart | None:
    """Return the picture of a stored report's months, the latest 24 of them; None when there is nothing to draw."""
    rows: Sequence[Mapping[str, Any]] = report.get("months", [])[-MOST_MONTHS:]
    amounts = [row[name] for row in rows for name in ("old", "new")]
    if not any(amounts):
        return None
    high, low = max(*amounts, 0), min(*amounts, 0)
    room = HEIGHT - FOOT
    zero_y = room * high // (high - low)
    slot = WIDTH // max(len(rows), WIDTH // SLOT)

    def bar(minor: int, x: int) -> Bar:
        tall = room * abs(minor) // (high - low)
        return Bar(x=x, y=zero_y - tall if minor > 0 else zero_y, width=slot * 2 // 5, height=tall)

    return Chart(
        width=WIDTH,
        height=HEIGHT,
        zero_y=zero_y,
        tick_y=HEIGHT - 6,
        title=_("Commission by month, old and new"),
        months=tuple(
            MonthBars(
                label=_label(row, report["currency"]),
                tick=_tick(row["name"]),
                middle=index * slot + slot // 2,
                old=bar(row["old"], index * slot + slot // 10),
                new=bar(row["new"], index * slot + slot // 2),
            )
            for index, row in enumerate(rows)
        ),
    )


def _label(row: Mapping[str, Any], currency: str) -> str:
    params = {
        "month": l10n.month_text(Month.parse(row["name"]), locale()),
        "old": money_text(Money(row["old"], currency)),
        "new": money_text(Money(row["new"], currency)),
    }
    return _("%(month)s: %(old)s now, %(new)s with the change") % params


def _tick(text: str) -> str:
    month = Month.parse(text)
    return f"{month.month:02d}/{month.year % 100:02d}"
