"""What is found in a scheme of tiers, and what it is looked at among: the ladders, the metrics somebody reads, since when there are facts.
A finding names the place it is about by the path that a stored scheme has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from tiers.models import Program
from tiers.narrowing import Names
from tiers.qualify import Question, Rung

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a look. `where` is a path such as tiers/gold/revenue/threshold; `tier` and `requirement` are keys or empty."""

    severity: Severity
    code: str
    where: str
    message: str

    @property
    def tier(self) -> str:
        return self._part(1) if self._part(0) == "tiers" else ""

    @property
    def requirement(self) -> str:
        return self._part(2) if self._part(0) == "tiers" else ""

    def _part(self, at: int) -> str:
        parts = self.where.split("/")
        return parts[at] if at < len(parts) else ""


# What a check yields: code, place and message. Which codes are errors is written once, in the lint.
Found: TypeAlias = Iterator[tuple[str, str, str]]


@dataclass(frozen=True)
class Around:
    """What a scheme lives among. `readable` are the metrics somebody reads, None when nobody said; `begins` says since when there
    are facts a question could count; `at` is when the scheme is first measured, None while nobody knows."""

    program: Program
    ladders: Mapping[str, tuple[Rung, ...]]
    names: Names
    locale: str
    readable: Collection[str] | None = None
    begins: Callable[[Question], datetime | None] = lambda _question: None
    at: datetime | None = None

    def rung(self, tier: str) -> Rung | None:
        """Return the tier of this key, if it is in use."""
        return next((rung for rungs in self.ladders.values() for rung in rungs if rung.key == tier), None)

    def name(self, tier: str) -> str:
        """Return how a tier is called."""
        rung = self.rung(tier)
        return rung.name or rung.key if rung else tier

    def lowest(self) -> set[str]:
        """Return the tiers everybody begins in."""
        return {rungs[0].key for rungs in self.ladders.values() if rungs}
