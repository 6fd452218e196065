"""Count what links, codes and memberships brought: clicks, sales, refunds and the net amount sold. What was earned by it is for payouts
to say; a refund that was declined counts nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from partners.models import Membership
from prm.lib.money import Money
from referrals.choices import ConversionState
from referrals.models import Click, Credit
from tiers.choices import EventKind


@dataclass(frozen=True)
class Figures:
    """What was brought in an interval; `net` is sales less refunds, at the customers' prices."""

    clicks: int
    sales: int
    refunds: int
    net: Money


def of_membership(membership: Membership, *, since: datetime, until: datetime) -> Figures:
    """Return the figures of a membership from `since` until before `until`."""
    clicks = _clicks(membership, since=since, until=until).count()
    found = _credits(membership, since=since, until=until).aggregate(**_sums())
    return _figures(membership, clicks, found)


def net_of(membership: Membership, *, since: datetime, until: datetime) -> Money:
    """Return what a membership sold from `since` until before `until`, less refunds, at the customers' prices."""
    found = _credits(membership, since=since, until=until).aggregate(**_sums())
    return _figures(membership, 0, found).net


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
    found = {
        row["click__link"]: row
        for row in rows.values("click__link").annotate(**_sums()).order_by("click__link")
    }
    return {
        pk: _figures(membership, clicks.get(pk, 0), found.get(pk, {})) for pk in sorted({*clicks, *found})
    }


def per_code(membership: Membership, *, since: datetime, until: datetime) -> dict[int, Figures]:
    """Return the figures of each code that was used, by its primary key."""
    rows = _credits(membership, since=since, until=until).exclude(code=None)
    grouped = rows.values("code").annotate(**_sums()).order_by("code")
    return {row["code"]: _figures(membership, 0, row) for row in grouped}


def _clicks(membership: Membership, *, since: datetime, until: datetime) -> QuerySet[Click]:
    return Click.objects.filter(link__membership=membership, clicked_at__gte=since, clicked_at__lt=until)


def _credits(membership: Membership, *, since: datetime, until: datetime) -> QuerySet[Credit]:
    return Credit.objects.filter(
        membership=membership, occurred_at__gte=since, occurred_at__lt=until
    ).exclude(conversion__state=ConversionState.REJECTED)


def _sums() -> dict[str, Count | Sum]:
    is_refund = Q(conversion__kind=EventKind.REFUND)
    return {
        "sales": Count("pk", filter=~is_refund),
        "refunds": Count("pk", filter=is_refund),
        "sold": Sum("conversion__amount_minor", filter=~is_refund),
        "returned": Sum("conversion__amount_minor", filter=is_refund),
    }


def _figures(membership: Membership, clicks: int, row: Mapping[str, Any]) -> Figures:
    net = int(row.get("sold") or 0) - int(row.get("returned") or 0)
    return Figures(
        clicks=clicks,
        sales=row.get("sales") or 0,
        refunds=row.get("refunds") or 0,
        net=Money(net, membership.program.currency),
    )
