"""Which rates earned points at an instant, in each program. A scheme earns for what happened while it was in force; one without rates earns
nothing, and programs that never had rates are not looked at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from prm.lib.countries import code_of
from referrals.models import PointEntry
from tiers import schemes
from tiers.models import TierScheme
from tiers.qualify import PointRate

MILLI = 1000


@dataclass(frozen=True, slots=True)
class Earning:
    """What one thing earned: whole thousandths, cut off, never rounded up, with the rate's multiplier for its market."""

    scheme_id: int
    milli: int
    multiplier: str
    market: str


@dataclass(frozen=True, slots=True)
class _InForce:
    since: datetime
    scheme_id: int
    rates: tuple[PointRate, ...]


class Rates:
    """The rates of all programs that have or had any."""

    def __init__(self) -> None:
        found: dict[int, list[_InForce]] = {}
        for row in TierScheme.objects.published().order_by("program", "effective_at", "number"):
            if row.effective_at is not None:
                version = _InForce(row.effective_at, row.pk, schemes.scheme_of(row).points)
                found.setdefault(row.program_id, []).append(version)
        self._by_program = {
            program: versions
            for program, versions in found.items()
            if any(version.rates for version in versions)
        }

    @property
    def programs(self) -> list[int]:
        return sorted(self._by_program)

    def begins(self, program_id: int) -> datetime:
        """Return from when on a program has rates."""
        return min(version.since for version in self._by_program[program_id] if version.rates)

    def sources(self, program_id: int) -> set[str]:
        """Return what a program has ever had rates for."""
        return {rate.source for version in self._by_program[program_id] for rate in version.rates}

    def earning(
        self,
        program_id: int,
        source: str,
        *,
        at: datetime,
        country: str,
        units: int = 1,
        fits: Callable[[PointRate], bool] = lambda rate: True,
    ) -> Earning | None:
        """Return what `units` of a source earned at an instant; of several rates for it the first that fits counts."""
        version = self._at(program_id, at)
        rate = next((each for each in version.rates if each.source == source and fits(each)), None)
        if rate is None:
            return None
        market = code_of(country) if country else ""
        multiplier = {code_of(name): value for name, value in rate.multipliers}.get(market, Fraction(1))
        milli = int(rate.points * units / rate.per * multiplier * MILLI)
        return Earning(version.scheme_id, milli, str(multiplier)[:20], market[:64]) if milli else None

    def _at(self, program_id: int, at: datetime) -> _InForce:
        versions = self._by_program.get(program_id, [])
        place = bisect_right([version.since for version in versions], at)
        return versions[place - 1] if place else _InForce(at, 0, ())


def entry(
    earning: Earning | PointEntry,
    *,
    membership_id: int,
    source: str,
    reference: str,
    milli: int,
    earned_at: datetime,
    at: datetime,
) -> PointEntry:
    """Return points to be written, under the terms of `earning`."""
    return PointEntry(
        membership_id=membership_id,
        scheme_id=earning.scheme_id,
        source=source,
        reference=reference,
        milli_points=milli,
        multiplier=earning.multiplier,
        market=earning.market,
        earned_at=earned_at,
        recorded_at=at,
    )


def taken_back(earned: PointEntry, *, reference: str, earned_at: datetime, at: datetime) -> PointEntry:
    """Return what takes all of an entry back."""
    return entry(
        earned,
        membership_id=earned.membership_id,
        source=earned.source,
        reference=reference,
        milli=-earned.milli_points,
        earned_at=earned_at,
        at=at,
    )


def known(
    membership_ids: Iterable[int], sources: Iterable[str], references: Iterable[str]
) -> dict[tuple[int, str, str], PointEntry]:
    """Return the entries there are, by membership, source and reference."""
    rows = PointEntry.objects.filter(
        membership__in=set(membership_ids), source__in=set(sources), reference__in=set(references)
    )
    return {(row.membership_id, row.source, row.reference): row for row in rows}
