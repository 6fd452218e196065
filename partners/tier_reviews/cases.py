"""One case of a tier review: how it is held while it is decided on, what it refuses, and how it comes to its end. A case ends once, and its
membership is locked before the case."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from partners.choices import ReviewOutcome, ReviewState
from partners.events import ReviewDecided
from partners.models import Appeal, Membership, TierReview
from partners.own_team import refuse_own
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.events import announce
from tiers import schemes
from tiers.qualify import Process

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "decide_reviews"
LONGEST_NOTE = 2_000
ENDED = (
    "state",
    "decided_at",
    "decided_by",
    "note",
    "placement",
    "effective_at",
    "last_figures",
    "last_looked_at",
)


class CaseClosed(Refused):
    message = _("This review has come to its end already.")


class AppealOpen(Refused):
    message = _("The partner has appealed: answer the appeal first.")


class NotNotified(Refused):
    message = _("The partner was not told of it yet: send the notice first.")


class NoticeSent(Refused):
    message = _("The notice of this review was sent already.")


class NotAFall(Refused):
    message = _("This review proposes no fall, so there is nothing to give notice of.")


class StillInGrace(Refused):
    message = _("The grace period runs until %(moment)s; nothing is decided before.")


class ReasonMissing(Refused):
    message = _("Say why: the partner reads it.")
    field = "note"


class ReasonTooLong(Refused):
    message = _("Write at most %(most)s characters.")
    field = "note"


def require(by: User | None, review: TierReview) -> None:
    """Let through who decides reviews, of a partner in whose team they are not; None is the program's own setting.

    Raises: Forbidden, OwnTeam.
    """
    if by is not None:
        policy.require(by, CAPABILITY)
        refuse_own(review.membership.partner_id, by)


def locked(review: TierReview) -> TierReview:
    """Return a case as it is now, held until the transaction ends, with its membership held before it.

    Raises: CaseClosed when nothing is to come in it any more.
    """
    membership = Membership.objects.lock().select_related("partner", "program").get(pk=review.membership_id)
    rows = TierReview.objects.lock().select_related("round__scheme", "from_tier", "to_tier", "measured_tier")
    case = rows.get(pk=review.pk)
    case.membership = membership
    case.round.program = membership.program
    if case.state not in ReviewState.open():
        raise CaseClosed
    return case


def process_of(case: TierReview) -> Process:
    """Return how the scheme a case was opened under goes about changes."""
    return schemes.scheme_of(case.round.scheme).process


def over_at(case: TierReview) -> datetime | None:
    """Return from when on a fall may take effect: after the grace, and after the days to appeal where nobody did."""
    if case.grace_ends_at is None:
        return None
    if case.appeal_ends_at is None or Appeal.objects.filter(review=case).exists():
        return case.grace_ends_at
    return max(case.grace_ends_at, case.appeal_ends_at)


def checked(text: str, *, needed: bool, field: str = "note", most: int = LONGEST_NOTE) -> str:
    """Return a text without what surrounds it. Raises: ReasonMissing, ReasonTooLong."""
    text = text.strip()
    if needed and not text:
        raise ReasonMissing(field=field)
    if len(text) > most:
        raise ReasonTooLong(params={"most": most}, field=field)
    return text


def is_fall(case: TierReview) -> bool:
    return case.outcome == ReviewOutcome.DOWN


def finish(
    case: TierReview, state: ReviewState, *, by: User | None, at: datetime, note: str = "", **details: object
) -> TierReview:
    """Bring a case that is held to its end, and tell the house of it."""
    case.state, case.decided_at, case.decided_by = state, at, by
    if note:
        case.note = note
    case.save(update_fields=ENDED)
    audit.record(by, f"tier_review.{state.value}", case, at=at, note=note, **details)
    announce(ReviewDecided(case.pk, state.value))
    return case
