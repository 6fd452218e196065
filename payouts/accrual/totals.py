"""What has to agree between a fold and the books: totals, never single lines. A total that differs is a difference with its cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from payouts.accrual.happenings import Happening

LATE = "late_event"
CORRECTED = "credit_corrected"
RECOMPUTED = "recomputed"


class Slot(NamedTuple):
    """What must agree: the total of a window, of a cap's window, or of everything about one credit under one rule."""

    member_id: int
    rule_key: str
    version_id: int | str | None  # None where the version does not matter: a credit is worth what it is worth
    window: str
    customer: str
    credit_id: int  # 0 for windows


@dataclass(slots=True)
class Total:
    """What a slot should hold and what it holds, as far as it was looked at, and the last event that touched it."""

    desired: int = 0
    posted: int = 0
    desired_volume: int = 0
    posted_volume: int = 0
    happening: Happening | None = None
    version_id: int | str = 0

    @property
    def differs(self) -> bool:
        return self.desired != self.posted or self.desired_volume != self.posted_volume


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree: whose, under which rule, since when, the two figures and why."""

    membership: str
    rule_key: str
    window: str
    order: str
    desired_minor: int
    posted_minor: int
    cause: str
    caused_by: str

    @property
    def minor(self) -> int:
        return self.desired_minor - self.posted_minor
