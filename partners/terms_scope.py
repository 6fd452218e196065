"""For whom a version of terms is: who stands in a tier with terms of its own has those, everybody else the program's. Whoever moves between
tiers is released from what no longer holds there."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from partners import leaving
from partners.choices import Consequence, SanctionReason, TermsState
from partners.events import TermsAccepted
from partners.models import Membership, Placement, Suspension, TermsNotice, TermsVersion
from prm import audit
from prm.lib.events import announce


def members_of(version: TermsVersion, *, at: datetime) -> QuerySet[Membership]:
    """Return the memberships a version holds for by the tier they stand in at `at`."""
    members = Membership.objects.filter(program=version.program_id)
    if version.tier_id is not None:
        return members.filter(Exists(_standing(at, "pk").filter(tier=version.tier_id)))
    return members.exclude(Exists(_standing(at, "pk").filter(tier__in=_with_own().values("tier"))))


def overtaken(*, at: datetime, membership_id: int | None = None) -> QuerySet[TermsNotice]:
    """Return the notices nobody has to answer any more, because the membership stands where other terms hold."""
    here = _standing(at, "membership")
    moved_away = Q(terms_version__tier__isnull=False) & ~Exists(
        here.filter(tier=OuterRef("terms_version__tier"))
    )
    has_own = Q(terms_version__tier=None) & Exists(here.filter(tier__in=_with_own().values("tier")))
    found = TermsNotice.objects.filter(settled_at=None, membership__ended_at=None).filter(
        moved_away | has_own
    )
    return found if membership_id is None else found.filter(membership=membership_id)


def release(*, at: datetime, membership_id: int | None = None) -> int:
    """Let go what is overtaken, for one membership or for all, with what was held back for it; return how many notices that were."""
    found = overtaken(at=at, membership_id=membership_id).order_by("membership_id", "pk")
    return sum(_release(pk, membership, at=at) for pk, membership in found.values_list("pk", "membership"))


@transaction.atomic
def _release(notice_id: int, membership_id: int, *, at: datetime) -> bool:
    membership = Membership.objects.lock().select_related("program", "partner").get(pk=membership_id)
    # Asked again under the lock: somebody may have moved it back.
    notice = overtaken(at=at, membership_id=membership_id).filter(pk=notice_id).first()
    if notice is None or not TermsNotice.objects.filter(pk=notice_id, settled_at=None).update(settled_at=at):
        return False
    audit.record(None, "terms.overtaken", membership, at=at, version=notice.terms_version.public_id)
    if notice.overdue_at is not None:
        _let_go_on(membership, at=at)
        announce(TermsAccepted(membership.pk))
    return True


def _let_go_on(membership: Membership, *, at: datetime) -> None:
    suspended = Suspension.objects.filter(
        membership=membership, lifted_at=None, reason=SanctionReason.TERMS_NOT_ACCEPTED
    )
    others = TermsNotice.objects.filter(
        membership=membership,
        settled_at=None,
        overdue_at__isnull=False,
        terms_version__consequence=Consequence.SUSPENDED,
    )
    if suspended.exists() and not others.exists():
        leaving.reinstate(membership, by=None, at=at)


def _standing(at: datetime, membership: str) -> QuerySet[Placement]:
    return Placement.objects.in_force(at=at).filter(membership=OuterRef(membership))


def _with_own() -> QuerySet[TermsVersion]:
    """Return the versions that make a tier have terms of its own."""
    published = TermsVersion.objects.exclude(state=TermsState.DRAFT).filter(tier__isnull=False)
    return published.order_by()
