"""Earn points toward tiers by what was sold. Each event earns once, under the scheme and the multiplier of its day, and keeps that for good;
what goes back takes points back as its sale earned them, and what a person corrects is earned anew by whoever is credited then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain

from django.db import models, transaction
from django.db.models import Q

from partners.models import Membership
from prm.lib.db import persistently
from referrals.attribution.shares import Weights, part, weights_of
from referrals.choices import ConversionState, CreditRole
from referrals.facts import TAKES_BACK
from referrals.models import Conversion, Credit, PointEntry
from referrals.point_customers import BACK, NEW_CUSTOMER, Firsts, has_entry
from referrals.point_rates import Earning, Rates, entry, known, taken_back
from referrals.refunds import in_order
from tiers.engine.facts import SALES
from tiers.models import Program
from tiers.qualify import PointRate

AT_ONCE = 500  # sales, with what went back of them, in one transaction
REVENUE, SALE = "revenue", "sale"
PER_EVENT = (REVENUE, SALE)
SOURCES = (*PER_EVENT, NEW_CUSTOMER)
Known = dict[tuple[int, str, str], PointEntry]


def earn(conversion_ids: Iterable[int], *, at: datetime, rates: Rates | None = None) -> int:
    """Write the points that events earn and take back which were not written yet; return how many entries that were.

    Given any events of a sale, all of it is looked at. Whoever comes second finds nothing left to write.
    """
    rates = rates or Rates()
    if not rates.programs:
        return 0
    found = Conversion.objects.filter(pk__in=list(conversion_ids)).values_list("pk", "original")
    roots = sorted({original or pk for pk, original in found})
    chunks = (roots[start : start + AT_ONCE] for start in range(0, len(roots), AT_ONCE))
    return sum(persistently(partial(_earn, chunk, rates, at)) for chunk in chunks)


def sweep(*, at: datetime) -> int:
    """Find events whose points nobody wrote, and corrected ones whose points still stand; return how many entries were written."""
    rates = Rates()
    written = 0
    for program in rates.programs:
        missed = chain(_unearned(program, rates), _corrected(program, rates))
        ids: list[int] = []
        for conversion in missed:
            ids.append(conversion)
            if len(ids) == AT_ONCE:
                written += earn(ids, at=at, rates=rates)
                ids = []
        written += earn(ids, at=at, rates=rates) if ids else 0
    return written


def _unearned(program: int, rates: Rates) -> Iterator[int]:
    """Yield events without an entry. Some of them earn nothing, and are looked at again and again."""
    credits = Credit.objects.standing().exclude(conversion__state=ConversionState.REJECTED)
    pays = Q(conversion__amount_minor__gt=0) | Q(conversion__kind__in=SALES)
    missing = _of(credits, program, rates).filter(pays).exclude(has_entry(*PER_EVENT))
    yield from missing.values_list("conversion", flat=True).iterator()


def _corrected(program: int, rates: Rates) -> Iterator[int]:
    """Yield events whose points stand though their credit does not."""
    fallen = Q(superseded_at__isnull=False) | Q(conversion__state=ConversionState.REJECTED)
    credits = _of(Credit.objects.filter(fallen), program, rates)
    of_event = Q(has_entry(*PER_EVENT)) & ~Q(has_entry(*PER_EVENT, suffix=BACK))
    of_customer = Q(has_entry(NEW_CUSTOMER)) & ~Q(has_entry(NEW_CUSTOMER, suffix=BACK))
    standing = credits.filter(of_event | of_customer)
    yield from standing.values_list("conversion", flat=True).iterator()


def _of(credits: models.QuerySet[Credit], program: int, rates: Rates) -> models.QuerySet[Credit]:
    mine = credits.filter(membership__program=program, occurred_at__gte=rates.begins(program))
    return mine.order_by("conversion")


@transaction.atomic
def _earn(roots: Sequence[int], rates: Rates, at: datetime) -> int:
    of_family = Q(conversion__in=roots) | Q(conversion__original__in=roots)
    credits = Credit.objects.filter(of_family, membership__program__in=rates.programs)
    members = set(credits.values_list("membership", flat=True))
    if not members:
        return 0
    # Two that earn for one membership would both find nothing: the second waits, and then finds what the first wrote.
    list(Membership.objects.lock().filter(pk__in=members).values_list("pk"))
    _lock_programs(rates, members)
    mine = credits.filter(membership__in=members).select_related("conversion__customer", "membership")
    batch = _Batch(rates, at, list(mine.order_by("pk")), weights_of(credits.filter(superseded_at=None)))
    made = list(batch.entries())
    PointEntry.objects.bulk_create(made)
    return len(made)


def _lock_programs(rates: Rates, members: set[int]) -> None:
    """Hold programs in which a customer is new for one membership only."""
    mine = [program for program in rates.programs if NEW_CUSTOMER in rates.sources(program)]
    if mine:
        held = Program.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
        list(held.filter(pk__in=mine, memberships__in=members).values_list("pk"))


class _Batch:
    """Some sales with everything that went back of them, as they stand under the locks."""

    def __init__(self, rates: Rates, at: datetime, credits: Sequence[Credit], weights: Weights) -> None:
        self._rates, self._at, self._weights = rates, at, weights
        self._alive: dict[tuple[int, int], list[Credit]] = defaultdict(list)
        self._dead: list[Credit] = []
        for credit in credits:
            if credit.superseded_at is None and credit.conversion.state != ConversionState.REJECTED:
                root = credit.conversion.original_id or credit.conversion_id
                self._alive[root, credit.membership_id].append(credit)
            else:
                self._dead.append(credit)
        self._known = _known(credits)
        self._firsts = Firsts(rates, credits)

    def entries(self) -> Iterator[PointEntry]:
        """Yield what is to be written."""
        for credit in self._dead:
            yield from self._cancelled(credit)
        for (root, _member), credits in self._alive.items():
            sale = next((each for each in credits if each.conversion_id == root), None)
            if sale is not None:
                moves = [each for each in credits if each is not sale]
                moves.sort(key=lambda each: in_order(each.conversion))
                for source in SOURCES:
                    yield from self._earned(source, sale, moves)

    def _cancelled(self, credit: Credit) -> Iterator[PointEntry]:
        for source in SOURCES:
            reference = _reference(source, credit)
            earned = self._known.get((credit.membership_id, source, reference))
            back = reference + BACK
            if earned is not None and (credit.membership_id, source, back) not in self._known:
                # As if it had never been earned: on its own day, so that no window holds one without the other.
                yield taken_back(earned, reference=back, earned_at=earned.earned_at, at=self._at)

    def _earned(self, source: str, sale: Credit, moves: Sequence[Credit]) -> Iterator[PointEntry]:
        """Yield what a sale earns, and what went back of it takes back."""
        member = sale.membership_id
        earned = self._known.get((member, source, _reference(source, sale)))
        if earned is None:
            earning = self._earning(source, sale)
            if earning is None:
                return
            earned = self._entry(earning, source, sale, earning.milli)
            yield earned
        yield from self._moved(earned, sale, moves)

    def _moved(self, earned: PointEntry, sale: Credit, moves: Sequence[Credit]) -> Iterator[PointEntry]:
        """Yield what moves change that are not written yet: together always what is right for all that has gone back."""
        whole, gone, taken, booked = sale.conversion.amount_minor, 0, 0, 0
        new: list[PointEntry] = []
        for move in moves:
            minor = move.conversion.amount_minor
            gone += minor if move.conversion.kind in TAKES_BACK else -minor
            now = _taken(earned, gone, whole)
            before = self._known.get((earned.membership_id, earned.source, _reference(earned.source, move)))
            if before is None:
                new.append(self._entry(earned, earned.source, move, taken - now))
            else:
                booked += before.milli_points
            taken = now
        if new:
            # Late ones stand between others that were written when these were not known.
            new[-1].milli_points -= taken + booked + sum(each.milli_points for each in new)
        yield from (each for each in new if each.milli_points)

    def _entry(self, earning: Earning | PointEntry, source: str, credit: Credit, milli: int) -> PointEntry:
        return entry(
            earning,
            membership_id=credit.membership_id,
            source=source,
            reference=_reference(source, credit),
            milli=milli,
            earned_at=credit.occurred_at,
            at=self._at,
        )

    def _earning(self, source: str, credit: Credit) -> Earning | None:
        """Return what a credit earns for a sale, or for what went back of nobody knows which sale."""
        event = credit.conversion
        if source == REVENUE:
            units = self._own(credit)
        elif event.kind not in SALES or (source == NEW_CUSTOMER and not self._firsts.is_first(credit)):
            return None
        else:
            units = 1
        return self._rates.earning(
            credit.membership.program_id,
            source,
            at=event.occurred_at,
            country=event.country,
            units=units,
            fits=_fits(credit.role),
        )

    def _own(self, credit: Credit) -> int:
        """Return the membership's part of an event's amount; who only assisted has none, and counts with the share of the assist."""
        event = credit.conversion
        if credit.role == CreditRole.ASSISTED:
            minor = int(event.amount_minor * credit.share)
        else:
            minor = part(
                event.amount_minor,
                event.currency,
                conversion=event.pk,
                membership=credit.membership_id,
                weights=self._weights,
            )
        return -minor if event.kind in TAKES_BACK else minor


def _reference(source: str, credit: Credit) -> str:
    """Return what an entry is about: the event or the customer, and by which credit."""
    event = credit.conversion
    about = event.public_id
    if source == NEW_CUSTOMER and event.customer is not None:
        about = event.customer.public_id
    return f"{about}:{credit.pk}"


def _known(credits: Sequence[Credit]) -> Known:
    named = {_reference(source, credit) for source in SOURCES for credit in credits}
    return known(
        (credit.membership_id for credit in credits), SOURCES, named | {each + BACK for each in named}
    )


def _taken(earned: PointEntry, gone: int, whole: int) -> int:
    """Return what is taken back of an entry once `gone` of the sale has gone: money in proportion, a piece when nothing is left."""
    if earned.source != REVENUE:
        return earned.milli_points if gone >= whole else 0
    if whole == 0:
        return 0
    return earned.milli_points * gone // whole


def _fits(role: str) -> Callable[[PointRate], bool]:
    """Say which rates are for a role; who only assisted earns by rates that name it."""
    return lambda rate: rate.role == role or (rate.role == "" and role != CreditRole.ASSISTED)
