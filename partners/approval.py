"""Decide on applications. An application is decided once; a membership exists only through an approval, an invitation or an import,
and nobody decides on their own application."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners import joining, mails_decisions, placement
from partners.applications import AlreadyDecided, NothingWritten, undecided
from partners.choices import ApplicationState, RejectionReason
from partners.joining import Newcomer, join
from partners.models import Application, ApplicationMessage, EligibilityRule, Membership
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Tier

if TYPE_CHECKING:
    from prm.accounts.models import User

__all__ = ["AlreadyDecided", "approve", "ask_for_more", "reject", "start_review"]


class OwnApplication(Refused):
    message = _("Another account manager has to decide on your own application.")


class NotConfirmed(Refused):
    message = _("The applicant has not confirmed the e-mail address yet.")


class NoReason(Refused):
    message = _("Choose a reason.")
    field = "reason"


class DateInThePast(Refused):
    message = _("The date from which one may apply again has to lie ahead.")
    field = "reapply_on"


@transaction.atomic
def approve(
    application: Application,
    *,
    tier: Tier,
    by: User,
    at: datetime,
    note: str = "",
    rule: EligibilityRule | None = None,
) -> Membership:
    """Turn an application into an active membership standing in `tier`, with an owner who can sign in.

    A mailbox that owns a partner already brings its partner along. Who was assigned looks after the partner from now on. `rule` is
    given when a rule decides; then `by` is who switched it on.

    Raises: Forbidden, AlreadyDecided, NotConfirmed, OwnApplication, AlreadyMember, AccountClosed,
        placement.OtherProgram.
    """
    policy.require(by, "decide_applications")
    if tier.program_id != application.program_id:
        raise placement.OtherProgram
    joining.lock_introducer(application.introducer_id)
    application = _to_decide(application, by)
    if application.counts_since is None:
        raise NotConfirmed
    membership = join(
        application.program,
        person=_newcomer(application),
        tier=tier,
        by=by,
        at=at,
        because="approved",
        application=application,
        introducer=application.introducer,
        manager=application.manager,
    )
    _decide(application, ApplicationState.APPROVED, by=by, at=at, note=note, rule=rule)
    audit.record(by, "application.approved", application, at=at, note=note, tier=tier.key, rule=rule)
    mails_decisions.approval(application, tier, note=note, at=at).send()
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
    rule: EligibilityRule | None = None,
) -> Application:
    """Decline an application with a reason the applicant is told.

    `rule` is given when a rule decides; then `by` is who switched it on, and the mail says how to reach a person.

    Raises: Forbidden, AlreadyDecided, OwnApplication, NoReason, DateInThePast.
    """
    application = _to_decide(application, by)
    if reason not in RejectionReason.values:
        raise NoReason
    if reapply_on is not None and reapply_on <= at.astimezone(application.program.zone).date():
        raise DateInThePast
    application.rejection_reason, application.reapply_on = reason, reapply_on
    _decide(application, ApplicationState.REJECTED, by=by, at=at, note=note, rule=rule)
    audit.record(by, "application.rejected", application, at=at, note=note, reason=reason, rule=rule)
    mails_decisions.refusal(
        application, reason=reason, reapply_on=reapply_on, note=note, by_rule=rule is not None
    ).send()
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
    mails_decisions.question(application, message, text=message.text).send()
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


def _decide(
    application: Application,
    state: ApplicationState,
    *,
    by: User,
    at: datetime,
    note: str,
    rule: EligibilityRule | None,
) -> None:
    application.state, application.decision_note, application.rule = state, note, rule
    application.decided_at, application.decided_by = at, by
    application.save(
        update_fields=[
            "state",
            "decision_note",
            "decided_at",
            "decided_by",
            "rejection_reason",
            "reapply_on",
            "rule",
        ]
    )


def _newcomer(application: Application) -> Newcomer:
    return Newcomer(
        full_name=application.full_name,
        email=application.email,
        phone=application.phone,
        company=application.company,
        website=application.website,
        country=application.country,
        language=application.language,
        vat_number=application.vat_number,
        street=application.street,
        postcode=application.postcode,
        town=application.town,
        proven=application.email_confirmed_at is not None,
    )
