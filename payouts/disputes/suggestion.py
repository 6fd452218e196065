"""Work out what a questioned line should come to: its sale or its window is rated again with the plan in force then, by the fold that
books real money, and compared with the books. It says what it found; it never posts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Min, Q, Sum
from django.db.models.functions import Coalesce

from payouts.accrual.fold import Draft
from payouts.accrual.happenings import read
from payouts.accrual.loading import Batch
from payouts.accrual.posting import Books
from payouts.accrual.refold import Refold, credit_of
from payouts.accrual.terms import Terms
from payouts.accrual.totals import Slot
from payouts.choices import AdjustmentState
from payouts.models import Adjustment, Commission
from prm.lib.db import as_of_one_moment, persistently
from prm.lib.periods import Month
from referrals.models import Credit

logger = logging.getLogger(__name__)

AGREES, DIFFERS, NOT_RECOMPUTED, FAILED = "agrees", "differs", "not_recomputed", "failed"


@dataclass(frozen=True)
class Suggestion:
    """What is booked for a line's slot, what it should be, what people have corrected since, and how it was worked out."""

    outcome: str
    booked_minor: int = 0
    due_minor: int = 0
    corrected_minor: int = 0
    window: str = ""
    becauses: Sequence[dict[str, Any]] = ()

    @property
    def minor(self) -> int | None:
        """The correction that would make the books right; None when nothing could be worked out.

        What people corrected already counts as far as it goes the same way: a gift is never suggested to be taken back.
        """
        if self.outcome in (NOT_RECOMPUTED, FAILED):
            return None
        change = self.due_minor - self.booked_minor
        rest = change - self.corrected_minor
        return max(0, min(rest, change)) if change > 0 else min(0, max(rest, change))

    def as_json(self, at: datetime) -> dict[str, Any]:
        """Return what is kept with the question."""
        return {
            "outcome": self.outcome,
            "booked_minor": self.booked_minor,
            "due_minor": self.due_minor,
            "corrected_minor": self.corrected_minor,
            "window": self.window,
            "because": list(self.becauses),
            "computed_at": at.isoformat(),
        }


@dataclass(slots=True)
class _Recount(Refold):
    """A refold that keeps the lines one slot should have."""

    about: Slot | None = None
    drafts_about: list[Draft] = field(default_factory=list)

    def _slot_of(self, draft: Draft) -> Slot:
        # Every line that is told again is put into its slot here, once.
        slot = Refold._slot_of(self, draft)
        if slot == self.about:
            self.drafts_about.append(draft)
        return slot

    def slot_of_line(self, line: Commission, credit_id: int) -> Slot:
        """Return the slot a booked line counts in."""
        return self._slot(
            line.membership_id,
            line.rule_key,
            line.plan_version_id,
            line.window,
            line.customer_key,
            credit_id,
        )


def suggest(line: Commission, *, at: datetime) -> Suggestion:
    """Return what the line's sale, or the window it counts in, should come to. Nothing is written.

    What a month brought by itself is no event and is not rated again. Where rating fails the question is asked all the same.
    """
    if line.credit_id is None:
        return Suggestion(NOT_RECOMPUTED)
    credit_id = line.credit_id
    try:
        return persistently(lambda: _recount(line, credit_id, at=at))
    except Exception:
        logger.exception("Line %s cannot be rated again.", line.public_id)
        return Suggestion(FAILED)


def _recount(line: Commission, credit_id: int, *, at: datetime) -> Suggestion:
    with as_of_one_moment():
        credit = Credit.objects.select_related("membership__program").get(pk=credit_id)
        terms = Terms.load([credit.membership_id])
        work = _Recount(Batch(terms, Books(), at), terms.members[credit.membership_id], _start(line, credit))
        [happening] = read(Credit.objects.filter(pk=credit.pk))
        taken = line.reverses.credit_id if line.reverses is not None else None
        work.about = work.slot_of_line(line, credit_of(happening, taken or credit.pk))
        work.compare()
        change = _change(work)
        booked = work._booked(work.about)
        corrected = _corrected(line, work.about)
    return Suggestion(
        outcome=DIFFERS if change else AGREES,
        booked_minor=booked,
        due_minor=booked + change,
        corrected_minor=corrected,
        window=line.window,
        becauses=[each.line.because for each in work.drafts_about if each.happening.pk == credit.pk],
    )


def _change(work: _Recount) -> int:
    """Return by how much the slot's total is off; a total that agrees was not kept."""
    total = work.totals.get(work.about) if work.about is not None else None
    return total.desired - total.posted if total is not None else 0


def _start(line: Commission, credit: Credit) -> datetime:
    """Return from when on events are told again: the month of the first line that shares the slot."""
    zone = credit.membership.program.zone
    first = line.effective_at
    if line.window:
        same = Commission.objects.filter(
            membership=line.membership_id, rule_key=line.rule_key, window=line.window
        )
        first = same.aggregate(first=Min("effective_at"))["first"] or first
    return Month.of(min(first, credit.occurred_at), zone).starts_at(zone)


def _corrected(line: Commission, slot: Slot) -> int:
    """Return what people have booked by hand for the slot, or are about to, so that nothing is suggested twice."""
    if slot.credit_id > 0:
        lines = Q(commission__credit=slot.credit_id) | Q(commission__reverses__credit=slot.credit_id)
    elif slot.credit_id < 0:
        lines = Q(commission__conversion__original=-slot.credit_id)
    else:
        lines = Q(commission__window=line.window, commission__plan_version=line.plan_version_id)
    found = Adjustment.objects.filter(
        lines,
        commission__rule_key=line.rule_key,
        membership=line.membership_id,
        state__in=[AdjustmentState.POSTED, AdjustmentState.PROPOSED],
        currency=line.currency,
    )
    return int(found.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])
