"""Notice what prospects do by themselves: whoever applies or joins with the mailbox of an open prospect moves it on. Who introduced them is
named on the application before anybody decides on it, and on the membership whenever it was not."""

from __future__ import annotations

import logging
from datetime import date, datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from partners import prospects, recruiting
from partners.choices import MembershipState, ProspectStage
from partners.models import Application, Member, Membership, Prospect
from prm.lib.errors import Refused

log = logging.getLogger(__name__)

_LIVING = (MembershipState.ONBOARDING, MembershipState.ACTIVE, MembershipState.SUSPENDED)
_BEFORE_APPLIED = (
    ProspectStage.IDENTIFIED,
    ProspectStage.CONTACTED,
    ProspectStage.IN_TALKS,
    ProspectStage.INVITED,
)


def follow(*, at: datetime) -> int:
    """Move every open prospect on that has applied or joined, and return how many moved."""
    return _applied(Prospect.objects.all(), at=at) + _joined(Prospect.objects.all(), at=at)


def follow_application(application_id: int, *, at: datetime) -> int:
    """Move the prospects on whose mailbox has applied."""
    application = Application.objects.get(pk=application_id)
    return _applied(
        Prospect.objects.filter(program=application.program_id, email_folded=application.email_folded), at=at
    )


def follow_membership(membership_id: int, *, at: datetime) -> int:
    """Move the prospects on whose mailbox has joined."""
    membership = Membership.objects.get(pk=membership_id)
    team = Member.objects.current().filter(partner=membership.partner_id)
    mailboxes = list(team.values_list("user__email_folded", flat=True))
    return _joined(Prospect.objects.filter(program=membership.program_id, email_folded__in=mailboxes), at=at)


def overdue(day: date) -> Q:
    """Return what makes the next touch of a prospect overdue on `day`."""
    return Q(next_touch_on__lt=day) & ~Q(stage__in=[ProspectStage.JOINED, ProspectStage.LOST])


def _applied(among: QuerySet[Prospect], *, at: datetime) -> int:
    counting = Application.objects.counting().filter(
        program=OuterRef("program"),
        email_folded=OuterRef("email_folded"),
        submitted_at__gt=OuterRef("created_at"),
    )
    newest = Subquery(counting.order_by("-pk").values("pk")[:1])
    rows = among.filter(stage__in=_BEFORE_APPLIED, program__isnull=False).exclude(email_folded="")
    moved = 0
    for prospect in rows.annotate(applied_by=newest).filter(applied_by__isnull=False).order_by("pk"):
        application_id: int = prospect.applied_by
        moved += prospects.advance(
            prospect.pk, ProspectStage.APPLIED, by=None, at=at, application_id=application_id
        )
        if prospect.introducer_id is not None:
            unnamed = Application.objects.undecided().filter(pk=application_id, introducer=None)
            unnamed.update(introducer=prospect.introducer_id)
    return moved


def _joined(among: QuerySet[Prospect], *, at: datetime) -> int:
    by_person = Membership.objects.filter(
        program=OuterRef("program"),
        partner__members__user__email_folded=OuterRef("email_folded"),
        partner__members__ended_at=None,
        state__in=_LIVING,
    )
    newest = Subquery(by_person.order_by("-pk").values("pk")[:1])
    rows = among.exclude(stage__in=[ProspectStage.JOINED, ProspectStage.LOST]).exclude(email_folded="")
    moved = 0
    for prospect in rows.annotate(joined_as=newest).filter(joined_as__isnull=False).order_by("pk"):
        membership = Membership.objects.get(pk=prospect.joined_as)
        moved += prospects.advance(prospect.pk, ProspectStage.JOINED, by=None, at=at, membership=membership)
        _name_recruiter(membership, prospect, at=at)
    return moved


def _name_recruiter(membership: Membership, prospect: Prospect, *, at: datetime) -> None:
    """Let who introduced somebody earn what the plan's override says, when joining has not named anybody yet."""
    above = prospect.introducer
    came_after = membership.joined_at >= prospect.created_at
    if above is None or membership.recruiter_id is not None or not came_after:
        return
    if above.partner_id == membership.partner_id:
        return
    try:
        recruiting.name_recruiter(membership, above, by=None, at=at)
    except Refused as refusal:  # not active any more, or in another program: then nobody recruited it
        log.info("No recruiter is named for membership %s: %s", membership.pk, refusal.code)
