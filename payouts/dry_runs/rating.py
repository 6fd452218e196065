"""Rate partners' events under two sets of terms. Both folds see the same events in the same order, from the first one on, and have
memories of their own; what counts are the events in the range."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from partners.models import Membership
from payouts.accrual.fold import Fold
from payouts.accrual.happenings import Happening, Teller, read
from payouts.accrual.terms import Terms
from payouts.dry_runs.report import Rated
from payouts.dry_runs.terms import Pair
from payouts.models import DryRun
from prm.lib.periods import Month, months_between
from referrals.models import Credit
from tiers.engine.facts import GIVES_BACK, MONTH_LINES, TAKES_BACK, Line
from tiers.engine.memory import Memory
from tiers.engine.months import MonthSoFar, counts_for, month_lines
from tiers.models import Program

MOVES = TAKES_BACK | {GIVES_BACK}
# Who earns, the credit it is for, and what.
Earned = dict[tuple[int, int], list[Line]]


@dataclass
class Side:
    """One set of terms with what it remembers of every membership from the first one to the last."""

    terms: Terms
    program: Program
    memories: dict[int, Memory] = field(default_factory=dict)
    budgets: dict[tuple[str, str], int] = field(default_factory=dict)

    def rate(self, row: Sequence[Happening], teller: Teller) -> Earned:
        """Return what each happening of one membership earns, by who earns it."""
        for pk in self.terms.members.keys() - self.memories.keys():
            self.memories[pk] = self._memory(self.terms.members[pk])
        sales = {(each.membership_id, each.conversion_id) for each in row if each.original_id is None}
        back = {(each.membership_id, each.original_id) for each in row if each.original_id is not None}
        fold = Fold(self.terms, teller, self.memories, taken_back=back, to_come=sales & back)
        earned: Earned = defaultdict(list)
        for each in row:
            for rated in fold.rate(each):
                for draft in rated.drafts:
                    earned[draft.member.pk, rated.happening.pk].append(draft.line)
        return earned

    def months(
        self, member: Membership, months: Collection[Month], earned: dict[Month, int]
    ) -> Iterator[tuple[Month, Line]]:
        """Yield what the months bring by themselves: retainers, guaranteed amounts, advances and their recovery."""
        outstanding: dict[str, int] = defaultdict(int)
        zone = self.program.zone
        for month in months:
            last = month.ends_at(zone) - datetime.resolution
            rater = self.terms.rater(member, last, None)
            if rater is None:
                continue
            so_far = MonthSoFar(
                currency=self.program.currency,
                earned=earned.get(month, 0),
                outstanding=dict(outstanding),
                is_active=counts_for(month, member.joined_at, member.ended_at, zone),
            )
            standing = self.terms.standing(member, last)
            for line in month_lines(rater, standing, month, so_far, self.memories[member.pk]):
                if line.what in ("draw", "recovery"):
                    outstanding[line.rule_key] += line.amount.minor
                yield month, line

    def _memory(self, member: Membership) -> Memory:
        plans = self.terms.plans(member.program_id).values()
        zone = self.program.zone
        return Memory(
            zone=zone,
            joined=Month.of(member.joined_at, zone),
            budgets=self.budgets,
            began={plan.version_id: plan.effective_at for plan in plans},
            keeps_metrics=any(rater.needs.metrics for rater in self.terms.raters(member.program_id)),
        )


class Comparison:
    """Compares the present terms with the tried ones, some memberships at a time."""

    def __init__(self, dry_run: DryRun) -> None:
        self.dry_run = dry_run
        self.program = dry_run.program
        self.pair = Pair.of(dry_run)
        self._present: Side | None = None
        self._tried: Side | None = None

    def of(self, members: Sequence[Membership]) -> Iterator[tuple[Membership, list[tuple[int, Rated]]]]:
        """Yield each membership with what its events, and its months, come to: whose money it is, and how much."""
        present, tried = self._sides([member.pk for member in members])
        for member in members:
            yield member, list(self._compare(member, present, tried))

    def names(self, ids: Collection[int]) -> dict[int, Membership]:
        """Return the memberships that earned something, recruiters too."""
        return {pk: self._present.terms.members[pk] for pk in ids} if self._present else {}

    def _sides(self, ids: Collection[int]) -> tuple[Side, Side]:
        present, tried = self.pair.load(ids)
        if self._present is None or self._tried is None:
            self._present, self._tried = Side(present, self.program), Side(tried, self.program)
        self._present.terms, self._tried.terms = present, tried
        return self._present, self._tried

    def _compare(self, member: Membership, present: Side, tried: Side) -> Iterator[tuple[int, Rated]]:
        credits = Credit.objects.standing().filter(membership=member, occurred_at__lt=self.dry_run.ends_at)
        row = sorted(read(credits), key=lambda each: (each.placed_at, each.pk))
        teller = Teller()
        teller.prepare(row)
        old, new = present.rate(row, teller), tried.rate(row, teller)
        for each in row:
            if each.occurred_at >= self.dry_run.starts_at:
                yield from self._event(member, each, old, new, tried)
        yield from self._months(member, row, present, old, tried, new)

    def _event(
        self, member: Membership, each: Happening, old: Earned, new: Earned, tried: Side
    ) -> Iterator[tuple[int, Rated]]:
        owners = {member.pk, *(pk for pk, credit in (*old, *new) if credit == each.pk and pk != member.pk)}
        for owner in sorted(owners):
            before, after = old.get((owner, each.pk), ()), new.get((owner, each.pk), ())
            is_own = owner == member.pk
            yield (
                owner,
                Rated(
                    event=each.key if is_own else "",
                    kind=each.kind,
                    month=str(Month.of(each.occurred_at, self.program.zone)),
                    tier=tried.terms.standing(member, each.occurred_at).tier_name,
                    product=each.product,
                    old=_sum(before),
                    new=_sum(after),
                    is_covered=bool(after) or each.kind in MOVES or self._excluded(member, each, tried),
                ),
            )

    def _excluded(self, member: Membership, each: Happening, tried: Side) -> bool:
        rater = tried.terms.rater(member, each.occurred_at, None)
        if rater is None:
            return False
        return rater.kept(Teller().event(each)) is None

    def _months(
        self,
        member: Membership,
        row: Sequence[Happening],
        present: Side,
        old: Earned,
        tried: Side,
        new: Earned,
    ) -> Iterator[tuple[int, Rated]]:
        months = list(self._whole_months(member))
        if not months:
            return
        changes: dict[Month, list[int]] = defaultdict(lambda: [0, 0])
        for place, (side, earned) in enumerate(((present, old), (tried, new))):
            by_month: dict[Month, int] = defaultdict(int)
            for each in row:
                by_month[Month.of(each.occurred_at, self.program.zone)] += _sum(
                    earned.get((member.pk, each.pk), ())
                )
            for month, line in side.months(member, months, by_month):
                changes[month][place] += line.amount.minor
        for month, (before, after) in sorted(changes.items()):
            tier = tried.terms.standing(member, month.ends_at(self.program.zone) - datetime.resolution)
            yield (
                member.pk,
                Rated("", "month", str(month), tier.tier_name, "", before, after),
            )

    def _whole_months(self, member: Membership) -> Iterator[Month]:
        zone = self.program.zone
        start = max(self.dry_run.starts_at, member.joined_at)
        for month in months_between(Month.of(start, zone), Month.of(self.dry_run.ends_at, zone)):
            if month.ends_at(zone) <= self.dry_run.ends_at:
                yield month


def _sum(lines: Collection[Line]) -> int:
    return sum(line.amount.minor for line in lines if line.what not in MONTH_LINES)
