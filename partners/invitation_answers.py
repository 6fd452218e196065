"""What becomes of an invitation once it is mailed: the guest accepts or declines, asks for a fresh link, is reminded, or lets it expire.
However often accept is pressed there is one membership, one acceptance of the terms and one mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners import amendments, applications, joining, mails_outreach, prospects
from partners import terms as terms_of
from partners.choices import InvitationState, ProspectStage
from partners.invitation_rows import Closed, close, find, is_open, lock_open, proposed, word_of
from partners.models import Application, Membership, ProgramInvitation, TermsVersion
from prm import audit
from prm.accounts import people, policy
from prm.accounts.emails import fold_email
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from tiers import negotiation

if TYPE_CHECKING:
    from prm.accounts.models import User

REMIND_AFTER = timedelta(days=7)
JOINED_BECAUSE = "invited"
# Over, but nobody of ours ended it: who asks for a fresh link may get one.
_ASKS = (InvitationState.OPEN, InvitationState.EXPIRED, InvitationState.DECLINED)


class TermsChanged(Refused):
    message = _("The terms have changed since you read them. Read the new version and accept it.")
    field = "accept"


class OfferChanged(Refused):
    message = _("What is offered has changed since you opened this page. Read it again before you accept.")
    field = "accept"


class InviterGone(Refused):
    message = _("Who invited you no longer looks after this program. Ask for a fresh link.")


@dataclass(frozen=True)
class Reply:
    """Who accepts; the mailbox is the invited one."""

    full_name: str
    phone: str
    company: str
    country: str
    language: str = "en"


@transaction.atomic
def accept(
    token: str,
    *,
    reply: Reply,
    terms_id: str,
    shown: str,
    at: datetime,
    address: str | None = None,
) -> Membership:
    """Make the guest a member, as the invitation says. `shown` is the fingerprint of the own rates that were read, empty for none.

    Raises: Closed, TermsChanged, OfferChanged, InviterGone, AlreadyMember, AccountClosed.
    """
    found = find(token)
    if found is None:
        raise Closed
    joining.lock_introducer(found.introducer_id)
    invitation = lock_open(found, at=at)
    terms = terms_of.in_force(invitation.program, at, tier=invitation.tier_id)
    if terms is None or terms.public_id != terms_id:
        raise TermsChanged
    own = proposed(invitation)
    if shown != (own.sha256 if own is not None else ""):
        raise OfferChanged
    _end_applications(invitation, at=at)
    if not policy.may(invitation.invited_by, "place_in_tiers"):
        raise InviterGone
    membership = _join(invitation, reply, at=at)
    user = people.find(invitation.email)
    assert user is not None  # noqa: S101 - joining opened the account
    _accept_terms(terms, membership, reply, invitation, user=user, at=at, address=address)
    if own is not None:
        negotiation.accept(own, shown=shown, by=user, at=at)
    _agree_addendum(invitation, membership, user=user, at=at, address=address)
    invitation.state, invitation.answered_at = InvitationState.ACCEPTED, at
    invitation.membership = membership
    invitation.save(update_fields=["state", "answered_at", "membership"])
    if invitation.prospect_id is not None:
        prospects.advance(invitation.prospect_id, ProspectStage.JOINED, by=None, at=at, membership=membership)
    audit.record(user, "invitation.accepted", invitation, at=at, membership=membership.public_id)
    mails_outreach.welcomed(invitation, membership)
    mails_outreach.answered(invitation, accepted=True)
    return membership


@transaction.atomic
def decline(token: str, *, reason: str, at: datetime) -> ProgramInvitation:
    """Note that the guest does not want to join, and why if they say so.

    Raises: Closed.
    """
    found = find(token)
    if found is None:
        raise Closed
    invitation = lock_open(found, at=at)
    reason = reason.strip()
    close(invitation, InvitationState.DECLINED, at=at, reason=reason)
    audit.record(None, "invitation.declined", invitation, at=at, note=reason)
    mails_outreach.answered(invitation, accepted=False, reason=reason)
    return invitation


@transaction.atomic
def ask_again(email: str, *, at: datetime) -> None:
    """Do what somebody wants who has no link that works: mail a living one again, or tell who invited that it is wanted.

    Each happens once a day at most, and who asks learns nothing from it.
    """
    asked = ProgramInvitation.objects.filter(email_folded=fold_email(email), sent_at__isnull=False)
    newest: dict[int, ProgramInvitation] = {}
    for each in asked.select_related("program", "invited_by").order_by("pk"):
        newest[each.program_id] = each
    for invitation in newest.values():
        if is_open(invitation, at=at):
            key = f"program-invitation-again:{invitation.public_id}:{at:%Y-%m-%d}"
            mails_outreach.invited(invitation, word_of(invitation), key=key)
        elif invitation.state in _ASKS:
            mails_outreach.fresh_link_wanted(invitation, at=at)


def expire(*, at: datetime) -> int:
    """Close what nobody answered in time, and return how many invitations that were."""
    late = ProgramInvitation.objects.filter(
        state=InvitationState.OPEN, sent_at__isnull=False, expires_at__lte=at
    )
    count = 0
    for pk in list(late.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            locked = ProgramInvitation.objects.lock().get(pk=pk)
            if locked.state == InvitationState.OPEN and locked.expires_at <= at:
                close(locked, InvitationState.EXPIRED, at=at)
                audit.record(None, "invitation.expired", locked, at=at)
                count += 1
    return count


def remind(*, at: datetime) -> int:
    """Remind once of what was sent a week ago and not answered; return how many mails that were."""
    due = ProgramInvitation.objects.filter(
        state=InvitationState.OPEN, reminded_at=None, sent_at__lte=at - REMIND_AFTER, expires_at__gt=at
    )
    count = 0
    for invitation in due.select_related("program", "invited_by").order_by("pk"):
        with transaction.atomic():
            fresh = ProgramInvitation.objects.filter(
                pk=invitation.pk, state=InvitationState.OPEN, reminded_at=None, sent_at=invitation.sent_at
            )
            if fresh.update(reminded_at=at):
                mails_outreach.reminded(invitation, word_of(invitation))
                count += 1
    return count


def _end_applications(invitation: ProgramInvitation, *, at: datetime) -> None:
    """Withdraw what the same mailbox has applied with since: it is in the program now."""
    waiting = Application.objects.undecided().filter(
        program=invitation.program, email_folded=invitation.email_folded
    )
    for application in waiting.order_by("pk"):
        applications.withdraw(application, at)


def _join(invitation: ProgramInvitation, reply: Reply, *, at: datetime) -> Membership:
    person = joining.Newcomer(
        full_name=reply.full_name,
        email=invitation.email,
        phone=reply.phone,
        company=reply.company,
        website=invitation.prospect.website if invitation.prospect else "",
        country=reply.country,
        language=reply.language,
        proven=True,  # the link was mailed to this mailbox and to nobody else
    )
    return joining.join(
        invitation.program,
        person=person,
        tier=invitation.tier,
        by=invitation.invited_by,
        at=at,
        because=JOINED_BECAUSE,
        public_id=invitation.membership_key,
        introducer=invitation.introducer,
    )


def _accept_terms(
    terms: TermsVersion,
    membership: Membership,
    reply: Reply,
    invitation: ProgramInvitation,
    *,
    user: User,
    at: datetime,
    address: str | None,
) -> None:
    terms_of.accept(
        terms,
        name=reply.full_name,
        email=invitation.email,
        at=at,
        membership=membership,
        person=user,
        address=address,
    )


def _agree_addendum(
    invitation: ProgramInvitation, membership: Membership, *, user: User, at: datetime, address: str | None
) -> None:
    """Keep the addendum as an amendment that is accepted: it was read beside the terms."""
    text = invitation.addendum.strip()
    if not text:
        return
    amendments.accept_for(
        membership,
        title=str(_("Agreed with the invitation")),
        text=text,
        effective_on=local_day(at, invitation.program.zone),
        proposed_by=invitation.invited_by,
        proposed_at=invitation.sent_at or at,
        by=user,
        at=at,
        address=address,
    )
