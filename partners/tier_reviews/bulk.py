"""Decide on several cases at once. Each is looked at alone: what stands in the way of one does not stop the others, and each decision is a
transaction of its own by the same verb as always."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import placement
from partners.choices import ReviewOutcome, ReviewState
from partners.models import Placement, TierReview
from prm.lib.errors import Refused
from tiers.models import Tier

AT_ONCE = 200


class Bulk(TextChoices):
    """What can be done with several cases."""

    CARRY_OUT = "carry-out", gettext_lazy("Carry out what is proposed")
    NOTIFY = "notify", gettext_lazy("Send the notice")
    KEEP = "keep", gettext_lazy("Keep the tier")


@dataclass(frozen=True)
class Row:
    """One case with what stands in the way; an empty `hindrance` means nothing does. `became` is the state after the decision."""

    case: TierReview
    hindrance: str = ""
    became: str = ""

    @property
    def goes(self) -> bool:
        return not self.hindrance


def look(found: Iterable[TierReview], what: str, *, at: datetime) -> list[Row]:
    """Return each case with why it would be skipped, falls first: they leave the places that rises may need.

    The cases come with their appeals read; the number of queries does not depend on how many there are.
    """
    ordered = sorted(found, key=lambda case: case.outcome != ReviewOutcome.DOWN)
    room = _Room(ordered)
    return [Row(case, _hindrance(case, what, room, at=at)) for case in ordered]


def carry_out(rows: Iterable[Row], decide: Callable[[TierReview], TierReview]) -> list[Row]:
    """Decide on every row nothing stands in the way of, and return what became of each, or why it was refused."""
    return [_one(row, decide) if row.goes else row for row in rows]


class _Room:
    """How many places the tiers that are limited still have, while one case after the other is carried out."""

    def __init__(self, found: Sequence[TierReview]) -> None:
        tiers = {tier.pk: tier for case in found for tier in (case.from_tier, case.to_tier)}
        limited = {pk: tier.capacity for pk, tier in tiers.items() if tier.capacity is not None}
        taken = dict(
            Placement.objects.open()
            .filter(tier__in=limited)
            .order_by()
            .values_list("tier")
            .annotate(Count("pk"))
        )
        self._free = {pk: most - taken.get(pk, 0) for pk, most in limited.items()}

    def move(self, case: TierReview) -> bool:
        """Take a place in the tier it goes to and leave the one it stands in; False when there is none."""
        if case.outcome == ReviewOutcome.UP and self._free.get(case.to_tier_id, 1) <= 0:
            return False
        self._change(case.to_tier, -1)
        self._change(case.from_tier, +1)
        return True

    def _change(self, tier: Tier, by: int) -> None:
        if tier.pk in self._free:
            self._free[tier.pk] += by


def _one(row: Row, decide: Callable[[TierReview], TierReview]) -> Row:
    try:
        decided = decide(row.case)
    except Refused as refusal:
        return Row(row.case, str(refusal))
    return Row(row.case, became=decided.state)


def _hindrance(case: TierReview, what: str, room: _Room, *, at: datetime) -> str:
    if case.state not in ReviewState.open():
        return _("skipped: decided already")
    if case.state == ReviewState.APPEALED:
        return _("skipped: the appeal waits for an answer")
    if what == Bulk.KEEP:
        return ""
    is_fall = case.outcome == ReviewOutcome.DOWN
    if what == Bulk.NOTIFY:
        if not is_fall:
            return _("skipped: it proposes no fall")
        return "" if case.state == ReviewState.PROPOSED else _("skipped: the partner is told already")
    return _not_yet(case, at=at) or _no_room(case, room)


def _not_yet(case: TierReview, *, at: datetime) -> str:
    if case.state == ReviewState.DECIDED:
        return _("skipped: decided already")
    if case.outcome != ReviewOutcome.DOWN:
        return ""
    if case.grace_ends_at is None:
        return _("skipped: the partner is not told yet")
    was_heard = getattr(case, "appeal", None) is not None
    over = case.grace_ends_at if was_heard else max(case.grace_ends_at, case.appeal_ends_at or at)
    return _("skipped: in the grace period") if at < over else ""


def _no_room(case: TierReview, room: _Room) -> str:
    if room.move(case):
        return ""
    return str(placement.NoRoom(params={"tier": case.to_tier.name, "most": case.to_tier.capacity or 0}))
