"""The desk of tier reviews: the queue in the order of what is pressing, the page of a case with its evidence, and each decision with what it
does and its mail shown before it is made."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partners.models import Placement, TierOverride, TierReview
from partners.tier_reviews import appeals, decisions
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, links, words
from tests.factories.tiering import TierReviewFactory
from tests.pages import submit, went_on
from tests.partners.tier_scene import NOW, Ladder, a_ladder, the_cast
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
QUEUE = "admin:partners_tierreview_changelist"
GRACE_OVER = NOW + timedelta(days=62)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ladder() -> Ladder:
    """One rises to silver, one to gold, one falls, one stays; a person decides."""
    made = a_ladder()
    the_cast(made)
    made.review()
    return made


def page_of(case: TierReview, view: str = "change") -> str:
    return reverse(f"admin:partners_tierreview_{view}", args=[case.pk])


def told_of_its_fall(ladder: Ladder) -> TierReview:
    case = ladder.case("FALLER")
    decisions.notify(case, by=mats(), at=NOW)
    return ladder.case("FALLER")


def who_appeals(ladder: Ladder) -> TierReview:
    case = told_of_its_fall(ladder)
    owner = case.membership.partner.members.get().user
    appeals.appeal(case, text="An order was booked a day late.", by=owner, at=NOW)
    return ladder.case("FALLER")


def test_the_queue_opens_with_what_waits_for_us_appeals_first(ladder: Ladder) -> None:
    who_appeals(ladder)
    text = words(at_desk(mats()).get(reverse(QUEUE)))
    assert "Partner STEADY" not in text
    assert text.index("Partner FALLER") < text.index("Partner RISER") < text.index("Partner STAR")
    # Five working days after Friday, 20 November.
    assert "Answer by 27 Nov 2026" in text
    assert "Up: Silver to Gold" in text


def test_who_is_in_grace_waits_for_nobody_until_it_is_over(ladder: Ladder, clock: Any) -> None:
    told_of_its_fall(ladder)
    queue = at_desk(mats())
    assert "Partner FALLER" not in words(queue.get(reverse(QUEUE)))
    assert "Grace until 19 Jan 2027" in words(queue.get(reverse(QUEUE), {"waiting": "grace"}))
    clock.move_to(GRACE_OVER)
    assert "Grace ended" in words(at_desk(mats()).get(reverse(QUEUE)))


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"owner": "me"}, {"RISER"}),
        ({"outcome__exact": "down"}, {"FALLER"}),
        ({"waiting": "no"}, {"STEADY"}),
        ({"q": "star"}, {"STAR"}),
        ({"program": "affiliates", "owner": "nobody"}, {"STAR", "FALLER"}),
    ],
)
def test_the_queue_is_narrowed(ladder: Ladder, asked: dict[str, str], shown: set[str]) -> None:
    text = words(at_desk(mats()).get(reverse(QUEUE), asked))
    assert {name for name in ladder.members if f"Partner {name}" in text} == shown


def test_the_file_holds_the_cases_that_are_shown(ladder: Ladder) -> None:
    page = at_desk(mats()).get(reverse("admin:partners_tierreview_file"), {"outcome__exact": "down"})
    [row] = csv.DictReader(io.StringIO(page.content.decode()))
    assert (row["partner"], row["from"], row["to"], row["state"]) == (
        "Partner FALLER",
        "silver",
        "registered",
        "proposed",
    )


def test_a_case_shows_figure_gap_and_the_rows_behind_it(ladder: Ladder) -> None:
    case = ladder.case("FALLER")
    page = at_desk(mats()).get(page_of(case))
    text = words(page)
    assert "What Silver asks" in text
    assert "Net revenue of at least £1,000.00 in the last 3 months £400.00 not met £600.00" in text
    evidence = f"{page_of(case, 'evidence')}?question=net_revenue/trailing%3A3"
    rows = words(at_desk(mats()).get(evidence))
    assert "The rows as they were counted by the review." in rows
    assert "£400.00" in rows
    assert "1 to 1 of 1" in rows
    assert at_desk(mats()).get(page_of(case, "evidence") + "?question=secrets").status_code == 404


def test_a_case_that_proposes_nothing_counts_its_rows_again(ladder: Ladder) -> None:
    evidence = page_of(ladder.case("STEADY"), "evidence") + "?question=net_revenue/trailing:3"
    text = words(at_desk(mats()).get(evidence))
    assert "these are counted again now" in text
    assert "£1,200.00" in text


def test_a_rise_is_carried_out_and_the_next_case_opens(ladder: Ladder) -> None:
    case, client = ladder.case("RISER"), at_desk(mats())
    step = page_of(case, "carry_out")
    text = words(client.get(step))
    assert "Partner RISER stands in Silver from then on, not before." in text
    assert "No commission that is booked changes" in text
    assert "You are in Silver now" in text
    assert OutgoingMail.objects.count() == 0
    assert went_on(submit(client, step, note="Well done.")) == page_of(ladder.case("STAR"))
    assert Placement.objects.get(membership=case.membership, ends_at=None).tier == ladder.silver
    assert OutgoingMail.objects.filter(kind="tier_rise", to="riser@owner.example").count() == 1


def test_a_notice_shows_its_mail_and_begins_the_grace(ladder: Ladder) -> None:
    case, client = ladder.case("FALLER"), at_desk(mats())
    text = words(client.get(page_of(case, "notify")))
    assert "keeps Silver until the end of 19 January 2027 at least" in text
    assert "£600.00 is missing" in text
    assert ladder.case("FALLER").state == "proposed"
    submit(client, page_of(case, "notify"), form="")
    assert ladder.case("FALLER").state == "in_grace"


def test_a_fall_is_carried_out_after_its_grace_and_not_before(ladder: Ladder, clock: Any) -> None:
    case = told_of_its_fall(ladder)
    early = at_desk(mats()).get(page_of(case, "carry_out"), follow=True)
    assert "That cannot be decided any more" in words(early)
    clock.move_to(GRACE_OVER)
    client = at_desk(mats())
    assert page_of(case, "carry_out") in links(client.get(page_of(case)))
    assert "Customers from before earn by the new tier as well." in words(
        client.get(page_of(case, "carry_out"))
    )
    submit(client, page_of(case, "carry_out"), note="")
    assert ladder.case("FALLER").state == "applied"


def test_a_rise_into_a_full_tier_says_so_before_and_is_refused(ladder: Ladder) -> None:
    ladder.member("FIRST", ladder.gold)
    case, client = ladder.case("STAR"), at_desk(mats())
    assert "Gold is full" in words(client.get(page_of(case, "carry_out")))
    answer = submit(client, page_of(case, "carry_out"), note="")
    assert answer.status_code == 422
    assert "Gold is full" in words(answer)
    assert ladder.case("STAR").state == "proposed"


def test_keeping_needs_a_reason_the_partner_reads(ladder: Ladder) -> None:
    case, client = told_of_its_fall(ladder), at_desk(mats())
    assert submit(client, page_of(case, "keep"), note=" ").status_code == 422
    shown = submit(client, page_of(case, "keep"), note="A fair in spring.", preview="1")
    assert "A fair in spring." in words(shown)
    assert ladder.case("FALLER").state == "in_grace"
    submit(client, page_of(case, "keep"), note="A fair in spring.")
    assert (ladder.case("FALLER").state, ladder.case("FALLER").decided_by) == ("kept", mats())


def test_a_waiver_holds_until_its_day(ladder: Ladder) -> None:
    case, client = told_of_its_fall(ladder), at_desk(mats())
    past = submit(client, page_of(case, "waive"), until="2026-11-19", reason="Spring.")
    assert "Choose a day that lies ahead." in words(past)
    submit(client, page_of(case, "waive"), until="2027-03-31", reason="The fair moved to spring.")
    waiver = TierOverride.objects.get(membership=case.membership)
    assert (waiver.kind, waiver.tier, ladder.case("FALLER").state) == ("waiver", ladder.silver, "waived")


@pytest.mark.parametrize(("verdict", "state"), [("grant", "kept"), ("refuse", "in_grace")])
def test_an_appeal_is_answered_in_words(ladder: Ladder, verdict: str, state: str) -> None:
    case, client = who_appeals(ladder), at_desk(mats())
    page = client.get(page_of(case, "answer"))
    assert "An order was booked a day late." in words(page)
    assert submit(client, page_of(case, "answer"), verdict=verdict).status_code == 422
    submit(client, page_of(case, "answer"), verdict=verdict, answer="We looked at every order.")
    assert ladder.case("FALLER").state == state
    assert OutgoingMail.objects.filter(kind="tier_appeal_answered").count() == 1


def test_looking_again_shows_the_figures_of_now_beside_those_of_the_review(ladder: Ladder) -> None:
    case, client = told_of_its_fall(ladder), at_desk(mats())
    ladder.house.sale("later", "100.00", "FALLER", NOW - timedelta(hours=1))
    client.post(page_of(case, "look_again"))
    text = words(client.get(page_of(case)))
    assert "£400.00 not met £600.00 £500.00 £500.00 missing" in text
    assert "Not reached at the last look either." in text


def test_who_does_not_decide_looks_and_cannot_act(ladder: Ladder) -> None:
    case, finance = ladder.case("RISER"), at_desk(fiona())
    assert "An account manager decides on this case." in words(finance.get(page_of(case)))
    assert finance.post(page_of(case, "carry_out")).status_code == 403


def test_today_leads_to_exactly_the_cases_it_counts(ladder: Ladder) -> None:
    who_appeals(ladder)
    client = at_desk(mats())
    text = words(client.get(reverse("admin:index")))
    assert "1 appeal to answer Oldest 0 days. Promised by 27 Nov 2026." in text
    assert "2 tier reviews to decide" in text
    appealed = client.get(reverse(QUEUE), {"waiting": "appeals"})
    others = client.get(reverse(QUEUE), {"waiting": "others"})
    assert (appealed.context["cl"].result_count, others.context["cl"].result_count) == (1, 2)
    assert "appeal to answer" not in words(at_desk(fiona()).get(reverse("admin:index")))


def test_a_round_is_opened_by_hand_once_a_day_and_shows_its_outcomes() -> None:
    ladder = a_ladder()
    the_cast(ladder)
    client = at_desk(mats())
    address = reverse("admin:partners_reviewround_add")
    shown = went_on(submit(client, address, program=ladder.house.program.pk))
    assert "Tier review of Halden affiliates" in words(client.get(shown))
    assert "looked at by hand today already" in words(
        submit(client, address, program=ladder.house.program.pk)
    )
    assert "Asked for by a person" in words(client.get(reverse("admin:partners_reviewround_changelist")))
    assert date(2026, 11, 20).isoformat() == str(ladder.house.program.review_rounds.get().due_on)


def test_a_thousand_cases_cost_no_more_queries_than_ten(ladder: Ladder) -> None:
    client = at_desk(mats())

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse(QUEUE), {"waiting": "all"}).status_code == 200
        return len(caught)

    _many(ladder, 30)
    queries()
    few = queries()
    _many(ladder, 970)
    assert queries() == few


def _many(ladder: Ladder, count: int) -> None:
    """Write closed cases of one membership, one for each of many rounds."""
    first = TierReviewFactory.create(
        round__program=ladder.house.program,
        round__scheme=ladder.scheme,
        membership=ladder.members["STEADY"],
        from_tier=ladder.silver,
    )
    past = date(2000, 1, 1) + timedelta(days=type(first.round).objects.count())
    rounds = type(first.round).objects.bulk_create(
        type(first.round)(
            program=ladder.house.program,
            scheme=ladder.scheme,
            kind="demotion",
            due_on=past + timedelta(days=n),
            measured_at=NOW,
            opened_at=NOW,
        )
        for n in range(count)
    )
    same = {"from_tier": ladder.silver, "measured_tier": ladder.silver, "to_tier": ladder.silver}
    TierReview.objects.bulk_create(
        TierReview(
            round=each, membership=first.membership, outcome="keep", state="kept", evaluated_at=NOW, **same
        )
        for each in rounds
    )
