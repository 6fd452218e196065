"""What staff see beside a report: what partners brought against what nobody brought, who brought most, and how far each kind of partnership
comes from click to sale. Three queries, whatever happened."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from payouts.choices import ReportDimension
from payouts.models import DailyTotal
from payouts.reports.asking import Asked
from payouts.reports.figures import Figures, share
from payouts.reports.page import NONE, cells, rate_text
from payouts.reports.reading import Totals, added, sums_by
from prm.lib import l10n
from prm.lib.money import Money
from tiers.choices import PartnershipType

TOP = 10


@dataclass(frozen=True)
class Source:
    """Conversions and revenue from one side, and its parts of both."""

    label: str
    conversions: str
    of_conversions: str
    revenue: str
    of_revenue: str


@dataclass(frozen=True)
class Top:
    name: str
    href: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Stages:
    """One kind of partnership from click to sale."""

    label: str | Promise
    clicks: str
    leads: str
    qualified: str
    conversions: str
    qualification_rate: str
    close_rate: str
    conversion_rate: str
    days: str


@dataclass(frozen=True)
class Beside:
    sources: tuple[Source, ...]
    top: tuple[Top, ...]
    stages: tuple[Stages, ...]


def beside(rows: Totals, asked: Asked, currency: str) -> Beside:
    """Return what stands beside the report of some programs."""
    within = _whole(rows, asked)
    by_type = sums_by(within, "program__partnership_type")
    nobody = DailyTotal.objects.filter(membership=None, currency=currency)
    organic = added(figures for _where, figures in sums_by(_whole(nobody, asked), "currency"))
    return Beside(
        sources=_sources(added(figures for _type, figures in by_type), organic, currency),
        top=_top(within, asked, currency),
        stages=_stages(by_type),
    )


def _whole(rows: QuerySet[DailyTotal], asked: Asked) -> QuerySet[DailyTotal]:
    return rows.filter(dimension=ReportDimension.ALL, key="", happened_on__range=(asked.first, asked.last))


def _sources(sourced: Figures, organic: Figures, currency: str) -> tuple[Source, ...]:
    conversions = sourced.conversions + organic.conversions
    revenue = sourced.revenue_minor + organic.revenue_minor
    locale = l10n.active_locale()
    return tuple(
        Source(
            label,
            l10n.number_text(figures.conversions, locale),
            rate_text(share(figures.conversions, conversions)),
            l10n.money_text(Money(figures.revenue_minor, currency), locale),
            rate_text(share(figures.revenue_minor, revenue)),
        )
        for label, figures in ((_("Brought by partners"), sourced), (_("Brought by nobody"), organic))
    )


def _top(within: QuerySet[DailyTotal], asked: Asked, currency: str) -> tuple[Top, ...]:
    columns = ("membership__partner__public_id", "membership__partner__name")
    found = sums_by(within, *columns, most=TOP, by="revenue_minor")
    return tuple(
        Top(
            where[columns[1]],
            asked.query(partner=where[columns[0]], by=None, sort=None),
            cells(figures, currency),
        )
        for where, figures in found
        if figures
    )


def _stages(by_type: list[tuple[dict[str, str], Figures]]) -> tuple[Stages, ...]:
    labels = dict(PartnershipType.choices)
    locale = l10n.active_locale()
    return tuple(
        Stages(
            label=labels.get(where["program__partnership_type"], where["program__partnership_type"]),
            clicks=l10n.number_text(figures.clicks, locale),
            leads=l10n.number_text(figures.leads, locale),
            qualified=l10n.number_text(figures.qualified, locale),
            conversions=l10n.number_text(figures.conversions, locale),
            qualification_rate=rate_text(figures.qualification_rate),
            close_rate=rate_text(figures.close_rate),
            conversion_rate=rate_text(figures.conversion_rate),
            days=_days(figures.days_to_convert, locale),
        )
        for where, figures in sorted(by_type, key=lambda each: each[0]["program__partnership_type"])
        if figures
    )


def _days(days: Decimal | None, locale: str) -> str:
    return NONE if days is None else l10n.number_text(days, locale)
