"""When memberships earn nothing: while they are suspended, and from the moment their announced end comes. Read for many at once in one
query, so that nobody has to ask for each event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from partners.models import Ending, Suspension

Gap = tuple[datetime, datetime | None]
"""From when until when, the end excluded; nothing for without end."""


def gaps_of(membership_ids: Collection[int]) -> dict[int, tuple[Gap, ...]]:
    """Return the gaps of those memberships that have any."""
    if not membership_ids:
        return {}
    suspended = Suspension.objects.filter(membership__in=membership_ids)
    # An end counts from its moment on, also in the minute before a sweep carries it out; until then nobody cancelled it.
    leaving = Ending.objects.waiting().filter(membership__in=membership_ids)
    rows = suspended.values_list("membership_id", "suspended_at", "lifted_at").union(
        leaving.values_list("membership_id", "effective_at", "cancelled_at"), all=True
    )
    found: dict[int, list[Gap]] = {}
    for membership_id, starts_at, ends_at in rows:
        found.setdefault(membership_id, []).append((starts_at, ends_at))
    return {membership_id: tuple(gaps) for membership_id, gaps in found.items()}


def is_in_a_gap(gaps: Sequence[Gap], at: datetime) -> bool:
    """Say whether a moment lies in one of the gaps."""
    return any(starts_at <= at and (ends_at is None or at < ends_at) for starts_at, ends_at in gaps)
