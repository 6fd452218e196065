"""Look again while a grace period runs. Who reaches the own tier again before it is over keeps it, whatever the review had found; who is
still below when it is over falls, and not a moment earlier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from partners import mails_tiers, metrics
from partners.choices import ReviewState
from partners.models import TierReview
from partners.tier_reviews import cases
from partners.tier_reviews.ladders import Ladders
from prm.lib.db import persistently
from prm.lib.errors import Refused
from tiers import schemes
from tiers.models import TierScheme
from tiers.qualify import Figure, Verdict, evaluate

if TYPE_CHECKING:
    from prm.accounts.models import User

CHUNK = 500
Figures = Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Look:
    """How a case stands at a moment: its figures, and whether they reach the tier the membership stands in."""

    figures: Figures
    verdict: Verdict

    @property
    def is_reached(self) -> bool:
        return self.verdict.measured.rank >= self.verdict.current.rank


def look(case: TierReview, *, at: datetime) -> Look:
    """Measure one case at `at`, by the scheme it was opened under, without writing anything."""
    program, pk = case.membership.program, case.membership_id
    scheme = schemes.scheme_of(case.round.scheme)
    figures = metrics.measure(metrics.Group(program, pk, pk), scheme, at=at)(pk)
    return _against(case, Ladders(program), figures)


@transaction.atomic
def look_again_now(review: TierReview, *, by: User, at: datetime) -> TierReview:
    """Measure a case in grace again at once: kept when the tier is reached again, otherwise only the figures are noted.

    Raises: Forbidden, CaseClosed.
    """
    cases.require(by, review)
    case = cases.locked(review)
    return noted(case, look(case, at=at), by=by, at=at)


def look_again(*, at: datetime) -> int:
    """Measure all cases in grace or under appeal again, and return how many were confirmed in their tier."""
    confirmed = 0
    for scheme, chunk in _running():
        program = scheme.program
        ladders = Ladders(program)
        group = metrics.Group(program, chunk[0].membership_id, chunk[-1].membership_id)
        figures = metrics.measure(group, schemes.scheme_of(scheme), at=at)
        for case in chunk:
            found = _against(case, ladders, figures(case.membership_id))
            confirmed += persistently(partial(_note_one, case, found, at=at))
    return confirmed


def stored(found: Look) -> dict[str, Any]:
    """Return the figures of a look as they are kept with a case."""
    return metrics.stored(found.figures)


def noted(case: TierReview, found: Look, *, by: User | None, at: datetime) -> TierReview:
    """Keep what a look found with a case that is held, and confirm the tier where it is reached again in grace."""
    case.last_figures, case.last_looked_at = stored(found), at
    if case.state == ReviewState.IN_GRACE and found.is_reached:
        cases.finish(case, ReviewState.KEPT, by=by, at=at, reached_again=True)
        mails_tiers.confirmed(case)
        return case
    case.save(update_fields=["last_figures", "last_looked_at"])
    return case


@transaction.atomic
def _note_one(case: TierReview, found: Look, *, at: datetime) -> bool:
    try:
        held = cases.locked(case)
    except Refused:
        return False
    return noted(held, found, by=None, at=at).state == ReviewState.KEPT


def _against(case: TierReview, ladders: Ladders, figures: Figures) -> Look:
    tier = ladders.tier(case.from_tier_id)
    scheme = schemes.scheme_of(case.round.scheme)
    return Look(figures, evaluate(scheme, ladders.with_(tier.pk), figures, current=tier.key))


def _running() -> Iterator[tuple[TierScheme, list[TierReview]]]:
    """Yield the cases to look at, by the scheme they were opened under and in order of their memberships."""
    watched = (ReviewState.IN_GRACE, ReviewState.APPEALED)
    rows = TierReview.objects.filter(state__in=watched)
    ids = rows.order_by().values_list("round__scheme", flat=True).distinct()
    for scheme in TierScheme.objects.filter(pk__in=list(ids)).select_related("program").order_by("pk"):
        mine = rows.filter(round__scheme=scheme).select_related("round").order_by("membership_id")
        found = list(mine)
        for first in range(0, len(found), CHUNK):
            chunk = found[first : first + CHUNK]
            for case in chunk:
                case.round.scheme = scheme
            yield scheme, chunk
