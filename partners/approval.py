"""Decide on applications. An application is decided once; a membership exists only through an approval, an invitation or an import,
and nobody decides on their own application."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners import mails, placement
from partners.applications import AlreadyDecided, AlreadyMember, NothingWritten, undecided
from partners.choices import ApplicationState, RejectionReason, TeamRole
from partners.events import MembershipApproved
from partners.models import Acceptance, Application, ApplicationMessage, Member, Membership, Partner
from prm import audit
from prm.accounts import people, policy
from prm.lib.errors import Refused
from prm.lib.events import announce
from tiers.models import Tier

if TYPE_CHECKING:
    from prm.accounts.models import User

__all__ = ["AlreadyDecided", "approve", "ask_for_more", "reject", "start_review"]


class OwnApplication(Refused):
    message = _("Another account manager has to decide on your own application.")


class NoReason(Refused):
    message = _("Choose a reason.")
    field = "reason"


class DateInThePast(Refused):
    message = _("The date from which one may apply again has to lie ahead.")
    field = "reapply_on"


@transaction.atomic
def approve(application: Application, *, tier: Tier, by: User, at: datetime, note: str = "") -> Membership:
    """Turn an application into an active membership standing in `tier`, with an owner who can sign in.

    A mailbox that owns a partner already brings its partner along.

    Raises: Forbidden, AlreadyDecided, OwnApplication, AlreadyMember, placement.OtherProgram.
    """
    application = _to_decide(application, by)
    if tier.program_id != application.program_id:
        raise placement.OtherProgram
    user = _applicant(application, by=by, at=at)
    partner = _partner(application, user, by=by, at=at)
    membership = _membership(application, partner, at=at)
    placement.place(membership, tier=tier, by=by, at=at, because="approved")
    Acceptance.objects.filter(application=application, membership=None).update(membership=membership)
    _decide(application, ApplicationState.APPROVED, by=by, at=at, note=note)
    audit.record(by, "membership.approved", membership, at=at, note=note, application=application)
    mails.approved(application, membership, tier, note=note)
    announce(MembershipApproved(membership.pk))
    return membership


@transaction.atomic
def reject(
    application: Application,
    *,
    reason: str,
    by: User,
    at: datetime,
    note: str = "",
    reapply_on: date | None = None,
) -> Application:
    """Decline an application with a reason the applicant is told.

    Raises: Forbidden, AlreadyDecided, OwnApplication, NoReason, DateInThePast.
    """
    application = _to_decide(application, by)
    if reason not in RejectionReason.values:
        raise NoReason
    if reapply_on is not None and reapply_on <= at.astimezone(application.program.zone).date():
        raise DateInThePast
    application.rejection_reason, application.reapply_on = reason, reapply_on
    _decide(application, ApplicationState.REJECTED, by=by, at=at, note=note)
    audit.record(by, "application.rejected", application, at=at, note=note, reason=reason)
    mails.declined(application, note=note)
    return application


@transaction.atomic
def ask_for_more(application: Application, *, text: str, by: User, at: datetime) -> ApplicationMessage:
    """Ask the applicant something; the application waits for the answer.

    Raises: Forbidden, AlreadyDecided, OwnApplication, NothingWritten.
    """
    application = _to_decide(application, by)
    if not text.strip():
        raise NothingWritten
    message = ApplicationMessage.objects.create(
        application=application, written_at=at, written_by=by, text=text.strip()
    )
    application.state = ApplicationState.INFO_REQUESTED
    application.save(update_fields=["state"])
    audit.record(by, "application.question_asked", application, at=at)
    mails.asked(application, message)
    return message


@transaction.atomic
def start_review(application: Application, *, by: User, at: datetime) -> Application:
    """Note that somebody has begun to look at a newly sent application; any other state stays.

    Raises: Forbidden.
    """
    policy.require(by, "decide_applications")
    fresh = Application.objects.filter(pk=application.pk, state=ApplicationState.SUBMITTED)
    if fresh.update(state=ApplicationState.IN_REVIEW):
        audit.record(by, "application.review_started", application, at=at)
    application.refresh_from_db()
    return application


def _to_decide(application: Application, by: User) -> Application:
    policy.require(by, "decide_applications")
    locked = undecided(application)
    if locked.email_folded == by.email_folded:
        raise OwnApplication
    return locked


def _decide(application: Application, state: ApplicationState, *, by: User, at: datetime, note: str) -> None:
    application.state, application.decision_note = state, note
    application.decided_at, application.decided_by = at, by
    application.save(
        update_fields=[
            "state",
            "decision_note",
            "decided_at",
            "decided_by",
            "rejection_reason",
            "reapply_on",
        ]
    )


def _applicant(application: Application, *, by: User, at: datetime) -> User:
    return people.open_account(
        email=application.email,
        at=at,
        by=by,
        full_name=application.full_name,
        language=application.language,
        time_zone=application.program.time_zone,
        proven=application.email_confirmed_at is not None,
    )


def _partner(application: Application, user: User, *, by: User, at: datetime) -> Partner:
    place = Member.objects.current().filter(user=user, role=TeamRole.OWNER).select_related("partner")
    owned = place.order_by("pk").first()
    if owned is not None:
        return owned.partner
    partner = Partner.objects.create(
        name=application.company or application.full_name,
        website=application.website,
        email=application.email,
        phone=application.phone,
        country=application.country,
        language=application.language,
        account_manager=by,
    )
    Member.objects.create(partner=partner, user=user, role=TeamRole.OWNER, joined_at=at)
    return partner


def _membership(application: Application, partner: Partner, *, at: datetime) -> Membership:
    try:
        with transaction.atomic():
            return Membership.objects.create(
                partner=partner, program=application.program, application=application, joined_at=at
            )
    except IntegrityError:
        raise AlreadyMember(_("This partner is in the program already.")) from None
