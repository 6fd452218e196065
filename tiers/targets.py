"""What the house would like a partner of a tier to bring in a year. Business plans begin with these figures; nothing is judged by them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program, Tier, TierTarget
from tiers.qualify import METRICS, Unit

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from prm.accounts.models import User

CAPABILITY = "manage_tiers"
# What a business plan can aim at; the goals of plans are checked against the same names.
GOALS: Mapping[str, str | Promise] = {
    "net_revenue": _("Net revenue"),
    "sales": _("Sales"),
    "new_customers": _("New customers"),
    "qualified_leads": _("Qualified leads"),
    "subscribers": _("Subscribers"),
    "certified_count": _("Certified people"),
    "activities": _("Activities together"),
}
LARGEST = 10**15


class NotATarget(Refused):
    message = _("A target is a whole number, not below 0.")


class UnknownGoal(Refused):
    message = _("This cannot be aimed at.")


def is_money(metric: str) -> bool:
    """Say whether a goal is an amount, kept in minor units."""
    known = METRICS.get(metric)
    return known is not None and known.unit is Unit.MONEY


def of(tier: Tier) -> dict[str, int]:
    """Return the targets of a tier by goal, in the order of the list."""
    found = dict(TierTarget.objects.filter(tier=tier).values_list("metric", "target"))
    return {metric: found[metric] for metric in GOALS if metric in found}


def of_program(program: Program) -> dict[int, dict[str, int]]:
    """Return the targets of every tier of a program, by the tier's id, in one query."""
    found: dict[int, dict[str, int]] = {}
    for tier_id, metric, target in TierTarget.objects.filter(tier__program=program).values_list(
        "tier", "metric", "target"
    ):
        found.setdefault(tier_id, {})[metric] = target
    return found


@transaction.atomic
def write(tier: Tier, targets: Mapping[str, int | None], *, by: User, at: datetime) -> dict[str, int]:
    """Set the targets of a tier for a year; None takes one away, and goals that are not named stay as they are.

    Raises: Forbidden, UnknownGoal, NotATarget.
    """
    policy.require(by, CAPABILITY)
    for metric, target in targets.items():
        if metric not in GOALS:
            raise UnknownGoal(field=metric)
        if target is not None and not 0 <= target <= LARGEST:
            raise NotATarget(field=metric)
    Tier.objects.select_for_update(no_key=True).values_list("pk").get(pk=tier.pk)
    before = of(tier)
    changed = {metric: target for metric, target in targets.items() if before.get(metric) != target}
    for metric, target in changed.items():
        if target is None:
            TierTarget.objects.filter(tier=tier, metric=metric).delete()
        else:
            TierTarget.objects.update_or_create(tier=tier, metric=metric, defaults={"target": target})
    if changed:
        audit.record(by, "tier.targets_set", tier, at=at, targets=changed)
    return of(tier)
