"""A case about one partner: opened with a reason the partner reads and a day by which it is decided, looked into, answered by the partner. As long as
it is open its lines wait; nothing about it changes because time passes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.core.files import File
from django.db import IntegrityError, transaction

from partners.choices import TeamRole
from partners.models import Member, Membership
from payouts import evidence as evidence_files
from payouts.choices import RiskCaseState, RiskSeverity
from payouts.evidence import Evidence
from payouts.models import RiskCase, RiskNote, RiskSignal
from payouts.risk import lines, notices
from payouts.risk.common import (
    LONGEST_REASON,
    LONGEST_TEXT,
    MOST_ANSWERS,
    OPEN,
    CaseDecided,
    CaseIsOpen,
    EnoughSaid,
    NoReason,
    NoSignals,
    NotAReviewDay,
    NoText,
    NotYourCase,
    SignalTaken,
    lock,
    one_line,
    require_decider,
    still_open,
)
from payouts.risk.deciding import clear, confirm
from prm import audit
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from prm.accounts.models import User

__all__ = [
    "add_signals",
    "clear",
    "confirm",
    "dismiss",
    "investigate",
    "note",
    "open_case",
    "partner_answer",
    "wrote_partner",
]

MAY_ANSWER = (TeamRole.OWNER, TeamRole.FINANCE, TeamRole.MARKETING, TeamRole.SALES)


def open_case(
    membership: Membership,
    signals: Sequence[RiskSignal],
    *,
    reason: str,
    review_on: date,
    by: User | None,
    at: datetime,
) -> RiskCase:
    """Open a case about signals, let the lines they concern wait and tell the partner. `by` is None when the monitor opens it.

    Raises: Forbidden, OwnTeam, NoReason, NotAReviewDay, NoSignals, CaseIsOpen.
    """
    if by is not None:
        require_decider(membership.partner_id, by)
    text = one_line(reason, NoReason, most=LONGEST_REASON)
    try:
        with transaction.atomic():
            return _open(membership, signals, text, review_on=review_on, by=by, at=at)
    except IntegrityError as refusal:
        if not RiskCase.objects.open().filter(membership=membership).exists():
            raise
        raise CaseIsOpen from refusal


def _open(
    membership: Membership,
    signals: Sequence[RiskSignal],
    reason: str,
    *,
    review_on: date,
    by: User | None,
    at: datetime,
) -> RiskCase:
    membership = lock(membership.pk)
    if review_on <= local_day(at, membership.program.zone):
        raise NotAReviewDay
    if RiskCase.objects.open().filter(membership=membership).exists():
        raise CaseIsOpen
    case = RiskCase.objects.create(
        membership=membership,
        state=RiskCaseState.OPEN,
        reason=reason,
        opened_at=at,
        opened_by=by,
        review_on=review_on,
    )
    _group(case, signals)
    made = lines.take_in(case, by=by, at=at)
    audit.record(
        by, "risk_case.opened", case, at=at, note=reason, signals=len(signals), lines=len(made),
        review_on=str(review_on),
    )  # fmt: skip
    notices.tell_opened(case)
    return case


@transaction.atomic
def add_signals(case: RiskCase, signals: Sequence[RiskSignal], *, by: User | None, at: datetime) -> RiskCase:
    """Add signals to an open case; the lines they concern wait too, and the partner is told when that stops any.

    Raises: Forbidden, OwnTeam, CaseDecided, NoSignals.
    """
    membership = lock(case.membership_id)
    if by is not None:
        require_decider(membership.partner_id, by)
    case = still_open(case)
    _group(case, signals)
    made = lines.take_in(case, by=by, at=at)
    audit.record(by, "risk_case.signals_added", case, at=at, signals=len(signals), lines=len(made))
    if made:
        notices.tell_more(case, made)
    return case


@transaction.atomic
def follow_lines(case: RiskCase, *, at: datetime) -> int:
    """Let lines that came to an open case since wait as well, tell the partner, and return how many came."""
    lock(case.membership_id)
    try:
        case = still_open(case)
    except CaseDecided:
        return 0
    made = lines.take_in(case, by=None, at=at)
    if made:
        audit.record(None, "risk_case.lines_added", case, at=at, lines=len(made))
        notices.tell_more(case, made)
    return len(made)


@transaction.atomic
def investigate(case: RiskCase, *, by: User, at: datetime) -> RiskCase:
    """Say that one looks into a case; whoever says so last does.

    Raises: Forbidden, OwnTeam, CaseDecided.
    """
    require_decider(case.membership.partner_id, by)
    moved = RiskCase.objects.filter(pk=case.pk, state__in=OPEN).update(
        state=RiskCaseState.INVESTIGATING, investigator=by
    )
    if not moved:
        raise CaseDecided
    case.refresh_from_db()
    audit.record(by, "risk_case.investigated", case, at=at)
    return case


@transaction.atomic
def note(
    case: RiskCase, *, text: str, by: User, at: datetime, evidence: File[bytes] | None = None
) -> RiskNote:
    """Write down what was found, with a file when there is one; staff read it, also after the decision.

    Raises: Forbidden, OwnTeam, NoText, BadEvidence and its kinds.
    """
    require_decider(case.membership.partner_id, by)
    return _write(case, text, evidence, by=by, at=at, action="risk_case.noted")


@transaction.atomic
def partner_answer(
    case: RiskCase, *, text: str, by: User, at: datetime, evidence: File[bytes] | None = None
) -> RiskNote:
    """Say the partner's side; whoever looks into the case is told. A decided case can be answered too.

    Raises: NotYourCase, EnoughSaid, NoText, BadEvidence and its kinds.
    """
    membership = lock(case.membership_id)
    team = Member.objects.current().filter(partner=membership.partner_id, user=by, role__in=MAY_ANSWER)
    if not by.is_active or not team.exists():
        raise NotYourCase
    if sum(wrote_partner(each) for each in case.notes.all()) >= MOST_ANSWERS:
        raise EnoughSaid
    written = _write(case, text, evidence, by=by, at=at, action="risk_case.answered")
    notices.tell_answered(case, written)
    return written


@transaction.atomic
def dismiss(signal: RiskSignal, *, because: str, by: User, at: datetime) -> RiskSignal:
    """Set a signal aside with the reason: it comes into no case, and is not raised again.

    Raises: Forbidden, OwnTeam, NoReason, SignalTaken.
    """
    require_decider(signal.membership.partner_id, by)
    text = one_line(because, NoReason, most=LONGEST_REASON)
    moved = (
        RiskSignal.objects.unseen()
        .filter(pk=signal.pk)
        .update(dismissed_at=at, dismissed_by=by, dismissed_because=text)
    )
    if not moved:
        raise SignalTaken
    signal.refresh_from_db()
    audit.record(by, "risk_signal.dismissed", signal, at=at, note=text, kind=signal.kind)
    return signal


def wrote_partner(written: RiskNote) -> bool:
    """Say whether somebody of the partner's team wrote a note: nobody who is in it may write one as staff."""
    team = Member.objects.filter(partner=written.case.membership.partner_id, user=written.written_by_id)
    return team.filter(joined_at__lte=written.written_at).exists()


def worst(signals: Sequence[RiskSignal]) -> RiskSeverity:
    """Return the highest severity among signals."""
    order = list(RiskSeverity)
    return max((RiskSeverity(each.severity) for each in signals), key=order.index)


def _group(case: RiskCase, signals: Sequence[RiskSignal]) -> None:
    """Put free signals of the membership into the case.

    Raises: NoSignals.
    """
    wanted = {signal.pk for signal in signals}
    free = RiskSignal.objects.unseen().filter(pk__in=wanted, membership=case.membership_id)
    if not wanted or free.update(case=case) != len(wanted):
        raise NoSignals


def _write(
    case: RiskCase, text: str, file: File[bytes] | None, *, by: User, at: datetime, action: str
) -> RiskNote:
    said = text.strip()
    if not said or len(said) > LONGEST_TEXT:
        raise NoText
    looked_at: Evidence | None = evidence_files.checked(file) if file is not None else None
    place = evidence_files.keep(looked_at) if looked_at is not None else ""
    try:
        written = RiskNote.objects.create(
            case=case,
            text=said,
            evidence=place,
            evidence_name=looked_at.name if looked_at is not None else "",
            written_at=at,
            written_by=by,
        )
    except Exception:
        if place:
            evidence_files.discard(place)
        raise
    audit.record(by, action, case, at=at)
    return written
