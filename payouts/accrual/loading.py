"""What a batch at work knows: the terms of its members, what was rated before, and the memories the fold needs. Everything is read in
groups, so that the number of queries does not grow with the batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from payouts.accrual.fold import SaleKey
from payouts.accrual.happenings import Happening, Teller, read
from payouts.accrual.memory import Loader, Refolded, Scope
from payouts.accrual.posting import Books
from payouts.accrual.sales import REVERSIBLE, Booked, Sale
from payouts.accrual.terms import Terms
from payouts.models import Commission
from referrals.models import Credit
from tiers.engine.case import part_of
from tiers.engine.explain import restore
from tiers.engine.memory import Memory


@dataclass
class Accrued:
    """What a call did: credits rated, lines written, credits no rule covered, refunds still waiting for their sale,
    and events that could not be computed."""

    rated: int = 0
    lines: int = 0
    uncovered: int = 0
    waiting: int = 0
    failed: int = 0

    def add(self, other: Accrued) -> None:
        self.rated += other.rated
        self.lines += other.lines
        self.uncovered += other.uncovered
        self.waiting += other.waiting
        self.failed += other.failed


@dataclass(slots=True)
class Batch:
    """One batch at work: what it knows, and the books it writes."""

    terms: Terms
    books: Books
    at: datetime
    teller: Teller = field(default_factory=Teller)
    done: Accrued = field(default_factory=Accrued)


def load_memories(batch: Batch, scope: Scope, apart_from: Refolded | None = None) -> dict[int, Memory]:
    """Return the memories of all whose plan remembers something."""
    stateful = [
        member for member in batch.terms.members.values() if batch.terms.is_stateful(member.program_id)
    ]
    return Loader(batch.terms, scope, apart_from).load(stateful) if stateful else {}


def sales_before(
    batch: Batch, keys: Collection[SaleKey], *, until: datetime | None = None
) -> tuple[dict[SaleKey, Sale], set[SaleKey]]:
    """Return sales that are in the books with their lines and what of them went back, and the keys of those not rated yet.

    With `until`, what went back from then on is left out.
    """
    if not keys:
        return {}, set()
    credits = _credits_of(keys)
    unrated = {key for key, credit in credits.items() if credit.rated_at is None}
    sales = {key: Sale.of(credit) for key, credit in credits.items() if key not in unrated}
    _add_lines(batch, sales, credits)
    _add_moves(batch, sales, until)
    return sales, unrated


def _credits_of(keys: Collection[SaleKey]) -> dict[SaleKey, Happening]:
    rows = read(
        Credit.objects.standing().filter(
            conversion__in={conversion for _member, conversion in keys},
            membership__in={member for member, _conversion in keys},
        )
    )
    return {key: each for each in rows if (key := (each.membership_id, each.conversion_id)) in keys}


def _add_lines(batch: Batch, sales: dict[SaleKey, Sale], credits: dict[SaleKey, Happening]) -> None:
    """Add what the sales earned, locked: another worker's refund of the same sale waits until this one counts."""
    by_credit = {credit.pk: sales[key] for key, credit in credits.items() if key in sales}
    for line in Commission.objects.filter(credit__in=by_credit, kind__in=REVERSIBLE).lock():
        booked = Booked(restore(line.because), line.pk, line.payable_at)
        by_credit[line.credit_id or 0].book(line.membership_id, line.public_id, booked)
    for (member_id, _conversion), sale in sales.items():
        credit = credits[member_id, _conversion]
        member = batch.terms.members[member_id]
        rater = batch.terms.rater(member, credit.occurred_at, batch.teller.customer_since(credit))
        if rater is not None and rater.needs.metrics:
            event = batch.teller.event(credit)
            sale.base = part_of(rater.base(event), event)


def _add_moves(batch: Batch, sales: dict[SaleKey, Sale], until: datetime | None) -> None:
    """Count the refunds of the sales that are rated already."""
    rows = (
        Credit.objects.standing()
        .filter(
            rated_at__isnull=False,
            conversion__original__in={conversion for _member, conversion in sales},
            membership__in={member for member, _conversion in sales},
        )
        .order_by("occurred_at", "pk")
        .values_list(
            "membership_id",
            "conversion__original_id",
            "conversion__kind",
            "conversion__amount_minor",
            "occurred_at",
        )
    )
    if until is not None:
        rows = rows.filter(occurred_at__lt=until)
    for member_id, original_id, kind, minor, occurred_at in rows:
        sale = sales.get((member_id, original_id or 0))
        if sale is not None:
            days = batch.terms.members[member_id].program.clawback_days
            sale.move(kind, minor, occurred_at, clawback_days=days)
