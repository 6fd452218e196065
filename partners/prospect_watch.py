"""Notice what prospects do by themselves: whoever applies or joins with the mailbox of an open prospect moves it on, and who introduced
them is named on the application before anybody decides on it."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import OuterRef, Q, Subquery

from partners import prospects
from partners.choices import MembershipState, ProspectStage
from partners.models import Application, Membership, Prospect

_LIVING = (MembershipState.ONBOARDING, MembershipState.ACTIVE, MembershipState.SUSPENDED)
_BEFORE_APPLIED = (
    ProspectStage.IDENTIFIED,
    ProspectStage.CONTACTED,
    ProspectStage.IN_TALKS,
    ProspectStage.INVITED,
)


def follow(*, at: datetime) -> int:
    """Move every open prospect on that has applied or joined, and return how many moved."""
    return _applied(at=at) + _joined(at=at)


def _applied(*, at: datetime) -> int:
    counting = Application.objects.counting().filter(
        program=OuterRef("program"),
        email_folded=OuterRef("email_folded"),
        submitted_at__gt=OuterRef("created_at"),
    )
    found = Prospect.objects.filter(stage__in=_BEFORE_APPLIED, program__isnull=False).exclude(email_folded="")
    newest = counting.order_by("-pk").values("pk")[:1]
    moved = 0
    rows = found.annotate(applied_by=Subquery(newest)).filter(applied_by__isnull=False)
    for prospect in rows.order_by("pk"):
        application_id: int = prospect.applied_by  # type: ignore[attr-defined]
        moved += prospects.advance(
            prospect.pk, ProspectStage.APPLIED, by=None, at=at, application_id=application_id
        )
        if prospect.introducer_id is not None:
            unnamed = Application.objects.undecided().filter(pk=application_id, introducer=None)
            unnamed.update(introducer=prospect.introducer_id)
    return moved


def _joined(*, at: datetime) -> int:
    by_person = Membership.objects.filter(
        program=OuterRef("program"),
        partner__members__user__email_folded=OuterRef("email_folded"),
        partner__members__ended_at=None,
        state__in=_LIVING,
    )
    rows = (
        Prospect.objects.open()
        .filter(program__isnull=False)
        .exclude(email_folded="")
        .annotate(joined_as=Subquery(by_person.order_by("-pk").values("pk")[:1]))
        .filter(joined_as__isnull=False)
    )
    moved = 0
    for prospect in rows.order_by("pk"):
        membership = Membership.objects.get(pk=prospect.joined_as)  # type: ignore[attr-defined]
        moved += prospects.advance(prospect.pk, ProspectStage.JOINED, by=None, at=at, membership=membership)
    return moved


def overdue(day: date) -> Q:
    """Return what makes a prospect's next touch overdue on `day`."""
    return Q(next_touch_on__lt=day) & ~Q(stage__in=[ProspectStage.JOINED, ProspectStage.LOST])
