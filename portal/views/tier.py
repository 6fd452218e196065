"""Put a partner's tier and the way to the next one into words. The figure is credited revenue of the last twelve months, which is
what tiers ask for; a person still decides on the move.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from partners.models import Membership, Placement
from portal.formats import active_locale
from portal.views.pages import TierCard
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month, local_day, start_of_day
from referrals import performance
from tiers.models import Tier


@dataclass(frozen=True)
class Standing:
    """The tier a membership stands in, and the next one up."""

    tier: Tier
    above: Tier | None


def standing(membership: Membership, *, at: datetime) -> Standing | None:
    """Return where the membership stands; nothing for one in no tier."""
    here = Placement.objects.in_force(at=at).filter(membership=membership, tier=OuterRef("pk"))
    tiers = list(Tier.objects.filter(program=membership.program).by_rank().annotate(is_here=Exists(here)))
    place = next((index for index, tier in enumerate(tiers) if tier.is_here), None)
    if place is None:
        return None
    return Standing(tiers[place], next(iter(tiers[place + 1 :]), None))


def card(membership: Membership, found: Standing | None, *, at: datetime) -> TierCard | None:
    """Return the card of the tier and of the one above it."""
    if found is None:
        return None
    tier, above = found.tier, found.above
    if above is None:
        return TierCard(
            title=_("%(tier)s, the highest tier") % {"tier": tier.name},
            value=0,
            goal=0,
            text="",
            benefits=tier.benefits,
        )
    currency = membership.program.currency
    revenue = performance.net_of(membership, since=twelve_months_before(at, membership), until=at)
    goal = Money(above.revenue_from_minor, currency)
    return TierCard(
        title=_("%(tier)s, on the way to %(next)s") % {"tier": tier.name, "next": above.name},
        value=max(0, min(revenue.minor, goal.minor)),
        goal=goal.minor,
        text=_progress_text(revenue, goal, above),
        benefits=above.benefits,
    )


def twelve_months_before(at: datetime, membership: Membership) -> datetime:
    """Return the first instant of the local day twelve months ago."""
    zone = membership.program.zone
    today = local_day(at, zone)
    back = Month(today.year - 1, today.month)
    return start_of_day(back.first_on.replace(day=min(today.day, back.last_on.day)), zone)


def _progress_text(revenue: Money, goal: Money, above: Tier) -> str:
    params = {
        "revenue": l10n.money_text(revenue, active_locale()),
        "goal": l10n.money_text(goal, active_locale()),
        "next": above.name,
    }
    if revenue >= goal:
        return (
            _("%(revenue)s of %(goal)s: enough for %(next)s. Your account manager decides on the move.")
            % params
        )
    params["rest"] = l10n.money_text(goal - revenue, active_locale())
    return _("%(revenue)s of %(goal)s. %(rest)s to go.") % params
