"""Take what somebody would rather have than what was proposed, and answer it. A proposal that is countered is no longer open: what follows
is another proposal, or a no."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners import invitations, mails_outreach, negotiation
from partners.choices import InvitationState
from partners.invitation_rows import Closed, close, find, lock_open, still_ours, take_back
from partners.models import CounterProposal
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import PlanVersion

if TYPE_CHECKING:
    from prm.accounts.models import User

LONGEST_TEXT = 4000


class NothingWritten(Refused):
    message = _("Write what you would rather have.")
    field = "text"


class NoAnswer(Refused):
    message = _("Write an answer.")
    field = "answer"


class AlreadyAnswered(Refused):
    message = _("This counter-proposal is answered already.")


def waiting() -> QuerySet[CounterProposal]:
    """Return the counter-proposals nobody has answered, oldest first."""
    found = CounterProposal.objects.filter(answered_at=None).order_by("made_at", "pk")
    return found.select_related("invitation__program", "membership__partner", "membership__program")


@transaction.atomic
def to_invitation(token: str, *, text: str, at: datetime) -> CounterProposal:
    """Take what a guest would rather have; the invitation waits for our answer.

    Raises: Closed, NothingWritten.
    """
    text = _written(text)
    found = find(token)
    if found is None:
        raise Closed
    invitation = lock_open(found, at=at)
    own = take_back(invitation, reason=text, at=at)
    invitation.state = InvitationState.COUNTERED
    invitation.save(update_fields=["state"])
    counter = CounterProposal.objects.create(invitation=invitation, plan_version=own, text=text, made_at=at)
    audit.record(None, "counter.made", counter, at=at, invitation=invitation.public_id)
    mails_outreach.counter_received(
        counter,
        to=invitation.invited_by,
        who=invitation.company or invitation.full_name or invitation.email,
        program=invitation.program.name,
        path=reverse("admin:partners_programinvitation_change", args=[invitation.pk]),
    )
    return counter


@transaction.atomic
def to_own_terms(version: PlanVersion, *, text: str, by: User, at: datetime) -> CounterProposal:
    """Take what an owner of a partner's team would rather have than the own terms proposed; the version is a draft again.

    Raises: NotYours, NotProposed, NothingWritten.
    """
    text = _written(text)
    membership = negotiation.membership_of(version)
    proposer = PlanVersion.objects.select_related("proposed_by").get(pk=version.pk).proposed_by
    declined = negotiation.decline(version, reason=text, by=by, at=at, is_counter=True)
    counter = CounterProposal.objects.create(
        membership=membership, plan_version=declined, text=text, made_at=at, made_by=by
    )
    audit.record(by, "counter.made", counter, at=at, membership=membership.public_id)
    if proposer is not None:
        mails_outreach.counter_received(
            counter,
            to=proposer,
            who=membership.partner.name,
            program=membership.program.name,
            path=reverse("admin:partners_counterproposal_change", args=[counter.pk]),
        )
    return counter


@transaction.atomic
def offer_again(counter: CounterProposal, *, answer: str, by: User, at: datetime) -> CounterProposal:
    """Answer a guest with what the invitation says now: it opens again and is mailed under a new link.

    Raises: Forbidden, AlreadyAnswered, Closed, and what sending refuses.
    """
    policy.require(by, "manage_prospects")
    assert counter.invitation is not None  # noqa: S101 - a membership's counter has no offer to send
    still_ours(counter.invitation)
    locked = _answer(counter, answer.strip(), by=by, at=at)
    invitations.send(counter.invitation, by=by, at=at, answer=answer.strip())
    return locked


@transaction.atomic
def begin_draft(counter: CounterProposal, *, answer: str, by: User, at: datetime) -> PlanVersion:
    """Answer an owner by going on with the draft of its own terms, which is proposed when it is ready.

    Raises: Forbidden, AlreadyAnswered, and what beginning a draft refuses.
    """
    policy.require(by, "manage_prospects")
    assert counter.membership is not None  # noqa: S101 - a guest's counter is answered by the invitation
    draft = negotiation.begin(counter.membership, by=by, at=at)
    locked = _answer(counter, answer.strip(), by=by, at=at)
    if locked.answer:
        mails_outreach.counter_answered(locked)
    return draft


@transaction.atomic
def refuse(counter: CounterProposal, *, answer: str, by: User, at: datetime) -> CounterProposal:
    """Say no. A guest's invitation ends with it; a member keeps what it has.

    Raises: Forbidden, AlreadyAnswered, NoAnswer, Closed.
    """
    policy.require(by, "manage_prospects")
    if not answer.strip():
        raise NoAnswer
    invitation = None if counter.invitation is None else still_ours(counter.invitation)
    locked = _answer(counter, answer.strip(), by=by, at=at)
    if invitation is not None:
        close(invitation, InvitationState.WITHDRAWN, at=at)
        audit.record(by, "invitation.withdrawn", invitation, at=at)
    mails_outreach.counter_answered(locked)
    return locked


def _answer(counter: CounterProposal, answer: str, *, by: User, at: datetime) -> CounterProposal:
    unanswered = CounterProposal.objects.filter(pk=counter.pk, answered_at=None)
    if not unanswered.update(answered_at=at, answered_by=by, answer=answer[:LONGEST_TEXT]):
        raise AlreadyAnswered
    rows = CounterProposal.objects.select_related(
        "invitation__program", "invitation__invited_by", "membership__partner", "membership__program"
    )
    locked = rows.get(pk=counter.pk)
    audit.record(by, "counter.answered", locked, at=at)
    return locked


def _written(text: str) -> str:
    text = text.strip()[:LONGEST_TEXT]
    if not text:
        raise NothingWritten
    return text
