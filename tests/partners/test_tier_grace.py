"""Grace: whoever is back in time keeps the tier, nobody falls a moment too early, and an open appeal holds everything up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import leaving, metrics
from partners.choices import SanctionReason
from partners.models import Membership, TierReview
from partners.tier_reviews import cases, decisions, grace
from prm.accounts.policy import Forbidden
from tests.partners.score_scene import BY_ITSELF, REVIEWED, Scene, mails, moves, scene, tier_of
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
SINCE = datetime(2026, 6, 15, tzinfo=UTC)
GRACE_OVER = datetime(2026, 8, 30, 23, tzinfo=UTC)
AUGUST = datetime(2026, 8, 10, 1, 47, tzinfo=UTC)


@pytest.fixture
def here() -> Scene:
    return scene(since=SINCE, **BY_ITSELF)


def noticed(here: Scene, score: int = 60) -> TierReview:
    membership = here.member("gold", score)
    here.review()
    return here.case(membership)


def test_who_is_back_in_time_is_confirmed_and_told_once(here: Scene) -> None:
    back, still = noticed(here), here.member("gold", 10)
    other = decisions.notify(_proposed(here, still), by=mats(), at=REVIEWED)
    here.score(back.membership, 80, at=AUGUST - timedelta(days=1))
    assert grace.look_again(at=AUGUST) == 1
    assert grace.look_again(at=AUGUST + timedelta(days=1)) == 0
    back.refresh_from_db()
    other.refresh_from_db()
    assert (back.state, back.last_looked_at, back.last_figures) == (
        "kept", AUGUST, {"manual_score/now:0": {"value": "80", "rows": 1}},
    )  # fmt: skip
    assert back.figures["manual_score/now:0"]["value"] == "60"  # what it was decided on stays
    assert (other.state, other.last_figures["manual_score/now:0"]["value"]) == ("in_grace", "10")
    [mail] = mails("tier_confirmed")
    assert mail.to == here.owner(back.membership).email
    assert decisions.apply_due(at=GRACE_OVER) == 1
    assert (tier_of(back.membership), tier_of(still)) == ("gold", "silver")


def _proposed(here: Scene, membership: Membership) -> TierReview:
    from tests.factories.tiering import TierReviewFactory

    return TierReviewFactory.create(
        round=TierReview.objects.latest("pk").round, membership=membership, from_tier=here.tiers["gold"],
        measured_tier=here.tiers["bronze"], to_tier=here.tiers["silver"], outcome="down", state="proposed",
        figures={"manual_score/now:0": {"value": "10", "rows": 1}},
    )  # fmt: skip


def test_nobody_falls_before_grace_is_over_and_who_is_back_that_night_stays(here: Scene) -> None:
    falls, back = noticed(here), here.member("gold", 60)
    case = decisions.notify(_proposed(here, back), by=mats(), at=REVIEWED)
    last_minute = GRACE_OVER - timedelta(minutes=1)
    assert decisions.apply_due(at=last_minute) == 0
    here.score(back, 95, at=last_minute)
    # Nobody looked in between: the decision itself does.
    late = GRACE_OVER + timedelta(minutes=37)
    assert decisions.apply_due(at=late) == 2
    case.refresh_from_db()
    assert (case.state, moves(back), moves(falls.membership)) == ("kept", [], [("silver", late)])
    assert decisions.apply_due(at=late + timedelta(hours=1)) == 0
    told = [mail.kind for mail in mails()]
    assert sorted(told) == ["tier_confirmed", "tier_fall", "tier_fall_notice", "tier_fall_notice"]


def test_the_days_to_appeal_are_granted_where_grace_is_shorter() -> None:
    here = scene(since=SINCE, grace_days=0, **BY_ITSELF)
    case = noticed(here)
    assert case.grace_ends_at == datetime(2026, 7, 1, 23, tzinfo=UTC)
    assert decisions.apply_due(at=datetime(2026, 7, 15, 22, 59, tzinfo=UTC)) == 0
    assert decisions.apply_due(at=datetime(2026, 7, 15, 23, tzinfo=UTC)) == 1


def test_a_case_is_measured_by_the_scheme_it_was_opened_under(here: Scene) -> None:
    case = noticed(here)
    found = grace.look(case, at=AUGUST)
    assert (found.verdict.current.key, found.verdict.measured.key, found.is_reached) == (
        "gold", "silver", False,
    )  # fmt: skip
    assert metrics.stored(found.figures) == case.figures


def test_a_person_may_look_again_at_once(here: Scene) -> None:
    case = noticed(here)
    with pytest.raises(Forbidden):
        grace.look_again_now(case, by=fiona(), at=AUGUST)
    assert grace.look_again_now(case, by=mats(), at=AUGUST).state == "in_grace"
    here.score(case.membership, 80, at=AUGUST)
    assert grace.look_again_now(case, by=mats(), at=AUGUST).state == "kept"
    with pytest.raises(cases.CaseClosed):
        grace.look_again_now(case, by=mats(), at=AUGUST)


def test_who_rises_in_a_later_round_needs_no_grace_any_more(here: Scene) -> None:
    membership = here.member("silver", 10)
    here.review()
    case = here.case(membership)
    august = datetime(2026, 7, 31, 23, 19, tzinfo=UTC)
    here.score(membership, 90, at=august - timedelta(days=2))
    here.review(at=august)
    case.refresh_from_db()
    assert (case.state, moves(membership)) == ("kept", [("gold", august)])


def test_a_later_round_leaves_a_running_notice_to_its_own_course() -> None:
    here = scene(since=SINCE, grace_days=400, **BY_ITSELF)
    case = noticed(here)
    january = datetime(2027, 1, 1, 0, 19, tzinfo=UTC)
    here.review(at=january)
    assert (here.case(case.membership).state, here.case(case.membership).outcome) == ("shadow", "down")
    before = case.grace_ends_at
    case.refresh_from_db()
    assert (case.state, case.grace_ends_at) == ("in_grace", before)


def test_leaving_closes_the_case_and_nothing_is_applied(here: Scene) -> None:
    case = noticed(here)
    leaving.ban(case.membership, reason=SanctionReason.FRAUD, by=mats(), at=AUGUST)
    case.refresh_from_db()
    assert case.state == "lapsed"
    assert (grace.look_again(at=AUGUST), decisions.apply_due(at=GRACE_OVER)) == (0, 0)
    assert not case.membership.placements.filter(ends_at=None).exists()
