"""Which cases wait for staff, the most pressing first: appeals by the day their answer is promised, falls whose grace is over, then
proposals, the oldest first."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from partners.choices import AppealState, ReviewState
from partners.models import Appeal, TierReview

Cases = QuerySet[TierReview]


def for_us(*, at: datetime) -> Q:
    """Keep the cases in which a person has to do something now."""
    # The days to appeal may be longer than the grace: until both are over nothing is decided.
    heard = Q(appeal__isnull=False) | Q(appeal_ends_at=None) | Q(appeal_ends_at__lte=at)
    grace_over = Q(state=ReviewState.IN_GRACE, grace_ends_at__lte=at) & heard
    return Q(state__in=[ReviewState.PROPOSED, ReviewState.APPEALED]) | grace_over


def to_decide(*, at: datetime) -> Cases:
    """Return the cases that wait for a decision; appeals are counted by themselves."""
    return TierReview.objects.filter(for_us(at=at)).exclude(state=ReviewState.APPEALED)


def appeals() -> QuerySet[Appeal]:
    """Return the appeals nobody has answered, those promised first in front."""
    return Appeal.objects.filter(state=AppealState.OPEN).order_by("answer_on", "pk")


def urgency(*, at: datetime) -> Case:
    """Return what a list of cases is ordered by: what waits for us, then what runs, then what is over."""
    return Case(
        When(state=ReviewState.APPEALED, then=Value(0)),
        When(state=ReviewState.IN_GRACE, grace_ends_at__lte=at, then=Value(1)),
        When(state=ReviewState.PROPOSED, then=Value(2)),
        When(state=ReviewState.IN_GRACE, then=Value(3)),
        When(state=ReviewState.DECIDED, then=Value(4)),
        default=Value(5),
        output_field=IntegerField(),
    )


def in_order(cases: Cases, *, at: datetime) -> Cases:
    """Order cases as they are to be worked on."""
    return cases.order_by(
        urgency(at=at), F("appeal__answer_on").asc(nulls_last=True), "grace_ends_at", "evaluated_at", "pk"
    )


def following(case: TierReview, *, at: datetime) -> TierReview | None:
    """Return the case to work on after this one."""
    waiting = TierReview.objects.filter(for_us(at=at)).exclude(pk=case.pk)
    return in_order(waiting, at=at).first()
