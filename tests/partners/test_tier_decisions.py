"""Decisions on tier reviews: a rise counts from its instant on, a fall needs notice and grace, and what was decided stays decided."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partners import placement
from partners.events import ReviewDecided
from partners.models import TierOverride, TierReview
from partners.own_team import OwnTeam
from partners.tier_reviews import cases, decisions, overrides
from prm.accounts import policy
from prm.accounts.models import User
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.events import subscribed
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory
from tests.partners.score_scene import BY_ITSELF, REVIEWED, Scene, mails, moves, scene, tier_of
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db
SINCE = datetime(2026, 6, 15, tzinfo=UTC)
NEXT_DAY = REVIEWED + timedelta(days=1)
# Told on 1 July: sixty days of grace are over with 30 August, fourteen to appeal with 15 July, as London counts days.
GRACE_OVER = datetime(2026, 8, 30, 23, tzinfo=UTC)
APPEAL_OVER = datetime(2026, 7, 15, 23, tzinfo=UTC)


def reviewed(here: Scene, tier: str, score: int) -> TierReview:
    membership = here.member(tier, score)
    here.review()
    return here.case(membership)


def test_a_person_lets_a_membership_rise_from_that_instant_on() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "bronze", 85)
    made = decisions.decide(case, by=mats(), at=NEXT_DAY, note="A very good half-year.")
    assert (made.state, made.effective_at, made.decided_by) == ("applied", NEXT_DAY, mats())
    assert moves(case.membership) == [("gold", NEXT_DAY)]
    assert made.placement is not None
    assert (made.placement.because, made.placement.keeps_customers) == ("A very good half-year.", False)
    [mail] = mails()
    assert (mail.kind, mail.to) == ("tier_rise", here.owner(case.membership).email)
    assert "Gold" in mail.subject
    assert "3 July 2026" not in mail.text
    assert "2 July 2026" in mail.text  # 00:19 on the 2nd in London
    with pytest.raises(cases.CaseClosed):
        decisions.decide(case, by=mats(), at=NEXT_DAY)


def test_a_program_may_let_rises_happen_by_themselves() -> None:
    here = scene(since=SINCE, up="automatic")
    case = reviewed(here, "bronze", 60)
    assert (case.state, case.decided_by, moves(case.membership)) == ("applied", None, [("silver", REVIEWED)])
    placed = case.placement
    assert placed is not None
    assert (placed.placed_by, placed.because) == (None, "Tier review of 1 July 2026")


def test_a_decision_for_later_takes_effect_when_its_moment_has_come() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "bronze", 60)
    august = datetime(2026, 8, 1, 9, tzinfo=UTC)
    assert decisions.decide(case, by=mats(), at=NEXT_DAY, effective_at=august).state == "decided"
    assert decisions.apply_due(at=august - timedelta(minutes=1)) == 0
    assert tier_of(case.membership) == "bronze"
    assert decisions.apply_due(at=august) == 1
    assert decisions.apply_due(at=august + timedelta(hours=1)) == 0
    assert moves(case.membership) == [("silver", august)]
    assert len(mails("tier_rise")) == 1


def test_a_decision_for_later_stands_when_who_made_it_has_left() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "bronze", 60)
    manager = UserFactory.create(role=policy.ACCOUNT_MANAGER)
    decisions.decide(case, by=manager, at=NEXT_DAY, effective_at=NEXT_DAY + timedelta(days=30))
    User.objects.filter(pk=manager.pk).update(is_active=False)
    assert decisions.apply_due(at=NEXT_DAY + timedelta(days=30)) == 1
    placed = here.case(case.membership).placement
    assert placed is not None
    assert (tier_of(case.membership), placed.placed_by) == ("silver", manager)


@pytest.mark.parametrize(("score", "state", "tier"), [(80, "kept", "gold"), (79, "applied", "silver")])
def test_who_is_back_by_the_day_a_fall_was_decided_for_keeps_the_tier(
    score: int, state: str, tier: str
) -> None:
    here = scene(since=SINCE)
    case = decisions.notify(reviewed(here, "gold", 60), by=mats(), at=REVIEWED)
    october = GRACE_OVER + timedelta(days=40)
    decisions.decide(case, by=mats(), at=GRACE_OVER, effective_at=october)
    here.score(case.membership, score, at=GRACE_OVER + timedelta(days=9))
    assert decisions.apply_due(at=october) == 1
    assert (here.case(case.membership).state, tier_of(case.membership)) == (state, tier)
    assert len(mails("tier_confirmed")) == (state == "kept")


def test_a_decision_for_later_can_be_taken_back_until_then() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "bronze", 60)
    decisions.decide(case, by=mats(), at=NEXT_DAY, effective_at=NEXT_DAY + timedelta(days=30))
    kept = decisions.keep(case, by=mats(), at=NEXT_DAY, note="One more quarter first.")
    assert (kept.state, kept.effective_at) == ("kept", None)
    assert decisions.apply_due(at=NEXT_DAY + timedelta(days=60)) == 0
    assert not mails()  # nobody was told of anything


def test_the_notice_says_what_is_missing_and_until_when() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "gold", 60)
    told = decisions.notify(case, by=mats(), at=REVIEWED)
    assert (told.state, told.grace_ends_at, told.appeal_ends_at) == ("in_grace", GRACE_OVER, APPEAL_OVER)
    [remedy] = told.remedies
    assert (remedy["tier"], remedy["requirement"], remedy["gap"]) == ("gold", "score", "20")
    assert "80" in remedy["sentence"]
    [mail] = mails()
    assert mail.kind == "tier_fall_notice"
    for words in ("Gold", "Silver", "30 August 2026", "15 July 2026", "it stands at 60, 20 is missing"):
        assert words in mail.text
    assert tier_of(case.membership) == "gold"
    with pytest.raises(cases.NoticeSent):
        decisions.notify(case, by=mats(), at=NEXT_DAY)


def test_a_fall_needs_a_notice_and_its_grace_and_then_keeps_what_was_earned() -> None:
    here = scene(since=SINCE, customers_keep_months=6)
    case = reviewed(here, "gold", 60)
    with pytest.raises(cases.NotNotified):
        decisions.decide(case, by=mats(), at=NEXT_DAY)
    decisions.notify(case, by=mats(), at=REVIEWED)
    with pytest.raises(cases.StillInGrace) as refusal:
        decisions.decide(case, by=mats(), at=GRACE_OVER - timedelta(minutes=1))
    assert "31 August 2026" in str(refusal.value)  # the first moment after it
    assert decisions.hindrance(case, at=GRACE_OVER) == str(cases.NotNotified())  # as the row was read
    case.refresh_from_db()
    assert decisions.hindrance(case, at=GRACE_OVER) == ""
    assert decisions.apply_due(at=GRACE_OVER) == 0  # a person decides here
    fallen = decisions.decide(case, by=mats(), at=GRACE_OVER)
    assert (fallen.state, moves(case.membership)) == ("applied", [("silver", GRACE_OVER)])
    placed = fallen.placement
    assert placed is not None
    # Six months of local days from 31 August: the last one of February.
    assert (placed.keeps_customers, placed.customers_keep_ends_at) == (
        True,
        datetime(2027, 2, 28, tzinfo=UTC),
    )
    assert "28 February 2027" in mails("tier_fall")[-1].text


@pytest.mark.parametrize(("months", "keeps"), [(0, False), (None, True)])
def test_a_scheme_says_whether_customers_from_before_keep_the_former_terms(
    months: int | None, keeps: bool
) -> None:
    here = scene(since=SINCE, customers_keep_months=months, **BY_ITSELF)
    case = reviewed(here, "gold", 60)
    assert case.state == "in_grace"
    assert decisions.apply_due(at=GRACE_OVER) == 1
    placed = case.membership.placements.get(ends_at=None)
    assert (placed.keeps_customers, placed.customers_keep_ends_at) == (keeps, None)


def test_a_full_tier_leaves_the_proposal_waiting_until_there_is_room() -> None:
    here = scene(since=SINCE, up="automatic")
    here.tiers["gold"].capacity = 1
    here.tiers["gold"].save()
    other = here.member("gold", 90)
    case = reviewed(here, "bronze", 85)
    assert (case.state, tier_of(case.membership)) == ("proposed", "bronze")
    assert decisions.hindrance(case, at=NEXT_DAY) == "Gold is full: partners at most 1."
    with pytest.raises(placement.NoRoom):
        decisions.decide(case, by=mats(), at=NEXT_DAY)
    placement.place(other, tier=here.tiers["silver"], by=mats(), at=NEXT_DAY, because="own wish")
    decisions.decide(case, by=mats(), at=NEXT_DAY + timedelta(hours=1))
    assert tier_of(case.membership) == "gold"


def test_a_person_keeps_the_tier_with_a_reason_the_partner_reads() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "gold", 60)
    decisions.notify(case, by=mats(), at=REVIEWED)
    with pytest.raises(cases.ReasonMissing):
        decisions.keep(case, by=mats(), at=NEXT_DAY, note="  ")
    heard: list[str] = []
    with subscribed(ReviewDecided, lambda event: heard.append(event.state)):
        kept = decisions.keep(case, by=mats(), at=NEXT_DAY, note="The fair in May counts.")
    assert (kept.state, tier_of(case.membership)) == ("kept", "gold")
    assert "The fair in May counts." in mails("tier_confirmed")[0].text
    assert AuditEvent.objects.get(action="tier_review.kept").actor == mats()


def test_a_waiver_keeps_the_tier_to_the_end_of_a_day() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "gold", 60)
    decisions.notify(case, by=mats(), at=REVIEWED)
    with pytest.raises(decisions.NotAhead):
        decisions.waive(case, until=date(2026, 7, 1), reason="Launch", by=mats(), at=REVIEWED)
    waived = decisions.waive(case, until=date(2026, 12, 31), reason="Launch", by=mats(), at=NEXT_DAY)
    held = TierOverride.objects.get(review=case)
    assert (waived.state, held.kind, held.tier.key) == ("waived", "waiver", "gold")
    assert held.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert "31 December 2026" in mails("tier_waived")[0].text
    # The next round tells what it found, and nothing follows from it.
    here.review(at=datetime(2026, 7, 31, 23, 19, tzinfo=UTC))
    assert (here.case(case.membership).state, tier_of(case.membership)) == ("shadow", "gold")


def test_who_may_not_decide_is_refused() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "bronze", 60)
    owner = here.owner(case.membership)
    for nobody in (fiona(), owner):
        for verb in (
            lambda by=nobody: decisions.decide(case, by=by, at=NEXT_DAY),
            lambda by=nobody: decisions.notify(case, by=by, at=NEXT_DAY),
            lambda by=nobody: decisions.keep(case, by=by, at=NEXT_DAY, note="-"),
            lambda by=nobody: decisions.waive(case, until=date(2026, 12, 31), reason="-", by=by, at=NEXT_DAY),
        ):
            with pytest.raises(Forbidden):
                verb()
    decisions.decide(case, by=ada(), at=NEXT_DAY)


def test_a_rise_is_no_fall() -> None:
    here = scene(since=SINCE)
    case = reviewed(here, "bronze", 60)
    with pytest.raises(cases.NotAFall):
        decisions.notify(case, by=mats(), at=NEXT_DAY)
    with pytest.raises(cases.NotAFall):
        decisions.waive(case, until=date(2026, 12, 31), reason="-", by=mats(), at=NEXT_DAY)


def test_who_is_in_the_partners_own_team_decides_nothing_about_it() -> None:
    here = scene(since=SINCE)
    case, falling = reviewed(here, "bronze", 85), here.member("gold", 10)
    for membership in (case.membership, falling):
        MemberFactory.create(partner=membership.partner, user=mats())
    with pytest.raises(OwnTeam):
        decisions.decide(case, by=mats(), at=NEXT_DAY)
    with pytest.raises(OwnTeam):
        decisions.keep(case, by=mats(), at=NEXT_DAY, note="Not yet.")
    with pytest.raises(OwnTeam):
        overrides.override(
            falling, tier=case.to_tier, reason="A friend.", until=date(2027, 1, 1), by=mats(), at=NEXT_DAY
        )
    assert TierReview.objects.get(pk=case.pk).state == "proposed"
    assert not TierOverride.objects.exists()
    assert decisions.decide(case, by=ada(), at=NEXT_DAY).state == "applied"
