"""Decide what a round makes of one membership, from the scheme, the figures and how it stands. Nothing here reads a database or a clock, so
the order in which memberships are looked at changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from partners.choices import ReviewOutcome, ReviewState, RoundKind
from tiers.qualify import Figure, Outcome, Rung, Scheme, evaluate


@dataclass(frozen=True, slots=True)
class Facts:
    """How a membership stands. `is_held`: by a decision of a person, or suspended; `is_new`: too new to fall.

    `open_state` and `open_outcome` are those of a case that is not closed yet, empty when there is none.
    """

    tier: str
    is_held: bool = False
    is_new: bool = False
    open_state: str = ""
    open_outcome: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a membership: tiers by key. `confirms` says that its grace is over well, `overtakes` that an older proposal
    is replaced by what was found now."""

    measured: str
    target: str
    outcome: ReviewOutcome
    state: ReviewState
    confirms: bool = False
    overtakes: bool = False


# Once a partner was told, or a decision made, later rounds leave it to its own course.
_UNDER_WAY = frozenset({ReviewState.IN_GRACE.value, ReviewState.APPEALED.value, ReviewState.DECIDED.value})


def judge(
    scheme: Scheme, ladder: Sequence[Rung], kind: str, facts: Facts, figures: Mapping[str, Figure]
) -> Judged:
    """Return what a round of `kind` makes of a membership that stands in a rung of `ladder`.

    A promotion round never proposes a fall. What a person decided holds, and who is new does not fall, though both are
    told what was found.
    """
    verdict = evaluate(scheme, ladder, figures, current=facts.tier)
    outcome, target = ReviewOutcome(verdict.outcome.value), verdict.target.key
    is_silent = kind == RoundKind.PROMOTION and verdict.outcome is Outcome.DOWN
    if is_silent:
        outcome, target = ReviewOutcome.KEEP, facts.tier
    is_new = facts.is_new and kind != RoundKind.EXPIRY
    confirms = (
        outcome == ReviewOutcome.UP
        and facts.open_state == ReviewState.IN_GRACE
        and facts.open_outcome == ReviewOutcome.DOWN
    )
    is_under_way = facts.open_state in _UNDER_WAY and not confirms
    if facts.is_held:
        state = ReviewState.SHADOW
    elif outcome == ReviewOutcome.KEEP:
        state = ReviewState.KEPT
    elif is_under_way or (outcome == ReviewOutcome.DOWN and is_new):
        state = ReviewState.SHADOW
    else:
        state = ReviewState.PROPOSED
    # A round that cannot speak of falls leaves a proposed one alone.
    keeps_fall = is_silent and facts.open_outcome == ReviewOutcome.DOWN
    overtakes = facts.open_state == ReviewState.PROPOSED and not keeps_fall
    return Judged(
        verdict.measured.key,
        target,
        outcome,
        state,
        confirms=confirms and state == ReviewState.PROPOSED,
        overtakes=overtakes,
    )
