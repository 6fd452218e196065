"""Expect what refunds will take back, from what they took back so far: exact shares of what was earned, by how many months later it was
taken. Where nothing has been observed nothing is expected, and the pack says so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from payouts.accrual_pack.reading import up_to
from payouts.choices import CommissionKind
from payouts.models import Commission
from payouts.models.commission import CommissionQuerySet
from prm.lib.money import Money, round_half_away
from prm.lib.periods import Month
from tiers.models import Program

MONTHS = 12  # what is taken back later than this is not expected
METHOD = _(
    "For each age in months, up to 12: what reversals took back of lines booked that many months before, divided by what "
    "was earned in all months that are at least that old. A month that has earned since is expected to lose the shares of "
    "the ages it has still to reach, of what it earned; each month is rounded once, half away from zero. Reversals that name "
    "no line are not counted."
)
_EARNS = (CommissionKind.EARNED.value, CommissionKind.OVERRIDE.value, CommissionKind.BONUS.value)


@dataclass(frozen=True)
class AgeShare:
    """What was taken back `age` months after it was earned, of what was earned and could be observed for that long."""

    age: int
    taken_minor: int
    earned_minor: int
    currency: str

    @property
    def share(self) -> Fraction:
        return Fraction(self.taken_minor, self.earned_minor)

    @property
    def shown(self) -> Decimal:
        return shown(self.share)

    @property
    def earned(self) -> Money:
        return Money(self.earned_minor, self.currency)

    @property
    def taken(self) -> Money:
        return Money(self.taken_minor, self.currency)


@dataclass(frozen=True)
class Cohort:
    """A month that has earned, and what it is expected to lose still."""

    month: Month
    earned_minor: int
    share: Fraction
    expected_minor: int
    currency: str

    @property
    def shown(self) -> Decimal:
        return shown(self.share)

    @property
    def earned(self) -> Money:
        return Money(self.earned_minor, self.currency)

    @property
    def expected(self) -> Money:
        return Money(self.expected_minor, self.currency)


@dataclass(frozen=True)
class ClawBacks:
    """What a program's refunds are expected to take back in one currency, with the sample it rests on."""

    currency: str
    shares: tuple[AgeShare, ...]
    cohorts: tuple[Cohort, ...]
    unnamed_minor: int  # taken back by refunds that name no sale: of what age is not known
    sample_lines: int
    sample_first: Month
    sample_last: Month

    @property
    def expected_minor(self) -> int:
        return sum(cohort.expected_minor for cohort in self.cohorts)

    @property
    def expected(self) -> Money:
        return Money(self.expected_minor, self.currency)

    @property
    def unnamed(self) -> Money:
        return Money(self.unnamed_minor, self.currency)

    @property
    def sample_earned(self) -> Money:
        return Money(self.shares[0].earned_minor, self.currency)

    @property
    def sample_taken(self) -> Money:
        return Money(sum(share.taken_minor for share in self.shares), self.currency)


def shown(share: Fraction) -> Decimal:
    """Return a share as people read it, to a hundredth of a percent; it is computed with exactly."""
    return Decimal(round_half_away(share * 10_000)).scaleb(-4)


def expected(program: Program, month: Month, currency: str) -> ClawBacks | None:
    """Return what refunds of lines up to `month` are expected to take back after it; None when no month has been observed after
    the one it earned in."""
    earned, lines = _earned(program, month, currency)
    if not earned or min(earned) >= month:
        return None
    shares = _shares(earned, _taken(program, month, currency), month, currency)
    return ClawBacks(
        currency=currency,
        shares=shares,
        cohorts=tuple(_cohorts(earned, shares, month, currency)),
        unnamed_minor=_unnamed(program, month, currency),
        sample_lines=lines,
        sample_first=min(earned),
        sample_last=max(earned),
    )


def _earned(program: Program, month: Month, currency: str) -> tuple[dict[Month, int], int]:
    rows = (
        _lines(program, month, currency)
        .filter(kind__in=_EARNS, reverses=None, amount_minor__gt=0, conversion__isnull=False)
        .order_by()
        .values_list("period__year", "period__month")
        .annotate(minor=Sum("amount_minor"), lines=Count("pk"))
    )
    found, lines = {}, 0
    for year, number, minor, count in rows:
        found[Month(year, number)] = minor
        lines += count
    return found, lines


def _taken(program: Program, month: Month, currency: str) -> dict[tuple[Month, int], int]:
    """Return what was taken back of each month that earned, by age; what a won chargeback gave back counts the other way."""
    rows = (
        _lines(program, month, currency)
        .filter(
            Q(reverses__kind__in=_EARNS, reverses__amount_minor__gt=0)
            & Q(reverses__reverses=None, reverses__conversion__isnull=False)
        )
        .order_by()
        .values_list("reverses__period__year", "reverses__period__month", "period__year", "period__month")
        .annotate(minor=Sum("amount_minor"))
    )
    found: dict[tuple[Month, int], int] = {}
    for earned_year, earned_month, year, number, minor in rows:
        cohort = Month(earned_year, earned_month)
        age = _months_from(cohort, Month(year, number))
        found[cohort, age] = found.get((cohort, age), 0) - minor
    return found


def _unnamed(program: Program, month: Month, currency: str) -> int:
    """Return what refunds took back without naming a sale."""
    mine = _lines(program, month, currency).filter(kind=CommissionKind.REFUND, reverses=None)
    return -int(mine.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])


def _lines(program: Program, month: Month, currency: str) -> CommissionQuerySet:
    return Commission.objects.filter(up_to(month, "period__"), membership__program=program, currency=currency)


def _shares(
    earned: dict[Month, int], taken: dict[tuple[Month, int], int], month: Month, currency: str
) -> tuple[AgeShare, ...]:
    """Return the shares of the ages that have been observed, each over the months that are old enough."""
    shares = []
    for age in range(MONTHS + 1):
        old_enough = [cohort for cohort in earned if _months_from(cohort, month) >= age]
        if not old_enough:
            break
        shares.append(
            AgeShare(
                age=age,
                taken_minor=sum(taken.get((cohort, age), 0) for cohort in old_enough),
                earned_minor=sum(earned[cohort] for cohort in old_enough),
                currency=currency,
            )
        )
    return tuple(shares)


def _cohorts(
    earned: dict[Month, int], shares: tuple[AgeShare, ...], month: Month, currency: str
) -> list[Cohort]:
    found = []
    for cohort, minor in sorted(earned.items()):
        age = _months_from(cohort, month)
        if age > MONTHS:
            continue
        to_come = sum((each.share for each in shares if each.age > age), Fraction(0))
        found.append(Cohort(cohort, minor, to_come, round_half_away(minor * to_come), currency))
    return found


def _months_from(first: Month, last: Month) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
