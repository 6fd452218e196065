"""The tier board: who stands where, who is about to move and why, what it is worth, and the file of it. Ten partners and a thousand cost the
same number of queries."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partners.models import Membership, MetricSnapshot, Partner, Placement
from prm.audit.models import AuditEvent
from tests.desk import at_desk, links, words
from tests.factories.tiering import TierOutlookFactory
from tests.factories.tiers import TierFactory
from tests.partners.tier_scene import LATELY, NOW, Ladder, a_ladder, the_cast
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
BOARD = "admin:partners_tier_board"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ladder() -> Ladder:
    made = a_ladder()
    the_cast(made)
    made.night()
    return made


def look(**asked: str) -> Any:
    return at_desk(mats()).get(reverse(BOARD), asked)


def file_of(page: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(page.streaming_content).decode())))


def test_each_tier_says_who_stands_in_it_and_who_is_about_to_move(ladder: Ladder) -> None:
    text = words(look())
    assert "Gold 0 of 1 1 when all have moved" in text
    assert "Silver 3 1 about to rise 1 about to fall 2 when all have moved" in text
    assert "Start 1 1 about to rise" in text


def test_who_is_about_to_move_is_listed_with_the_gap_in_figures(ladder: Ladder) -> None:
    text = words(look())
    assert "Net revenue of at least £1,000.00 in the last 3 months: £400.00, £600.00 missing" in text
    assert "Falls to Start" in text
    assert "Net revenue of at least £5,000.00 in the last 3 months: £6,000.00" in text
    assert "Partner STEADY" not in text
    assert text.index("Partner FALLER") < text.index("Partner RISER")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"show": "up"}, {"RISER", "STAR"}),
        ({"show": "down"}, {"FALLER"}),
        ({"show": "all", "tier": "silver"}, {"STAR", "FALLER", "STEADY"}),
        ({"show": "all", "q": "stead"}, {"STEADY"}),
        ({"owner": "me"}, {"RISER"}),
        ({"show": "sideways"}, {"RISER", "STAR", "FALLER"}),
    ],
)
def test_the_address_narrows_the_list(ladder: Ladder, asked: dict[str, str], shown: set[str]) -> None:
    text = words(look(**asked))
    assert {name for name in ladder.members if f"Partner {name}" in text} == shown


def test_who_stays_reads_what_is_missing_for_the_next_tier(ladder: Ladder) -> None:
    text = words(look(show="all", q="STEADY"))
    assert "at least £5,000.00 in the last 3 months: £1,200.00, £3,800.00 missing" in text


def test_what_moves_are_worth_is_told_where_somebody_computed_it(ladder: Ladder) -> None:
    TierOutlookFactory.create(
        membership=ladder.members["RISER"], tier=ladder.silver, earned_minor=120_00, would_minor=180_00
    )
    TierOutlookFactory.create(
        membership=ladder.members["FALLER"], tier=ladder.start, earned_minor=40_00, would_minor=32_00
    )
    text = words(look())
    assert "£180.00 instead of £120.00" in text
    assert "Those about to rise would have earned £60.00 more on the last 12 months." in text
    assert "Those about to fall would have earned £8.00 less on the last 12 months." in text


def test_figures_from_before_a_move_by_hand_move_nobody(ladder: Ladder) -> None:
    MetricSnapshot.objects.filter(membership=ladder.members["FALLER"]).update(tier=ladder.gold)
    assert "Partner FALLER" not in words(look())


def test_another_ladder_is_another_board(ladder: Ladder) -> None:
    program = ladder.house.program
    TierFactory.create(program=program, key="co-sell", name="Co-seller", rank=1, track="Co-sell")
    text = words(look())
    assert "Main ladder" in text
    assert "Co-sell" in text
    other = words(look(track="Co-sell"))
    assert "Co-seller 0" in other
    assert "Nobody is about to move" in other


def test_the_file_holds_what_the_list_shows_and_no_formula(ladder: Ladder) -> None:
    Partner.objects.filter(name="Partner FALLER").update(name="=cmd()")
    [row] = file_of(look(show="down", csv="1"))
    assert row["partner"] == "'=cmd()"
    assert (row["tier"], row["outcome"], row["would_go_to"]) == ("silver", "down", "registered")
    assert row["why"].endswith("£600.00 missing")
    assert AuditEvent.objects.filter(action="tier_board.file_taken", actor=mats()).count() == 1


def test_all_staff_look_and_nobody_else() -> None:
    a_ladder()
    assert at_desk(fiona()).get(reverse(BOARD)).status_code == 200
    assert at_desk(ana()).get(reverse(BOARD)).status_code in (302, 403)


def test_the_board_leads_to_cases_and_memberships(ladder: Ladder) -> None:
    ladder.review()
    shown = links(look())
    case = ladder.case("FALLER")
    assert reverse("admin:partners_tierreview_change", args=[case.pk]) in shown
    assert reverse("admin:partners_membership_change", args=[ladder.members["FALLER"].pk]) in shown


def test_a_thousand_partners_cost_no_more_queries_than_ten() -> None:
    ladder, client = a_ladder(), at_desk(mats())

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse(BOARD)).status_code == 200
        return [each["sql"].split(" WHERE ")[0] for each in caught]

    many(ladder, 90)
    queries()
    few = queries()
    many(ladder, 910)
    assert queries() == few


def many(ladder: Ladder, count: int) -> None:
    """Write partners with a placement and a snapshot each, a third of them about to rise."""
    program, by, more = ladder.house.program, mats(), range(count)
    partners = Partner.objects.bulk_create(Partner(name=f"Partner {n}") for n in more)
    made = Membership.objects.bulk_create(
        Membership(partner=each, program=program, joined_at=LATELY) for each in partners
    )
    stands = {"tier": ladder.start, "starts_at": LATELY, "because": "test", "placed_at": LATELY}
    Placement.objects.bulk_create(Placement(membership=each, placed_by=by, **stands) for each in made)
    MetricSnapshot.objects.bulk_create(
        MetricSnapshot(
            membership=each,
            scheme=ladder.scheme,
            tier=ladder.start,
            measured_tier=ladder.silver if n % 3 == 0 else ladder.start,
            outcome="up" if n % 3 == 0 else "keep",
            figures={"net_revenue/trailing:3": {"value": "150000" if n % 3 == 0 else "0", "rows": 1}},
            measured_at=NOW,
            taken_at=NOW,
        )
        for n, each in enumerate(made)
    )
