"""Give every active membership a first link and a first code. It happens once: a link or code that was switched off is not replaced."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from partners.choices import MembershipState
from partners.models import Membership
from referrals import codes, links

SWEEP_AT_ONCE = 200


@transaction.atomic
def first_link_and_code(membership_id: int, *, at: datetime) -> bool:
    """Make what the membership has never had of a link and a code; say whether anything was missing."""
    membership = Membership.objects.lock().select_related("partner", "program").get(pk=membership_id)
    if membership.state != MembershipState.ACTIVE or membership.ended_at is not None:
        return False
    without_link = not membership.links.exists()
    without_code = not membership.codes.exists()
    if without_link:
        links.make(membership, label=membership.partner.name[: links.LONGEST_LABEL], at=at)
    if without_code:
        codes.make(membership, at=at)
    return without_link or without_code


def sweep(*, at: datetime) -> int:
    """Welcome memberships whose bell was lost; return how many there were."""
    waiting = (
        Membership.objects.active()
        .filter(Q(links=None) | Q(codes=None), ended_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
        .distinct()[:SWEEP_AT_ONCE]
    )
    return sum(first_link_and_code(pk, at=at) for pk in list(waiting))
