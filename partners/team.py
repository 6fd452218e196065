"""Bring people into a partner's team and change what they may do there. An invitation is for one mailbox, once, for a week, and a
team never loses its last owner."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners import mails_team, tokens
from partners.certification import staff
from partners.choices import TeamRole
from partners.models import Invitation, Member, Partner
from partners.readers import MONEY
from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

VALID_FOR = timedelta(days=7)
ONE_DAY = timedelta(days=1)
# Mails within a day: links go to mailboxes that never asked for them.
MOST_TO_A_MAILBOX, MOST_OF_A_TEAM = 3, 30


class NotYours(Refused):
    message = _("Only an owner of the team can do this.")


class AlreadyInTeam(Refused):
    message = _("This person is in the team already.")
    field = "email"


class InvitationOver(Refused):
    message = _("This invitation has expired, was withdrawn or has been used. Ask for a new one.")


class OtherMailbox(Refused):
    message = _("This invitation is for another e-mail address. Sign in with that one.")


class LastOwner(Refused):
    message = _("A team needs an owner. Make somebody else an owner first.")
    field = "role"


class NotYourself(Refused):
    message = _("Staff cannot become members of a team they look after.")
    field = "email"


class TeamClosed(Refused):
    message = _("This partner was joined with another one. Invite people there.")


class AccountClosed(Refused):
    message = _(
        "The account of this e-mail address is closed: nobody can sign in with it. Use another address."
    )


class InvitedTooOften(Refused):
    message = _("This address was sent %(count)s invitations within 24 hours. Try again tomorrow.")
    field = "email"


class TooManyInvitations(Refused):
    message = _("This team sent %(count)s invitations within 24 hours. Try again tomorrow.")
    field = "email"


class UnknownRole(Refused):
    message = _("Choose a role.")
    field = "role"


def may_manage(partner: Partner, user: User) -> bool:
    """Say whether `user` may invite, change and remove people of `partner`."""
    return policy.may(user, "invite_partners") or is_owner(partner, user)


def is_owner(partner: Partner, user: User) -> bool:
    """Say whether `user` is an owner of the team."""
    return _owners(partner).filter(user=user).exists()


def require_owner(partner: Partner, user: User) -> None:
    """Let an owner of the team through.

    Raises: NotYours.
    """
    if not is_owner(partner, user):
        raise NotYours


def is_last_owner(member: Member) -> bool:
    """Say whether the team would have no owner without `member`."""
    if member.role != TeamRole.OWNER:
        return False
    return not _owners(member.partner).exclude(pk=member.pk).exists()


@transaction.atomic
def invite(
    partner: Partner, *, email: str, role: str, by: User, at: datetime, full_name: str = ""
) -> tuple[Invitation, str]:
    """Invite a mailbox into the team, and return the invitation with the word of its link.

    An open invitation of the same mailbox is withdrawn: the newest mail is the one that works.

    When staff gives a hand on the partner's money away, the owners and the contact address are told at once.

    Raises: NotYours, AlreadyInTeam, UnknownRole, NotYourself, TeamClosed, InvitedTooOften, TooManyInvitations.
    """
    partner = _managed(partner, by)
    if partner.merged_into_id is not None:
        raise TeamClosed
    _refuse_unknown(role)
    folded = fold_email(email)
    if folded == by.email_folded and not is_owner(partner, by):
        raise NotYourself
    if Member.objects.current().filter(partner=partner, user__email_folded=folded).exists():
        raise AlreadyInTeam
    _refuse_too_many(partner, folded, at)
    open_ones = Invitation.objects.filter(partner=partner, email_folded=folded, accepted_at=None)
    open_ones.filter(withdrawn_at=None).update(withdrawn_at=at)
    token = tokens.new_token()
    invitation = Invitation.objects.create(
        partner=partner,
        email=email.strip(),
        email_folded=folded,
        full_name=full_name,
        role=role,
        token_sha256=tokens.digest(token),
        invited_at=at,
        invited_by=by,
        expires_at=at + VALID_FOR,
    )
    audit.record(by, "team.invited", invitation, at=at, role=role)
    mails_team.invited(invitation, token, by=by)
    if _is_told(partner, role, by):
        count = mails_team.owners_told_of_invitation(invitation, by=by)
        audit.record(by, "team.owners_told", invitation, at=at, role=role, mails=count)
    return invitation, token


def renew(invitation: Invitation, *, by: User, at: datetime) -> tuple[Invitation, str]:
    """Mail an open invitation once more, with a fresh link that works for a week; the one mailed before stops working.

    Raises: NotYours, InvitationOver, AlreadyInTeam, TeamClosed, InvitedTooOften, TooManyInvitations.
    """
    if invitation.accepted_at is not None or invitation.withdrawn_at is not None:
        raise InvitationOver
    return invite(
        invitation.partner,
        email=invitation.email,
        role=invitation.role,
        full_name=invitation.full_name,
        by=by,
        at=at,
    )


def find(token: str, *, at: datetime) -> Invitation | None:
    """Return the invitation that `token` opens at `at`."""
    found = Invitation.objects.filter(token_sha256=tokens.digest(token), accepted_at=None, withdrawn_at=None)
    return found.filter(expires_at__gt=at).select_related("partner", "invited_by").first()


def send_fresh(token: str, *, at: datetime) -> bool:
    """Mail a fresh link for an invitation that expired, to the mailbox it was for; say whether there was one.

    The word of the old link is enough to ask, as the mail goes nowhere else; it works once, for the old one is then withdrawn.
    """
    expired = Invitation.objects.filter(
        token_sha256=tokens.digest(token), accepted_at=None, withdrawn_at=None, expires_at__lte=at
    )
    invitation = expired.select_related("partner", "invited_by").first()
    if invitation is None:
        return False
    try:
        renew(invitation, by=invitation.invited_by, at=at)
    except Refused:  # whoever invited may not any more
        return False
    return True


@transaction.atomic
def accept(token: str, *, user: User, at: datetime) -> Member:
    """Use an invitation: `user`, who reads the invited mailbox, joins the team.

    Raises: InvitationOver, OtherMailbox, AccountClosed.
    """
    invitation = find(token, at=at)
    if invitation is None:
        raise InvitationOver
    if user.email_folded != invitation.email_folded:
        raise OtherMailbox
    refuse_closed(user)
    Partner.objects.lock().get(pk=invitation.partner_id)
    unused = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
    if not unused.update(accepted_at=at, accepted_by=user):
        raise InvitationOver
    member, created = Member.objects.get_or_create(
        partner=invitation.partner,
        user=user,
        ended_at=None,
        defaults={"role": invitation.role, "joined_at": at},
    )
    if created:
        audit.record(user, "team.joined", member, at=at, role=member.role)
    return member


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User, at: datetime) -> Invitation:
    """Make the link of an open invitation useless.

    Raises: NotYours, InvitationOver.
    """
    _managed(invitation.partner, by)
    unused = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
    if not unused.update(withdrawn_at=at):
        raise InvitationOver
    invitation.refresh_from_db()
    audit.record(by, "team.invitation_withdrawn", invitation, at=at)
    return invitation


@transaction.atomic
def change_role(member: Member, *, role: str, by: User, at: datetime) -> Member:
    """Give a team member another role. When staff makes somebody an owner or finance, the owners are told at once.

    Raises: NotYours, LastOwner, UnknownRole.
    """
    _managed(member.partner, by)
    _refuse_unknown(role)
    member = Member.objects.lock().get(pk=member.pk)
    if member.role == role or member.ended_at is not None:
        return member
    if role != TeamRole.OWNER:
        _keep_an_owner(without=member)
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    audit.record(by, "team.role_changed", member, at=at, before=before, after=role)
    if _is_told(member.partner, role, by):
        count = mails_team.owners_told_of_role(member, by=by, at=at)
        audit.record(by, "team.owners_told", member, at=at, role=role, mails=count)
    return member


@transaction.atomic
def remove(member: Member, *, by: User, at: datetime) -> Member:
    """End a person's place in the team; people may always leave by themselves.

    Raises: NotYours, LastOwner.
    """
    partner = Partner.objects.lock().get(pk=member.partner_id)
    if member.user_id != by.pk and not may_manage(partner, by):
        raise NotYours
    member = Member.objects.lock().get(pk=member.pk)
    if member.ended_at is not None:
        return member
    _keep_an_owner(without=member)
    member.ended_at, member.ended_by = at, by
    member.save(update_fields=["ended_at", "ended_by"])
    audit.record(by, "team.removed", member, at=at)
    staff.leave_with(member, by=by, at=at)
    return member


def refuse_closed(user: User) -> None:
    """Refuse a place for somebody who cannot sign in.

    Raises: AccountClosed.
    """
    if not user.is_active:
        raise AccountClosed


def _is_told(partner: Partner, role: str, by: User) -> bool:
    """Say whether the team hears of it: somebody who is none of its owners lets a person touch its money."""
    return role in MONEY and not is_owner(partner, by)


def _refuse_too_many(partner: Partner, folded: str, at: datetime) -> None:
    sent = Invitation.objects.filter(partner=partner, invited_at__gt=at - ONE_DAY)
    if sent.filter(email_folded=folded).count() >= MOST_TO_A_MAILBOX:
        raise InvitedTooOften(params={"count": MOST_TO_A_MAILBOX})
    if sent.count() >= MOST_OF_A_TEAM:
        raise TooManyInvitations(params={"count": MOST_OF_A_TEAM})


def _managed(partner: Partner, by: User) -> Partner:
    # The partner's row is the lock of its team: two owners who remove each other cannot both succeed.
    locked = Partner.objects.lock().get(pk=partner.pk)
    if not may_manage(locked, by):
        raise NotYours
    return locked


def _owners(partner: Partner) -> QuerySet[Member]:
    return Member.objects.current().filter(partner=partner, role=TeamRole.OWNER)


def _keep_an_owner(*, without: Member) -> None:
    if is_last_owner(without):
        raise LastOwner


def _refuse_unknown(role: str) -> None:
    if role not in TeamRole.values:
        raise UnknownRole
