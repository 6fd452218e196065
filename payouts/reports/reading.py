"""Read reports from the daily totals alone, in a handful of queries however much happened. Totals are added up from the rows that are shown
by day, so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django.db.models import F, FloatField, QuerySet, Sum
from django.db.models.functions import Cast, NullIf
from django.utils.translation import gettext as _

from payouts.choices import ReportDimension
from payouts.models import DailyTotal
from payouts.reports.asking import Asked
from payouts.reports.figures import COLUMNS, Figures
from prm.lib import l10n
from referrals.models import Code, Link

PAGE = 50
_LOWEST = Fraction(-(10**18))  # a rate of nothing stands below every other
Totals = QuerySet[DailyTotal]
_SUMS = {f"sum_{name}": Sum(name) for name in COLUMNS}
_SORTED_BY = {
    "clicks": "sum_clicks",
    "visitors": "sum_visitors",
    "leads": "sum_leads",
    "conversions": "sum_conversions",
    "revenue": "sum_revenue_minor",
    "earned": "sum_earned_minor",
    "name": "key",
}
_RATIOS = {"epc": "sum_earned_minor", "rate": "sum_from_clicks"}


@dataclass(frozen=True)
class Row:
    """One line of a report: a day, or a value of what it is told apart by, in words."""

    label: str
    figures: Figures
    key: str = ""
    note: str = ""
    day: date | None = None


@dataclass(frozen=True)
class Report:
    """A report as it was asked for: each day, the totals of both stretches, and one page of rows."""

    asked: Asked
    currency: str
    days: tuple[tuple[date, Figures], ...]
    total: Figures
    before: Figures
    rows: tuple[Row, ...]
    has_more: bool = False
    narrowed: str = ""
    is_empty: bool = field(default=False)


def make(rows: Totals, asked: Asked, currency: str) -> Report:
    """Make a report of daily totals that the caller may see, all in one currency."""
    days = _by_day(rows, asked)
    within = tuple(
        (day, days.get(day, Figures()))
        for day in (asked.first + timedelta(days=n) for n in range(asked.days))
    )
    before = [figures for day, figures in days.items() if day < asked.first]
    lines, has_more, narrowed = (
        (_day_rows(within, asked), False, "") if asked.is_by_day else _page(rows, asked)
    )
    if asked.key is not None:
        narrowed = _labels(asked.by, [asked.key])[asked.key][0]
    return Report(
        asked=asked,
        currency=currency,
        days=within,
        total=added(figures for _day, figures in within),
        before=added(before),
        rows=tuple(lines),
        has_more=has_more,
        narrowed=narrowed,
        is_empty=not any(figures for _day, figures in within),
    )


def every_row(rows: Totals, asked: Asked) -> Iterator[Row]:
    """Yield all lines of a report for a file, in its order."""
    if asked.is_by_day:
        days = _by_day(rows, asked)
        within = [
            (day, days.get(day, Figures())) for day in (asked.first + timedelta(n) for n in range(asked.days))
        ]
        yield from _day_rows(within, asked)
        return
    found = list(_grouped(rows, asked).values("key", *_SUMS))
    labels = _labels(asked.by, [row["key"] for row in found])
    for row in found:
        yield Row(labels[row["key"]][0], _figures(row), key=row["key"], note=labels[row["key"]][1])


def added(many: Iterable[Figures]) -> Figures:
    """Return the sum of figures."""
    total = Figures()
    for each in many:
        total.add(each)
    return total


def sums_by(
    rows: Totals, *columns: str, by: str = "", most: int | None = None
) -> list[tuple[dict[str, Any], Figures]]:
    """Return the figures of rows grouped by columns; those with the most of `by` first, when it is given."""
    found = rows.order_by().values(*columns).annotate(**_SUMS)
    if by:
        found = found.order_by(f"-sum_{by}", *columns)[:most]
    return [({name: row[name] for name in columns}, _figures(row)) for row in found]


def _by_day(rows: Totals, asked: Asked) -> dict[date, Figures]:
    """Read each day of the stretch and of the one before."""
    if asked.key is None:
        chosen = rows.filter(dimension=ReportDimension.ALL, key="")
    else:
        chosen = rows.filter(dimension=asked.by, key=asked.key)
    chosen = chosen.filter(happened_on__range=(asked.first_before, asked.last))
    return {where["happened_on"]: figures for where, figures in sums_by(chosen, "happened_on")}


def _day_rows(days: Iterable[tuple[date, Figures]], asked: Asked) -> list[Row]:
    lines = [
        Row(l10n.date_text(day, l10n.active_locale()), figures, day=day) for day, figures in days if figures
    ]
    lines.sort(key=lambda line: line.day or date.min)
    if asked.column != "day":
        lines.sort(key=lambda line: _value(line.figures, asked.column), reverse=asked.is_falling)
    elif asked.is_falling:
        lines.reverse()
    return lines


def _value(figures: Figures, column: str) -> Fraction:
    if column in _RATIOS:
        part = figures.earned_minor if column == "epc" else figures.conversions
        return Fraction(part, figures.clicks) if figures.clicks else _LOWEST
    name = f"{column}_minor" if column in ("revenue", "earned") else column
    return Fraction(getattr(figures, name))


def _page(rows: Totals, asked: Asked) -> tuple[list[Row], bool, str]:
    first = (asked.page - 1) * PAGE
    found = list(_grouped(rows, asked).values("key", *_SUMS)[first : first + PAGE + 1])
    labels = _labels(asked.by, [row["key"] for row in found[:PAGE]])
    lines = [
        Row(labels[row["key"]][0], _figures(row), key=row["key"], note=labels[row["key"]][1])
        for row in found[:PAGE]
    ]
    return lines, len(found) > PAGE, ""


def _grouped(rows: Totals, asked: Asked) -> QuerySet[DailyTotal, Any]:
    chosen = rows.filter(dimension=asked.by, happened_on__range=(asked.first, asked.last))
    grouped = chosen.order_by().values("key").annotate(**_SUMS)
    column = asked.column
    if column in _RATIOS:
        part = Cast(_RATIOS[column], FloatField())
        grouped = grouped.annotate(ratio=part / NullIf(F("sum_clicks"), 0))
        place = F("ratio")
    else:
        place = F(_SORTED_BY[column])
    order = place.desc(nulls_last=True) if asked.is_falling else place.asc(nulls_first=True)
    return grouped.order_by(order, "key")


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(**{name: int(row[f"sum_{name}"] or 0) for name in COLUMNS})


def _labels(by: str, keys: list[str]) -> dict[str, tuple[str, str]]:
    """Return each key in words, with a note where it helps; one query for links and codes, none for the others."""
    found = {key: (key, "") for key in keys}
    found[""] = (_nothing(by), "")
    if by == ReportDimension.LINK:
        links = Link.objects.filter(public_id__in=keys).values_list("public_id", "label", "slug")
        found |= {public_id: (label, slug) for public_id, label, slug in links}
    elif by == ReportDimension.CODE:
        found |= {
            public_id: (code, "")
            for public_id, code in Code.objects.filter(public_id__in=keys).values_list("public_id", "code")
        }
    elif by == ReportDimension.SUB_ID:
        found |= {key: _sub_id(key) for key in keys if key}
    elif by == ReportDimension.COUNTRY:
        names = l10n.locale_of(l10n.active_locale()).territories
        found |= {key: (names.get(key, key), "") for key in keys if key}
    return found


def _sub_id(key: str) -> tuple[str, str]:
    place, _colon, value = key.partition(":")
    return value, "" if place == "1" else _("sub-id %(number)s") % {"number": place}


def _nothing(by: str) -> str:
    return {
        ReportDimension.LINK.value: _("Without a link"),
        ReportDimension.CODE.value: _("Without a code"),
        ReportDimension.SUB_ID.value: _("Without a sub-id"),
        ReportDimension.CAMPAIGN.value: _("Without a campaign"),
        ReportDimension.COUNTRY.value: _("Country not told"),
    }.get(by, _("Product not told"))
