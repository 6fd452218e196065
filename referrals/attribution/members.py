"""Know the memberships a batch of events may be credited to, and by whose rules: when each earns, and which version of its program's rules
was in force at an event. Each is read once for the batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from partners.choices import MembershipState
from partners.intervals import Gap, gaps_of
from partners.models import Membership
from referrals.attribution.candidates import Earner
from referrals.attribution.settings import Settings, TouchKind, read, standard
from referrals.models import AttributionVersion

NEVER = datetime.min.replace(tzinfo=UTC)
_OVER = (MembershipState.ENDED, MembershipState.TERMINATED, MembershipState.BANNED)
_standard = lru_cache(maxsize=64)(standard)


@dataclass(frozen=True, slots=True)
class Program:
    """What of a program matters for who is credited."""

    pk: int
    currency: str
    zone: ZoneInfo
    cookie_days: int


@dataclass
class Rules:
    """The versions of all programs' rules, each program's newest first."""

    versions: dict[int, list[tuple[datetime, int, Settings]]] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Rules:
        """Read every version that holds or held: there are few, and nobody knows yet whose will be needed."""
        found = cls()
        rows = AttributionVersion.objects.published().order_by("-effective_at", "-number")
        for program, pk, effective_at, definition in rows.values_list(
            "program_id", "pk", "effective_at", "definition"
        ):
            if effective_at is not None:
                found.versions.setdefault(program, []).append((effective_at, pk, read(definition)))
        return found

    def at(self, program: Program, occurred_at: datetime) -> tuple[int | None, Settings]:
        """Return the version in force at an event, None when the program had published nothing, and what it says."""
        for effective_at, pk, settings in self.versions.get(program.pk, ()):
            if effective_at <= occurred_at:
                return pk, settings
        return None, _standard(program.cookie_days)

    def count(self, kind: TouchKind) -> bool:
        """Say whether any program gives, or gave, credit for a kind of contact that nobody counts by default."""
        return any(settings.rank(kind) is not None for settings in self._all())

    @property
    def ask_for_new_customers(self) -> bool:
        """Say whether any program gives, or gave, credit for new customers only."""
        return any(settings.qualifies.customers == "new" for settings in self._all())

    def _all(self) -> Iterator[Settings]:
        return (settings for versions in self.versions.values() for _from, _pk, settings in versions)


@dataclass
class Members:
    """Memberships as the rule sees them, and their programs."""

    earners: dict[int, Earner] = field(default_factory=dict)
    programs: dict[int, Program] = field(default_factory=dict)

    @classmethod
    def load(cls, membership_ids: Collection[int]) -> Members:
        """Read memberships in two queries: themselves, and when each was suspended and the end that was announced."""
        found = cls()
        if not membership_ids:
            return found
        gaps = gaps_of(membership_ids)
        rows = Membership.objects.filter(pk__in=membership_ids)
        for pk, state, ended_at, joined_at, program, currency, zone, days in rows.values_list(
            "pk",
            "state",
            "ended_at",
            "joined_at",
            "program_id",
            "program__currency",
            "program__time_zone",
            "program__cookie_days",
        ):
            found.earners[pk] = earner(
                pk, state, ended_at, gaps=gaps.get(pk, ()), joined_at=joined_at, program=program
            )
            found.programs[program] = Program(program, currency, ZoneInfo(zone), days)
        return found

    def program_of(self, membership_id: int) -> Program:
        """Return the program a membership is of."""
        return self.programs[self.earners[membership_id].program_id]


def earner(
    membership_id: int,
    state: str,
    ended_at: datetime | None,
    *,
    gaps: tuple[Gap, ...] = (),
    joined_at: datetime | None = None,
    program: int = 0,
) -> Earner:
    """Return the membership as the rule sees it: one that is over keeps what it brought before, and nothing that happened while
    it was suspended counts, whatever its state is now."""
    # Without a word about since when, a suspended membership earns from nothing.
    is_suspended = state == MembershipState.SUSPENDED and any(end is None for _start, end in gaps)
    is_over = state in _OVER and ended_at is not None
    if state == MembershipState.ACTIVE or is_over or is_suspended:
        return Earner(membership_id, ended_at, gaps, joined_at, program)
    return Earner(membership_id, NEVER, (), joined_at, program)
