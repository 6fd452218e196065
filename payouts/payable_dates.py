"""Move the day from which lines can be paid, when it has to be. Each move is a record with its reason, which the partner is told at once; the
database moves no date without one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import notices_holds
from payouts.choices import CommissionState
from payouts.models import Commission, PayableDateChange
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.periods import local_day, start_of_day

if TYPE_CHECKING:
    from prm.accounts.models import User

WAITING = (CommissionState.ON_HOLD, CommissionState.PAUSED)
FURTHEST = timedelta(days=730)


class NotWaiting(Refused):
    message = _("Only a line on hold or paused can get another date; line %(line)s is: %(state)s.")
    field = "commission"


class NothingChosen(Refused):
    message = _("Choose at least one line.")
    field = "commission"


class NoReason(Refused):
    message = _("Write the reason, in up to 200 characters. The partner reads it.")
    field = "reason"


class NotAPayableDay(Refused):
    message = _("Choose a day from %(first)s to %(last)s.")
    field = "to"


class SameDay(Refused):
    message = _("That is the day already.")
    field = "to"


@transaction.atomic
def move(
    commissions: Iterable[Commission], *, to: date, reason: str, by: User, at: datetime
) -> list[PayableDateChange]:
    """Let lines be ready to pay from the beginning of the day `to`, where their program is, and tell their partners.

    Lines that have this day already stay as they are.
    Raises: Forbidden, NothingChosen, NoReason, NotWaiting, NotAPayableDay, SameDay.
    """
    policy.require(by, "adjust_balances")
    text = " ".join(reason.split())
    if not text or len(text) > 200:
        raise NoReason
    lines = _lock(commissions)
    moved: dict[int, list[PayableDateChange]] = defaultdict(list)
    for line in lines:
        payable_at = _new_instant(line, to, at=at)
        if payable_at == line.payable_at:
            continue
        change = PayableDateChange.objects.create(
            commission=line,
            was_payable_at=line.payable_at,
            payable_at=payable_at,
            reason=text,
            changed_at=at,
            changed_by=by,
        )
        Commission.objects.filter(pk=line.pk, state__in=WAITING).update(payable_at=payable_at)
        audit.record(
            by, "commission.date_moved", line, at=at, note=text, was=str(line.payable_at), now=str(payable_at)
        )
        line.payable_at = payable_at
        moved[line.membership_id].append(change)
    if not moved:
        raise SameDay
    for changes in moved.values():
        notices_holds.tell_date_moved(changes)
    return [change for changes in moved.values() for change in changes]


def _lock(commissions: Iterable[Commission]) -> list[Commission]:
    """Return the lines, their memberships locked before them.

    Raises: NothingChosen, NotWaiting.
    """
    chosen = {line.pk: line.membership_id for line in commissions}
    if not chosen:
        raise NothingChosen
    list(Membership.objects.filter(pk__in=chosen.values()).lock())
    found = Commission.objects.filter(pk__in=chosen).lock()
    lines = list(found.select_related("membership__program", "membership__partner", "conversion"))
    for line in lines:
        if line.state not in WAITING:
            raise NotWaiting(params={"line": line.public_id, "state": CommissionState(line.state).label})
    return lines


def _new_instant(line: Commission, to: date, *, at: datetime) -> datetime:
    """Return the instant the day begins.

    Raises: NotAPayableDay.
    """
    zone = line.membership.program.zone
    today = local_day(at, zone)
    if not today <= to <= today + FURTHEST:
        last = today + FURTHEST
        raise NotAPayableDay(params={"first": today.isoformat(), "last": last.isoformat()})
    return start_of_day(to, zone)
