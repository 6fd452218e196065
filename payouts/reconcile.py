"""What lines should be there against what lines are. A membership is rated again by the same fold that rates it live, and only
differences are posted, each with its cause; running it twice posts nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from partners.models import Membership
from payouts.accrual.batch import MONTH_IS_OPEN, lock
from payouts.accrual.loading import Accrued, Batch
from payouts.accrual.posting import Books
from payouts.accrual.refold import Difference, Refold
from payouts.accrual.sweep import drain
from payouts.accrual.terms import Terms
from prm import audit
from prm.lib.db import as_of_one_moment, persistently
from prm.lib.periods import Month
from referrals.models import Credit
from tiers.models import Program

__all__ = [
    "Difference",
    "Reconciled",
    "difference",
    "members_of",
    "reconcile",
    "reconcile_superseded",
    "sample_of_the_night",
    "self_check",
]


@dataclass
class Reconciled:
    """What a reconciliation did: how many credits it looked at, what it rated for the first time, and what differed."""

    credits: int = 0
    accrued: Accrued = field(default_factory=Accrued)
    differences: list[Difference] = field(default_factory=list)

    @property
    def posted(self) -> int:
        """Return how many lines were written, fresh ones and corrections."""
        return self.accrued.lines + len(self.differences)

    def add(self, other: Reconciled) -> None:
        self.credits += other.credits
        self.accrued.add(other.accrued)
        self.differences += other.differences


def reconcile(membership: Membership, *, since: Month | None = None, at: datetime) -> Reconciled:
    """Make the lines of a membership's events, those of its recruiters on them included, what they should be.

    Credits nobody rated yet are rated first. With `since`, events before that month are taken as they are booked.
    """
    done = Reconciled()
    for step in drain(at=at, membership=membership):
        done.accrued.add(step)
    done.add(_posted(membership, since, at=at))
    return done


def difference(membership: Membership, *, since: Month | None = None, at: datetime) -> list[Difference]:
    """Return what `reconcile` would correct, and write nothing; what is being booked meanwhile is no difference."""
    return persistently(lambda: _differences(membership, since, at=at))


def reconcile_superseded(conversion_ids: Sequence[int], *, at: datetime) -> Reconciled:
    """Take back what credits earned that somebody has corrected since."""
    done = Reconciled()
    corrected = Credit.objects.filter(
        conversion__in=conversion_ids, superseded_at__isnull=False, rated_at__isnull=False
    )
    first: dict[int, datetime] = {}
    for member_id, occurred_at in corrected.values_list("membership_id", "occurred_at"):
        first[member_id] = min(occurred_at, first.get(member_id, occurred_at))
    for member in Membership.objects.filter(pk__in=first).select_related("program").order_by("pk"):
        month = Month.of(first[member.pk], member.program.zone)
        done.add(reconcile(member, since=month, at=at))
    return done


def members_of(program: Program | None = None, member_key: str = "") -> list[int]:
    """Return the memberships that have credits, of a program or of all."""
    members = Membership.objects.filter(credits__isnull=False)
    if program is not None:
        members = members.filter(program=program)
    if member_key:
        members = members.filter(public_id=member_key)
    return list(members.order_by("pk").values_list("pk", flat=True).distinct())


def sample_of_the_night(night: date, *, most: int | None = None) -> list[int]:
    """Return the memberships to check this night: all, or as many as a night may take, in turns."""
    limit: int = most if most is not None else settings.SELF_CHECK_MEMBERSHIPS
    known = members_of()
    if not limit or len(known) <= limit:
        return known
    nights = -(-len(known) // limit)
    turn = night.toordinal() % nights
    return known[turn::nights]


def self_check(member_ids: Collection[int], *, at: datetime) -> Iterator[list[Difference]]:
    """Recompute memberships and yield for each what differs; each difference is recorded with its cause, none is repaired."""
    for member_id in member_ids:
        member = Membership.objects.select_related("program").get(pk=member_id)
        found = difference(member, at=at)
        for each in found:
            audit.record(
                None,
                "commission.differs",
                member,
                at=at,
                rule=each.rule_key,
                window=each.window,
                order=each.order,
                desired_minor=each.desired_minor,
                posted_minor=each.posted_minor,
                cause=each.cause,
                caused_by=each.caused_by,
            )
        yield found


def _posted(membership: Membership, since: Month | None, *, at: datetime) -> Reconciled:
    return persistently(lambda: _post_differences(membership, since, at=at), overtaken_by=MONTH_IS_OPEN)


def _post_differences(membership: Membership, since: Month | None, *, at: datetime) -> Reconciled:
    terms = Terms.load([membership.pk])
    books = Books()
    # The months and accounts are made before the transaction: see Calendar.open.
    books.open(terms.members.values())
    with transaction.atomic():
        lock(terms, {membership.pk})
        batch = Batch(terms, books, at)
        work = Refold(batch, terms.members[membership.pk], _start(membership, since))
        work.compare()
        found, corrections = work.differences(), work.corrections()
        books.write(corrections, at=at)
    return Reconciled(credits=work.told, differences=found)


def _differences(membership: Membership, since: Month | None, *, at: datetime) -> list[Difference]:
    with as_of_one_moment():
        terms = Terms.load([membership.pk])
        work = Refold(Batch(terms, Books(), at), terms.members[membership.pk], _start(membership, since))
        work.compare()
        return work.differences()


def _start(membership: Membership, since: Month | None) -> datetime | None:
    return None if since is None else since.starts_at(membership.program.zone)
