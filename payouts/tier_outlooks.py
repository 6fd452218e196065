"""What a membership would have earned in another tier, on its events of the last twelve months. The engine that books the money says it, by
a dry run of this one membership; what is kept is for pages, and a newer one takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum

from partners.choices import ReviewOutcome, ReviewState
from partners.models import Membership, MetricSnapshot, TierReview
from partners.tier_reviews import at_stake
from payouts.choices import DryRunKind
from payouts.dry_runs.rating import Comparison
from payouts.models import DryRun, TierOutlook
from prm.lib.bell import ring_now
from prm.lib.money import Money
from prm.lib.periods import local_day, start_of_day
from referrals.models import Credit
from tiers.models import Tier
from tiers.qualify.windows import months_before

MONTHS = 12
MOST_AT_ONCE = 2_000  # events a page may wait for
TASK = "payouts.compute_outlook"


def outlook(membership: Membership, tier: Tier, *, at: datetime) -> TierOutlook | None:
    """Return what the membership would have earned in `tier`; of today, or of an earlier day while a worker computes it anew.

    A membership with few events is computed at once; for one with many a worker is rung, and there is nothing until it
    has computed it for the first time.
    """
    kept = TierOutlook.objects.filter(membership=membership, tier=tier).first()
    zone = membership.program.zone
    if kept is not None and local_day(kept.computed_at, zone) == local_day(at, zone):
        return kept
    if _events(membership)[: MOST_AT_ONCE + 1].count() <= MOST_AT_ONCE:
        return compute(membership, tier, at=at)
    ring_now(TASK, membership_id=membership.pk, tier_id=tier.pk)
    return kept


def compute(membership: Membership, tier: Tier, *, at: datetime) -> TierOutlook:
    """Rate the membership's events of twelve months as they were and as they would be in `tier`, and keep both sums."""
    starts_at, ends_at = window(membership, at=at)
    tried = DryRun(
        program=membership.program,
        kind=DryRunKind.MOVES,
        changes={"moves": {membership.public_id: tier.key}},
        starts_at=starts_at,
        ends_at=ends_at,
    )
    earned = would = 0
    member = Membership.objects.select_related("partner", "program").get(pk=membership.pk)
    for _member, rated in Comparison(tried).of([member]):
        for owner, each in rated:
            if owner == membership.pk:
                earned, would = earned + each.old, would + each.new
    return TierOutlook.objects.update_or_create(
        membership=membership,
        tier=tier,
        defaults={
            "starts_at": starts_at,
            "ends_at": ends_at,
            "earned_minor": earned,
            "would_minor": would,
            "currency": membership.program.currency,
            "computed_at": at,
        },
    )[0]


def window(membership: Membership, *, at: datetime) -> tuple[datetime, datetime]:
    """Return the twelve months that end with the local day before `at`."""
    zone = membership.program.zone
    today = local_day(at, zone)
    return start_of_day(months_before(today, MONTHS), zone), start_of_day(today, zone)


def refresh(*, at: datetime, most: int = 500) -> int:
    """Compute anew, for those who may move, what they would earn where they may go; the oldest first. Return how many."""
    done = 0
    for membership, tier in _movers(at=at):
        if done >= most:
            break
        kept = TierOutlook.objects.filter(membership=membership, tier=tier).first()
        if kept is None or local_day(kept.computed_at, membership.program.zone) < local_day(
            at, membership.program.zone
        ):
            compute(membership, tier, at=at)
            done += 1
    return done


def stakes(pairs: Iterable[at_stake.Pair]) -> dict[at_stake.Pair, at_stake.Stake]:
    """Return what is kept about some memberships and tiers, in one query."""
    wanted = set(pairs)
    rows = TierOutlook.objects.filter(membership__in={membership for membership, _tier in wanted})
    return {
        (row.membership_id, row.tier_id): at_stake.Stake(
            Money(row.earned_minor, row.currency),
            Money(row.would_minor, row.currency),
            row.starts_at,
            row.ends_at,
        )
        for row in rows
        if (row.membership_id, row.tier_id) in wanted
    }


def change_of(snapshots: at_stake.Snapshots) -> dict[str, int]:
    """Return by currency what the moves of many snapshots would have changed; each is annotated with its `target_id`."""
    kept = TierOutlook.objects.filter(membership=OuterRef("membership_id"), tier=OuterRef("target_id"))
    rows = (
        snapshots.annotate(
            worth=Subquery(kept.values(change=F("would_minor") - F("earned_minor"))[:1]),
            worth_currency=Subquery(kept.values("currency")[:1]),
        )
        .exclude(worth=None)
        .order_by()
        .values("worth_currency")
        .annotate(total=Sum("worth"))
    )
    return {row["worth_currency"]: int(row["total"]) for row in rows}


def learn() -> None:
    """Tell pages about tiers what moves are worth."""
    at_stake.learn_value(stakes, change_of)


def _movers(*, at: datetime) -> Iterator[tuple[Membership, Tier]]:
    """Yield who may move, and where: by the figures of last night, and by reviews that are open."""
    moving = MetricSnapshot.objects.filter(~Q(outcome=ReviewOutcome.KEEP), membership__ended_at=None)
    rows = list(moving.order_by("taken_at", "pk").values_list("membership_id", "measured_tier_id"))
    # Who falls may fall one step only, whatever the figures reach.
    falling = moving.filter(outcome=ReviewOutcome.DOWN).annotate(below=Subquery(_NEXT_BELOW))
    rows += falling.exclude(below=None).order_by("taken_at", "pk").values_list("membership_id", "below")
    cases = TierReview.objects.filter(state__in=ReviewState.open()).order_by("pk")
    rows += cases.values_list("membership_id", "to_tier_id")
    members = Membership.objects.select_related("partner", "program").in_bulk({row[0] for row in rows})
    tiers = Tier.objects.in_bulk({row[1] for row in rows})
    for member_id, tier_id in dict.fromkeys(rows):
        yield members[member_id], tiers[tier_id]


_NEXT_BELOW = (
    Tier.objects.in_use()
    .filter(program=OuterRef("tier__program"), track=OuterRef("tier__track"), rank__lt=OuterRef("tier__rank"))
    .order_by("-rank")
    .values("pk")[:1]
)


def _events(membership: Membership) -> QuerySet[Credit]:
    return Credit.objects.standing().filter(membership=membership)
