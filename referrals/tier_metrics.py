"""Measure for tiers what memberships brought: revenue, sales, customers, leads, deals and points. What counts is what `performance` counts,
by the day it happened; a sale counts as one until all of it has gone back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from fractions import Fraction
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Sum

from partners.metrics import Asked, EvidenceRow, Group, learn_metric
from prm.lib.periods import Month, local_day, start_of_day
from referrals import performance
from referrals.choices import ConversionState
from referrals.facts import MOVES, TAKES_BACK
from referrals.models import Conversion, Credit, Customer, PointEntry
from tiers.choices import EventKind
from tiers.engine.facts import SALES
from tiers.models import Program
from tiers.qualify import Figure
from tiers.qualify.scheme import MONTHS_IN, TRAILING
from tiers.qualify.windows import months_before

Scope = Mapping[str, Any]
_THOUSAND = 1000


def learn() -> None:
    """Let tiers ask for what this app knows."""
    learn_metric("net_revenue", _net, rows=_net_rows, begins=begins)
    learn_metric("sales", _counted(_sales), rows=_rows_of(_sales), begins=begins)
    learn_metric("average_order", _average, rows=_average_rows, begins=begins)
    learn_metric("new_customers", _counted(_first_sales), rows=_rows_of(_first_sales), begins=begins)
    learn_metric("customer_retention", _retention, rows=_retention_rows, begins=begins)
    learn_metric("qualified_leads", _counted(_leads), rows=_rows_of(_leads), begins=begins)
    learn_metric("deals_won", _deals, rows=_deal_rows, begins=begins)
    learn_metric("points", _points, rows=_point_rows, begins=_points_begin)


def begins(program: Program) -> datetime | None:
    """Return when the first event happened that is credited to somebody in a program."""
    credited = Conversion.objects.filter(
        Exists(Credit.objects.filter(conversion=OuterRef("pk"), membership__program=program))
    )
    return credited.order_by("occurred_at").values_list("occurred_at", flat=True).first()


# Whose rows are read: those of a group, or those of one membership.


def _of_group(group: Group) -> Scope:
    return {
        "membership__gte": group.first,
        "membership__lte": group.last,
        "membership__program": group.program,
    }


def _of_one(membership_id: int) -> Scope:
    return {"membership": membership_id}


def _counting(asked: Asked, scope: Scope) -> QuerySet[Credit]:
    return performance.counting(since=asked.since, until=asked.until).filter(**scope)


# Net revenue.


def _net(group: Group, asked: Asked) -> dict[int, Figure]:
    found = performance.net_per_membership(_counting(asked, _of_group(group)))
    return {pk: Figure(Fraction(minor), rows) for pk, (minor, rows) in found.items()}


def _net_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    credits = _counting(asked, _of_one(membership_id))
    events = _events(credits)
    for conversion, minor in performance.net_per_conversion(credits):
        yield EvidenceRow(*events[conversion], Fraction(minor))


def _events(credits: QuerySet[Credit]) -> dict[int, tuple[str, datetime]]:
    """Return what an event is called and when it happened, by its primary key."""
    rows = credits.values_list("conversion", "conversion__public_id", "occurred_at")
    return {conversion: (public_id, at) for conversion, public_id, at in rows}


# Sales, each one as long as something of it is left.


def _looked_at(asked: Asked) -> datetime:
    """Return until when sales can have gone back: a window may end before it is looked at."""
    return asked.at or asked.until


def _gone(before: datetime, sale: str = "conversion") -> Exists:
    """Say of a credit that all of its sale had gone back before an instant."""
    moves = Conversion.objects.filter(original=OuterRef(sale), kind__in=MOVES, occurred_at__lt=before)
    back = Sum("amount_minor", filter=Q(kind__in=TAKES_BACK), default=0)
    won = Sum("amount_minor", filter=~Q(kind__in=TAKES_BACK), default=0)
    named = moves.exclude(state=ConversionState.REJECTED).values("original")
    return Exists(named.annotate(gone=back - won).filter(gone__gte=F("original__amount_minor")))


def _sales(asked: Asked, scope: Scope) -> QuerySet[Credit]:
    sold = _counting(asked, scope).filter(conversion__kind__in=SALES)
    return sold.exclude(_gone(_looked_at(asked)))


def _leads(asked: Asked, scope: Scope) -> QuerySet[Credit]:
    return _counting(asked, scope).filter(conversion__kind=EventKind.QUALIFIED_LEAD)


def _first_sales(asked: Asked, scope: Scope) -> QuerySet[Credit]:
    """Return the sales that were the first of their customers at anybody in the program."""
    when, conversion = OuterRef(OuterRef("occurred_at")), OuterRef(OuterRef("conversion"))
    before = Q(occurred_at__lt=when) | Q(occurred_at=when, conversion__lt=conversion)
    credited = (
        performance.counting(since=None, until=asked.until)
        .filter(
            before,
            conversion=OuterRef("pk"),
            membership__program=OuterRef(OuterRef("membership__program")),
        )
        .exclude(_gone(_looked_at(asked)))
    )
    # By the customer's own events: a database that begins with the members of the program reads all that was ever sold in it.
    earlier = Conversion.objects.filter(customer=OuterRef("conversion__customer"), kind__in=SALES)
    earlier = earlier.filter(Exists(credited))
    return _sales(asked, scope).exclude(conversion__customer=None).exclude(Exists(earlier))


Chosen = Callable[[Asked, Scope], QuerySet[Credit]]


def _counted(chosen: Chosen) -> Callable[[Group, Asked], dict[int, Figure]]:
    """Return a reader that counts credits, one piece each."""

    def read(group: Group, asked: Asked) -> dict[int, Figure]:
        rows = chosen(asked, _of_group(group)).values_list("membership").annotate(Count("pk")).order_by()
        return {pk: Figure(Fraction(count), count) for pk, count in rows}

    return read


def _rows_of(chosen: Chosen) -> Callable[[int, Asked], Iterator[EvidenceRow]]:
    def rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
        for public_id, at in _events(chosen(asked, _of_one(membership_id))).values():
            yield EvidenceRow(public_id, at, Fraction(1))

    return rows


# The average order: what is left of each sale, so that a large one that mostly went back is no large one.


def _average(group: Group, asked: Asked) -> dict[int, Figure]:
    scope = _of_group(group)
    sold = performance.net_per_membership(_sales(asked, scope))
    moved = performance.net_per_membership(_moves(asked, scope))
    return {
        pk: Figure(Fraction(minor + moved.get(pk, (0, 0))[0], count), count)
        for pk, (minor, count) in sold.items()
    }


def _average_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    sales, moves = _sales(asked, _of_one(membership_id)), _moves(asked, _of_one(membership_id))
    events = _events(sales)
    left = dict(performance.net_per_conversion(sales))
    sale_of = dict(moves.values_list("conversion", "conversion__original"))
    for conversion, minor in performance.net_per_conversion(moves):
        if sale := sale_of[conversion]:
            left[sale] += minor
    for conversion, minor in left.items():
        yield EvidenceRow(*events[conversion], Fraction(minor, len(left)))


def _moves(asked: Asked, scope: Scope) -> QuerySet[Credit]:
    """Return what came back of the sales that `_sales` returns, and was won back."""
    moves = performance.counting(since=None, until=_looked_at(asked)).filter(
        conversion__kind__in=MOVES, **scope
    )
    moves = moves.filter(conversion__original__kind__in=SALES)
    if asked.since is not None:
        moves = moves.filter(conversion__original__occurred_at__gte=asked.since)
    moves = moves.filter(conversion__original__occurred_at__lt=asked.until)
    return moves.exclude(_gone(_looked_at(asked), "conversion__original"))


# How many of the customers who had bought in the window before bought again.


def _bought_before(asked: Asked, scope: Scope, zone: tzinfo) -> QuerySet[Credit] | None:
    """Return sales to known customers in the window before, as long as this one; None when there is none before."""
    since = _window_before(asked, zone)
    if since is None or asked.since is None:
        return None
    sold = performance.counting(since=since, until=asked.since).filter(conversion__kind__in=SALES, **scope)
    return sold.exclude(conversion__customer=None).exclude(_gone(_looked_at(asked)))


def _window_before(asked: Asked, zone: tzinfo) -> datetime | None:
    """Return when a window as long as the one asked for began that ends where this one begins."""
    if asked.since is None:
        return None
    window = asked.question.window
    if window.kind == TRAILING:
        day = local_day(asked.until, zone)
        return start_of_day(months_before(day, 2 * window.months), zone)
    if window.kind in MONTHS_IN:
        return Month.of(asked.since, zone).plus(-MONTHS_IN[window.kind]).starts_at(zone)
    return asked.since - (asked.until - asked.since)


def _again(asked: Asked) -> Exists:
    """Say of a credit that its customer bought from the same membership in the window."""
    again = performance.counting(since=asked.since, until=asked.until).filter(
        membership=OuterRef("membership"),
        conversion__customer=OuterRef("conversion__customer"),
        conversion__kind__in=SALES,
    )
    return Exists(again.exclude(_gone(_looked_at(asked))))


def _retention(group: Group, asked: Asked) -> dict[int, Figure]:
    before = _bought_before(asked, _of_group(group), group.program.zone)
    if before is None:
        return {}
    customers = Count("conversion__customer", distinct=True)
    kept = Count("conversion__customer", distinct=True, filter=_again(asked))
    rows = before.values_list("membership").annotate(had=customers, kept=kept).order_by()
    return {pk: Figure(Fraction(100 * kept, had), had) for pk, had, kept in rows}


def _retention_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    program = Program.objects.get(memberships=membership_id)
    before = _bought_before(asked, _of_one(membership_id), program.zone)
    if before is None:
        return
    rows = before.values_list("conversion__customer").annotate(at=Min("occurred_at")).order_by()
    had = dict(rows)
    kept = set(before.filter(_again(asked)).values_list("conversion__customer", flat=True))
    for pk, public_id in Customer.objects.filter(pk__in=had).values_list("pk", "public_id"):
        yield EvidenceRow(public_id, had[pk], Fraction(100 * (pk in kept), len(had)))


# Deals: sales that name one, each deal once.


def _won(asked: Asked, scope: Scope) -> QuerySet[Credit]:
    return _sales(asked, scope).exclude(conversion__deal_key="")


def _deals(group: Group, asked: Asked) -> dict[int, Figure]:
    won = _won(asked, _of_group(group)).values_list("membership")
    rows = won.annotate(Count("conversion__deal_key", distinct=True)).order_by()
    return {pk: Figure(Fraction(count), count) for pk, count in rows}


def _deal_rows(membership_id: int, asked: Asked) -> Iterable[EvidenceRow]:
    won = _won(asked, _of_one(membership_id)).values_list("conversion__deal_key")
    for deal, at in won.annotate(at=Min("occurred_at")).order_by():
        yield EvidenceRow(deal, at, Fraction(1))


# Points, as they were earned.


def _entries(asked: Asked, scope: Scope) -> QuerySet[PointEntry]:
    found = PointEntry.objects.filter(earned_at__lt=asked.until, **scope)
    return found if asked.since is None else found.filter(earned_at__gte=asked.since)


def _points(group: Group, asked: Asked) -> dict[int, Figure]:
    rows = _entries(asked, _of_group(group)).values_list("membership")
    return {
        pk: Figure(Fraction(milli, _THOUSAND), count)
        for pk, milli, count in rows.annotate(Sum("milli_points"), Count("pk")).order_by()
    }


def _point_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    rows = _entries(asked, _of_one(membership_id)).values_list("reference", "earned_at", "milli_points")
    for reference, at, milli in rows:
        yield EvidenceRow(reference.partition(":")[0], at, Fraction(milli, _THOUSAND))


def _points_begin(program: Program) -> datetime | None:
    entries = PointEntry.objects.filter(membership__program=program)
    return entries.order_by("earned_at").values_list("earned_at", flat=True).first()
