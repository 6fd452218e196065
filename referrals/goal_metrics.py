"""Goals of business plans that no tier asks for, read from credits: subscribers are sign-ups somebody is credited with, counted as sales are.
What was declined, corrected or only assisted counts nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction

from django.db.models import Count, QuerySet

from partners.business_plans.measuring import learn_goal
from partners.metrics import Asked, EvidenceRow, Group
from referrals import performance
from referrals.models import Credit
from tiers.choices import EventKind
from tiers.qualify import Figure


def learn() -> None:
    """Let business plans aim at what this app knows and no tier asks for."""
    learn_goal("subscribers", subscribers, rows=subscriber_rows)


def subscribers(group: Group, question: Asked) -> Mapping[int, Figure]:
    """Return how many sign-ups each membership of the group brought, in one query."""
    found = _sign_ups(question.since, question.until).filter(
        membership__program=group.program, membership__gte=group.first, membership__lte=group.last
    )
    counted = found.values("membership").annotate(count=Count("pk")).order_by("membership")
    return {row["membership"]: Figure(Fraction(row["count"]), row["count"]) for row in counted}


def subscriber_rows(membership_id: int, question: Asked) -> Iterator[EvidenceRow]:
    """Yield the sign-ups of one membership, each counting for one."""
    found = _sign_ups(question.since, question.until).filter(membership=membership_id)
    for public_id, at in found.order_by("occurred_at", "pk").values_list(
        "conversion__public_id", "occurred_at"
    ):
        yield EvidenceRow(public_id, at, Fraction(1))


def _sign_ups(since: datetime | None, until: datetime) -> QuerySet[Credit]:
    return performance.counting(since=since, until=until).filter(conversion__kind=EventKind.SIGNUP)
