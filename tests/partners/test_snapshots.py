"""How everybody stands for their tiers, measured each night: who is measured, what is kept, and what is not written again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from partners import metrics
from partners.models import Membership, MetricSnapshot, Placement
from partners.tasks_tiers import snapshot_tiers, take_snapshots
from partners.tier_reviews import snapshots
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tests.factories.partners import MembershipFactory, PlacementFactory
from tests.factories.referrals import ConversionFactory, CreditFactory
from tests.factories.tiering import MetricSnapshotFactory, TierSchemeFactory
from tests.factories.tiers import ProgramFactory, TierFactory
from tiers.models import Program, Tier
from tiers.qualify import Ask, Question, Requirement, Scheme, Window, dump

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUESTION = Question("net_revenue", Window("trailing", 3))


def asking(**thresholds: int) -> dict[str, Any]:
    asks = {
        key: Ask((Requirement("revenue", QUESTION, "at_least", Fraction(minor)),))
        for key, minor in thresholds.items()
    }
    return dump(Scheme(asks=asks))


@pytest.fixture
def program() -> Program:
    """A program whose ladder asks for 0, 100.00 and 500.00, with a track of its own beside it."""
    made = ProgramFactory.create()
    for track, keys in (("", ("bronze", "silver", "gold")), ("co-sell", ("entry", "pro"))):
        for rank, key in enumerate(keys, start=1):
            TierFactory.create(program=made, track=track, rank=rank, key=key)
    TierSchemeFactory(published=True, program=made, definition=asking(silver=100_00, gold=500_00, pro=200_00))
    return made


def member(program: Program, tier: str, *sales: int, state: str = "active") -> Membership:
    made = MembershipFactory.create(program=program, state=state)
    PlacementFactory.create(membership=made, tier=Tier.objects.get(program=program, key=tier))
    for minor in sales:
        sale = ConversionFactory.create(amount_minor=minor, occurred_at=AT - timedelta(days=10))
        CreditFactory.create(conversion=sale, membership=made)
    return made


def take(*programs: Program, at: datetime = AT) -> dict[str, Any]:
    return snapshots.take(programs or list(Program.objects.all()), Reporter(), at=at)


def seen(membership: Membership) -> tuple[str, str, str]:
    row = MetricSnapshot.objects.select_related("tier", "measured_tier").get(membership=membership)
    return row.tier.key, row.measured_tier.key, row.outcome


def test_everybody_is_measured_in_the_ladder_they_stand_in(program: Program) -> None:
    rising = member(program, "bronze", 300_00, 300_00)
    staying = member(program, "silver", 100_00)
    falling = member(program, "gold", 100_00)
    beside = member(program, "entry", 250_00)
    assert take()["written"] == 4
    assert seen(rising) == ("bronze", "gold", "up")
    assert seen(staying) == ("silver", "silver", "keep")
    assert seen(falling) == ("gold", "silver", "down")
    assert seen(beside) == ("entry", "pro", "up")
    row = MetricSnapshot.objects.get(membership=rising)
    assert metrics.loaded(row.figures)[QUESTION.key].value == 600_00
    assert row.figures[QUESTION.key]["rows"] == 2
    assert (row.measured_at, row.taken_at) == (AT, AT)


def test_a_night_repeated_writes_nothing_and_a_new_sale_one_row(program: Program) -> None:
    idle, busy = member(program, "bronze"), member(program, "bronze", 50_00)
    assert take()["written"] == 2
    later = AT + timedelta(hours=1)
    assert take(at=later)["written"] == 0
    assert set(MetricSnapshot.objects.values_list("measured_at", flat=True)) == {AT}
    CreditFactory.create(
        membership=busy, conversion=ConversionFactory.create(amount_minor=50_00, occurred_at=AT)
    )
    assert take(at=later)["written"] == 1
    assert MetricSnapshot.objects.get(membership=busy).measured_at == later
    assert seen(busy) == ("bronze", "silver", "up")
    assert MetricSnapshot.objects.get(membership=idle).measured_at == AT


def test_another_tier_and_another_scheme_are_written(program: Program) -> None:
    moved = member(program, "silver", 100_00)
    take()
    Placement.objects.filter(membership=moved).update(ends_at=AT)
    bronze = Tier.objects.get(program=program, key="bronze")
    PlacementFactory.create(membership=moved, tier=bronze, starts_at=AT)
    assert take()["written"] == 1
    assert seen(moved) == ("bronze", "silver", "up")
    program.tier_schemes.update(state="superseded")
    newer = TierSchemeFactory(published=True, program=program, definition=asking(silver=100_01))
    assert take()["written"] == 1
    assert seen(moved) == ("bronze", "bronze", "keep")
    assert MetricSnapshot.objects.get().scheme == newer


def test_only_active_members_of_programs_with_a_scheme_have_a_row(program: Program) -> None:
    other = ProgramFactory.create()
    TierFactory.create(program=other, key="bronze", rank=1)
    unasked = member(other, "bronze", 100_00)
    suspended = member(program, "bronze", 100_00, state="suspended")
    active = member(program, "bronze", 100_00)
    assert take()["memberships"] == 1
    assert list(MetricSnapshot.objects.values_list("membership", flat=True)) == [active.pk]
    Membership.objects.filter(pk=active.pk).update(state="terminated", ended_at=AT)
    assert take()["removed"] == 1
    assert not MetricSnapshot.objects.exists()
    assert {unasked.state, suspended.state} == {"active", "suspended"}


def test_a_tier_out_of_use_is_still_a_rung_for_who_stands_in_it(program: Program) -> None:
    stayed = member(program, "silver", 600_00)
    silver = Tier.objects.get(program=program, key="silver")
    Tier.objects.filter(pk=silver.pk).update(retired_at=AT, retired_by=stayed.placements.get().placed_by)
    take()
    assert seen(stayed) == ("silver", "gold", "up")


def test_memberships_are_measured_in_chunks_of_a_fixed_number_of_queries(
    program: Program, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    members = [member(program, "bronze", 100_00) for _number in range(5)]
    monkeypatch.setattr(snapshots, "CHUNK", 2)
    # The scheme, its tiers, how many, the rows of who has left; for each of three chunks who they are, the figures, the rows
    # there are and one statement in a transaction of its own; at the end nobody more.
    planned = 2 if connection.vendor == "postgresql" else 0  # told to plan for many, where there are two
    with django_assert_num_queries(4 + 3 * 6 + 1 + planned):
        assert take(program)["written"] == 5
    with django_assert_num_queries(4 + 3 * 5 + 1 + planned):
        assert take(program)["written"] == 0
    assert {seen(each) for each in members} == {("bronze", "silver", "up")}


def test_the_night_is_one_job_a_day_and_says_up_to_when_figures_count(
    program: Program, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    member(program, "bronze", 100_00)
    assert snapshots.measured_at(program) is None
    with django_capture_on_commit_callbacks():
        snapshot_tiers()
        snapshot_tiers()
    run = Run.objects.get(kind=snapshots.RUN_KIND)
    take_snapshots(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.done, run.result["written"]) == ("finished", 1, 1)
    assert snapshots.measured_at(program) == run.created_at
    take_snapshots(run_id=run.pk)  # heard twice
    assert MetricSnapshot.objects.count() == 1


def test_the_command_does_what_the_night_does_for_one_program(program: Program) -> None:
    member(program, "bronze", 100_00)
    other = ProgramFactory.create()
    TierSchemeFactory(published=True, program=other)
    out = io.StringIO()
    call_command("snapshot_tiers", program=program.slug, json=True, stdout=out)
    told = json.loads(out.getvalue())
    assert (told["programs"], told["memberships"], told["written"]) == (1, 1, 1)
    assert snapshots.measured_at(program) is not None
    assert snapshots.measured_at(other) is None


def test_partners_metricsnapshot_outcome() -> None:
    with pytest.raises(IntegrityError, match="partners_metricsnapshot_outcome"), transaction.atomic():
        MetricSnapshotFactory(outcome="sideways")
    assert not MetricSnapshot.objects.exists()


def test_a_membership_has_one_snapshot() -> None:
    row = MetricSnapshotFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        MetricSnapshotFactory(
            membership=row.membership, scheme=row.scheme, tier=row.tier, measured_tier=row.tier
        )
    assert MetricSnapshot.objects.count() == 1
