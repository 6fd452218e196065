"""Tiers decided by hand: they hold until a day, reviews go on beside them, and when the day is over the membership is looked at like all
others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partners import leaving, placement
from partners.choices import SanctionReason
from partners.models import TierOverride, TierReview
from partners.tier_reviews import cases, decisions, overrides
from prm.accounts.policy import Forbidden
from tests.partners.score_scene import BY_ITSELF, REVIEWED, Scene, mails, moves, scene, tier_of
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db
MAY = datetime(2026, 5, 4, 12, tzinfo=UTC)
SINCE = datetime(2026, 6, 15, tzinfo=UTC)
DECEMBER = date(2026, 12, 15)
OVER = datetime(2026, 12, 16, tzinfo=UTC)  # London is on Greenwich time again


@pytest.fixture
def here() -> Scene:
    return scene(since=SINCE, **BY_ITSELF)


def test_a_person_decides_a_tier_until_the_end_of_a_day(here: Scene) -> None:
    membership = here.member("bronze", 10)
    made = overrides.override(
        membership, tier=here.tiers["gold"], reason="A joint launch", until=DECEMBER, by=mats(), at=MAY
    )
    assert (made.expires_at, made.made_by, moves(membership)) == (OVER, mats(), [("gold", MAY)])
    [mail] = mails("tier_by_hand")
    for words in ("Gold", "15 December 2026", "A joint launch"):
        assert words in mail.text
    here.review()
    case = here.case(membership)
    assert (case.outcome, case.state, case.to_tier.key) == ("down", "shadow", "silver")
    assert tier_of(membership) == "gold"
    assert list(overrides.holding(at=OVER - timedelta(seconds=1))) == [made]
    assert list(overrides.holding(at=OVER)) == []


def test_when_the_day_is_over_a_fall_takes_its_ordinary_course(here: Scene) -> None:
    membership = here.member("bronze", 10)
    made = overrides.override(
        membership, tier=here.tiers["gold"], reason="Launch", until=DECEMBER, by=mats(), at=MAY
    )
    assert overrides.expire_due(at=OVER - timedelta(minutes=1)) == 0
    late = OVER + timedelta(minutes=37)
    assert overrides.expire_due(at=late) == 1
    assert overrides.expire_due(at=late + timedelta(hours=1)) == 0
    made.refresh_from_db()
    case = here.case(membership)
    assert (made.ended_at, made.ended_by) == (OVER, None)
    assert (case.round.kind, case.state, case.outcome) == ("expiry", "in_grace", "down")
    assert tier_of(membership) == "gold"
    assert len(mails("tier_fall_notice")) == 1
    assert case.grace_ends_at is not None
    assert decisions.apply_due(at=case.grace_ends_at) == 1
    assert tier_of(membership) == "silver"


def test_when_the_day_is_over_a_rise_is_proposed_and_the_rest_stays() -> None:
    here = scene(since=SINCE)
    up, keeps = here.member("bronze", 90), here.member("bronze", 60)
    for each, tier in ((up, "bronze"), (keeps, "silver")):
        overrides.override(each, tier=here.tiers[tier], reason="Trial", until=DECEMBER, by=mats(), at=SINCE)
    assert overrides.expire_due(at=OVER) == 2
    assert (here.case(up).state, here.case(up).to_tier.key, here.case(keeps).state) == (
        "proposed", "gold", "kept",
    )  # fmt: skip
    assert here.case(up).round == here.case(keeps).round


def test_ending_it_early_looks_at_the_membership_at_once(here: Scene) -> None:
    membership = here.member("bronze", 60)
    made = overrides.override(
        membership, tier=here.tiers["gold"], reason="Launch", until=DECEMBER, by=mats(), at=MAY
    )
    with pytest.raises(Forbidden):
        overrides.end(made, by=fiona(), at=REVIEWED)
    ended = overrides.end(made, by=ada(), at=REVIEWED)
    assert (ended.ended_at, ended.ended_by, here.case(membership).state) == (REVIEWED, ada(), "in_grace")
    with pytest.raises(overrides.Ended):
        overrides.end(made, by=ada(), at=REVIEWED)


def test_one_holds_at_a_time_and_an_open_case_is_overtaken(here: Scene) -> None:
    membership = here.member("gold", 60)
    here.review()
    case = here.case(membership)
    july = REVIEWED + timedelta(days=3)
    first = overrides.override(
        membership, tier=here.tiers["gold"], reason="Stays", until=DECEMBER, by=mats(), at=july
    )
    case.refresh_from_db()
    assert (case.state, moves(membership)) == ("lapsed", [])
    second = overrides.override(
        membership, tier=here.tiers["silver"], reason="After all", until=DECEMBER, by=mats(),
        at=july + timedelta(days=1),
    )  # fmt: skip
    first.refresh_from_db()
    assert first.ended_at == july + timedelta(days=1)
    assert TierOverride.objects.get(ended_at=None) == second


@pytest.mark.parametrize("until", [date(2026, 5, 4), date(2026, 5, 3)])
def test_what_makes_no_sense_is_refused_and_nothing_is_saved(here: Scene, until: date) -> None:
    membership = here.member("bronze", 10)
    gold = here.tiers["gold"]
    with pytest.raises(decisions.NotAhead):
        overrides.override(membership, tier=gold, reason="Launch", until=until, by=mats(), at=MAY)
    with pytest.raises(cases.ReasonMissing):
        overrides.override(membership, tier=gold, reason="", until=DECEMBER, by=mats(), at=MAY)
    with pytest.raises(Forbidden):
        overrides.override(membership, tier=gold, reason="Launch", until=DECEMBER, by=fiona(), at=MAY)
    other = scene().tiers["gold"]
    with pytest.raises(placement.OtherProgram):
        overrides.override(membership, tier=other, reason="Launch", until=DECEMBER, by=mats(), at=MAY)
    assert (moves(membership), TierOverride.objects.count()) == ([], 0)


def test_an_end_of_the_membership_ends_it_too(here: Scene) -> None:
    membership = here.member("bronze", 10)
    made = overrides.override(
        membership, tier=here.tiers["gold"], reason="Launch", until=DECEMBER, by=mats(), at=MAY
    )
    leaving.ban(membership, reason=SanctionReason.FRAUD, by=mats(), at=REVIEWED)
    made.refresh_from_db()
    assert made.ended_at == REVIEWED
    assert overrides.expire_due(at=OVER) == 0
    assert not TierReview.objects.exists()
