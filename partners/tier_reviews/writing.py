"""Write the cases of one chunk of a round: memberships whose keys follow each other are measured together, judged one by one and written
at once. Who has a case in the round already is passed by, so a round that was interrupted goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from partners import mails_tiers, metrics, tier_cases
from partners.choices import MembershipState, ReviewState, RoundKind
from partners.models import Membership, Placement, ReviewEvidence, ReviewRound, TierOverride, TierReview
from partners.tier_reviews import cases, evaluation
from partners.tier_reviews.calendar import joined_on
from partners.tier_reviews.ladders import Ladders
from prm.lib.bulk import BulkWriter
from prm.lib.ids import public_id
from prm.lib.periods import local_day
from tiers import schemes
from tiers.qualify import Scheme

MOST_ROWS = 2_000
_FIELDS = [
    "id",
    "public_id",
    "round_id",
    "membership_id",
    "from_tier_id",
    "measured_tier_id",
    "to_tier_id",
    "outcome",
    "state",
    "figures",
    "evaluated_at",
    "remedies",
    "last_figures",
    "note",
]
_EVIDENCE = ("review_id", "question", "rows", "more")


@dataclass(frozen=True, slots=True)
class Sitting:
    """A round with what all its chunks share."""

    round: ReviewRound
    scheme: Scheme
    ladders: Ladders

    @classmethod
    def of(cls, row: ReviewRound) -> Sitting:
        return cls(row, schemes.scheme_of(row.scheme), Ladders(row.program))


@dataclass(frozen=True, slots=True)
class _New:
    membership_id: int
    from_tier: int
    judged: evaluation.Judged
    figures: dict[str, Any]
    open_case: TierReview | None


@transaction.atomic
def write(sitting: Sitting, *, first: int, last: int, at: datetime) -> int:
    """Write the cases of the memberships whose keys lie from `first` to `last`, and return how many were written."""
    row = sitting.round
    group = metrics.Group(row.program, first, last)
    measured = metrics.measure(group, sitting.scheme, at=row.measured_at)
    found = list(_judged(sitting, group, measured, at=at))
    if not found:
        return 0
    _close_older(found, at=at)
    writer = BulkWriter(TierReview, _FIELDS)
    keys = dict(zip((each.membership_id for each in found), writer.reserve(len(found)), strict=True))
    writer.write(_row(sitting, each, keys[each.membership_id], at=at) for each in found)
    proposed = [each for each in found if each.judged.state == ReviewState.PROPOSED]
    # A list: while rows are copied into a table, the connection can be asked nothing else.
    evidence = [
        line for each in proposed for line in _evidence(sitting, each.membership_id, keys[each.membership_id])
    ]
    BulkWriter(ReviewEvidence, _EVIDENCE).write(evidence)
    return len(found)


def to_look_at(row: ReviewRound) -> Any:
    """Return the memberships of a round: those that had begun by then and run, on an anniversary those whose day it is."""
    rows = (
        joined_on(row.program, row.due_on)
        if row.kind == RoundKind.ANNIVERSARY
        else Membership.objects.filter(program=row.program)
    )
    return rows.filter(ended_at=None, joined_at__lt=row.measured_at)


def _judged(
    sitting: Sitting, group: metrics.Group, measured: Callable[[int], dict[str, Any]], *, at: datetime
) -> Iterator[_New]:
    """Yield what becomes of each membership of the group, which is held from now on."""
    row = sitting.round
    span = {"membership__gte": group.first, "membership__lte": group.last}
    members = list(
        to_look_at(row)
        .filter(pk__range=(group.first, group.last))
        .lock()
        .only("pk", "program_id", "joined_at", "state")
    )
    keys = {"membership__program": row.program, **span}
    standing = dict(Placement.objects.open().filter(**keys).values_list("membership_id", "tier_id"))
    done = set(TierReview.objects.filter(round=row, **span).values_list("membership_id", flat=True))
    held = set(
        TierOverride.objects.filter(**keys, ended_at=None, expires_at__gt=at).values_list(
            "membership_id", flat=True
        )
    )
    waiting = {case.membership_id: case for case in TierReview.objects.open().filter(**keys).lock()}
    for member in members:
        if member.pk in done or member.pk not in standing:
            continue
        tier = sitting.ladders.tier(standing[member.pk])
        ladder = sitting.ladders.with_(tier.pk)
        case = waiting.get(member.pk)
        facts = evaluation.Facts(
            tier=tier.key,
            # Who is suspended can neither sell nor be rewarded: looked at in earnest when that is over.
            is_held=member.pk in held or member.state == MembershipState.SUSPENDED,
            is_new=_is_new(sitting, member),
            open_state=case.state if case is not None else "",
            open_outcome=case.outcome if case is not None else "",
        )
        figures = measured(member.pk)
        judged = evaluation.judge(sitting.scheme, ladder, row.kind, facts, figures)
        yield _New(member.pk, tier.pk, judged, metrics.stored(figures), case)


def _is_new(sitting: Sitting, member: Membership) -> bool:
    zone = sitting.round.program.zone
    until = local_day(member.joined_at, zone) + timedelta(days=sitting.scheme.process.protected_days)
    return sitting.round.due_on < until


def _close_older(found: list[_New], *, at: datetime) -> None:
    """Close what this round overtakes, and confirm whose grace it ends well."""
    for each in found:
        if each.open_case is None:
            continue
        if each.judged.overtakes:
            tier_cases.close_as_overtaken(each.open_case, by=None, at=at, because="later_round")
        elif each.judged.confirms:
            case = cases.locked(each.open_case)
            cases.finish(case, ReviewState.KEPT, by=None, at=at, reached_again=True)
            mails_tiers.confirmed(case)


def _row(sitting: Sitting, new: _New, key: int, *, at: datetime) -> tuple[Any, ...]:
    judged, named = new.judged, sitting.ladders.named
    measured, target = named(judged.measured), named(judged.target)
    if measured is None or target is None:
        raise LookupError("A rung without a tier was reached.")
    return (
        key,
        public_id("trv"),
        sitting.round.pk,
        new.membership_id,
        new.from_tier,
        measured.pk,
        target.pk,
        judged.outcome.value,
        judged.state.value,
        new.figures,
        at,
        [],
        {},
        "",
    )


def _evidence(sitting: Sitting, membership_id: int, review_id: int) -> Iterator[tuple[Any, ...]]:
    row = sitting.round
    for question in sitting.scheme.questions():
        rows = metrics.rows_behind(membership_id, question, row.program, at=row.measured_at)
        told = [[each.what, each.at.isoformat(), str(each.value)] for each in rows[:MOST_ROWS]]
        yield review_id, question.key, told, max(0, len(rows) - MOST_ROWS)
