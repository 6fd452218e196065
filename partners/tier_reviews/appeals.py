"""Appeals of partners against a fall. One is heard for each case, by a promised day, and until it is answered nothing about the tier
changes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners import mails_tiers
from partners.choices import AppealState, ReviewState
from partners.models import Appeal, TierReview
from partners.team import require_owner
from partners.tier_reviews import cases
from prm import audit
from prm.lib.errors import Refused
from prm.lib.periods import end_of_day_after, local_day, working_day_after

if TYPE_CHECKING:
    from prm.accounts.models import User

LONGEST = 4_000
# What is left after a refusal at least, to bring the figures up.
DAYS_AFTER_REFUSAL = 7


class NothingToAppeal(Refused):
    message = _("There is nothing to appeal against: nobody gave notice of a fall.")


class TooLate(Refused):
    message = _("The days to appeal are over.")


class AppealedAlready(Refused):
    message = _("This review was appealed against already: an appeal is heard once.")


class AppealClosed(Refused):
    message = _("This appeal is closed already.")


@transaction.atomic
def appeal(review: TierReview, *, text: str, by: User, at: datetime) -> Appeal:
    """Object to a fall in the name of the partner, by an owner of its team: until the answer nothing changes.

    Raises: NotYours, CaseClosed, NothingToAppeal, AppealedAlready, TooLate, ReasonMissing, ReasonTooLong.
    """
    require_owner(review.membership.partner, by)
    case = cases.locked(review)
    if Appeal.objects.filter(review=case).exists():
        raise AppealedAlready
    if case.state != ReviewState.IN_GRACE or case.appeal_ends_at is None:
        raise NothingToAppeal
    if at >= case.appeal_ends_at:
        raise TooLate
    text = cases.checked(text, needed=True, field="text", most=LONGEST)
    today = local_day(at, case.membership.program.zone)
    made = Appeal.objects.create(
        review=case,
        text=text,
        opened_at=at,
        opened_by=by,
        answer_on=working_day_after(today, cases.process_of(case).answer_days),
    )
    _move(case, ReviewState.APPEALED)
    audit.record(by, "appeal.opened", made, at=at, answer_on=made.answer_on)
    mails_tiers.appeal_received(made, case)
    return made


@transaction.atomic
def withdraw_appeal(appeal: Appeal, *, by: User, at: datetime) -> Appeal:
    """Take an appeal back, by an owner of the team: the grace period goes on as it was told.

    Raises: NotYours, AppealClosed.
    """
    require_owner(appeal.review.membership.partner, by)
    case, held = _locked(appeal)
    held.state = AppealState.WITHDRAWN
    held.save(update_fields=["state"])
    _move(case, ReviewState.IN_GRACE)
    audit.record(by, "appeal.withdrawn", held, at=at)
    return held


@transaction.atomic
def answer_appeal(appeal: Appeal, *, granted: bool, answer: str, by: User, at: datetime) -> Appeal:
    """Grant an appeal, so that the tier is kept, or refuse it: then the grace goes on, for seven days at least.

    Raises: Forbidden, OwnTeam, AppealClosed, ReasonMissing, ReasonTooLong.
    """
    cases.require(by, appeal.review)
    answer = cases.checked(answer, needed=True, field="answer", most=LONGEST)
    case, held = _locked(appeal)
    held.state = AppealState.GRANTED if granted else AppealState.REFUSED
    held.answer, held.answered_at, held.answered_by = answer, at, by
    held.save(update_fields=["state", "answer", "answered_at", "answered_by"])
    audit.record(by, f"appeal.{held.state}", held, at=at)
    if granted:
        cases.finish(case, ReviewState.KEPT, by=by, at=at)
    else:
        least = end_of_day_after(at, DAYS_AFTER_REFUSAL, case.membership.program.zone)
        case.grace_ends_at = max(case.grace_ends_at or least, least)
        _move(case, ReviewState.IN_GRACE)
    mails_tiers.appeal_answered(held, case)
    return held


def _locked(appeal: Appeal) -> tuple[TierReview, Appeal]:
    try:
        case = cases.locked(appeal.review)
    except cases.CaseClosed:
        raise AppealClosed from None
    held = Appeal.objects.get(pk=appeal.pk)
    if held.state != AppealState.OPEN or case.state != ReviewState.APPEALED:
        raise AppealClosed
    held.review = case
    return case, held


def _move(case: TierReview, state: ReviewState) -> None:
    case.state = state
    case.save(update_fields=["state", "grace_ends_at"])
