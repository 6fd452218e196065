"""Several cases are decided on one page: who moves where and what it earns then, what is skipped and why, and each decision alone."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partners.models import Placement, TierReview
from partners.tier_reviews import decisions
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, words
from tests.partners.tier_scene import NOW, Ladder, a_ladder, the_cast
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
QUEUE = "admin:partners_tierreview_changelist"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ladder() -> Ladder:
    made = a_ladder()
    the_cast(made)
    made.review()
    return made


def together(what: str) -> str:
    return reverse("admin:partners_tierreview_together", args=[what])


def ids(*cases: TierReview) -> str:
    return ",".join(str(case.pk) for case in cases)


def everybody(ladder: Ladder) -> str:
    return ids(*(ladder.case(name) for name in ladder.members))


def test_rows_ticked_in_the_queue_open_the_page_with_their_outcomes(ladder: Ladder) -> None:
    ticked = {"action": "carry-out", "_selected_action": [ladder.case(name).pk for name in ladder.members]}
    text = words(at_desk(mats()).post(reverse(QUEUE) + "?waiting=all", ticked, follow=True))
    assert "Apply 2 changes" in text
    assert "skipped: the partner is not told yet" in text
    assert "skipped: decided already" in text
    assert "8% before, 8% after will be moved" in text
    assert "2 partners rise." in text
    assert "1 place of 1 in Gold is taken by them." in text
    assert "2 teams are written to" in text
    assert "You are in Silver now" in text
    assert not TierReview.objects.filter(state="applied").exists()
    assert not OutgoingMail.objects.exists()


def test_changes_are_applied_and_what_was_skipped_is_told(ladder: Ladder) -> None:
    page = at_desk(mats()).post(together("carry-out"), {"ids": everybody(ladder), "note": "Well done."})
    text = words(page)
    assert "2 done, 2 left as they were" in text
    assert ladder.case("RISER").state == ladder.case("STAR").state == "applied"
    assert ladder.case("FALLER").state == "proposed"
    assert OutgoingMail.objects.filter(kind="tier_rise").count() == 2
    again = at_desk(mats()).post(together("carry-out"), {"ids": everybody(ladder), "note": ""})
    assert "Back to the queue" in words(again)
    assert Placement.objects.filter(ends_at=None, tier=ladder.gold).count() == 1


def test_of_two_who_rise_into_the_last_place_the_second_is_told_before(ladder: Ladder) -> None:
    ladder.member("SECOND", ladder.silver, "7000.00")
    ladder.review(at=NOW.replace(day=21))
    both = ids(ladder.case("STAR"), ladder.case("SECOND"))
    text = words(at_desk(mats()).get(together("carry-out"), {"ids": both}))
    assert "Apply 1 change" in text
    assert "Gold is full" in text


def test_one_that_is_refused_does_not_stop_the_others(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    star, riser = ladder.case("STAR"), ladder.case("RISER")
    decide = decisions.decide

    def taken_meanwhile(case: TierReview, **given: Any) -> TierReview:
        """Somebody else takes the last place between the look and the decision."""
        if case.pk == star.pk and not Placement.objects.filter(tier=ladder.gold).exists():
            ladder.member("QUICK", ladder.gold)
        return decide(case, **given)

    monkeypatch.setattr(decisions, "decide", taken_meanwhile)
    text = words(at_desk(mats()).post(together("carry-out"), {"ids": ids(star, riser), "note": ""}))
    assert "1 done, 1 left as they were" in text
    assert "Gold is full" in text
    assert (ladder.case("STAR").state, ladder.case("RISER").state) == ("proposed", "applied")


def test_notices_are_sent_to_those_who_fall_and_to_nobody_else(ladder: Ladder) -> None:
    client = at_desk(mats())
    text = words(client.get(together("notify"), {"ids": everybody(ladder)}))
    assert "Send 1 notice" in text
    assert text.count("skipped: it proposes no fall") == 2
    client.post(together("notify"), {"ids": everybody(ladder)})
    assert ladder.case("FALLER").state == "in_grace"
    assert OutgoingMail.objects.filter(kind="tier_fall_notice").count() == 1


def test_keeping_needs_a_reason_and_nothing_moves_without(ladder: Ladder) -> None:
    client = at_desk(mats())
    assert client.post(together("keep"), {"ids": everybody(ladder), "note": ""}).status_code == 422
    assert ladder.case("RISER").state == "proposed"
    assert "Keep 3 tiers" in words(client.get(together("keep"), {"ids": everybody(ladder)}))
    client.post(together("keep"), {"ids": everybody(ladder), "note": "After the fair."})
    states = TierReview.objects.exclude(membership=ladder.members["STEADY"]).values_list("state", flat=True)
    assert set(states) == {"kept"}


def test_what_would_happen_is_a_file_too(ladder: Ladder) -> None:
    page = at_desk(mats()).get(together("carry-out"), {"ids": everybody(ladder), "csv": "1"})
    rows = {row["partner"]: row for row in csv.DictReader(io.StringIO(page.content.decode()))}
    assert rows["Partner STAR"]["to"] == "gold"
    assert rows["Partner STAR"]["outcome"] == "will be moved"
    assert rows["Partner FALLER"]["outcome"] == "skipped: the partner is not told yet"


def test_finance_does_not_decide_and_nobody_explodes(ladder: Ladder) -> None:
    assert at_desk(fiona()).get(together("carry-out"), {"ids": everybody(ladder)}).status_code == 403
    assert at_desk(mats()).get(together("explode")).status_code == 404
    assert "No case was ticked." in words(at_desk(mats()).get(together("keep"), {"ids": "x,,7777"}))


def test_looking_at_many_costs_no_more_queries_than_at_two(ladder: Ladder) -> None:
    for number in range(8):
        ladder.member(f"MORE{number}", ladder.start, "1100.00")
    ladder.review(at=NOW.replace(day=21))
    client = at_desk(mats())

    def queries(*names: str) -> int:
        chosen = {"ids": ids(*(ladder.case(name) for name in names))}
        with CaptureQueriesContext(connection) as caught:
            assert client.get(together("carry-out"), chosen).status_code == 200
        return len(caught)

    # The mail of the first case is shown, so it is the same one both times.
    two, more = ("RISER", "STAR"), [f"MORE{number}" for number in range(8)]
    queries(*two)
    assert queries(*two) == queries(*two, *more)
