"""Decide a membership's tier by hand until a day. Reviews go on meanwhile for information, and when the day is over the membership is looked
at like all others: it rises by a proposal, or falls by notice and grace."""

from __future__ import annotations

import logging
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners import mails_tiers, placement, tier_cases
from partners.choices import OverrideKind
from partners.models import Membership, Placement, TierOverride
from partners.own_team import refuse_own
from partners.tier_reviews import cases, decisions, rounds
from prm import audit
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.errors import Refused
from tiers import schemes
from tiers.models import Tier

if TYPE_CHECKING:
    from prm.accounts.models import User

logger = logging.getLogger(__name__)


class NoTier(Refused):
    message = _("The membership stands in no tier.")


class Ended(Refused):
    message = _("This decision has ended already.")


def holding(*, at: datetime) -> QuerySet[TierOverride]:
    """Return the decisions by hand that hold at `at`."""
    return TierOverride.objects.filter(ended_at=None, made_at__lte=at, expires_at__gt=at)


@transaction.atomic
def override(
    membership: Membership, *, tier: Tier, reason: str, until: date, by: User, at: datetime
) -> TierOverride:
    """Let a membership stand in `tier` from now to the end of the day `until`, whatever reviews find.

    A decision that held before ends, and an open review is overtaken. The tier may be the one it stands in.

    Raises: Forbidden, OwnTeam, NotAhead, ReasonMissing, ReasonTooLong, NoTier, and what `placement.place` refuses.
    """
    policy.require(by, "place_in_tiers")
    refuse_own(membership.partner_id, by)
    reason = cases.checked(reason, needed=True, field="reason", most=decisions.LONGEST_REASON)
    held = Membership.objects.lock().select_related("partner", "program").get(pk=membership.pk)
    expires_at = decisions.end_of(until, held.program.zone, at=at)
    before = Placement.objects.open().filter(membership=held).select_related("tier").first()
    if before is None:
        raise NoTier
    if before.tier_id != tier.pk:
        kept = _kept(held, before.tier, tier, at=at)
        placement.place(held, tier=tier, by=by, at=at, because=reason, **kept)
    tier_cases.lapse(held, by=by, at=at, because="override")
    tier_cases.end_overrides(held, by=by, at=at)
    made = TierOverride.objects.create(
        membership=held,
        kind=OverrideKind.OVERRIDE,
        tier=tier,
        reason=reason,
        made_at=at,
        made_by=by,
        expires_at=expires_at,
    )
    audit.record(by, "tier_override.made", made, at=at, note=reason, tier=tier.key, until=expires_at)
    mails_tiers.overridden(made)
    return made


@transaction.atomic
def end(override: TierOverride, *, by: User, at: datetime) -> TierOverride:
    """End a decision by hand, or a waiver, before its day: the membership is looked at like all others at once.

    Raises: Forbidden, Ended.
    """
    policy.require(by, "place_in_tiers")
    return _end(override, by=by, at=at)


def expire_due(*, at: datetime) -> int:
    """End what was decided by hand until a day that is over, and look at those memberships; return how many ended."""
    due = TierOverride.objects.filter(ended_at=None, expires_at__lte=at).order_by("membership_id", "pk")
    return sum(persistently(partial(_expire, row, at=at)) for row in due.select_related("membership"))


@transaction.atomic
def _expire(row: TierOverride, *, at: datetime) -> bool:
    try:
        _end(row, by=None, at=at)
    except Refused as refusal:
        logger.info("Override %s stays: %s", row.public_id, refusal)
        return False
    return True


def _end(row: TierOverride, *, by: User | None, at: datetime) -> TierOverride:
    membership = Membership.objects.lock().select_related("partner", "program").get(pk=row.membership_id)
    ended = TierOverride.objects.filter(pk=row.pk, ended_at=None).update(
        ended_at=at if by is not None else row.expires_at, ended_by=by
    )
    if not ended:
        raise Ended
    row.refresh_from_db()
    audit.record(by, "tier_override.ended", row, at=at)
    rounds.look_at_one(membership, at=at)
    return row


def _kept(membership: Membership, before: Tier, tier: Tier, *, at: datetime) -> dict[str, Any]:
    """Return how customers from before keep their terms when a person lets a membership fall."""
    row = schemes.in_force(membership.program, at=at)
    if row is None or not placement.is_fall(before, tier):
        return {}
    process = schemes.scheme_of(row).process
    return decisions.grandfathering(process, membership.program.zone, at=at)
