"""Ask, answer and ask back. A question starts its clock when it is asked, and again when the partner writes after an answer; whoever
has to act next is told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Case, Value, When

from payouts import notices_disputes as notices
from payouts.choices import DisputeCause, DisputeState
from payouts.disputes import clock
from payouts.disputes.common import (
    AlreadyAsked,
    BadWish,
    NothingToWorkOut,
    TooLateToAsk,
    answered,
    checked_text,
    looked_at,
    move,
    require_may_ask,
    write,
)
from payouts.disputes.suggestion import Suggestion, suggest
from payouts.evidence import Evidence
from payouts.models import Commission, Dispute, DisputeMessage
from prm import audit
from prm.accounts import policy
from prm.lib import l10n

if TYPE_CHECKING:
    from prm.accounts.models import User


def open(
    line: Commission, *, cause: str, text: str, by: User, at: datetime, evidence: File[bytes] | None = None
) -> Dispute:
    """Ask about a line, with the correction the engine would suggest; one question about a line is open at a time.

    Who asks the same twice, as by two clicks, gets the question that is there.

    Raises: NotYourQuestion, BadWish, BadText, TooLateToAsk, AlreadyAsked, and what a file is refused for.
    """
    require_may_ask(line.membership.partner, by)
    if cause not in DisputeCause.values:
        raise BadWish
    said, file = checked_text(text), looked_at(evidence)
    until = clock.ask_until(line)
    if until is not None and at >= until:
        day = clock.last_day(until, line.membership.program)
        raise TooLateToAsk(params={"date": l10n.date_text(day, l10n.reader_locale(by.language))})
    there = clock.open_about(line)
    if there is not None:
        return _same(there, cause, said, by=by)
    found = suggest(line, at=at)
    try:
        with transaction.atomic():
            return _write_down(line, cause, said, found, by=by, at=at, file=file)
    except IntegrityError as refusal:
        # Somebody of the team asked between the look and the write.
        there = clock.open_about(line)
        if there is None:
            raise
        try:
            return _same(there, cause, said, by=by)
        except AlreadyAsked as asked:
            raise asked from refusal


def _same(there: Dispute, cause: str, said: str, *, by: User) -> Dispute:
    """Return the question that is open when the same person asked the same.

    Raises: AlreadyAsked.
    """
    first = there.messages.order_by("pk").first()
    if (there.opened_by_id, there.cause) != (by.pk, cause) or first is None or first.text != said:
        raise AlreadyAsked
    return there


def _write_down(
    line: Commission,
    cause: str,
    said: str,
    found: Suggestion,
    *,
    by: User,
    at: datetime,
    file: Evidence | None,
) -> Dispute:
    dispute = Dispute.objects.create(
        membership=line.membership,
        commission=line,
        cause=cause,
        state=DisputeState.OPENED,
        opened_at=at,
        opened_by=by,
        answer_by_at=clock.answer_by(line.membership.program, at),
        suggested_minor=found.minor,
        suggestion=found.as_json(at),
    )
    message = write(dispute, said, by=by, at=at, is_from_partner=True, file=file)
    audit.record(by, "dispute.opened", dispute, at=at, line=line.public_id, cause=cause)
    notices.tell_staff(dispute, message)
    return dispute


@transaction.atomic
def answer(
    dispute: Dispute,
    *,
    text: str,
    by: User,
    at: datetime,
    waits_for_partner: bool = False,
    evidence: File[bytes] | None = None,
) -> DisputeMessage:
    """Answer a question without deciding it, or ask the partner for more. The partner is told.

    Raises: Forbidden, BadText, AlreadyDecided, and what a file is refused for.
    """
    policy.require(by, "answer_disputes")
    said, file = checked_text(text), looked_at(evidence)
    to = DisputeState.WAITING_PARTNER if waits_for_partner else DisputeState.ANSWERED
    move(dispute, to, **answered(at))
    message = write(dispute, said, by=by, at=at, is_from_partner=False, file=file)
    audit.record(by, "dispute.answered", dispute, at=at, state=dispute.state)
    notices.tell_partner_of_answer(dispute, message)
    return message


@transaction.atomic
def reply(
    dispute: Dispute, *, text: str, by: User, at: datetime, evidence: File[bytes] | None = None
) -> DisputeMessage:
    """Write back as the partner; after an answer the clock starts again. Whoever looks after the partner is told.

    Raises: NotYourQuestion, BadText, AlreadyDecided, and what a file is refused for.
    """
    require_may_ask(dispute.membership.partner, by)
    said, file = checked_text(text), looked_at(evidence)
    anew = clock.answer_by(dispute.membership.program, at)
    # What nobody has answered yet keeps its promise, however often the partner writes.
    promise = Case(When(state=DisputeState.OPENED, then="answer_by_at"), default=Value(anew))
    move(dispute, DisputeState.OPENED, answer_by_at=promise)
    message = write(dispute, said, by=by, at=at, is_from_partner=True, file=file)
    audit.record(by, "dispute.replied", dispute, at=at)
    notices.tell_staff(dispute, message)
    return message


def look_again(dispute: Dispute, *, by: User, at: datetime) -> Suggestion:
    """Work out the suggested correction once more, with the books as they are now.

    Raises: Forbidden, NothingToWorkOut, AlreadyDecided.
    """
    policy.require(by, "answer_disputes")
    if dispute.commission is None:
        raise NothingToWorkOut
    found = suggest(dispute.commission, at=at)
    with transaction.atomic():
        state = DisputeState(dispute.state)
        move(dispute, state, suggested_minor=found.minor, suggestion=found.as_json(at))
        audit.record(by, "dispute.recomputed", dispute, at=at, suggested_minor=found.minor)
    return found
