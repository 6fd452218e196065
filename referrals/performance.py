"""Count what links, codes and memberships brought: clicks, sales, refunds and the net amount sold. What was earned by it is for payouts
to say; what was declined, what a person has corrected and what was only assisted counts nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from partners.models import Membership
from prm.lib.money import Money
from referrals.attribution.shares import part, weights_of
from referrals.choices import ConversionState, CreditRole
from referrals.facts import MOVES, TAKES_BACK
from referrals.models import Click, Credit


@dataclass(frozen=True)
class Figures:
    """What was brought in an interval; `net` is sales less refunds and chargebacks, at the customers' prices, of a split sale the
    partner's part."""

    clicks: int
    sales: int
    refunds: int
    net: Money


def of_membership(membership: Membership, *, since: datetime, until: datetime) -> Figures:
    """Return the figures of a membership from `since` until before `until`."""
    clicks = _clicks(membership, since=since, until=until).count()
    return _figures(membership, _credits(membership, since=since, until=until), clicks=clicks)


def net_of(membership: Membership, *, since: datetime, until: datetime) -> Money:
    """Return what a membership sold from `since` until before `until`, less refunds, at the customers' prices."""
    return _figures(membership, _credits(membership, since=since, until=until)).net


def per_link(membership: Membership, *, since: datetime, until: datetime) -> dict[int, Figures]:
    """Return the figures of each link that was clicked or brought something, by its primary key.

    A sale that carried a code is the code's, even when the customer came by a link.
    """
    clicks = dict(
        _clicks(membership, since=since, until=until)
        .values_list("link")
        .annotate(count=Count("pk"))
        .order_by("link")
    )
    rows = _credits(membership, since=since, until=until).exclude(click=None).filter(code=None)
    return _per(membership, rows, "click__link", clicks)


def per_code(membership: Membership, *, since: datetime, until: datetime) -> dict[int, Figures]:
    """Return the figures of each code that was used, by its primary key."""
    return _per(membership, _credits(membership, since=since, until=until).exclude(code=None), "code", {})


def counting(*, since: datetime | None, until: datetime) -> QuerySet[Credit]:
    """Return the credits of everybody that count from `since` (None: from the beginning) until before `until`."""
    credits = (
        Credit.objects.standing()
        .filter(occurred_at__lt=until)
        .exclude(role=CreditRole.ASSISTED)
        .exclude(conversion__state=ConversionState.REJECTED)
    )
    return credits if since is None else credits.filter(occurred_at__gte=since)


def net_per_membership(credits: QuerySet[Credit]) -> dict[int, tuple[int, int]]:
    """Return for each membership that has any of `credits` the net amount in minor units, and how many credits it is made of."""
    sums = _sums()
    needed = {"rows": Count("pk"), **{name: sums[name] for name in ("shared", "sold", "returned")}}
    rows: list[Mapping[str, Any]] = list(credits.values("membership").annotate(**needed).order_by())
    split: Counter[int] = Counter()
    if any(row["shared"] for row in rows):
        for pk, minor in _split(credits):
            split[pk] += minor
    return {
        row["membership"]: (
            int(row["sold"] or 0) - int(row["returned"] or 0) + split[row["membership"]],
            row["rows"],
        )
        for row in rows
    }


def net_per_conversion(credits: QuerySet[Credit]) -> Iterator[tuple[int, int]]:
    """Yield each event of `credits`, of one membership, with its part of the amount, negative for what went back."""
    whole = credits.filter(share=1).values_list("conversion", "conversion__kind", "conversion__amount_minor")
    for conversion, kind, minor in whole:
        yield conversion, -minor if kind in TAKES_BACK else minor
    yield from _split(credits, "conversion")


def _clicks(membership: Membership, *, since: datetime, until: datetime) -> QuerySet[Click]:
    people = Click.objects.of_people()
    return people.filter(link__membership=membership, clicked_at__gte=since, clicked_at__lt=until)


def _credits(membership: Membership, *, since: datetime, until: datetime) -> QuerySet[Credit]:
    return counting(since=since, until=until).filter(membership=membership)


def _figures(membership: Membership, credits: QuerySet[Credit], *, clicks: int = 0) -> Figures:
    row = credits.aggregate(**_sums())
    split = sum(minor for _group, minor in _split(credits)) if row["shared"] else 0
    return _of_row(membership, row, clicks, split)


def _per(
    membership: Membership, credits: QuerySet[Credit], group: str, clicks: Mapping[int, int]
) -> dict[int, Figures]:
    """Return the figures of credits grouped by a column, and of what was only clicked."""
    found = {row[group]: row for row in credits.values(group).annotate(**_sums()).order_by(group)}
    split: Counter[int] = Counter()
    if any(row["shared"] for row in found.values()):
        for pk, minor in _split(credits, group):
            split[pk] += minor
    return {
        pk: _of_row(membership, found.get(pk, {}), clicks.get(pk, 0), split[pk])
        for pk in sorted({*clicks, *found})
    }


def _split(credits: QuerySet[Credit], group: str = "membership") -> Iterator[tuple[int, int]]:
    """Yield the membership's part of events whose credit is split, negative for what went back, and what it is grouped by."""
    weights = weights_of(credits)
    rows = credits.filter(share__lt=1).values_list(
        group,
        "conversion",
        "membership",
        "conversion__kind",
        "conversion__amount_minor",
        "conversion__currency",
    )
    for at, conversion, membership, kind, minor, currency in rows:
        own = part(minor, currency, conversion=conversion, membership=membership, weights=weights)
        yield at, -own if kind in TAKES_BACK else own


def _sums() -> dict[str, Count | Sum]:
    is_back = Q(conversion__kind__in=TAKES_BACK)
    return {
        "sales": Count("pk", filter=~Q(conversion__kind__in=MOVES)),
        "refunds": Count("pk", filter=is_back),
        "shared": Count("pk", filter=Q(share__lt=1)),
        "sold": Sum("conversion__amount_minor", filter=Q(share=1) & ~is_back),
        "returned": Sum("conversion__amount_minor", filter=Q(share=1) & is_back),
    }


def _of_row(membership: Membership, row: Mapping[str, Any], clicks: int, split: int) -> Figures:
    net = int(row.get("sold") or 0) - int(row.get("returned") or 0) + split
    return Figures(
        clicks=clicks,
        sales=row.get("sales") or 0,
        refunds=row.get("refunds") or 0,
        net=Money(net, membership.program.currency),
    )
