"""Suspend a membership, lift that again, give notice, ban, leave. A membership ends once, at the moment that was announced, and what the
partner is owed is untouched by it: what becomes of the money is said by those who keep the books."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from partners import mails_leaving
from partners.choices import EndingKind, MembershipState, SanctionReason
from partners.events import MembershipEnded, MembershipReinstated, MembershipSuspended
from partners.leaving_effects import close_what_is_open
from partners.leaving_rules import (
    AT_ONCE,
    FOR_KIND,
    FOR_SUSPENSION,
    LIVING,
    NoNotice,
    NoticeGiven,
    NotRunning,
    NotSuspended,
    OverAlready,
    checked_note,
    moment_of,
    require_notice,
    require_reason,
)
from partners.models import Ending, Membership, Suspension
from partners.settlements import learn_settlement, settlement
from partners.team import is_owner, require_owner
from prm import audit
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.events import announce

if TYPE_CHECKING:
    from prm.accounts.models import User

__all__ = [
    "SUSPENDED",
    "ban",
    "cancel_notice",
    "carry_out",
    "give_notice",
    "learn_settlement",
    "leave",
    "open_suspension",
    "reinstate",
    "settlement",
    "suspend",
    "waiting_end",
]

SUSPENDED = MembershipState.SUSPENDED.value


@transaction.atomic
def suspend(
    membership: Membership, *, reason: str, note: str = "", by: User | None, at: datetime
) -> Suspension:
    """Stop a membership: from `at` on it earns nothing new and is not paid, until it is reinstated.

    `by` is None where the product carries out a consequence that was announced.
    Raises: Forbidden, WrongReason, NoteTooLong, OverAlready, NotRunning.
    """
    _require(by)
    require_reason(reason, FOR_SUSPENSION)
    membership = _running(membership)
    if membership.state not in LIVING:
        raise NotRunning
    suspension = Suspension.objects.create(
        membership=membership, reason=reason, note=checked_note(note), suspended_at=at, suspended_by=by
    )
    _move(membership, MembershipState.SUSPENDED)
    audit.record(by, "membership.suspended", membership, at=at, reason=reason)
    mails_leaving.suspended(suspension, membership, at=at)
    announce(MembershipSuspended(membership.pk))
    return suspension


@transaction.atomic
def reinstate(membership: Membership, *, by: User | None, at: datetime) -> Suspension:
    """Lift the suspension of a membership: it earns again from `at` on, and what waited is paid.

    One that ended meanwhile stays ended; its money is free again. Raises: Forbidden, NotSuspended.
    """
    _require(by)
    membership = _locked(membership)
    suspension = open_suspension(membership)
    if suspension is None:
        raise NotSuspended
    suspension.lifted_at, suspension.lifted_by = at, by
    suspension.save(update_fields=["lifted_at", "lifted_by"])
    if membership.state == MembershipState.SUSPENDED:
        _move(membership, MembershipState.ACTIVE)
    audit.record(by, "membership.reinstated", membership, at=at)
    mails_leaving.reinstated(suspension, membership, at=at)
    announce(MembershipReinstated(membership.pk))
    return suspension


@transaction.atomic
def give_notice(
    membership: Membership,
    *,
    kind: str,
    reason: str,
    note: str = "",
    effective_at: datetime,
    by: User,
    at: datetime,
) -> Ending:
    """Announce the end of a membership. It runs on until then; an end that is not ahead happens at once.

    Raises: Forbidden, WrongReason, NoteTooLong, OverAlready, NoticeGiven, NoticeTooShort.
    """
    policy.require(by, "sanction_partners")
    require_reason(reason, FOR_KIND.get(kind, ()))
    membership = _running(membership)
    require_notice(membership, reason, effective_at=effective_at, at=at)
    return _announce_end(
        membership, kind=kind, reason=reason, note=note, effective_at=max(effective_at, at), by=by, at=at
    )


@transaction.atomic
def cancel_notice(ending: Ending, *, by: User, at: datetime) -> Ending:
    """Take a notice back before its day has come: the membership goes on. Partners may take back their own.

    Raises: Forbidden, NotYours, NoNotice.
    """
    membership = _locked(ending.membership)
    ending = Ending.objects.get(pk=ending.pk)
    if not (ending.reason == SanctionReason.OWN_WISH and is_owner(membership.partner, by)):
        _require(by)
    open_ones = Ending.objects.waiting().filter(pk=ending.pk, effective_at__gt=at)
    if not open_ones.update(cancelled_at=at, cancelled_by=by):
        raise NoNotice
    ending.refresh_from_db()
    audit.record(by, "membership.notice_cancelled", membership, at=at, ending=ending)
    mails_leaving.cancelled(ending, membership, at=at)
    return ending


@transaction.atomic
def ban(membership: Membership, *, reason: str, note: str = "", by: User, at: datetime) -> Ending:
    """End a membership at once for a breach. What it is owed is not paid before finance has decided about it.

    A notice that was given is overtaken. Raises: Forbidden, WrongReason, NoteTooLong, OverAlready.
    """
    policy.require(by, "sanction_partners")
    require_reason(reason, AT_ONCE)
    membership = _running(membership)
    Ending.objects.waiting().filter(membership=membership).update(cancelled_at=at, cancelled_by=by)
    return _announce_end(
        membership, kind=EndingKind.BANNED, reason=reason, note=note, effective_at=at, by=by, at=at
    )


@transaction.atomic
def leave(membership: Membership, *, by: User, at: datetime, on: date | None = None) -> Ending:
    """End a membership because an owner of the team wants to: now, or when a later day begins.

    Raises: NotYours, OverAlready, NoticeGiven, NotThatDay.
    """
    membership = _running(membership)
    require_owner(membership.partner, by)
    return _announce_end(
        membership,
        kind=EndingKind.ENDED,
        reason=SanctionReason.OWN_WISH,
        note="",
        effective_at=moment_of(membership, on, at=at),
        by=by,
        at=at,
    )


def carry_out(*, at: datetime) -> int:
    """End the memberships whose announced moment has come, and return how many; again, it finds none of them."""
    due = Ending.objects.waiting().filter(effective_at__lte=at).order_by("effective_at", "pk")
    ids = list(due.values_list("pk", flat=True))
    return sum(persistently(partial(_carry_out, pk, at=at)) for pk in ids)


def waiting_end(membership: Membership) -> Ending | None:
    """Return the end that was announced and has not come."""
    return Ending.objects.waiting().filter(membership=membership).first()


def open_suspension(membership: Membership) -> Suspension | None:
    """Return the suspension that was not lifted."""
    return Suspension.objects.filter(membership=membership, lifted_at=None).first()


@transaction.atomic
def _carry_out(ending_id: int, *, at: datetime) -> int:
    ending = Ending.objects.get(pk=ending_id)
    membership = _locked(ending.membership)
    # Whoever cancelled it or carried it out meanwhile did so under the same lock.
    ending = Ending.objects.get(pk=ending_id)
    if ending.done_at is not None or ending.cancelled_at is not None:
        return 0
    _end(ending, membership, by=None, at=at)
    return 1


def _announce_end(
    membership: Membership,
    *,
    kind: str,
    reason: str,
    note: str,
    effective_at: datetime,
    by: User,
    at: datetime,
) -> Ending:
    if waiting_end(membership) is not None:
        raise NoticeGiven
    ending = Ending.objects.create(
        membership=membership,
        kind=kind,
        reason=reason,
        note=checked_note(note),
        given_at=at,
        given_by=by,
        effective_at=effective_at,
    )
    if effective_at <= at:
        _end(ending, membership, by=by, at=at)
    else:
        audit.record(
            by,
            "membership.notice_given",
            membership,
            at=at,
            kind=kind,
            reason=reason,
            effective_at=effective_at,
        )
        mails_leaving.announced(ending, membership, at=at)
    return ending


def _end(ending: Ending, membership: Membership, *, by: User | None, at: datetime) -> None:
    ending.done_at = at
    ending.save(update_fields=["done_at"])
    membership.state, membership.ended_at = ending.kind, ending.effective_at
    membership.save(update_fields=["state", "ended_at"])
    close_what_is_open(membership, ended_at=ending.effective_at, by=by, at=at)
    audit.record(by, f"membership.{ending.kind}", membership, at=at, reason=ending.reason, ending=ending)
    mails_leaving.ended(ending, membership, at=at)
    announce(MembershipEnded(membership.pk, ending.kind))


def _require(by: User | None) -> None:
    if by is not None:
        policy.require(by, "sanction_partners")


def _locked(membership: Membership) -> Membership:
    return Membership.objects.lock().select_related("partner", "program").get(pk=membership.pk)


def _running(membership: Membership) -> Membership:
    locked = _locked(membership)
    if locked.ended_at is not None:
        raise OverAlready
    return locked


def _move(membership: Membership, state: MembershipState) -> None:
    membership.state = state
    membership.save(update_fields=["state"])
