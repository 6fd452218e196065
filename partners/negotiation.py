"""Agree with one partner on terms of its own: staff draft and propose them, an owner of the partner's team accepts or declines. Until
somebody accepts, the partner earns what it earned before."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners import notices
from partners.models import Membership
from partners.team import require_owner
from prm import audit
from prm.lib.errors import Refused
from tiers import negotiation, publishing
from tiers.choices import VersionState
from tiers.models import Plan, PlanVersion

if TYPE_CHECKING:
    from prm.accounts.models import User


class NoPlan(Refused):
    message = _("This program has no plan yet.")


class MembershipOver(Refused):
    message = _("This membership has ended: there is nothing to agree on.")


def versions_of(membership: Membership) -> QuerySet[PlanVersion]:
    """Return what was drafted, proposed or agreed for the membership, the newest first."""
    found = PlanVersion.objects.filter(plan__program=membership.program_id, member_key=membership.public_id)
    return found.select_related("plan__program", "proposed_by", "accepted_by").order_by("-number")


def waiting(membership: Membership) -> PlanVersion | None:
    """Return the proposal that waits for the partner's answer."""
    return versions_of(membership).filter(state=VersionState.PROPOSED).first()


@transaction.atomic
def begin(membership: Membership, *, by: User, at: datetime) -> PlanVersion:
    """Make a draft of own terms for the membership, from what it has now; an open draft is returned.

    Raises: Forbidden, MembershipOver, NoPlan, ProposalWaits.
    """
    _refuse_ended(membership)
    plan = Plan.objects.filter(program=membership.program_id).first()
    if plan is None:
        raise NoPlan
    return publishing.draft_from(plan, by=by, at=at, member_key=membership.public_id)


@transaction.atomic
def propose(version: PlanVersion, *, effective_at: datetime, by: User, at: datetime) -> PlanVersion:
    """Propose a draft to the owners of the partner's team, who hear of it by mail.

    Raises: MembershipOver, and what `tiers.negotiation.propose` refuses.
    """
    membership = membership_of(version)
    _refuse_ended(membership)
    proposed = negotiation.propose(version, effective_at=effective_at, by=by, at=at)
    notices.tell_of_proposal(proposed, membership)
    return proposed


@transaction.atomic
def withdraw(version: PlanVersion, *, by: User, at: datetime, note: str = "") -> PlanVersion:
    """Take a proposal back before it is answered. Raises: Forbidden, NotProposed."""
    return negotiation.withdraw(version, by=by, at=at, note=note)


@transaction.atomic
def accept(version: PlanVersion, *, shown: str, by: User, at: datetime) -> PlanVersion:
    """Accept what was proposed, as `shown` names it, for the partner.

    Raises: NotYours, MembershipOver, NotProposed, Changed, Altered, SameInstant.
    """
    membership = membership_of(version)
    require_owner(membership.partner, by)
    _refuse_ended(membership)
    accepted = negotiation.accept(version, shown=shown, by=by, at=at)
    audit.record(by, "membership.terms_agreed", membership, at=at, version=accepted.public_id)
    notices.tell_of_answer(accepted, membership, by=by, at=at)
    return accepted


@transaction.atomic
def decline(
    version: PlanVersion, *, reason: str, by: User, at: datetime, is_counter: bool = False
) -> PlanVersion:
    """Decline what was proposed and say why; of a counter-proposal the proposer is told as such, by who took it.

    Raises: NotYours, NotProposed, NoReason.
    """
    membership = membership_of(version)
    require_owner(membership.partner, by)
    proposer = PlanVersion.objects.select_related("proposed_by").get(pk=version.pk).proposed_by
    declined = negotiation.decline(version, reason=reason, by=by, at=at)
    if not is_counter:
        notices.tell_of_answer(declined, membership, by=by, at=at, reason=reason.strip(), to=proposer)
    return declined


def membership_of(version: PlanVersion) -> Membership:
    """Return the membership a version was negotiated with. Raises: Membership.DoesNotExist."""
    return Membership.objects.select_related("partner", "program").get(
        public_id=version.member_key, program=version.plan.program_id
    )


def _refuse_ended(membership: Membership) -> None:
    if membership.ended_at is not None:
        raise MembershipOver
