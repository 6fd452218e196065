"""Stop a payment until somebody has looked: of one line that is still on hold, or of everything a membership is owed. Every pause has a reason
the partner reads at once and a day by which it is looked at again; what is earned meanwhile is computed as ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import notices_holds
from payouts.choices import CommissionState, PauseCause
from payouts.models import Commission, Pause
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from tiers.models import Program

if TYPE_CHECKING:
    from payouts.models.pause import PauseQuerySet
    from prm.accounts.models import User

LONGEST_REASON = 200


class NotOnHold(Refused):
    message = _("Only a line that is on hold can be paused; this one is: %(state)s.")
    field = "commission"


class NothingToPause(Refused):
    message = _("This line moves no money.")
    field = "commission"


class NoReason(Refused):
    message = _("Write the reason, in up to 200 characters. The partner reads it.")
    field = "reason"


class NotAReviewDay(Refused):
    message = _("Somebody has to look at it again on a day that is still to come.")
    field = "review_on"


class UnknownCause(Refused):
    message = _("Choose the cause.")
    field = "cause"


class PausedAlready(Refused):
    message = _("Payments are paused for this cause already.")
    field = "cause"


class PauseEnded(Refused):
    message = _("This pause has ended already.")


@transaction.atomic
def pause_line(
    commission: Commission,
    *,
    cause: str,
    reason: str,
    review_on: date,
    by: User | None,
    at: datetime,
    tells: bool = True,
) -> Pause:
    """Keep one line that is on hold from being released until the pause ends, and tell the partner why.

    `by` is None where the product itself acts for somebody it has let through. Who pauses many lines for one reason tells of them
    together, and says so with `tells=False`.
    Raises: Forbidden, UnknownCause, NoReason, NotAReviewDay, NothingToPause, NotOnHold.
    """
    membership = _lock(commission.membership_id)
    text = _checked(membership.program, cause=cause, reason=reason, review_on=review_on, by=by, at=at)
    line = Commission.objects.lock().get(pk=commission.pk)
    if not line.amount_minor:
        raise NothingToPause
    moved = Commission.objects.filter(pk=line.pk, state=CommissionState.ON_HOLD).update(
        state=CommissionState.PAUSED, pause_reason=text
    )
    if not moved:
        raise NotOnHold(params={"state": CommissionState(line.state).label})
    pause = Pause.objects.create(
        membership=membership,
        commission=line,
        cause=cause,
        reason=text,
        review_on=review_on,
        paused_at=at,
        paused_by=by,
    )
    audit.record(by, "commission.paused", line, at=at, note=text, cause=cause, review_on=str(review_on))
    if tells:
        notices_holds.tell_paused(pause)
    return pause


@transaction.atomic
def pause_payments(
    membership: Membership, *, cause: str, reason: str, review_on: date, by: User | None, at: datetime
) -> Pause:
    """Leave a membership out of pay runs until the pause ends, and tell the partner why.

    Raises: Forbidden, UnknownCause, NoReason, NotAReviewDay, PausedAlready.
    """
    membership = _lock(membership.pk)
    text = _checked(membership.program, cause=cause, reason=reason, review_on=review_on, by=by, at=at)
    if Pause.objects.open().of_payments().filter(membership=membership, cause=cause).exists():
        raise PausedAlready
    pause = Pause.objects.create(
        membership=membership,
        cause=cause,
        reason=text,
        review_on=review_on,
        paused_at=at,
        paused_by=by,
    )
    audit.record(
        by, "membership.payments_paused", membership, at=at, note=text, cause=cause, review_on=str(review_on)
    )
    notices_holds.tell_paused(pause)
    return pause


@transaction.atomic
def resume(pause: Pause, *, outcome: str, by: User | None, at: datetime, tells: bool = True) -> Pause:
    """End a pause with what came of it. A line goes back on hold, and is released the next night when its date has come.

    Raises: Forbidden, NoReason, PauseEnded.
    """
    if by is not None:
        policy.require(by, "pause_payments")
    text = " ".join(outcome.split())
    if not text or len(text) > LONGEST_REASON:
        raise NoReason(_("Write what came of it, in up to 200 characters."), field="outcome")
    membership = _lock(pause.membership_id)
    ended = Pause.objects.open().filter(pk=pause.pk).update(ended_at=at, ended_by=by, outcome=text)
    if not ended:
        raise PauseEnded
    pause = Pause.objects.select_related("commission", "membership__partner", "membership__program").get(
        pk=pause.pk
    )
    if pause.commission_id is not None:
        Commission.objects.filter(pk=pause.commission_id, state=CommissionState.PAUSED).update(
            state=CommissionState.ON_HOLD, pause_reason=""
        )
        audit.record(by, "commission.resumed", pause.commission, at=at, note=text)
    else:
        audit.record(by, "membership.payments_resumed", membership, at=at, note=text, cause=pause.cause)
    if tells:
        notices_holds.tell_pause_ended(pause, at=at)
    return pause


def open_pauses(membership_ids: Collection[int]) -> dict[int, list[Pause]]:
    """Return what keeps whole memberships from being paid, by membership, the oldest first; one query however many they are."""
    found: dict[int, list[Pause]] = defaultdict(list)
    for pause in Pause.objects.open().of_payments().filter(membership__in=membership_ids).order_by("pk"):
        found[pause.membership_id].append(pause)
    return dict(found)


def overdue(*, at: datetime) -> PauseQuerySet:
    """Return the open pauses whose review day is over where their program is."""
    late = models.Q(pk__in=[])
    waiting = Pause.objects.open().filter(review_on__lte=at.date())
    for program in Program.objects.filter(memberships__pauses__in=waiting).distinct():
        late |= models.Q(membership__program=program, review_on__lt=local_day(at, program.zone))
    return Pause.objects.open().filter(late)


def _lock(membership_id: int) -> Membership:
    return Membership.objects.lock().select_related("program", "partner").get(pk=membership_id)


def _checked(
    program: Program, *, cause: str, reason: str, review_on: date, by: User | None, at: datetime
) -> str:
    """Return the reason as it is kept.

    Raises: Forbidden, UnknownCause, NoReason, NotAReviewDay.
    """
    if by is not None:
        policy.require(by, "pause_payments")
    if cause not in PauseCause.values or (by is not None and cause == PauseCause.TERMS):
        raise UnknownCause
    text = " ".join(reason.split())
    if not text or len(text) > LONGEST_REASON:
        raise NoReason
    if review_on <= local_day(at, program.zone):
        raise NotAReviewDay
    return text
