"""Introduce two partners to each other. Each side says yes or no alone and sees the other's name and the reason; names and addresses of
people are passed on when both have said yes, and never before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partners import mails_outreach
from partners.choices import IntroductionState, ProspectStage, TeamRole
from partners.models import Introduction, Member, Partner, Prospect
from partners.team import NotYours
from prm import audit
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

WISHES_A_DAY = 5
LONGEST_TEXT = 2000


class SamePartner(Refused):
    message = _("Choose two different partners.")
    field = "second"


class NoReason(Refused):
    message = _("Say why they should meet: both read it.")
    field = "reason"


class NobodyThere(Refused):
    message = _("Nobody signs in for one of the partners, so nobody could answer.")


class AlreadyProposed(Refused):
    message = _("An introduction of these two waits for their answers already.")
    field = "second"


class NotOpen(Refused):
    message = _("This introduction is closed.")


class NothingWritten(Refused):
    message = _("Say whom you would like to meet.")
    field = "text"


class TooMany(Refused):
    message = _("You have asked %(count)s times within a day. Go on tomorrow.")


@dataclass(frozen=True)
class Balance:
    """What a partner and we have done for each other by introducing people."""

    met: int
    waiting: int
    brought: int
    brought_joined: int


@transaction.atomic
def propose(first: Partner, second: Partner, *, reason: str, by: User, at: datetime) -> Introduction:
    """Ask the owners of two partners whether they want to meet.

    Raises: Forbidden, SamePartner, NoReason, NobodyThere, AlreadyProposed.
    """
    policy.require(by, "manage_prospects")
    if first.pk == second.pk:
        raise SamePartner
    reason = reason.strip()[:LONGEST_TEXT]
    if not reason:
        raise NoReason
    first, second = sorted((first, second), key=lambda partner: partner.pk)  # one pair, however it is named
    if not (_owners(first).exists() and _owners(second).exists()):
        raise NobodyThere
    try:
        with transaction.atomic():
            made = Introduction.objects.create(
                first=first, second=second, reason=reason, proposed_at=at, proposed_by=by
            )
    except IntegrityError:
        raise AlreadyProposed from None
    audit.record(by, "introduction.proposed", made, at=at, first=first.public_id, second=second.public_id)
    mails_outreach.meeting_proposed(made)
    return made


@transaction.atomic
def answer(
    introduction: Introduction, *, partner: Partner, wants: bool, by: User, at: datetime
) -> Introduction:
    """Say yes or no for one side; the second yes makes the introduction, and the mails with it.

    Raises: NotYours, NotOpen.
    """
    if not _owners(partner).filter(user=by).exists():
        raise NotYours
    # Whoever answers second finds what the first said, so exactly one of two at once makes the introduction.
    rows = Introduction.objects.select_for_update(of=("self",)).select_related("first", "second")
    locked = rows.get(pk=introduction.pk)
    if partner.pk not in (locked.first_id, locked.second_id):
        raise NotYours
    if locked.state != IntroductionState.PROPOSED:
        raise NotOpen
    if not wants:
        locked.state, locked.closed_at = IntroductionState.DECLINED, at
        locked.save(update_fields=["state", "closed_at"])
        audit.record(by, "introduction.declined", locked, at=at, partner=partner.public_id)
        return locked
    if partner.pk == locked.first_id and locked.first_agreed_at is None:
        locked.first_agreed_at, locked.first_agreed_by = at, by
    if partner.pk == locked.second_id and locked.second_agreed_at is None:
        locked.second_agreed_at, locked.second_agreed_by = at, by
    audit.record(by, "introduction.agreed", locked, at=at, partner=partner.public_id)
    if locked.first_agreed_at is not None and locked.second_agreed_at is not None:
        locked.state, locked.closed_at = IntroductionState.INTRODUCED, at
        audit.record(by, "introduction.made", locked, at=at)
        mails_outreach.meeting_made(locked)
    locked.save()
    return locked


@transaction.atomic
def withdraw(introduction: Introduction, *, by: User, at: datetime) -> Introduction:
    """Take an introduction back that waits for answers.

    Raises: Forbidden, NotOpen.
    """
    policy.require(by, "manage_prospects")
    waiting = Introduction.objects.filter(pk=introduction.pk, state=IntroductionState.PROPOSED)
    if not waiting.update(state=IntroductionState.WITHDRAWN, closed_at=at):
        raise NotOpen
    introduction.refresh_from_db()
    audit.record(by, "introduction.withdrawn", introduction, at=at)
    return introduction


@transaction.atomic
def wish(partner: Partner, *, text: str, by: User, at: datetime) -> None:
    """Pass on to staff whom a partner would like to meet; that `by` may speak for it is checked here.

    Raises: NotYours, NothingWritten, TooMany.
    """
    if not _owners(partner).filter(user=by).exists():
        raise NotYours
    text = text.strip()[:LONGEST_TEXT]
    if not text:
        raise NothingWritten
    Partner.objects.lock().get(pk=partner.pk)  # one wish after the other, so that the limit holds
    asked = AuditEvent.objects.filter(
        action="introduction.wished",
        object_type=Partner._meta.label_lower,
        object_pk=str(partner.pk),
        at__gt=at - timedelta(days=1),
    )
    if asked.count() >= WISHES_A_DAY:
        raise TooMany(params={"count": WISHES_A_DAY})
    audit.record(by, "introduction.wished", partner, at=at)
    mails_outreach.meeting_wished(partner, text=text, by=by, at=at)


def of(partner: Partner) -> QuerySet[Introduction]:
    """Return the introductions a partner takes part in, the newest first; those we took back are gone."""
    found = Introduction.objects.filter(Q(first=partner) | Q(second=partner))
    shown = found.exclude(state=IntroductionState.WITHDRAWN)
    return shown.select_related("first", "second").order_by("-proposed_at", "-pk")


def balance(partner: Partner) -> Balance:
    """Return what a partner got and gave by introductions."""
    met = Introduction.objects.filter(Q(first=partner) | Q(second=partner))
    brought = Prospect.objects.filter(introducer__partner=partner)
    return Balance(
        met=met.filter(state=IntroductionState.INTRODUCED).count(),
        waiting=met.filter(state=IntroductionState.PROPOSED).count(),
        brought=brought.count(),
        brought_joined=brought.filter(stage=ProspectStage.JOINED).count(),
    )


def _owners(partner: Partner) -> QuerySet[Member]:
    return Member.objects.current().filter(partner=partner, role=TeamRole.OWNER, user__is_active=True)
