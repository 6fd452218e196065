"""Put a report into words for a page: tiles, columns to sort by, rows and ways to look at it otherwise. The portal and the back office show the
same page; whose rows it is made of, the caller has decided."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payouts.choices import ReportDimension
from payouts.reports import asking
from payouts.reports.asking import Asked
from payouts.reports.chart import Chart, chart
from payouts.reports.figures import Figures, share
from payouts.reports.reading import PAGE, Report, Row
from prm.lib import l10n
from prm.lib.money import Money

NONE = "–"
HEADS: dict[str, str | Promise] = {
    "clicks": gettext_lazy("Clicks"),
    "visitors": gettext_lazy("Unique visitors"),
    "leads": gettext_lazy("Leads"),
    "conversions": gettext_lazy("Conversions"),
    "revenue": gettext_lazy("Revenue"),
    "earned": gettext_lazy("Earnings"),
    "epc": gettext_lazy("Earnings per click"),
    "rate": gettext_lazy("Conversion rate"),
}
DEFINITIONS: tuple[tuple[str | Promise, str | Promise], ...] = (
    (
        HEADS["clicks"],
        gettext_lazy("Links opened by people. Robots, previews and your own tests are left out."),
    ),
    (
        HEADS["visitors"],
        gettext_lazy(
            "Browsers that clicked, counted once a day for each row. Who refuses cookies counts with every click."
        ),
    ),
    (HEADS["leads"], gettext_lazy("Sign-ups and qualified leads.")),
    (
        HEADS["conversions"],
        gettext_lazy(
            "Sales, renewals, installs and other events. One that is split counts for everybody who has a part in it."
        ),
    ),
    (
        HEADS["revenue"],
        gettext_lazy(
            "What customers paid, less refunds on the day of the refund; of a split sale your part."
        ),
    ),
    (
        HEADS["earned"],
        gettext_lazy("Commissions by the day of the sale or refund they belong to, corrections included."),
    ),
    (HEADS["epc"], gettext_lazy("Earnings divided by clicks.")),
    (HEADS["rate"], gettext_lazy("Conversions by a click, divided by all clicks.")),
)


@dataclass(frozen=True)
class Chip:
    label: str | Promise
    href: str
    current: bool


@dataclass(frozen=True)
class Tile:
    label: str | Promise
    value: str
    note: str


@dataclass(frozen=True)
class Head:
    """A column; a second click on it turns the order round."""

    label: str | Promise
    href: str
    order: str  # ascending, descending or none, as aria-sort names it


@dataclass(frozen=True)
class Line:
    label: str
    note: str
    href: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """A report, ready for a template."""

    stretch: str
    before: str
    periods: tuple[Chip, ...]
    ways: tuple[Chip, ...]
    drawn: tuple[Chip, ...]
    tiles: tuple[Tile, ...]
    chart: Chart | None
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    total: tuple[str, ...]
    has_total: bool
    previous_url: str
    next_url: str
    narrowed: str
    wider_url: str
    is_empty: bool
    definitions: tuple[tuple[str | Promise, str | Promise], ...] = DEFINITIONS


def page(report: Report) -> Page:
    """Return a report in the reader's words."""
    asked = report.asked
    return Page(
        stretch=_stretch(asked),
        before=_("Compared with the %(days)s days before.") % {"days": asked.days},
        periods=tuple(
            Chip(label, asked.in_period(name), asked.period == name) for name, label in asking.PERIODS
        ),
        ways=tuple(
            Chip(
                label,
                asked.query(by=None if way == asking.DAY else way, key=None, sort=None),
                asked.by == way,
            )
            for way, label in asking.WAYS
        ),
        drawn=tuple(
            Chip(label, asked.query(show=name if name != asking.DRAWN[0][0] else None), asked.drawn == name)
            for name, label in asking.DRAWN
        ),
        tiles=tuple(_tiles(report)),
        chart=None if report.is_empty else chart(report),
        heads=tuple(_heads(asked)),
        lines=tuple(_line(row, report) for row in report.rows),
        total=cells(report.total, report.currency),
        has_total=asked.is_by_day or (asked.page == 1 and not report.has_more and _adds_up(asked)),
        previous_url=asked.query(page=str(asked.page - 1)) if asked.page > 1 and not asked.is_by_day else "",
        next_url=asked.query(page=str(asked.page + 1)) if report.has_more else "",
        narrowed=report.narrowed,
        wider_url=asked.query(key=None, sort=None),
        is_empty=report.is_empty,
    )


def cells(figures: Figures, currency: str) -> tuple[str, ...]:
    """Return the figures as text, in the order of `HEADS`."""
    locale = l10n.active_locale()
    epc, rate = figures.epc(currency), figures.conversion_rate
    counts = (figures.clicks, figures.visitors, figures.leads, figures.conversions)
    return (
        *(l10n.number_text(count, locale) for count in counts),
        l10n.money_text(Money(figures.revenue_minor, currency), locale),
        l10n.money_text(Money(figures.earned_minor, currency), locale),
        NONE if epc is None else l10n.money_text(epc, locale),
        rate_text(rate),
    )


def rate_text(rate: Decimal | None) -> str:
    """Return a fraction as a percentage, a dash for none."""
    return NONE if rate is None else l10n.percent_text(rate, l10n.active_locale())


def _adds_up(asked: Asked) -> bool:
    """Say whether the rows below come to the total: an order may have several products, a click several sub-ids."""
    return asked.by not in (ReportDimension.PRODUCT, ReportDimension.SUB_ID, ReportDimension.CODE)


def _stretch(asked: Asked) -> str:
    locale = l10n.active_locale()
    values = {"first": l10n.date_text(asked.first, locale), "last": l10n.date_text(asked.last, locale)}
    return _("%(first)s to %(last)s") % values


def _tiles(report: Report) -> list[Tile]:
    now, before = cells(report.total, report.currency), cells(report.before, report.currency)
    changes = [
        _change(_value(report.total, name, report.currency), _value(report.before, name, report.currency))
        for name in HEADS
    ]
    return [
        Tile(label, value, _note(former, change))
        for label, value, former, change in zip(HEADS.values(), now, before, changes, strict=True)
    ]


def _value(figures: Figures, name: str, currency: str) -> Decimal:
    if name == "rate":
        return figures.conversion_rate or Decimal(0)
    if name == "epc":
        epc = figures.epc(currency)
        return Decimal(epc.minor if epc else 0)
    return Decimal(getattr(figures, f"{name}_minor" if name in ("revenue", "earned") else name))


def _change(now: Decimal, before: Decimal) -> str:
    if before <= 0:
        return ""
    change = ((now - before) / before).quantize(Decimal("0.01"))
    text = l10n.percent_text(change, l10n.active_locale())
    return f"+{text}" if change > 0 else text


def _note(former: str, change: str) -> str:
    if not change:
        return _("Before: %(value)s") % {"value": former}
    return _("Before: %(value)s (%(change)s)") % {"value": former, "change": change}


def _heads(asked: Asked) -> list[Head]:
    first = "day" if asked.is_by_day else "name"
    label = dict(asking.WAYS)[asking.DAY if asked.is_by_day else asked.by]
    return [_head(first, label, asked), *(_head(name, text, asked) for name, text in HEADS.items())]


def _head(name: str, label: str | Promise, asked: Asked) -> Head:
    is_here = asked.column == name
    rises = (is_here and asked.is_falling) or (not is_here and name == "name")
    order = ("descending" if asked.is_falling else "ascending") if is_here else "none"
    return Head(label, asked.query(sort=name if rises else f"-{name}"), order)


def _line(row: Row, report: Report) -> Line:
    href = "" if row.day else report.asked.query(key=row.key, sort=None)
    return Line(row.label, row.note, href, cells(row.figures, report.currency))


__all__ = ["DEFINITIONS", "HEADS", "PAGE", "Chip", "Page", "cells", "page", "rate_text", "share"]
