"""A membership stands in one tier from the moment it joined, and the intervals neither overlap nor leave a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import placement
from partners.choices import MembershipState
from partners.events import PlacementChanged
from partners.models import Membership, Placement
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.events import subscribed
from tests.factories.partners import MembershipFactory, PlacementFactory
from tests.factories.tiering import TierOverrideFactory, TierReviewFactory
from tests.factories.tiers import EPOCH, TierFactory
from tests.people import ada, fiona, mats
from tiers.models import Tier

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=10)


@pytest.fixture
def membership() -> Membership:
    return MembershipFactory.create(joined_at=NOW)


@pytest.fixture
def tiers(membership: Membership) -> list[Tier]:
    made = [
        TierFactory.create(program=membership.program, key=key, rank=rank)
        for rank, key in enumerate(("bronze", "silver"), start=1)
    ]
    placement.place(membership, tier=made[0], by=mats(), at=NOW, because="approved")
    return made


def intervals(membership: Membership) -> list[tuple[str, datetime, datetime | None]]:
    rows = membership.placements.order_by("starts_at").values_list("tier__key", "starts_at", "ends_at")
    return list(rows)


def test_a_new_placement_ends_the_one_before_at_the_same_instant(
    membership: Membership, tiers: list[Tier]
) -> None:
    made = placement.place(membership, tier=tiers[1], by=mats(), at=LATER, because="good year")
    assert intervals(membership) == [("bronze", NOW, LATER), ("silver", LATER, None)]
    assert (made.because, made.placed_by) == ("good year", mats())
    event = AuditEvent.objects.filter(action="membership.placed").order_by("-pk")[0]
    assert (event.details["before"], event.details["after"], event.note) == ("bronze", "silver", "good year")
    at_the_edge = Placement.objects.in_force(at=LATER).get(membership=membership)
    assert at_the_edge == made


def test_the_first_placement_begins_when_the_membership_did() -> None:
    joined = MembershipFactory.create(joined_at=NOW)
    placement.place(joined, tier=TierFactory(program=joined.program), by=mats(), at=LATER, because="late")
    assert [(starts, ends) for _tier, starts, ends in intervals(joined)] == [(NOW, None)]


def test_a_setting_of_the_program_places_without_a_person(membership: Membership, tiers: list[Tier]) -> None:
    until = LATER + timedelta(days=90)
    made = placement.place(
        membership, tier=tiers[1], by=None, at=LATER, because="Tier review",
        keeps_customers=True, customers_keep_ends_at=until,
    )  # fmt: skip
    made.refresh_from_db()
    assert (made.placed_by, made.keeps_customers, made.customers_keep_ends_at) == (None, True, until)
    assert AuditEvent.objects.filter(action="membership.placed").latest("pk").actor is None


def test_placing_in_the_same_tier_again_is_refused(membership: Membership, tiers: list[Tier]) -> None:
    with pytest.raises(placement.AlreadyThere):
        placement.place(membership, tier=tiers[0], by=mats(), at=LATER, because="again")
    assert intervals(membership) == [("bronze", NOW, None)]


@pytest.mark.parametrize("at", [NOW, NOW - timedelta(days=1)])
def test_history_is_not_rewritten(membership: Membership, tiers: list[Tier], at: datetime) -> None:
    with pytest.raises(placement.TooEarly):
        placement.place(membership, tier=tiers[1], by=mats(), at=at, because="backdated")
    assert intervals(membership) == [("bronze", NOW, None)]


def test_who_left_is_placed_nowhere(membership: Membership, tiers: list[Tier]) -> None:
    Membership.objects.filter(pk=membership.pk).update(state=MembershipState.ENDED, ended_at=LATER)
    with pytest.raises(placement.OverAlready):
        placement.place(membership, tier=tiers[1], by=mats(), at=LATER, because="back")


def test_a_tier_of_another_program_or_out_of_use_is_refused(
    membership: Membership, tiers: list[Tier]
) -> None:
    with pytest.raises(placement.OtherProgram):
        placement.place(membership, tier=TierFactory(), by=mats(), at=LATER, because="mistake")
    old = TierFactory.create(program=membership.program, rank=3, retired_at=EPOCH, retired_by=ada())
    with pytest.raises(placement.OutOfUse):
        placement.place(membership, tier=old, by=mats(), at=LATER, because="mistake")
    assert intervals(membership) == [("bronze", NOW, None)]


def test_a_full_tier_takes_nobody_up_and_everybody_down(membership: Membership, tiers: list[Tier]) -> None:
    Tier.objects.update(capacity=1)
    other = PlacementFactory.create(tier=tiers[1], membership__program=membership.program)
    with pytest.raises(placement.NoRoom) as refusal:
        placement.place(membership, tier=tiers[1], by=mats(), at=LATER, because="good year")
    assert "1" in str(refusal.value)
    placement.place(other.membership, tier=tiers[0], by=mats(), at=LATER, because="bad year")
    placement.place(membership, tier=tiers[1], by=mats(), at=LATER, because="now there is room")
    assert Placement.objects.open().filter(tier=tiers[0]).count() == 1


def test_a_move_by_hand_overtakes_what_was_open(membership: Membership, tiers: list[Tier]) -> None:
    case = TierReviewFactory.create(
        membership=membership, round__program=membership.program, from_tier=tiers[0],
        to_tier=tiers[1], outcome="up", state="proposed",
    )  # fmt: skip
    held = TierOverrideFactory.create(membership=membership, tier=tiers[0])
    placement.place(membership, tier=tiers[1], by=mats(), at=LATER, because="good year")
    case.refresh_from_db()
    held.refresh_from_db()
    assert (case.state, held.ended_at, held.ended_by) == ("lapsed", LATER, mats())


def test_finance_does_not_place(membership: Membership, tiers: list[Tier]) -> None:
    with pytest.raises(Forbidden):
        placement.place(membership, tier=tiers[1], by=fiona(), at=LATER, because="no")
    assert intervals(membership) == [("bronze", NOW, None)]


@pytest.mark.django_db(transaction=True)
def test_a_change_is_told_after_the_commit() -> None:
    membership = MembershipFactory()
    tier = TierFactory(program=membership.program)
    heard: list[int] = []
    with subscribed(PlacementChanged, lambda event: heard.append(event.membership_id)):
        placement.place(membership, tier=tier, by=mats(), at=NOW, because="approved")
    assert heard == [membership.pk]
