"""Decide a question: accept it, with an adjustment or without, refuse it with a reason, or take it back. A question is decided once, and
money it brings goes the way of every adjustment, a second person above the limit included."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from partners.models import Membership
from payouts import adjustments
from payouts import notices_disputes as notices
from payouts.accrual.batch import MONTH_IS_OPEN
from payouts.calendar import for_posting
from payouts.choices import AdjustmentKind, AdjustmentReason, AdjustmentState, DisputeState
from payouts.disputes import clock
from payouts.disputes.common import (
    AlreadyAsked,
    AlreadyDecided,
    StillUnderWay,
    answered,
    checked_text,
    move,
    require_may_ask,
    write,
)
from payouts.models import Adjustment, Dispute
from prm import audit
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User

_NOTE = 200  # what the line of an adjustment on a statement holds


def accept(dispute: Dispute, *, amount: Money, note: str, by: User, at: datetime) -> Adjustment | None:
    """Say that the partner is right, and post what follows from it: `amount`, which may be negative, or nothing when it is zero.

    Account managers may accept what moves no money. Above the program's limit the adjustment waits for a second person.

    Raises: Forbidden, BadText, AlreadyDecided, and what an adjustment is refused for.
    """
    policy.require(by, "adjust_balances" if amount else "answer_disputes")
    said = checked_text(note, field="note")
    # The month is made before the transaction: see Calendar.open.
    for_posting(dispute.membership.program, at)
    return persistently(lambda: _accept(dispute, amount, said, by=by, at=at), overtaken_by=MONTH_IS_OPEN)


@transaction.atomic
def _accept(dispute: Dispute, amount: Money, said: str, *, by: User, at: datetime) -> Adjustment | None:
    membership = Membership.objects.lock().select_related("program", "partner").get(pk=dispute.membership_id)
    move(dispute, DisputeState.ACCEPTED, decided_at=at, decided_by=by, **answered(at))
    made = None
    if amount:
        made = adjustments.propose(
            membership,
            kind=AdjustmentKind.ADJUSTMENT,
            amount=amount,
            reason=AdjustmentReason.DISPUTE,
            note=" ".join(said.split())[:_NOTE],
            by=by,
            at=at,
            commission=dispute.commission,
            dispute=dispute,
        )
    message = write(dispute, said, by=by, at=at, is_from_partner=False)
    audit.record(
        by,
        "dispute.accepted",
        dispute,
        at=at,
        amount_minor=amount.minor,
        currency=amount.currency,
        adjustment=made.public_id if made else "",
    )
    notices.tell_partner_of_decision(dispute, message, made)
    return made


@transaction.atomic
def refuse(dispute: Dispute, *, reason: str, by: User, at: datetime) -> Dispute:
    """Say why nothing changes. The partner reads the reason.

    Raises: Forbidden, BadText, AlreadyDecided.
    """
    policy.require(by, "answer_disputes")
    said = checked_text(reason, field="reason")
    move(dispute, DisputeState.REFUSED, decided_at=at, decided_by=by, **answered(at))
    message = write(dispute, said, by=by, at=at, is_from_partner=False)
    audit.record(by, "dispute.refused", dispute, at=at)
    notices.tell_partner_of_decision(dispute, message, None)
    return dispute


@transaction.atomic
def withdraw(dispute: Dispute, *, by: User, at: datetime) -> Dispute:
    """Take a question back as the partner.

    Raises: NotYourQuestion, AlreadyDecided.
    """
    require_may_ask(dispute.membership.partner, by)
    move(dispute, DisputeState.WITHDRAWN, decided_at=at, decided_by=by)
    audit.record(by, "dispute.withdrawn", dispute, at=at)
    return dispute


def reopen(dispute: Dispute, *, reason: str, by: User, at: datetime) -> Dispute:
    """Open an accepted question again whose adjustment the second person refused; the clock starts anew and the partner is told.

    Raises: Forbidden, BadText, AlreadyDecided, StillUnderWay, AlreadyAsked.
    """
    policy.require(by, "answer_disputes")
    said = checked_text(reason, field="reason")
    try:
        with transaction.atomic():
            return _reopen(dispute, said, by=by, at=at)
    except IntegrityError as refusal:
        if dispute.commission is None or clock.open_about(dispute.commission) is None:
            raise
        raise AlreadyAsked from refusal


def may_reopen(dispute: Dispute) -> bool:
    """Say whether the question was accepted and nothing came of it."""
    return (
        dispute.state == DisputeState.ACCEPTED and dispute.adjustments.exists() and not _is_under_way(dispute)
    )


def _reopen(dispute: Dispute, said: str, *, by: User, at: datetime) -> Dispute:
    Membership.objects.lock().get(pk=dispute.membership_id)
    if dispute.state != DisputeState.ACCEPTED:
        raise AlreadyDecided
    if not may_reopen(dispute):
        raise StillUnderWay
    move(
        dispute,
        DisputeState.OPENED,
        expected=(DisputeState.ACCEPTED,),
        decided_at=None,
        decided_by=None,
        answer_by_at=clock.answer_by(dispute.membership.program, at),
    )
    message = write(dispute, said, by=by, at=at, is_from_partner=False)
    audit.record(by, "dispute.reopened", dispute, at=at)
    notices.tell_partner_of_answer(dispute, message)
    return dispute


def _is_under_way(dispute: Dispute) -> bool:
    return dispute.adjustments.filter(state__in=[AdjustmentState.PROPOSED, AdjustmentState.POSTED]).exists()
