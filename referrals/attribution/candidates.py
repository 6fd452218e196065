"""What the rule of attribution is told: the event, and everything that could be credited for it. Plain values without a database; equal
values are judged equally, whoever read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from referrals.attribution.settings import TOUCH_KINDS, Settings, TouchKind

# The table a contact is a row of. What was credited to somebody before, such as a lead, is a conversion.
Source = Literal["code", "click", "touch", "referral", "conversion"]
# Events that take a sale back, or give it back.
MOVES = frozenset({"refund", "chargeback", "chargeback_won"})
_PLACES = {kind: place for place, kind in enumerate(TOUCH_KINDS)}


@dataclass(frozen=True, slots=True)
class Earner:
    """A membership as attribution sees it: it earns from events from `starts_at` on and before `stops_at`, each without limit when it is
    empty, and from none that happened in one of its gaps; each goes from its first moment until its second, that one excluded, or
    without end."""

    membership_id: int
    stops_at: datetime | None = None
    gaps: tuple[tuple[datetime, datetime | None], ...] = ()
    starts_at: datetime | None = None
    program_id: int = 0

    def earns(self, occurred_at: datetime) -> bool:
        """Say whether an event of that moment can be credited to it, whenever it came in."""
        if self.stops_at is not None and occurred_at >= self.stops_at:
            return False
        if self.starts_at is not None and occurred_at < self.starts_at:
            return False
        for start, end in self.gaps:
            if start <= occurred_at and (end is None or occurred_at < end):
                return False
        return True


class Candidate(NamedTuple):
    """One contact: what it was, when, whose, and by whose rules it counts. A code is on the order itself, so its moment is the event's.
    `starts_at` and `ends_at` bound the events it can earn from, the second one excluded: a code's dates, the end of a deal's last local
    day, the end of an owner's time. `key` names an event of the same batch that has no primary key yet."""

    kind: TouchKind
    at: datetime
    earner: Earner
    settings: Settings
    source: Source
    pk: int
    is_off: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    use_limit: int | None = None
    is_used_up: bool = False
    key: tuple[str, str] | None = None

    @property
    def order(self) -> tuple[datetime, int, str, int, int, tuple[str, str]]:
        """Return what puts contacts in the order of time; of one instant, the kind that binds more comes last, then the row written last."""
        return (
            self.at,
            -_PLACES[self.kind],
            self.source,
            self.pk,
            self.earner.membership_id,
            self.key or ("", ""),
        )


class Happening(NamedTuple):
    """The event as far as it matters for who is credited. Several products and categories are those of an order's lines;
    `bought_before_at` is when the customer first bought anything, if that was before."""

    occurred_at: datetime
    kind: str = "sale"
    amount_minor: int = 0
    country: str = ""
    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    attributes: Mapping[str, str | int | bool] = MappingProxyType({})
    bought_before_at: datetime | None = None
