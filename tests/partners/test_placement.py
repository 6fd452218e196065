"""A membership stands in one tier at a time, and the intervals never overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import placement
from partners.events import PlacementChanged
from partners.models import Membership, Placement
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.events import subscribed
from tests.factories.partners import MembershipFactory
from tests.factories.tiers import TierFactory
from tests.people import fiona, mats
from tiers.models import Tier

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=10)


@pytest.fixture
def membership() -> Membership:
    return MembershipFactory()


@pytest.fixture
def tiers(membership: Membership) -> list[Tier]:
    return [TierFactory(program=membership.program, key=key) for key in ("bronze", "silver")]


def intervals(membership: Membership) -> list[tuple[str, datetime, datetime | None]]:
    rows = membership.placements.order_by("starts_at").values_list("tier__key", "starts_at", "ends_at")
    return list(rows)


def test_a_new_placement_ends_the_one_before_at_the_same_instant(
    membership: Membership, tiers: list[Tier]
) -> None:
    placement.place(membership, tier=tiers[0], by=mats(), at=NOW, because="approved")
    made = placement.place(membership, tier=tiers[1], by=mats(), at=LATER, because="good year")
    assert intervals(membership) == [("bronze", NOW, LATER), ("silver", LATER, None)]
    assert (made.because, made.placed_by) == ("good year", mats())
    event = AuditEvent.objects.filter(action="membership.placed").order_by("-pk")[0]
    assert (event.details["before"], event.details["after"], event.note) == ("bronze", "silver", "good year")
    at_the_edge = Placement.objects.in_force(at=LATER).get(membership=membership)
    assert at_the_edge == made


def test_placing_in_the_same_tier_again_is_refused(membership: Membership, tiers: list[Tier]) -> None:
    placement.place(membership, tier=tiers[0], by=mats(), at=NOW, because="approved")
    with pytest.raises(placement.AlreadyThere):
        placement.place(membership, tier=tiers[0], by=mats(), at=LATER, because="again")
    assert intervals(membership) == [("bronze", NOW, None)]


@pytest.mark.parametrize("at", [NOW, NOW - timedelta(days=1)])
def test_history_is_not_rewritten(membership: Membership, tiers: list[Tier], at: datetime) -> None:
    placement.place(membership, tier=tiers[0], by=mats(), at=NOW, because="approved")
    with pytest.raises(placement.TooEarly):
        placement.place(membership, tier=tiers[1], by=mats(), at=at, because="backdated")
    with pytest.raises(placement.TooEarly):
        placement.end(membership, by=mats(), at=at, because="backdated")
    assert intervals(membership) == [("bronze", NOW, None)]


def test_an_ended_placement_leaves_no_tier_and_no_overlap(membership: Membership, tiers: list[Tier]) -> None:
    placement.place(membership, tier=tiers[0], by=mats(), at=NOW, because="approved")
    placement.end(membership, by=mats(), at=LATER, because="left")
    with pytest.raises(placement.NotPlaced):
        placement.end(membership, by=mats(), at=LATER, because="left")
    with pytest.raises(placement.TooEarly):
        placement.place(membership, tier=tiers[1], by=mats(), at=LATER - timedelta(days=1), because="back")
    placement.place(membership, tier=tiers[1], by=mats(), at=LATER, because="back")
    assert intervals(membership) == [("bronze", NOW, LATER), ("silver", LATER, None)]


def test_a_tier_of_another_program_is_refused(membership: Membership) -> None:
    with pytest.raises(placement.OtherProgram):
        placement.place(membership, tier=TierFactory(), by=mats(), at=NOW, because="mistake")
    assert not membership.placements.exists()


def test_finance_does_not_place(membership: Membership, tiers: list[Tier]) -> None:
    with pytest.raises(Forbidden):
        placement.place(membership, tier=tiers[0], by=fiona(), at=NOW, because="no")
    with pytest.raises(Forbidden):
        placement.end(membership, by=fiona(), at=NOW, because="no")
    assert not membership.placements.exists()


@pytest.mark.django_db(transaction=True)
def test_a_change_is_told_after_the_commit() -> None:
    membership = MembershipFactory()
    tier = TierFactory(program=membership.program)
    heard: list[int] = []
    with subscribed(PlacementChanged, lambda event: heard.append(event.membership_id)):
        placement.place(membership, tier=tier, by=mats(), at=NOW, because="approved")
    assert heard == [membership.pk]
