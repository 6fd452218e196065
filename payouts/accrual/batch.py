"""Rate the unrated credits of a batch in one transaction: claim them, load what has to be remembered, fold, write, mark. A credit is rated
exactly once, and its lines, its postings and its mark are written together or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max, Q

from partners.models import Membership
from payouts.accrual.fold import Draft, Fold
from payouts.accrual.happenings import Happening, read
from payouts.accrual.loading import Accrued, Batch, load_memories, sales_before
from payouts.accrual.memory import Scope
from payouts.accrual.posting import Books
from payouts.accrual.refold import refold
from payouts.accrual.terms import Terms
from payouts.calendar import MONTH_IS_OPEN as MONTH_IS_OPEN
from prm.lib.db import persistently
from referrals.models import Credit
from tiers.models import Program


def accrue_batch(wanted: Q, *, at: datetime) -> Accrued:
    """Rate the unrated credits that meet `wanted`; those another worker holds are left to it."""
    # When a close was faster, the next month takes the postings.
    return persistently(lambda: _accrue(wanted, at=at), overtaken_by=MONTH_IS_OPEN)


def _accrue(wanted: Q, *, at: datetime) -> Accrued:
    books = Books()
    rows = Credit.objects.unrated().filter(wanted).order_by()
    found = list(rows.values_list("membership_id", "occurred_at", "conversion__original_id"))
    if not found:
        return Accrued()
    terms = Terms.load({member for member, _instant, _original in found})
    # The months and accounts are made before the transaction: see Calendar.open.
    books.calendar.open((terms.members[member].program, instant) for member, instant, _original in found)
    books.open(terms.members.values())
    refunded = {member for member, _instant, original in found if original is not None}
    return _together(Batch(terms, books, at), wanted, refunded)


@transaction.atomic
def _together(batch: Batch, wanted: Q, refunded: Collection[int]) -> Accrued:
    held = lock(batch.terms, refunded)
    claimed = claim(wanted & Q(membership__in=batch.terms.members))
    # A refund credited since the look is left to the next one, which locks what it needs.
    happenings = [each for each in claimed if each.original_id is None or each.membership_id in held]
    if not happenings:
        return batch.done
    late = _late(batch.terms, happenings)
    on_time = [each for each in happenings if each.membership_id not in late]
    rate(batch, on_time)
    if late:
        for member_id in sorted(late):
            fresh = [each for each in happenings if each.membership_id == member_id]
            refold(
                batch,
                batch.terms.members[member_id],
                start=min(each.placed_at for each in fresh),
                fresh=fresh,
            )
    return batch.done


def lock(terms: Terms, refunded: Collection[int] = ()) -> set[int]:
    """Lock the memberships whose plan remembers something, who recruited them included, and then programs with a budget;
    return the memberships.

    Everybody takes these locks in this order, so that what is remembered stays as it was read until the lines stand.
    A plan that remembers nothing needs none for its sales. A refund needs one under any plan, hence `refunded`: what it
    takes back depends on all that is booked on its sale, which others refund or reconcile.
    """
    stateful = {pk for pk, member in terms.members.items() if terms.is_stateful(member.program_id)}
    held = stateful.union(refunded)
    if not held:
        return held
    list(Membership.objects.filter(pk__in=held).lock())
    programs = {terms.members[pk].program_id for pk in stateful}
    budgets = sorted(program for program in programs if terms.has_budgets(program))
    if budgets:
        list(Program.objects.filter(pk__in=budgets).select_for_update(no_key=True).order_by("pk"))
    return held


def claim(wanted: Q) -> list[Happening]:
    """Lock the unrated credits nobody else works on and return them in the order things happened."""
    locked = (
        Credit.objects.unrated()
        .filter(wanted)
        .select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    ids = list(locked)
    return read(Credit.objects.filter(pk__in=ids)) if ids else []


def rate(batch: Batch, happenings: Sequence[Happening]) -> None:
    """Fold happenings that follow on what is rated, write their lines and mark them."""
    if not happenings:
        return
    folding, waiting = begin(batch, happenings)
    drafts: list[Draft] = []
    marked: list[int] = []
    for happening in happenings:
        if happening.pk in waiting:
            batch.done.waiting += 1
            continue
        for rated in folding.rate(happening):
            drafts += rated.drafts
            marked.append(rated.happening.pk)
            batch.done.uncovered += not rated.drafts and rated.happening.original_id is None
    batch.books.write(drafts, at=batch.at)
    Credit.objects.filter(pk__in=marked).update(rated_at=batch.at)
    batch.done.rated += len(marked)
    batch.done.lines += len(drafts)


def begin(batch: Batch, happenings: Sequence[Happening]) -> tuple[Fold, set[int]]:
    """Return a fold that knows what came before these happenings, and the refunds whose sale is not rated yet."""
    batch.teller.prepare(happenings)
    refunds = [each for each in happenings if each.original_id is not None]
    here = {(each.membership_id, each.conversion_id) for each in happenings if each.original_id is None}
    taken_back = {(each.membership_id, each.original_id or 0) for each in refunds}
    sales, unrated = sales_before(batch, taken_back - here)
    memories = load_memories(batch, Scope.of(happenings))
    folding = Fold(
        batch.terms,
        batch.teller,
        memories,
        sales=sales,
        taken_back=taken_back,
        to_come=taken_back & here,
    )
    waiting = {each.pk for each in refunds if (each.membership_id, each.original_id or 0) in unrated}
    return folding, waiting


def _late(terms: Terms, happenings: Iterable[Happening]) -> set[int]:
    """Return the memberships for which something comes in after later events were rated that would have earned otherwise."""
    first: dict[int, datetime] = {}
    for each in happenings:
        first[each.membership_id] = min(each.placed_at, first.get(each.membership_id, each.placed_at))
    ordered = [
        pk for pk in first if any(rater.is_ordered for rater in terms.raters(terms.members[pk].program_id))
    ]
    if not ordered:
        return set()
    rated = Credit.objects.standing().filter(membership__in=ordered, rated_at__isnull=False).order_by()
    latest = dict(rated.values_list("membership_id").annotate(Max("occurred_at")))
    return {pk for pk in ordered if pk in latest and first[pk] < latest[pk]}
