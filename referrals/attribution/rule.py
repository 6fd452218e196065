"""Decide who is credited for an event: each contact's own faults, then the program whose contact counts most, then that program's way of
sharing. The answer depends on nothing but its arguments, in whatever order they come, and every contact is in it with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from referrals.attribution.candidates import Candidate, Happening
from referrals.attribution.faults import NO_FIGURES, Figures, fault_of, instant
from referrals.attribution.sharing import WHOLE, shares
from referrals.attribution.why import Why


class Reason(StrEnum):
    """Why a membership is credited; `referrals.choices.CreditReason` has the words."""

    CODE = "code"
    LAST_CLICK = "last_click"
    FIRST_CLICK = "first_click"
    CLICKS = "clicks"
    DEAL = "deal"
    LEAD = "lead"
    INTRODUCED = "introduced"
    CUSTOMER = "customer"
    VIEW = "view"
    ASSISTED = "assisted"


_REASONS = {
    "deal": Reason.DEAL,
    "code": Reason.CODE,
    "lead": Reason.LEAD,
    "intro": Reason.INTRODUCED,
    "view": Reason.VIEW,
    "customer": Reason.CUSTOMER,
}
_CLICKS = {
    "last_touch": Reason.LAST_CLICK,
    "participation": Reason.LAST_CLICK,
    "first_touch": Reason.FIRST_CLICK,
}


class Verdict(NamedTuple):
    """What became of one contact. A share is its part of the event; who only helped has none."""

    candidate: Candidate
    why: Why
    share: Decimal | None = None
    figures: Figures = NO_FIGURES


class Award(NamedTuple):
    """What one membership is credited with: the sum of its contacts' shares, named by the one that weighs most."""

    membership_id: int
    share: Decimal
    reason: Reason
    candidate: Candidate

    @property
    def is_assist(self) -> bool:
        """Say whether it helped only; its share is then no part of the event."""
        return self.reason == Reason.ASSISTED


class Decision(NamedTuple):
    """Who is credited, and a verdict on every contact in the order of time; no award means an organic event. The shares of those who did
    not only assist sum to exactly 1."""

    awards: tuple[Award, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    @property
    def program_id(self) -> int | None:
        """Return the program the event counts in."""
        return self.awards[0].candidate.earner.program_id if self.awards else None


ORGANIC = Decision()


def decide(event: Happening, candidates: Sequence[Candidate]) -> Decision:
    """Return who brought an event, of all contacts that could have, each named once."""
    if not candidates:
        return ORGANIC
    if len(candidates) == 1:
        fault = fault_of(candidates[0], event)
        if fault is None:
            return _alone(candidates[0])
        return Decision(verdicts=(Verdict(candidates[0], fault[0], figures=fault[1]),))
    verdicts: list[Verdict] = []
    able: list[Candidate] = []
    for candidate in candidates:
        fault = fault_of(candidate, event)
        if fault is None:
            able.append(candidate)
        else:
            verdicts.append(Verdict(candidate, fault[0], figures=fault[1]))
    if len(able) == 1:
        return _with(_alone(able[0]), verdicts)
    if not able:
        return _with(ORGANIC, verdicts)
    able.sort(key=_order)
    winner = max(able, key=lambda each: (-_rank(each), _order(each)))
    group = [each for each in able if _is_beside(each, winner)]
    judged = [*_shared(event, group), *_beaten(able, winner)]
    awards = _awards(judged, winner)
    if winner.settings.assists or winner.settings.model == "participation":
        judged, helpers = _assists(judged, awards, winner)
        awards += helpers
    return _with(Decision(tuple(awards), tuple(judged)), verdicts)


def _alone(candidate: Candidate) -> Decision:
    """Return the decision when there is nobody to compare with, which is nearly always."""
    award = Award(candidate.earner.membership_id, WHOLE, _reason(candidate), candidate)
    return Decision((award,), (Verdict(candidate, Why.DECIDED, WHOLE, _figures(candidate, 1)),))


def _with(decision: Decision, others: Sequence[Verdict]) -> Decision:
    """Return a decision with further verdicts, all in the order of time."""
    if not others and len(decision.verdicts) < 2:
        return decision
    verdicts = sorted([*decision.verdicts, *others], key=lambda verdict: _order(verdict.candidate))
    return Decision(decision.awards, tuple(verdicts))


def _order(candidate: Candidate) -> tuple[object, ...]:
    return candidate.order


def _rank(candidate: Candidate) -> int:
    rank = candidate.settings.rank(candidate.kind)
    if rank is None:
        raise ValueError("A kind that is not counted has a fault.")
    return rank


def _is_beside(candidate: Candidate, winner: Candidate) -> bool:
    is_same_program = candidate.earner.program_id == winner.earner.program_id
    return is_same_program and _rank(candidate) == _rank(winner)


def _shared(event: Happening, group: Sequence[Candidate]) -> list[Verdict]:
    """Share the credit among contacts of one program and one place in its precedence, the oldest first."""
    settings = group[0].settings
    ages = [event.occurred_at - each.at for each in group]
    parts = shares(settings.model, ages, half_life=timedelta(hours=settings.half_life_hours))
    loses = {"first_touch": Why.LATER_TOUCH, "time_decay": Why.TOO_SMALL}.get(
        settings.model, Why.EARLIER_TOUCH
    )
    decided = next((each for each, part in zip(group, parts, strict=True) if part == WHOLE), None)
    found = []
    for each, part in zip(group, parts, strict=True):
        if part:
            why = Why.DECIDED if each is decided else Why.SHARED
            found.append(Verdict(each, why, part, _figures(each, len(group))))
        else:
            figures = {"decided_at": instant(decided.at), "by": decided.kind} if decided else NO_FIGURES
            found.append(Verdict(each, loses, figures=figures))
    return found


def _figures(candidate: Candidate, among: int) -> Figures:
    return {"model": candidate.settings.model, "among": among}


def _beaten(able: Iterable[Candidate], winner: Candidate) -> list[Verdict]:
    """Return the verdicts on contacts that were able to earn, and stand below the winner's or in another program."""
    found = []
    for each in able:
        if each.earner.program_id != winner.earner.program_id:
            found.append(Verdict(each, Why.OTHER_PROGRAM, figures={"by": winner.kind}))
        elif _rank(each) != _rank(winner):
            found.append(Verdict(each, Why.LOWER_PRECEDENCE, figures={"by": winner.kind}))
    return found


def _awards(judged: Sequence[Verdict], winner: Candidate) -> list[Award]:
    """Add the shares of each membership up, in the order of their first contacts."""
    by_member: dict[int, list[Verdict]] = {}
    for verdict in judged:
        if verdict.share:
            by_member.setdefault(verdict.candidate.earner.membership_id, []).append(verdict)
    awards = []
    for member, own in by_member.items():
        weightiest = max(own, key=lambda each: (each.share or 0, _order(each.candidate))).candidate
        total = sum((each.share for each in own if each.share), Decimal(0))
        awards.append(Award(member, total, _reason(weightiest), weightiest))
    return awards


def _assists(
    judged: Sequence[Verdict], awards: Sequence[Award], winner: Candidate
) -> tuple[list[Verdict], list[Award]]:
    """Credit everybody else of the program whose contact was able to earn with having helped, by the latest of its contacts."""
    credited = {award.membership_id for award in awards}
    latest: dict[int, Candidate] = {}
    for verdict in sorted(judged, key=lambda each: _order(each.candidate)):
        earner = verdict.candidate.earner
        if earner.program_id == winner.earner.program_id and earner.membership_id not in credited:
            latest[earner.membership_id] = verdict.candidate
    helpers = [Award(member, WHOLE, Reason.ASSISTED, each) for member, each in sorted(latest.items())]
    helping = {id(award.candidate) for award in helpers}
    told = [
        Verdict(each.candidate, Why.ASSISTED, figures=each.figures) if id(each.candidate) in helping else each
        for each in judged
    ]
    return told, helpers


def _reason(candidate: Candidate) -> Reason:
    if candidate.kind == "click":
        return _CLICKS.get(candidate.settings.model, Reason.CLICKS)
    return _REASONS[candidate.kind]
