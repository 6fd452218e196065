"""What the tier board says: how many stand in every tier, who is about to rise or fall by the figures of the last night, why, and what it is
worth. The number of queries is the same for ten partners and for a hundred thousand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When

from partners import metrics
from partners.admin.tier_words import Wording
from partners.choices import ReviewOutcome
from partners.models import Membership, MetricSnapshot, Placement, TierOverride, TierReview
from partners.tier_reviews import at_stake
from partners.tier_reviews.at_stake import Stake
from partners.tier_reviews.ladders import Ladders
from prm.accounts.models import User
from prm.lib.money import Money
from tiers import schemes
from tiers.models import Program, Tier, TierScheme
from tiers.qualify import Outcome, Scheme, Verdict, evaluate
from tiers.qualify.scheme import ONE_STEP

if TYPE_CHECKING:
    Placed = QuerySet[Placement]

MOVING, UP, DOWN, ALL = "moving", "up", "down", "all"
SHOWS = (MOVING, UP, DOWN, ALL)
CHUNK = 500


@dataclass(frozen=True)
class Asked:
    """What the address of the board asks for."""

    track: str = ""
    tier: Tier | None = None
    show: str = MOVING
    is_mine: bool = False
    words: str = ""


@dataclass
class Column:
    """One tier of the ladder. `then` is how many would stand in it if everybody moved."""

    tier: Tier
    count: int = 0
    rising: int = 0
    falling: int = 0
    then: int = 0

    @property
    def is_full(self) -> bool:
        return self.tier.capacity is not None and self.count >= self.tier.capacity

    @property
    def would_be_too_many(self) -> bool:
        return self.tier.capacity is not None and self.then > self.tier.capacity


@dataclass(frozen=True)
class Row:
    """One membership: where it stands, where its figures lead and why, and what that would have changed."""

    membership: Membership
    tier: Tier
    target: Tier | None
    outcome: str
    why: Sequence[str]
    measured_at: datetime | None
    stake: Stake | None
    case: TierReview | None
    override: TierOverride | None


class Board:
    """The board of one ladder of a program."""

    def __init__(self, program: Program, asked: Asked, *, by: User, at: datetime) -> None:
        self.program, self.asked, self.by, self.at = program, asked, by, at
        self.ladders = Ladders(program)
        self.wording = Wording(program)
        self._schemes: dict[int, Scheme] = {}
        in_force = schemes.in_force(program, at=at)
        self.scheme = schemes.scheme_of(in_force) if in_force is not None else None

    def columns(self) -> list[Column]:
        """Return the tiers from the highest down, each with who stands in it and who is about to move."""
        found = {
            tier.pk: Column(tier)
            for tier in reversed(self.ladders.tiers)
            if tier.track == self.asked.track and tier.retired_at is None
        }
        rows = (
            self._placed()
            .order_by()
            .values_list("tier_id", "direction", "membership__metric_snapshot__measured_tier_id")
            .annotate(n=Count("pk"))
        )
        then: Counter[int] = Counter()
        for pk, direction, measured, count in rows:
            tier = self.ladders.tier(pk)
            column = found.setdefault(pk, Column(tier))
            column.count += count
            column.rising += count if direction == ReviewOutcome.UP else 0
            column.falling += count if direction == ReviewOutcome.DOWN else 0
            then[self._leads_to(tier, direction, measured)] += count
        for pk, column in found.items():
            column.then = then[pk]
        return list(found.values())

    def worth(self) -> dict[str, list[Money]]:
        """Return what all rises and all falls together would have changed, for each by currency."""
        if not at_stake.is_known():
            return {}
        return {way: at_stake.change_of(self._moving(way)) for way in (ReviewOutcome.UP, ReviewOutcome.DOWN)}

    def found(self) -> Placed:
        """Return the placements the address asks for, falls first."""
        asked, found = self.asked, self._placed()
        if asked.tier is not None:
            found = found.filter(tier=asked.tier)
        if asked.show == MOVING:
            found = found.filter(direction__in=[ReviewOutcome.UP, ReviewOutcome.DOWN])
        elif asked.show != ALL:
            found = found.filter(direction=asked.show)
        if asked.is_mine:
            found = found.filter(membership__partner__account_manager=self.by)
        if asked.words:
            found = found.filter(membership__partner__name__icontains=asked.words)
        ordered: Placed = found.order_by("direction", "membership__partner__name", "pk")
        return ordered

    def rows(self, placed: Sequence[Placement]) -> list[Row]:
        """Return the rows of some placements, with what they need read at once."""
        read = self._with_everything(placed)
        self._read_schemes(read)
        verdicts = {each.pk: self._verdict(each) for each in read}
        pairs = {
            (each.membership_id, target.pk)
            for each in read
            if (target := self._target(verdicts[each.pk])) is not None and target.pk != each.tier_id
        }
        values = at_stake.stakes(pairs)
        return [self._row(each, verdicts[each.pk], values) for each in read]

    def all_rows(self) -> Iterator[Row]:
        """Return every row the address asks for, some hundred at a time."""
        ids = list(self.found().values_list("pk", flat=True))
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            by_pk = {each.pk: each for each in Placement.objects.filter(pk__in=chunk)}
            yield from self.rows([by_pk[pk] for pk in chunk if pk in by_pk])

    def _placed(self) -> Any:
        """Return who stands in this ladder. What the last night found counts while the tier is still the same."""
        snapshot = "membership__metric_snapshot"
        direction = Case(
            When(**{f"{snapshot}__tier": F("tier")}, then=F(f"{snapshot}__outcome")),
            default=Value(""),
            output_field=CharField(),
        )
        standing = Placement.objects.open().filter(tier__program=self.program, tier__track=self.asked.track)
        return standing.filter(membership__ended_at=None).annotate(direction=direction)

    def _moving(self, way: str) -> at_stake.Snapshots:
        members = self._placed().filter(direction=way).values("membership_id")
        falls_one_step = self.scheme is None or self.scheme.process.fall == ONE_STEP
        steps = [
            When(Q(outcome=ReviewOutcome.DOWN, tier_id=tier.pk), then=Value(self.ladders.below(tier).pk))
            for tier in self.ladders.tiers
            if falls_one_step
        ]
        target = Case(*steps, default=F("measured_tier_id"), output_field=IntegerField())
        return MetricSnapshot.objects.filter(membership_id__in=members).annotate(target_id=target)

    def _leads_to(self, tier: Tier, direction: str, measured: int | None) -> int:
        if direction == ReviewOutcome.UP and measured is not None:
            return measured
        if direction != ReviewOutcome.DOWN or measured is None:
            return tier.pk
        falls_one_step = self.scheme is None or self.scheme.process.fall == ONE_STEP
        return self.ladders.below(tier).pk if falls_one_step else measured

    def _with_everything(self, placed: Sequence[Placement]) -> list[Placement]:
        cases = TierReview.objects.open()
        holding = TierOverride.objects.filter(ended_at=None, expires_at__gt=self.at)
        read = (
            self._placed()
            .filter(pk__in=[each.pk for each in placed])
            .select_related(
                "membership__partner__account_manager", "membership__program", "membership__metric_snapshot"
            )
            .prefetch_related(
                Prefetch("membership__tier_reviews", cases, to_attr="open_cases"),
                Prefetch("membership__tier_overrides", holding, to_attr="holding"),
            )
        )
        by_pk = {each.pk: each for each in read}
        return [by_pk[each.pk] for each in placed if each.pk in by_pk]

    def _read_schemes(self, placed: Sequence[Placement]) -> None:
        wanted = {snapshot.scheme_id for each in placed if (snapshot := _snapshot(each)) is not None}
        missing = wanted - self._schemes.keys()
        if missing:
            rows = TierScheme.objects.filter(pk__in=missing).defer("report")
            self._schemes.update({row.pk: schemes.scheme_of(row) for row in rows})

    def _verdict(self, placed: Placement) -> Verdict | None:
        snapshot = _snapshot(placed)
        if snapshot is None:
            return None
        tier = self.ladders.tier(placed.tier_id)
        ladder, figures = self.ladders.with_(tier.pk), metrics.loaded(snapshot.figures)
        return evaluate(self._schemes[snapshot.scheme_id], ladder, figures, current=tier.key)

    def _target(self, verdict: Verdict | None) -> Tier | None:
        return self.ladders.named(verdict.target.key) if verdict is not None else None

    def _row(self, placed: Placement, verdict: Verdict | None, values: Any) -> Row:
        member, snapshot, target = placed.membership, _snapshot(placed), self._target(verdict)
        return Row(
            membership=member,
            tier=self.ladders.tier(placed.tier_id),
            target=target,
            outcome=verdict.outcome.value if verdict is not None else "",
            why=self.wording.short(verdict) if verdict is not None else [],
            measured_at=snapshot.measured_at if snapshot is not None else None,
            stake=values.get((member.pk, target.pk)) if target is not None else None,
            case=next(iter(member.open_cases), None),  # type: ignore[attr-defined]
            override=next(iter(member.holding), None),  # type: ignore[attr-defined]
        )


def is_moving(row: Row) -> bool:
    """Say whether the figures lead to another tier."""
    return row.outcome not in ("", Outcome.KEEP.value)


def _snapshot(placed: Placement) -> MetricSnapshot | None:
    return getattr(placed.membership, "metric_snapshot", None)
