"""Split the amount of an event between those who are credited for it. The parts add up to the amount, by largest remainder over the
shares in the order the credits were written; who only assisted has no part in it.
"""

from __future__ import annotations

from decimal import Decimal

from django.db.models import QuerySet

from prm.lib.money import Money
from referrals.choices import CreditRole
from referrals.models import Credit

Weights = dict[int, dict[int, Decimal]]  # conversion -> membership -> share


def weights_of(credits: QuerySet[Credit]) -> Weights:
    """Return everybody's shares in those events of `credits` whose credit is split; the others are not in it."""
    split = credits.filter(share__lt=1).values("conversion")
    rows = Credit.objects.standing().exclude(role=CreditRole.ASSISTED).filter(conversion__in=split)
    weights: Weights = {}
    for conversion, membership, share in rows.order_by("pk").values_list("conversion", "membership", "share"):
        weights.setdefault(conversion, {})[membership] = share
    return weights


def part(minor: int, currency: str, *, conversion: int, membership: int, weights: Weights) -> int:
    """Return the part of an event's amount that is one membership's, in minor units."""
    shares = weights.get(conversion)
    if shares is None:
        return minor
    parts = Money(minor, currency).allocate(list(shares.values()))
    return parts[list(shares).index(membership)].minor
