"""Count what memberships brought, month by month of their program's zone: net revenue, sales, new customers, qualified leads and pieces.
What a refund takes back counts against the month it happened in, so that a month that is over never changes its figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import NamedTuple

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from prm.lib.periods import Month, months_between
from referrals.attribution.shares import Weights, part, weights_of
from referrals.choices import ConversionState, CreditRole
from referrals.models import Conversion, Credit
from tiers.choices import EventKind

SALES = (EventKind.SALE, EventKind.RENEWAL)
MOVES = (EventKind.REFUND, EventKind.CHARGEBACK, EventKind.CHARGEBACK_WON)
NOT_REVENUE = (EventKind.SIGNUP, EventKind.QUALIFIED_LEAD)
_OF_THE_NAMED = ("kind", "amount_minor", "quantity")


@dataclass(slots=True)
class Metrics:
    """What a membership brought in one month. Revenue is in minor units at the customers' prices, of a split sale the
    membership's part; the others count whole."""

    revenue: int = 0
    sales: int = 0
    new_customers: int = 0
    leads: int = 0
    units: int = 0


Key = tuple[int, Month]
Figures = dict[Key, Metrics]


class _Move(NamedTuple):
    """A refund, a chargeback or one won back, as one membership is credited with it, and the event it names."""

    membership: int
    conversion: int
    occurred_at: datetime
    kind: str
    minor: int
    currency: str
    quantity: int
    named: int | None
    named_kind: str
    named_minor: int
    named_quantity: int

    @property
    def sign(self) -> int:
        return -1 if self.kind == EventKind.CHARGEBACK_WON else 1


@dataclass(slots=True)
class _Returned:
    """How much of an event went back so far, in money and in the pieces that were told."""

    minor: int = 0
    told: int = 0

    def add(self, move: _Move) -> None:
        self.minor += move.sign * move.minor
        self.told += move.sign * move.quantity

    def is_whole(self, move: _Move) -> bool:
        return 0 < self.minor >= move.named_minor

    def pieces(self, move: _Move) -> int:
        """Return how many pieces went back: those told, and with the last of the money all that were left."""
        return move.named_quantity if self.is_whole(move) else min(max(self.told, 0), move.named_quantity)


def metrics_by_month(membership_ids: Collection[int], *, zone: tzinfo, until: datetime) -> Figures:
    """Return what the memberships brought before `until` by membership and month, months without anything left out.

    Standing credits count, except those for assisting. A sale is counted back by the event that completes its
    refund, and a new customer by the one that completes the refund of the whole first order. The number of queries
    does not grow with the memberships or what they brought.
    """
    credits = _credits(membership_ids, until)
    month = _month_of(credits, zone)
    if month is None:
        return {}
    found: Figures = defaultdict(Metrics)
    weights = weights_of(credits)
    _count_events(found, credits, month)
    _count_split(found, credits, weights, zone)
    gone = _count_moves(found, credits, weights, zone)
    _count_new_customers(found, credits, gone, zone)
    return {key: figures for key, figures in found.items() if figures != Metrics()}


def first_sales(customer_ids: Collection[int]) -> dict[int, datetime]:
    """Return when each customer first bought, whoever brought the sale; customers who never did are left out."""
    return _first_sales(Conversion.objects.filter(customer__in=customer_ids))


def _first_sales(conversions: QuerySet[Conversion]) -> dict[int, datetime]:
    rows = conversions.filter(kind__in=SALES).exclude(state=ConversionState.REJECTED).values("customer")
    return dict(rows.annotate(first=Min("occurred_at")).order_by("customer").values_list("customer", "first"))


def _credits(membership_ids: Collection[int], until: datetime) -> QuerySet[Credit]:
    return (
        Credit.objects.standing()
        .filter(membership__in=membership_ids, occurred_at__lt=until)
        .exclude(role=CreditRole.ASSISTED)
        .exclude(conversion__state=ConversionState.REJECTED)
    )


def _month_of(credits: QuerySet[Credit], zone: tzinfo) -> Case | None:
    """Return the expression that names a credit's month; its bounds are exact, whatever the clocks do at midnight."""
    span = credits.aggregate(first=Min("occurred_at"), last=Max("occurred_at"))
    if span["first"] is None:
        return None
    months = months_between(Month.of(span["first"], zone), Month.of(span["last"], zone))
    whens = [When(occurred_at__lt=month.ends_at(zone), then=Value(str(month))) for month in months]
    return Case(*whens, output_field=CharField())


def _count_events(found: Figures, credits: QuerySet[Credit], month: Case) -> None:
    """Count all that takes nothing back; the revenue of split events is left to `_count_split`."""
    is_sale, is_lead = Q(conversion__kind__in=SALES), Q(conversion__kind=EventKind.QUALIFIED_LEAD)
    is_revenue = Q(share=1) & ~Q(conversion__kind__in=NOT_REVENUE)
    rows = (
        credits.exclude(conversion__kind__in=MOVES)
        .annotate(month=month)
        .values("membership", "month")
        .annotate(
            sold=Sum("conversion__amount_minor", filter=is_revenue),
            sales=Count("pk", filter=is_sale),
            leads=Count("pk", filter=is_lead),
            pieces=Sum("conversion__quantity", filter=is_sale),
        )
        .order_by("membership", "month")
    )
    for row in rows:
        figures = found[row["membership"], Month.parse(row["month"])]
        figures.revenue += int(row["sold"] or 0)
        figures.sales += row["sales"]
        figures.leads += row["leads"]
        figures.units += int(row["pieces"] or 0)


def _count_split(found: Figures, credits: QuerySet[Credit], weights: Weights, zone: tzinfo) -> None:
    """Add each membership's part of the events whose credit is split."""
    rows = credits.filter(share__lt=1).exclude(conversion__kind__in=(*NOT_REVENUE, *MOVES))
    for membership, conversion, occurred_at, minor, currency in rows.values_list(
        "membership", "conversion", "occurred_at", "conversion__amount_minor", "conversion__currency"
    ):
        own = part(minor, currency, conversion=conversion, membership=membership, weights=weights)
        found[membership, Month.of(occurred_at, zone)].revenue += own


def _moves(credits: QuerySet[Credit]) -> Iterator[_Move]:
    """Yield what took back or gave back, in the order it happened."""
    named = ("conversion__original", *(f"conversion__original__{name}" for name in _OF_THE_NAMED))
    rows = credits.filter(conversion__kind__in=MOVES).order_by("occurred_at", "conversion")
    own = (f"conversion__{name}" for name in ("kind", "amount_minor", "currency", "quantity"))
    return (
        _Move(*row)
        for row in rows.values_list("membership", "conversion", "occurred_at", *own, *named).iterator()
    )


def _count_moves(
    found: Figures, credits: QuerySet[Credit], weights: Weights, zone: tzinfo
) -> dict[tuple[int, int], datetime]:
    """Count back what refunds and chargebacks took; return when each sale was gone wholly, by membership and sale."""
    returned: dict[tuple[int, int], _Returned] = defaultdict(_Returned)
    gone: dict[tuple[int, int], datetime] = {}
    for move in _moves(credits):
        figures = found[move.membership, Month.of(move.occurred_at, zone)]
        if move.named is None:
            figures.revenue -= move.sign * _part_of(move, move.minor, weights)
            figures.units -= move.sign * move.quantity
            continue
        key = move.membership, move.named
        before, after = replace(returned[key]), returned[key]
        after.add(move)
        _count_back(figures, move, before, after, weights)
        if after.is_whole(move):
            gone[key] = move.occurred_at
        else:
            gone.pop(key, None)
    return gone


def _count_back(figures: Metrics, move: _Move, before: _Returned, after: _Returned, weights: Weights) -> None:
    """Take one move of an event off the figures: the difference it makes to all that went back of the event."""
    if move.named_kind not in NOT_REVENUE:
        figures.revenue -= _part_of(move, after.minor, weights) - _part_of(move, before.minor, weights)
    if move.named_kind in SALES:
        figures.sales -= after.is_whole(move) - before.is_whole(move)
        figures.units -= after.pieces(move) - before.pieces(move)
    if move.named_kind == EventKind.QUALIFIED_LEAD:
        figures.leads -= after.is_whole(move) - before.is_whole(move)


def _part_of(move: _Move, minor: int, weights: Weights) -> int:
    return part(minor, move.currency, conversion=move.conversion, membership=move.membership, weights=weights)


def _count_new_customers(
    found: Figures, credits: QuerySet[Credit], gone: dict[tuple[int, int], datetime], zone: tzinfo
) -> None:
    """Count each customer whose first order is the membership's, once, however many lines the order has."""
    bought = credits.filter(conversion__kind__in=SALES).exclude(conversion__customer=None)
    customers = bought.values("conversion__customer")
    firsts = _first_sales(Conversion.objects.filter(customer__in=customers))
    pairs = customers.values("membership", "conversion__customer").annotate(first=Min("occurred_at"))
    for membership, customer, first in pairs.order_by("membership", "conversion__customer").values_list(
        "membership", "conversion__customer", "first"
    ):
        if first == firsts[customer]:
            found[membership, Month.of(first, zone)].new_customers += 1
    for membership, at in _orders_gone(bought, gone, firsts):
        found[membership, Month.of(at, zone)].new_customers -= 1


def _orders_gone(
    bought: QuerySet[Credit], gone: dict[tuple[int, int], datetime], firsts: dict[int, datetime]
) -> Iterator[tuple[int, datetime]]:
    """Yield membership and instant of each first order of which the last line went back."""
    takers = Conversion.objects.filter(original=OuterRef("conversion__pk"))
    with_returns = bought.filter(Exists(takers)).values("conversion__customer")
    lines = bought.filter(conversion__customer__in=with_returns)
    orders: dict[tuple[int, int], list[datetime | None]] = defaultdict(list)
    for membership, customer, conversion, at in lines.order_by("pk").values_list(
        "membership", "conversion__customer", "conversion", "occurred_at"
    ):
        if at == firsts[customer]:
            orders[membership, customer].append(gone.get((membership, conversion)))
    for (membership, _customer), ends in sorted(orders.items()):
        whole = [end for end in ends if end is not None]
        if len(whole) == len(ends):
            yield membership, max(whole)
