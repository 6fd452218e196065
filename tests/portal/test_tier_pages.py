"""The tier page and the page of a review: figures worked by hand, what is only proposed stays ours, and an owner appeals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from django.test import Client

from partners import placement
from partners.choices import AppealState, ReviewState, RoundKind, TeamRole
from partners.models import Appeal, Placement, TierReview
from partners.tier_reviews import appeals, overrides, rounds
from prm.runs.progress import Reporter
from tests.desk import words
from tests.factories.tiering import CertificationFactory, CredentialFactory, StaffFactory, TierReviewFactory
from tests.people import ada, mats
from tests.portal.conftest import signed_in
from tests.portal.scene import JOINED, NOW, Scene, on
from tests.portal.test_team_pages import join
from tiers import qualify, schemes
from tiers.models import Tier
from tiers.qualify import Ask, Calendar, Cycle, Process, Question, Requirement, Scheme, Window

pytestmark = pytest.mark.django_db
PAGE = "/portal/tier/"
ROUND_DAY = date(2026, 6, 1)
IN_ROUND = datetime(2026, 6, 1, 3, tzinfo=UTC)


def revenue(pounds: int, months: int = 3) -> Requirement:
    question = Question("net_revenue", Window("trailing", months))
    return Requirement("revenue", question, "at_least", Fraction(pounds * 100))


@pytest.fixture
def asked(newcomer: Scene) -> Scene:
    """Silver asks for 5,000.00 in three months; falls are looked at in June and December, with 30 days of grace."""
    program = newcomer.house.program
    scheme = Scheme(
        asks={"silver": Ask((revenue(5_000),))},
        calendar=Calendar(Cycle("month", 15), Cycle("half_year", 1, 6)),
        process=Process(grace_days=30, appeal_days=14, down="automatic", protected_days=0),
    )
    row = schemes.draft(program, by=ada(), at=JOINED)
    row = schemes.edit(row, qualify.dump(scheme), by=ada(), at=JOINED)
    schemes.publish(row, effective_at=JOINED, by=ada(), at=JOINED)
    return newcomer


def sell(scene: Scene, name: str, amount: str, at: datetime) -> None:
    scene.house.sale(name, amount, "ANA10", at)
    scene.house.rate(at)


def read(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return words(answer)


def in_silver(scene: Scene) -> None:
    silver = Tier.objects.get(program=scene.house.program, key="silver")
    placement.place(scene.membership, tier=silver, by=mats(), at=on(2, 10), because="A strong start.")


def fallen(scene: Scene) -> TierReview:
    """Let Ana stand in silver with 3,600.00 when the June round looks at her."""
    in_silver(scene)
    sell(scene, "s-1", "3800.00", on(5, 4))
    scene.house.refund("r-1", "200.00", "", on(5, 5), of="s-1")
    row = rounds.open_on(scene.house.program, RoundKind.DEMOTION, ROUND_DAY, at=IN_ROUND)
    assert row is not None
    rounds.carry_out(row, Reporter(), at=IN_ROUND)
    return TierReview.objects.get(round=row, membership=scene.membership)


def test_the_way_to_the_next_tier_is_told_in_figures_and_in_money(asked: Scene) -> None:
    sell(asked, "s-0", "900.00", on(3, 19, hour=23))  # more than three months before 20 June
    sell(asked, "s-1", "3800.00", on(5, 4))
    asked.house.refund("r-1", "200.00", "", on(5, 5), of="s-1")
    asked.house.rate(on(5, 6))
    text = read(signed_in(asked))
    assert "Your tier: Registered" in text
    assert "What Silver asks" in text
    assert "Net revenue of at least £5,000.00 in the last 3 months" in text
    assert "£3,600.00 of £5,000.00. £1,400.00 to go." in text
    # 10 % of 900.00, 3,800.00 and −200.00; the rates of silver are the same.
    assert "You earned £450.00" in text and "In Silver it would have been £450.00" in text
    assert "Who rises 15 Jul 2026" in text and "Who rises or falls 1 Dec 2026" in text
    assert "Where you stood" in text and "Since 31 Jan 2026." in text


def test_what_keeps_the_tier_stands_on_the_page_of_the_highest_one(asked: Scene) -> None:
    in_silver(asked)
    sell(asked, "s-1", "6000.00", on(5, 4))
    text = read(signed_in(asked))
    assert "Your tier: Silver" in text and "What keeps Silver" in text
    assert "£6,000.00 of £5,000.00: enough." in text
    assert "A strong start." in text
    assert "31 Jan 2026 to 10 Feb 2026." in text


def test_a_tier_that_asks_nothing_is_given_by_a_person(newcomer: Scene) -> None:
    in_silver(newcomer)
    Tier.objects.create(program=newcomer.house.program, key="gold", name="Gold", rank=3)
    text = read(signed_in(newcomer))
    assert "On the way to Gold We place partners in Gold" in text
    assert "There is no fixed day; your account manager decides." in text


def test_a_fall_is_told_with_what_is_missing_until_when_and_the_rows_behind_it(asked: Scene) -> None:
    review = fallen(asked)
    assert review.state == ReviewState.IN_GRACE
    client = signed_in(asked)
    # Thirty days from 1 June, the last of them included.
    assert "A review of your tier is open." in read(client, "/portal/")
    home = read(client)
    assert "A review of your tier is open." in home
    assert "Until 1 Jul 2026 you can bring back what is missing." in home
    text = read(client, f"/portal/tier/reviews/{review.public_id}/")
    assert "Review: down from Silver to Registered" in text
    assert "What brings Silver back" in text
    assert "in the last 3 months Missing when we looked: £1,400.00." in text
    assert "£3,600.00 of £5,000.00. £1,400.00 to go." in text
    assert "£3,800.00" in text and "-£200.00" in text.replace("−", "-")
    assert "Grace period until 1 Jul 2026" in text
    assert "Appeal possible until 15 Jun 2026" in text


def test_an_owner_appeals_once_and_reads_the_answer(asked: Scene) -> None:
    review = fallen(asked)
    TierReview.objects.filter(pk=review.pk).update(appeal_ends_at=datetime(2099, 1, 1, tzinfo=UTC))
    client, address = signed_in(asked), f"/portal/tier/reviews/{review.public_id}/"
    empty = client.post(f"{address}appeal/", {"text": "  "})
    assert empty.status_code == 422 and "Error: " in words(empty)
    sent = client.post(f"{address}appeal/", {"text": "The order of 31 May is missing."}, follow=True)
    assert "Your appeal is with us. We answer by" in words(sent)
    again = client.post(f"{address}appeal/", {"text": "Once more."})
    assert again.status_code == 409 and "an appeal is heard once" in words(again)
    assert "Withdraw the appeal" in read(client, address)
    made = Appeal.objects.get(review=review)
    appeals.answer_appeal(made, granted=True, answer="You are right.", by=mats(), at=made.opened_at)
    text = read(client, address)
    assert "Granted" in text and "You are right." in text and "Withdraw the appeal" not in text
    assert "Silver" in read(client)


def test_an_appeal_is_withdrawn_and_the_review_goes_on(asked: Scene) -> None:
    review = fallen(asked)
    made = appeals.appeal(review, text="Wait.", by=asked.ana, at=IN_ROUND)
    client = signed_in(asked)
    done = client.post(f"/portal/tier/reviews/{review.public_id}/appeal/withdraw/", follow=True)
    assert "Your appeal is withdrawn." in words(done)
    made.refresh_from_db()
    review.refresh_from_db()
    assert (made.state, review.state) == (AppealState.WITHDRAWN, ReviewState.IN_GRACE)
    twice = client.post(f"/portal/tier/reviews/{review.public_id}/appeal/withdraw/", follow=True)
    assert "This appeal is closed already." in words(twice)


def test_who_is_no_owner_reads_and_does_not_appeal(asked: Scene) -> None:
    review = fallen(asked)
    TierReview.objects.filter(pk=review.pk).update(appeal_ends_at=datetime(2099, 1, 1, tzinfo=UTC))
    _member, client = join(asked, TeamRole.MARKETING)
    assert "An owner of your team can appeal." in read(client, f"/portal/tier/reviews/{review.public_id}/")
    refused = client.post(f"/portal/tier/reviews/{review.public_id}/appeal/", {"text": "No."})
    assert refused.status_code == 403
    assert not Appeal.objects.exists()


def test_what_is_only_proposed_and_what_is_others_is_not_there(asked: Scene) -> None:
    client = signed_in(asked)
    proposed = TierReviewFactory.create(
        round__program=asked.house.program,
        round__scheme=schemes.in_force(asked.house.program, at=NOW),
        membership=asked.membership,
        from_tier=asked.house.tier,
        state="proposed",
        outcome="up",
    )
    others = TierReviewFactory.create()
    for review in (proposed, others):
        address = f"/portal/tier/reviews/{review.public_id}/"
        assert client.get(address).status_code == 404
        assert client.post(f"{address}appeal/", {"text": "Why?"}).status_code == 404
        assert client.post(f"{address}appeal/withdraw/").status_code == 404


def test_a_tier_given_by_hand_says_until_when_and_why(asked: Scene) -> None:
    silver = Tier.objects.get(program=asked.house.program, key="silver")
    overrides.override(
        asked.membership,
        tier=silver,
        reason="For our joint spring launch.",
        until=date(2099, 3, 31),
        by=mats(),
        at=NOW,
    )
    text = read(signed_in(asked))
    assert "You stand in Silver by our decision until 31 Mar 2099." in text
    assert "For our joint spring launch." in text
    assert Placement.objects.filter(membership=asked.membership, ends_at=None).get().tier == silver


def test_a_certified_share_that_is_enough_says_when_it_no_longer_will_be(newcomer: Scene) -> None:
    program, partner = newcomer.house.program, newcomer.membership.partner
    certification = CertificationFactory.create(program=program, key="range", name={"en": "The range"})
    for days in (43, 200, 200, None):
        person = StaffFactory.create(partner=partner, added_at=JOINED)
        if days is not None:
            ends_on = NOW.date() + timedelta(days=days)
            CredentialFactory.create(
                certification=certification,
                staff=person,
                earned_on=JOINED.date(),
                expires_on=ends_on,
                given_at=JOINED,
            )
    question = Question("certified_ratio", params=(("certification", ("range",)),))
    scheme = Scheme({"silver": Ask((Requirement("certified", question, "at_least", Fraction(70)),))})
    draft = schemes.draft(program, by=ada(), at=JOINED)
    draft = schemes.edit(draft, qualify.dump(scheme), by=ada(), at=JOINED)
    schemes.publish(draft, effective_at=JOINED, by=ada(), at=JOINED)
    in_silver(newcomer)
    # Three of four are 75 %, two of four are 50 %.
    assert "75% of 70%: enough. In 43 days you fall to 50%." in read(signed_in(newcomer))
