"""The ladders of one program, read once for any number of memberships: which tier a row names, and which rungs stand above and below it."""

from __future__ import annotations

from tiers.models import Program, Tier
from tiers.qualify import Rung


class Ladders:
    """All tiers of a program, those taken out of use included, since old cases and placements name them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tiers: list[Tier] = list(Tier.objects.filter(program=program).by_rank())
        for tier in self.tiers:
            tier.program = program
        self._by_pk = {tier.pk: tier for tier in self.tiers}
        self._by_key = {tier.key: tier for tier in self.tiers}
        self._in_use: dict[str, tuple[Rung, ...]] = {}

    def tier(self, pk: int) -> Tier:
        """Return the tier with a primary key."""
        return self._by_pk[pk]

    def named(self, key: str) -> Tier | None:
        """Return the tier with a key, None when the program has none such."""
        return self._by_key.get(key)

    @property
    def tracks(self) -> list[str]:
        """Return the tracks that have a tier in use."""
        return list(dict.fromkeys(tier.track for tier in self.tiers if tier.retired_at is None))

    def in_use(self, track: str) -> tuple[Rung, ...]:
        """Return one ladder, from the lowest rank up; empty when no tier of it is in use."""
        if track not in self._in_use:
            self._in_use[track] = self._rungs(track, frozenset())
        return self._in_use[track]

    def with_(self, *tiers: int) -> tuple[Rung, ...]:
        """Return the ladder of these tiers, with them even where one has been taken out of use since."""
        return self._rungs(self._by_pk[tiers[0]].track, frozenset(tiers))

    def below(self, tier: Tier) -> Tier:
        """Return the next tier in use below one, itself where it is the lowest."""
        lower = [
            each
            for each in self.tiers
            if each.track == tier.track and each.rank < tier.rank and each.retired_at is None
        ]
        return lower[-1] if lower else tier

    def _rungs(self, track: str, also: frozenset[int]) -> tuple[Rung, ...]:
        return tuple(
            Rung(tier.key, tier.rank, tier.name)
            for tier in self.tiers
            if tier.track == track and (tier.retired_at is None or tier.pk in also)
        )
