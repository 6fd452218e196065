"""What can be asked of a partner, as a closed list: each metric with its unit and how it is counted. Who reads the figures is learned
elsewhere (`partners.metrics`); a metric nobody reads cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Unit(StrEnum):
    """What a figure counts. Money is in minor units of the program's currency, a percentage of 0 to 100."""

    MONEY = "money"
    COUNT = "count"
    PERCENT = "percent"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing to measure. `is_windowed` figures are counted over a window, others are as they stand at the moment.

    `params` are what a requirement may narrow it by; `least` and `most` bound what a figure can be, None for no bound.
    """

    key: str
    unit: Unit
    is_windowed: bool
    params: tuple[str, ...] = ()
    least: Fraction | None = Fraction(0)
    most: Fraction | None = None


_HUNDRED = Fraction(100)

METRICS: Mapping[str, Metric] = {
    each.key: each
    for each in (
        # Sales less refunds at the customers' prices: a window of nothing but refunds is below zero.
        Metric("net_revenue", Unit.MONEY, is_windowed=True, least=None),
        Metric("sales", Unit.COUNT, is_windowed=True),
        Metric("average_order", Unit.MONEY, is_windowed=True),
        Metric("new_customers", Unit.COUNT, is_windowed=True),
        Metric("customer_retention", Unit.PERCENT, is_windowed=True, most=_HUNDRED),
        Metric("qualified_leads", Unit.COUNT, is_windowed=True),
        Metric("deals_won", Unit.COUNT, is_windowed=True),
        Metric("points", Unit.POINTS, is_windowed=True, least=None),
        Metric("plan_attainment", Unit.PERCENT, is_windowed=False, params=("goal",), least=None),
        Metric(
            "certified_ratio",
            Unit.PERCENT,
            is_windowed=False,
            params=("certification", "role", "country"),
            most=_HUNDRED,
        ),
        Metric("certified_count", Unit.COUNT, is_windowed=False, params=("certification", "role", "country")),
        Metric("trainings_completed", Unit.COUNT, is_windowed=True, params=("course",)),
        Metric("activities", Unit.COUNT, is_windowed=True, params=("kind",)),
        Metric("joint_customers", Unit.COUNT, is_windowed=False),
        Metric("installed_base", Unit.COUNT, is_windowed=False),
        Metric("manual_score", Unit.COUNT, is_windowed=False, most=_HUNDRED),
    )
}
