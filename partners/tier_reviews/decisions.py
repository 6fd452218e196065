"""Decide on cases: tell the partner, carry out what is proposed, keep the tier, or waive. A rise counts from its instant on and never before;
a fall never takes effect before its grace is over, nor while an appeal waits for its answer."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

from partners import mails_tiers, placement, tier_cases
from partners.choices import OverrideKind, ReviewOutcome, ReviewState
from partners.models import TierOverride, TierReview
from partners.tier_reviews import cases, grace, remedies
from partners.tier_reviews.cases import (
    AppealOpen,
    CaseClosed,
    NotAFall,
    NoticeSent,
    NotNotified,
    StillInGrace,
)
from prm import audit
from prm.lib import l10n
from prm.lib.db import persistently
from prm.lib.errors import Refused
from prm.lib.periods import end_of_day_after, local_day, start_of_day
from tiers.qualify import Process
from tiers.qualify.scheme import AUTOMATIC
from tiers.qualify.windows import months_before

if TYPE_CHECKING:
    from prm.accounts.models import User

logger = logging.getLogger(__name__)
LONGEST_REASON = 500
# Calendars end; a decision that holds for good is a placement, not one until a day.
FIRST_YEAR_TOO_FAR = 9000


class NotAhead(Refused):
    message = gettext_lazy("Choose a day that lies ahead.")
    field = "until"


class TooFarAhead(Refused):
    message = gettext_lazy("Choose a day before the year %(year)s.")
    field = "until"


@transaction.atomic
def notify(review: TierReview, *, by: User | None, at: datetime) -> TierReview:
    """Tell the owners that their membership would fall, why, and what brings it back; from now on the grace period runs.

    Raises: Forbidden, OwnTeam, CaseClosed, NotAFall, NoticeSent.
    """
    cases.require(by, review)
    case = cases.locked(review)
    if not cases.is_fall(case):
        raise NotAFall
    if case.state != ReviewState.PROPOSED:
        raise NoticeSent
    process, zone = cases.process_of(case), case.membership.program.zone
    case.state, case.notified_at = ReviewState.IN_GRACE, at
    case.grace_ends_at = end_of_day_after(at, process.grace_days, zone)
    case.appeal_ends_at = end_of_day_after(at, process.appeal_days, zone)
    missing = list(remedies.missing(case))
    case.remedies = remedies.stored(case, missing)
    case.save(update_fields=["state", "notified_at", "grace_ends_at", "appeal_ends_at", "remedies"])
    audit.record(by, "tier_review.notified", case, at=at, grace_ends_at=case.grace_ends_at)
    mails_tiers.fall_noticed(case, [found for _tier, found in missing])
    return case


@transaction.atomic
def decide(
    review: TierReview,
    *,
    by: User | None,
    at: datetime,
    note: str = "",
    effective_at: datetime | None = None,
) -> TierReview:
    """Carry out what a case proposes, from `at` on or from `effective_at`, when that lies ahead.

    A fall is measured once more: whoever reaches the own tier again keeps it, and the case comes back as kept.
    `by` is None where the program's own setting decides.

    Raises: Forbidden, OwnTeam, CaseClosed, AppealOpen, NotNotified, StillInGrace, ReasonTooLong, and what `placement.place` refuses
    (NoRoom, OutOfUse, TooEarly).
    """
    cases.require(by, review)
    case = cases.locked(review)
    if case.state == ReviewState.DECIDED:
        raise CaseClosed
    _refuse_too_early(case, at=at)
    note = cases.checked(note, needed=False)
    if cases.is_fall(case):
        found = grace.look(case, at=at)
        if found.is_reached:
            return grace.noted(case, found, by=by, at=at)
        case.last_figures, case.last_looked_at = grace.stored(found), at
    case.note = note
    if effective_at is None or effective_at <= at:
        return _apply(case, by=by, at=at)
    case.state, case.decided_at, case.decided_by = ReviewState.DECIDED, at, by
    case.effective_at = effective_at
    case.save(update_fields=cases.ENDED)
    audit.record(by, "tier_review.decided", case, at=at, note=note, effective_at=effective_at)
    return case


@transaction.atomic
def keep(review: TierReview, *, by: User, at: datetime, note: str) -> TierReview:
    """Leave the membership where it stands, against the proposal; also a decision that has not taken effect is taken back.

    The reason is read by the partner where it was told of a fall. Raises: Forbidden, OwnTeam, CaseClosed, AppealOpen, ReasonMissing,
    ReasonTooLong.
    """
    cases.require(by, review)
    case = cases.locked(review)
    if case.state == ReviewState.APPEALED:
        raise AppealOpen
    note = cases.checked(note, needed=True)
    case.effective_at = None
    cases.finish(case, ReviewState.KEPT, by=by, at=at, note=note)
    if case.notified_at is not None:
        mails_tiers.confirmed(case)
    return case


@transaction.atomic
def waive(review: TierReview, *, until: date, reason: str, by: User, at: datetime) -> TierReview:
    """Let a membership keep its tier until the end of a day although it does not reach it; then it is looked at again.

    Raises: Forbidden, OwnTeam, CaseClosed, NotAFall, AppealOpen, NotAhead, ReasonMissing, ReasonTooLong.
    """
    cases.require(by, review)
    case = cases.locked(review)
    if not cases.is_fall(case):
        raise NotAFall
    if case.state == ReviewState.APPEALED:
        raise AppealOpen
    reason = cases.checked(reason, needed=True, field="reason", most=LONGEST_REASON)
    expires_at = end_of(until, case.membership.program.zone, at=at)
    tier_cases.end_overrides(case.membership, by=by, at=at)
    waiver = TierOverride.objects.create(
        membership=case.membership,
        kind=OverrideKind.WAIVER,
        tier=case.from_tier,
        review=case,
        reason=reason,
        made_at=at,
        made_by=by,
        expires_at=expires_at,
    )
    case.effective_at = None
    cases.finish(case, ReviewState.WAIVED, by=by, at=at, note=reason, until=expires_at)
    mails_tiers.waived(waiver)
    return case


def apply_due(*, at: datetime) -> int:
    """Carry out what was decided for a day that has come, and falls the program's own setting decides; return how many ended."""
    due = TierReview.objects.filter(state=ReviewState.DECIDED, effective_at__lte=at)
    ended = sum(persistently(partial(_apply_one, pk, at=at)) for pk in _ids(due))
    for case in TierReview.objects.in_grace_over(at=at).select_related("round__scheme").order_by("pk"):
        if cases.process_of(case).down == AUTOMATIC:
            ended += persistently(partial(_decide_one, case, at=at))
    return ended


def hindrance(review: TierReview, *, at: datetime) -> str:
    """Return why a case cannot be decided at the moment, nothing when it can; for lists, nothing is locked."""
    if review.state not in ReviewState.open() or review.state == ReviewState.DECIDED:
        return str(CaseClosed())
    try:
        _refuse_too_early(review, at=at)
    except Refused as refusal:
        return str(refusal)
    if review.outcome == ReviewOutcome.UP and not placement.has_room(review.to_tier):
        return str(
            placement.NoRoom(params={"tier": review.to_tier.name, "most": review.to_tier.capacity or 0})
        )
    return ""


def end_of(day: date, zone: tzinfo, *, at: datetime) -> datetime:
    """Return the instant a day is over; the whole day still counts. Raises: NotAhead, TooFarAhead."""
    if day.year >= FIRST_YEAR_TOO_FAR:
        raise TooFarAhead(params={"year": FIRST_YEAR_TOO_FAR})
    found = start_of_day(day + timedelta(days=1), zone)
    if found <= at or day <= local_day(at, zone):
        raise NotAhead
    return found


def grandfathering(process: Process, zone: tzinfo, *, at: datetime) -> dict[str, Any]:
    """Return how customers from before a fall at `at` keep the former tier's terms, as `placement.place` takes it."""
    months = process.customers_keep_months
    if months == 0:
        return {}
    if months is None:
        return {"keeps_customers": True}
    day = months_before(local_day(at, zone), -months)
    return {"keeps_customers": True, "customers_keep_ends_at": start_of_day(day, zone)}


def _refuse_too_early(case: TierReview, *, at: datetime) -> None:
    if case.state == ReviewState.APPEALED:
        raise AppealOpen
    if not cases.is_fall(case):
        return
    over = cases.over_at(case)
    if over is None:
        raise NotNotified
    if at < over:
        program = case.membership.program
        moment = l10n.datetime_text(over, program.zone, l10n.active_locale(), "long")
        raise StillInGrace(params={"moment": moment})


def _apply(case: TierReview, *, by: User | None, at: datetime) -> TierReview:
    program = case.membership.program
    process = cases.process_of(case)
    kept = grandfathering(process, program.zone, at=at) if cases.is_fall(case) else {}
    case.placement = placement.place(
        case.membership, tier=case.to_tier, by=by, at=at, because=_because(case), review=case, **kept
    )
    case.effective_at = at
    cases.finish(case, ReviewState.APPLIED, by=by, at=at, before=case.from_tier.key, after=case.to_tier.key)
    (mails_tiers.fallen if cases.is_fall(case) else mails_tiers.risen)(case)
    return case


def _because(case: TierReview) -> str:
    """Return the reason of the placement in the partner's language."""
    partner = case.membership.partner
    if case.note:
        return case.note
    with translation.override(partner.language):
        day = l10n.date_text(case.round.due_on, l10n.reader_locale(partner.language), "long")
        return gettext("Tier review of %(day)s") % {"day": day}


def _apply_one(pk: int, *, at: datetime) -> bool:
    try:
        return _apply_held(pk, at=at)
    except Refused as refusal:
        logger.info("Review %s waits: %s", pk, refusal)
        return False


@transaction.atomic
def _apply_held(pk: int, *, at: datetime) -> bool:
    case = cases.locked(TierReview.objects.get(pk=pk))
    if case.state != ReviewState.DECIDED or case.effective_at is None or case.effective_at > at:
        return False
    if cases.is_fall(case):
        found = grace.look(case, at=at)
        case.last_figures, case.last_looked_at = grace.stored(found), at
        if found.is_reached:
            # Nobody falls who is back by the day of the fall; why the fall was decided is no reason to keep.
            case.effective_at, case.note = None, ""
            cases.finish(case, ReviewState.KEPT, by=None, at=at, reached_again=True)
            mails_tiers.confirmed(case)
            return True
    _apply(case, by=case.decided_by, at=at)
    return True


def _decide_one(case: TierReview, *, at: datetime) -> bool:
    try:
        decide(case, by=None, at=at)
    except Refused as refusal:
        logger.info("Review %s waits: %s", case.public_id, refusal)
        return False
    return True


def _ids(rows: Any) -> list[int]:
    return list(rows.order_by("membership_id", "pk").values_list("pk", flat=True))
