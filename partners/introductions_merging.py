"""What becomes of introductions when two partners become one: those that were made go with the partner that goes on, those that wait are taken
back, and people either of them introduced stay introduced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from partners.choices import IntroductionState
from partners.models import Introduction, ProgramInvitation, Prospect
from prm import audit

if TYPE_CHECKING:
    from partners.merging_pair import Merge


def move(merge: Merge) -> list[str]:
    """Carry it out, and say what was done."""
    said = foretell(merge)
    for introduction in _waiting(merge):
        introduction.state, introduction.closed_at = IntroductionState.WITHDRAWN, merge.at
        introduction.save(update_fields=["state", "closed_at"])
        audit.record(merge.by, "introduction.withdrawn", introduction, at=merge.at, because="merged")
    # An introduction is of two: what was between these two themselves stays as it is.
    both = Q(first=merge.into) | Q(second=merge.into)
    Introduction.objects.filter(first=merge.duplicate).exclude(both).update(first=merge.into)
    Introduction.objects.filter(second=merge.duplicate).exclude(both).update(second=merge.into)
    for ended, goes_on in merge.pairs:
        Prospect.objects.filter(introducer=ended).update(introducer=goes_on)
        ProgramInvitation.objects.living().filter(introducer=ended).update(introducer=goes_on)
    return said


def foretell(merge: Merge) -> list[str]:
    """Say what would be done."""
    count = _waiting(merge).count()
    if not count:
        return []
    text = ngettext(
        "%(count)s introduction of %(partner)s that waits for answers is withdrawn.",
        "%(count)s introductions of %(partner)s that wait for answers are withdrawn.",
        count,
    )
    return [text % {"count": count, "partner": merge.duplicate.name}]


def _waiting(merge: Merge) -> QuerySet[Introduction]:
    of_it = Q(first=merge.duplicate) | Q(second=merge.duplicate)
    return Introduction.objects.filter(of_it, state=IntroductionState.PROPOSED).order_by("pk")
