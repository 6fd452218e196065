"""What the database refuses about placements and tier reviews. Every name here is a constraint or a trigger that was seen to bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from partners.models import (
    Appeal,
    MetricSnapshot,
    Placement,
    ReviewEvidence,
    ReviewRound,
    TierOverride,
    TierReview,
)
from prm.lib.db import suspended_triggers
from tests.factories.partners import MembershipFactory, PlacementFactory
from tests.factories.prm import UserFactory
from tests.factories.tiering import (
    AppealFactory,
    MetricSnapshotFactory,
    ReviewEvidenceFactory,
    ReviewRoundFactory,
    TierOverrideFactory,
    TierReviewFactory,
)
from tests.factories.tiers import EPOCH, TierFactory
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db
LATER = EPOCH + timedelta(days=60)


def second_round_of_a_day() -> None:
    row = ReviewRoundFactory.create()
    ReviewRoundFactory.create(program=row.program, scheme=row.scheme, due_on=row.due_on)


def second_case_in_a_round() -> None:
    case = TierReviewFactory.create()
    TierReviewFactory.create(round=case.round, membership=case.membership)


def second_open_case() -> None:
    case = TierReviewFactory.create(state="proposed", outcome="up")
    TierReviewFactory.create(membership=case.membership, state="appealed", outcome="down")


def second_rows_of_a_figure() -> None:
    evidence = ReviewEvidenceFactory.create()
    ReviewEvidenceFactory.create(review=evidence.review)


def second_override() -> None:
    held = TierOverrideFactory.create()
    TierOverrideFactory.create(membership=held.membership)


def a_fall(**changes: Any) -> None:
    facts = {"outcome": "down", "state": "decided", "grace_ends_at": LATER, "notified_at": EPOCH}
    TierReviewFactory.create(**{**facts, **changes})


REFUSALS: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("partners_reviewround_once_a_day", ReviewRound, second_round_of_a_day),
    ("partners_reviewround_kind", ReviewRound, lambda: ReviewRoundFactory(kind="whim")),
    ("partners_reviewround_state", ReviewRound, lambda: ReviewRoundFactory(state="asleep")),
    ("partners_tierreview_once_per_round", TierReview, second_case_in_a_round),
    ("partners_tierreview_one_open", TierReview, second_open_case),
    ("partners_tierreview_outcome", TierReview, lambda: TierReviewFactory(outcome="sideways")),
    ("partners_tierreview_state", TierReview, lambda: TierReviewFactory(state="lost")),
    ("partners_tierreview_grace_has_an_end", TierReview, lambda: TierReviewFactory(state="in_grace")),
    ("partners_tierreview_applied_has_a_placement", TierReview, lambda: TierReviewFactory(state="applied")),
    (
        "partners_tierreview_no_demotion_in_grace",
        TierReview,
        lambda: a_fall(effective_at=LATER - timedelta(seconds=1)),
    ),
    (
        "partners_tierreview_no_demotion_in_grace",
        TierReview,
        lambda: a_fall(effective_at=LATER, grace_ends_at=None),
    ),
    ("partners_reviewevidence_once", ReviewEvidence, second_rows_of_a_figure),
    ("partners_appeal_state", Appeal, lambda: AppealFactory(state="shouted")),
    ("partners_appeal_answered_pair", Appeal, lambda: AppealFactory(answered_at=EPOCH)),
    (
        "partners_appeal_answered_in_words",
        Appeal,
        lambda: AppealFactory(state="granted", answered_at=EPOCH, answered_by=UserFactory()),
    ),
    ("partners_tieroverride_one_open", TierOverride, second_override),
    ("partners_tieroverride_kind", TierOverride, lambda: TierOverrideFactory(kind="mood")),
    ("partners_tieroverride_expires_later", TierOverride, lambda: TierOverrideFactory(expires_at=EPOCH)),
    ("partners_tieroverride_has_a_reason", TierOverride, lambda: TierOverrideFactory(reason="")),
    ("partners_metricsnapshot_outcome", MetricSnapshot, lambda: MetricSnapshotFactory(outcome="sideways")),
    (
        "partners_placement_customers_keep",
        Placement,
        lambda: PlacementFactory(customers_keep_ends_at=LATER),
    ),
]


@pytest.mark.parametrize(("name", "model", "act"), REFUSALS, ids=[name for name, *_rest in REFUSALS])
def test_the_database_refuses(name: str, model: type[models.Model], act: Callable[[], object]) -> None:
    assert_refused(name, model, act)


def test_a_closed_case_makes_room_for_the_next_one() -> None:
    case = TierReviewFactory.create(state="lapsed", outcome="up")
    TierReviewFactory.create(membership=case.membership, state="proposed", outcome="up")
    a_fall(effective_at=LATER)
    assert TierReview.objects.filter(membership=case.membership).count() == 2


def overlapping(placed: Placement) -> None:
    Placement.objects.update(ends_at=LATER)
    for _twice in range(2):
        PlacementFactory.create(membership=placed.membership, tier=placed.tier, starts_at=LATER)


def with_a_gap(placed: Placement) -> None:
    Placement.objects.update(ends_at=LATER)
    PlacementFactory.create(
        membership=placed.membership, tier=placed.tier, starts_at=LATER + timedelta(seconds=1)
    )


def reopened(placed: Placement) -> None:
    Placement.objects.update(ends_at=LATER)
    Placement.objects.update(ends_at=None)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (overlapping, "stands in one tier at a time"),
        (with_a_gap, "begins where the one before ended"),
        (reopened, "keeps its end"),
        (lambda placed: Placement.objects.update(tier=TierFactory.create()), "cannot change, only end"),
        (lambda placed: Placement.objects.update(keeps_customers=True), "cannot change, only end"),
        (lambda placed: placed.delete(), "never deleted"),
    ],
    ids=["overlap", "gap", "ended_once", "frozen", "frozen_terms", "no_delete"],
)
def test_history_of_placements_is_not_rewritten(act: Callable[[Placement], object], words: str) -> None:
    placed = PlacementFactory.create()
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        act(placed)
    assert list(Placement.objects.values_list("starts_at", "ends_at")) == [(EPOCH, None)]


def test_a_membership_stands_in_a_tier_from_the_moment_it_begins() -> None:
    with pytest.raises(IntegrityError, match="from the moment it begins"), transaction.atomic():
        PlacementFactory.create(membership=MembershipFactory.create(), starts_at=LATER)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer, and the trigger")
def test_postgresql_refuses_overlaps_where_triggers_see_nothing() -> None:
    placed = PlacementFactory.create()
    Placement.objects.update(ends_at=LATER)
    with suspended_triggers(), pytest.raises(IntegrityError) as refusal, transaction.atomic():
        PlacementFactory.create(membership=placed.membership, tier=placed.tier, starts_at=EPOCH)
    assert "partners_placement_no_overlap" in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "up"},
        {"figures": {"x": 1}},
        {"evaluated_at": LATER},
        {"to_tier": None},
        {"membership": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_a_review_was_decided_on_never_changes(changes: dict[str, Any]) -> None:
    case = TierReviewFactory.create()
    if "to_tier" in changes:
        changes = {"to_tier": TierFactory.create()}
    if "membership" in changes:
        changes = {"membership": MembershipFactory.create()}
    with pytest.raises(IntegrityError, match="decided on cannot change"), transaction.atomic():
        TierReview.objects.filter(pk=case.pk).update(**changes)


def test_cases_and_their_evidence_stay() -> None:
    evidence = ReviewEvidenceFactory.create()
    for act in (
        lambda: ReviewEvidence.objects.update(more=7),
        lambda: ReviewEvidence.objects.all().delete(),
        lambda: evidence.review.delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()
    assert (ReviewEvidence.objects.get().more, TierReview.objects.count()) == (0, 1)
