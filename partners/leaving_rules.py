"""What may end a membership or stop it, and how soon. The product's own rules, apart from the verbs that carry them out: who breaks the
rules of the program has to go at once, everybody else is told as long before as the terms promise."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from partners import terms
from partners.choices import EndingKind, MembershipState, SanctionReason
from prm.lib.errors import Refused
from prm.lib.periods import local_day, start_of_day

if TYPE_CHECKING:
    from partners.models import Membership

LONGEST_NOTE = 2000
LATEST_LEAVE = timedelta(days=366)
NOTICE_WITHOUT_TERMS = timedelta(days=30)

# Breaches: reasons for which nobody has to wait.
AT_ONCE = (
    SanctionReason.TERMS_VIOLATION,
    SanctionReason.INAPPROPRIATE_CONTENT,
    SanctionReason.FAKE_TRAFFIC,
    SanctionReason.FRAUD,
    SanctionReason.SPAM,
    SanctionReason.BRAND_ABUSE,
)
_NO_BLAME = (SanctionReason.OWN_WISH, SanctionReason.MERGED)

FOR_SUSPENSION = (*AT_ONCE, SanctionReason.TERMS_NOT_ACCEPTED, SanctionReason.OTHER)
FOR_KIND: dict[str, tuple[SanctionReason, ...]] = {
    EndingKind.ENDED.value: _NO_BLAME,
    EndingKind.TERMINATED.value: (
        *AT_ONCE,
        SanctionReason.TERMS_NOT_ACCEPTED,
        SanctionReason.INACTIVE,
        SanctionReason.PROGRAM_CLOSED,
        SanctionReason.OTHER,
    ),
    EndingKind.BANNED.value: AT_ONCE,
}
LIVING = (MembershipState.INVITED, MembershipState.ONBOARDING, MembershipState.ACTIVE)


class OverAlready(Refused):
    message = _("This membership has ended already.")


class NotRunning(Refused):
    message = _("Only a membership that is running can be suspended.")


class NotSuspended(Refused):
    message = _("This membership is not suspended.")


class NoticeGiven(Refused):
    message = _("A notice was given already: cancel it first.")


class NoNotice(Refused):
    message = _("There is no notice that could be cancelled.")


class WrongReason(Refused):
    message = _("Choose the reason.")
    field = "reason"


class NoteTooLong(Refused):
    message = _("Write at most %(longest)s characters.")
    field = "note"


class NoticeTooShort(Refused):
    message = _(
        "For this reason the terms promise %(days)s days of notice: %(earliest)s is the first day possible."
    )
    field = "effective_on"


class NotThatDay(Refused):
    message = _("Choose a day from tomorrow on, within a year.")
    field = "on"


def checked_note(note: str) -> str:
    """Return what the partner is told beside the reason. Raises: NoteTooLong."""
    text = note.strip()
    if len(text) > LONGEST_NOTE:
        raise NoteTooLong(params={"longest": LONGEST_NOTE})
    return text


def require_reason(reason: str, among: tuple[SanctionReason, ...]) -> None:
    """Let a reason through that fits. Raises: WrongReason."""
    if reason not in among:
        raise WrongReason


def notice_of(membership: Membership, *, at: datetime) -> timedelta:
    """Return how long before the terms in force promise to tell a partner that we end the membership."""
    version = terms.for_member(membership, at)
    return NOTICE_WITHOUT_TERMS if version is None else timedelta(days=version.notice_days)


def earliest_end(membership: Membership, reason: str, *, at: datetime) -> datetime:
    """Return the first moment at which staff may end the membership for `reason`: now, or the first midnight after the notice."""
    if reason in (*AT_ONCE, *_NO_BLAME):
        return at
    zone = membership.program.zone
    over = local_day(at + notice_of(membership, at=at), zone)
    midnight = start_of_day(over, zone)
    return (
        midnight
        if midnight >= at + notice_of(membership, at=at)
        else start_of_day(over + timedelta(days=1), zone)
    )


def require_notice(membership: Membership, reason: str, *, effective_at: datetime, at: datetime) -> None:
    """Let an end through that comes late enough. Raises: NoticeTooShort."""
    earliest = earliest_end(membership, reason, at=at)
    if effective_at < earliest:
        days = notice_of(membership, at=at).days
        first = local_day(earliest, membership.program.zone)
        raise NoticeTooShort(params={"days": days, "earliest": first.isoformat()})


def moment_on(membership: Membership, day: date) -> datetime:
    """Return the first moment of a day in the program's zone."""
    return start_of_day(day, membership.program.zone)


def moment_of(membership: Membership, on: date | None, *, at: datetime) -> datetime:
    """Return when a membership ends whose partner leaves on a day: at its first moment in the program's zone, now without a day.

    Raises: NotThatDay.
    """
    if on is None:
        return at
    moment = start_of_day(on, membership.program.zone)
    if not at < moment <= at + LATEST_LEAVE:
        raise NotThatDay
    return moment
