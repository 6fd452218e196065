"""Invite mailboxes into programs. One invitation of a mailbox lives per program, its link works for thirty days, and an acceptance makes
exactly one membership, with the terms, the tier and the own rates that were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners import mails_outreach, prospects, tokens
from partners import terms as terms_of
from partners.choices import InvitationState, ProspectStage
from partners.invitation_rows import VALID_FOR, close, signed, still_ours, versions_of
from partners.models import Application, Membership, ProgramInvitation, Prospect
from partners.placement import OutOfUse
from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.lib.errors import Refused
from tiers import negotiation, publishing
from tiers.choices import VersionState
from tiers.models import Plan, PlanVersion, Program, Tier

if TYPE_CHECKING:
    from prm.accounts.models import User

# Left or thrown out for good reason: who was banned is not invited again, who left may be.
_GONE = ("ended", "terminated")


class AlreadyIn(Refused):
    message = _("This mailbox is in the program already.")
    field = "email"


class HasApplied(Refused):
    message = _("This mailbox has applied to the program: decide on the application.")
    field = "email"


class AlreadyInvited(Refused):
    message = _("This mailbox is invited into the program already.")
    field = "email"


class OtherProgram(Refused):
    message = _("This tier belongs to another program.")
    field = "tier"


class NoTerms(Refused):
    message = _("This program has no terms in force, so nobody could accept them. Publish terms first.")
    field = "program"


class NoPlan(Refused):
    message = _("This program has no plan yet.")


class IsSent(Refused):
    message = _("What was sent is what the guest reads. Withdraw the invitation to change it.")


CANNOT_BE_INVITED = (AlreadyIn, HasApplied, AlreadyInvited)


@dataclass(frozen=True)
class Guest:
    """Who is invited, and what is said to them."""

    email: str
    full_name: str = ""
    company: str = ""
    language: str = "en"
    message: str = ""
    addendum: str = ""


@transaction.atomic
def prepare(
    program: Program,
    *,
    guest: Guest,
    tier: Tier,
    by: User,
    at: datetime,
    prospect: Prospect | None = None,
) -> ProgramInvitation:
    """Write an invitation that nobody is told of yet.

    Raises: Forbidden, OtherProgram, NoTerms, AlreadyIn, HasApplied, AlreadyInvited.
    """
    policy.require(by, "invite_partners")
    if tier.program_id != program.pk:
        raise OtherProgram
    if tier.retired_at is not None:
        raise OutOfUse
    if terms_of.in_force(program, at, tier=tier) is None:
        raise NoTerms
    folded = fold_email(guest.email)
    refuse_known(program, folded)
    prospect = prospect or prospects.open_one(program, folded)
    try:
        with transaction.atomic():
            invitation = ProgramInvitation.objects.create(
                program=program,
                tier=tier,
                email=guest.email.strip(),
                email_folded=folded,
                full_name=guest.full_name,
                company=guest.company,
                language=guest.language,
                message=guest.message,
                addendum=guest.addendum,
                token_sha256=tokens.digest(tokens.new_token()),  # opens nothing before it is sent
                prospect=prospect,
                introducer=_introducer(prospect, program),
                invited_at=at,
                invited_by=by,
                expires_at=at + VALID_FOR,
            )
    except IntegrityError:
        raise AlreadyInvited from None
    audit.record(by, "invitation.prepared", invitation, at=at, program=program.public_id, tier=tier.key)
    return invitation


@transaction.atomic
def invite(
    program: Program,
    *,
    guest: Guest,
    tier: Tier,
    by: User,
    at: datetime,
    prospect: Prospect | None = None,
) -> ProgramInvitation:
    """Invite a mailbox into a program and mail it the way in.

    Raises: what `prepare` refuses.
    """
    return send(prepare(program, guest=guest, tier=tier, by=by, at=at, prospect=prospect), by=by, at=at)


@transaction.atomic
def change(invitation: ProgramInvitation, *, by: User, at: datetime, **values: Any) -> ProgramInvitation:
    """Change what an invitation says, as long as nobody can be reading it: tier, name, company, language, message, addendum.

    Raises: Forbidden, Closed, IsSent, OtherProgram.
    """
    policy.require(by, "invite_partners")
    locked = still_ours(invitation)
    if locked.sent_at is not None and locked.state == InvitationState.OPEN:
        raise IsSent
    known = ("tier", "full_name", "company", "language", "message", "addendum")
    changed = [name for name in known if name in values and getattr(locked, name) != values[name]]
    for name in changed:
        setattr(locked, name, values[name])
    if locked.tier.program_id != locked.program_id:
        raise OtherProgram
    if changed:
        locked.save(update_fields=changed)
        audit.record(by, "invitation.changed", locked, at=at, fields=sorted(changed))
    return locked


@transaction.atomic
def send(invitation: ProgramInvitation, *, by: User, at: datetime, answer: str = "") -> ProgramInvitation:
    """Mail the way in under a new link, good for thirty days from now; any earlier link ends.

    `answer` is what we say to a counter-proposal.

    Raises: Forbidden, Closed, AlreadyIn, HasApplied, AlreadyInvited.
    """
    policy.require(by, "invite_partners")
    locked = still_ours(invitation)
    refuse_known(locked.program, locked.email_folded)
    was_sent = locked.sent_at is not None
    locked.state, locked.sent_at, locked.expires_at = InvitationState.OPEN, at, at + VALID_FOR
    locked.reminded_at = locked.answered_at = None
    locked.invited_by = by  # who sends it is who answers for it
    token = signed(locked, settings.SECRET_KEY)
    locked.token_sha256 = tokens.digest(token)
    try:
        with transaction.atomic():
            locked.save(
                update_fields=[
                    "state",
                    "invited_by",
                    "sent_at",
                    "expires_at",
                    "reminded_at",
                    "answered_at",
                    "token_sha256",
                ]
            )
    except IntegrityError:  # it had expired, and the mailbox was invited anew since
        raise AlreadyInvited from None
    audit.record(by, "invitation.sent_again" if was_sent else "invitation.sent", locked, at=at)
    if locked.prospect_id is not None:
        prospects.advance(locked.prospect_id, ProspectStage.INVITED, by=by, at=at)
    key = f"program-invitation:{locked.public_id}:{at.isoformat()}"
    mails_outreach.invited(locked, token, key=key, answer=answer)
    return locked


@transaction.atomic
def withdraw(invitation: ProgramInvitation, *, by: User, at: datetime) -> ProgramInvitation:
    """Make the link of an invitation useless.

    Raises: Forbidden, Closed.
    """
    policy.require(by, "invite_partners")
    locked = still_ours(invitation)
    close(locked, InvitationState.WITHDRAWN, at=at)
    audit.record(by, "invitation.withdrawn", locked, at=at)
    return locked


@transaction.atomic
def begin_terms(invitation: ProgramInvitation, *, by: User, at: datetime) -> PlanVersion:
    """Make a draft of own rates for the membership the guest will have; an open draft is returned.

    Raises: Forbidden, Closed, NoPlan, ProposalWaits.
    """
    locked = still_ours(invitation)
    plan = Plan.objects.filter(program=locked.program_id).first()
    if plan is None:
        raise NoPlan
    return publishing.draft_from(plan, by=by, at=at, member_key=locked.membership_key)


@transaction.atomic
def propose_terms(
    invitation: ProgramInvitation, *, effective_at: datetime, by: User, at: datetime
) -> PlanVersion:
    """Propose the draft to the guest, who reads it beside the standard rates by the link.

    Raises: Closed, PlanVersion.DoesNotExist, and what `tiers.negotiation.propose` refuses.
    """
    locked = still_ours(invitation)
    draft = versions_of(locked).get(state=VersionState.DRAFT)
    return negotiation.propose(draft, effective_at=effective_at, by=by, at=at)


@transaction.atomic
def withdraw_terms(invitation: ProgramInvitation, *, by: User, at: datetime) -> PlanVersion:
    """Take the own rates back; the guest reads the standard ones.

    Raises: Forbidden, Closed, NotProposed, PlanVersion.DoesNotExist.
    """
    locked = still_ours(invitation)
    return negotiation.withdraw(versions_of(locked).get(state=VersionState.PROPOSED), by=by, at=at)


def refuse_known(program: Program, folded: str) -> None:
    """Refuse a mailbox that is in the program or has applied to it. Raises: AlreadyIn, HasApplied."""
    if members(program, [folded]):
        raise AlreadyIn
    if Application.objects.undecided().filter(program=program, email_folded=folded).exists():
        raise HasApplied


def members(program: Program, mailboxes: Iterable[str]) -> set[str]:
    """Return those of the mailboxes that belong to somebody of a partner in the program."""
    place = Q(partner__members__user__email_folded__in=list(mailboxes), partner__members__ended_at=None)
    found = Membership.objects.filter(place, program=program).exclude(state__in=_GONE)
    return set(found.values_list("partner__members__user__email_folded", flat=True))


def _introducer(prospect: Prospect | None, program: Program) -> Membership | None:
    above = prospect.introducer if prospect is not None else None
    return above if above is not None and above.program_id == program.pk else None
