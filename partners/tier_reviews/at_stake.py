"""What a move is worth: what a membership earned, and what it would have earned in another tier on the same sales. Whoever keeps the money
says so here; without anybody the pages show no figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from partners.models import MetricSnapshot
from prm.lib.money import Money

Pair = tuple[int, int]  # a membership and a tier
Snapshots = QuerySet[MetricSnapshot]


@dataclass(frozen=True, slots=True)
class Stake:
    """The earnings of one membership over the events from `since` to before `until`, and what another tier would have made of them."""

    earned: Money
    would: Money
    since: datetime
    until: datetime

    @property
    def change(self) -> Money:
        """Return what the other tier would have added; below zero what it would have taken."""
        return self.would - self.earned


Reader = Callable[[Iterable[Pair]], Mapping[Pair, Stake]]
# Snapshots are annotated with `target_id`, the tier each would go to.
Adder = Callable[[Snapshots], Mapping[str, int]]
_readers: list[tuple[Reader, Adder]] = []


def learn_value(read: Reader, add_up: Adder) -> None:
    """Let whoever keeps the money say what moves are worth: for some pairs, and added up for many snapshots by currency."""
    _readers[:] = [(read, add_up)]


def is_known() -> bool:
    """Say whether anybody can tell what a move is worth."""
    return bool(_readers)


def stakes(pairs: Iterable[Pair]) -> Mapping[Pair, Stake]:
    """Return what is known of each pair, in one query for all of them."""
    wanted = set(pairs)
    return _readers[0][0](wanted) if _readers and wanted else {}


def change_of(snapshots: Snapshots) -> list[Money]:
    """Return what all these moves together would have changed, an amount for each currency."""
    if not _readers:
        return []
    return [Money(minor, currency) for currency, minor in sorted(_readers[0][1](snapshots).items())]
