"""Who would move under a draft: everybody is measured, nobody is moved, and the report stays with the draft until it changes."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partners import tasks_tiers
from partners.models import MetricSnapshot, Placement, TierReview
from partners.tier_reviews import overrides, what_if
from payouts.models import DryRun
from tests.desk import at_desk, links, words
from tests.factories.tiering import TierSchemeFactory
from tests.partners.tier_scene import NOW, Ladder, a_ladder, a_scheme, the_cast
from tests.people import ada, fiona, mats
from tiers import qualify
from tiers.models import TierScheme

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ladder() -> Ladder:
    """In force: silver from 1,000, gold from 5,000. The draft asks 1,300 and 7,000."""
    made = a_ladder()
    the_cast(made)
    return made


def draft_of(ladder: Ladder, **process: Any) -> TierScheme:
    definition = qualify.dump(a_scheme(silver=1_300_00, gold=7_000_00, **process))
    made: TierScheme = TierSchemeFactory.create(program=ladder.house.program, definition=definition)
    return made


def measured(ladder: Ladder, **process: Any) -> TierScheme:
    row = draft_of(ladder, **process)
    run = what_if.ask(row, by=mats(), at=NOW)
    tasks_tiers.try_scheme(run_id=run.pk)
    row.refresh_from_db()
    return row


def page(row: TierScheme, view: str = "what_if") -> str:
    return reverse(f"admin:partners_tier_{view}", args=[row.pk])


def test_movers_are_found_by_pairs_of_tiers_with_who_would_move_anyway(ladder: Ladder) -> None:
    scheme = a_scheme(silver=1_300_00, gold=7_000_00)
    report = what_if.who_would_move(ladder.house.program, scheme, at=NOW)
    # RISER sold 1,500, STAR 6,000, FALLER 400, STEADY 1,200.
    found = {pair: (each.count, each.anyway) for pair, each in report.pairs.items()}
    assert found == {("registered", "silver"): (1, 1), ("silver", "registered"): (2, 1)}
    assert dict(report.before) == {"registered": 1, "silver": 3}
    assert dict(report.after) == {"registered": 2, "silver": 2}


def test_looking_writes_nothing_and_moves_nobody(ladder: Ladder) -> None:
    before = list(Placement.objects.order_by("pk").values())
    what_if.who_would_move(ladder.house.program, a_scheme(silver=1, gold=2), at=NOW)
    assert list(Placement.objects.order_by("pk").values()) == before
    assert not TierReview.objects.exists()
    assert not MetricSnapshot.objects.exists()


def test_who_is_held_by_hand_or_too_new_to_fall_stays(ladder: Ladder) -> None:
    overrides.override(
        ladder.members["RISER"],
        tier=ladder.start,
        reason="Agreed.",
        until=NOW.date().replace(month=12),
        by=mats(),
        at=NOW,
    )
    scheme = a_scheme(silver=1_300_00, gold=7_000_00, protected_days=365)
    report = what_if.who_would_move(ladder.house.program, scheme, at=NOW)
    assert (report.held, report.pairs) == (3, {})
    assert report.before == report.after


def test_the_same_members_in_smaller_chunks_give_the_same_report(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = a_scheme(silver=1_300_00, gold=7_000_00)
    whole = what_if.who_would_move(ladder.house.program, scheme, at=NOW).stored()
    monkeypatch.setattr(what_if, "CHUNK", 1)
    assert what_if.who_would_move(ladder.house.program, scheme, at=NOW).stored() == whole


def test_one_more_member_costs_no_more_queries(ladder: Ladder) -> None:
    scheme = a_scheme(silver=1_300_00, gold=7_000_00)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            what_if.who_would_move(ladder.house.program, scheme, at=NOW)
        return len(caught)

    before = queries()
    for number in range(6):
        ladder.member(f"MORE{number}", ladder.start, "1400.00")
    assert queries() == before


def test_the_report_stays_with_the_draft_without_names_until_it_changes(ladder: Ladder) -> None:
    row = measured(ladder)
    assert [(each["from"], each["to"], each["count"]) for each in row.report["pairs"]] == [
        ("registered", "silver", 1),
        ("silver", "registered", 2),
    ]
    assert "FALLER" not in str(row.report)
    assert not what_if.is_stale(row)
    TierScheme.objects.filter(pk=row.pk).update(definition=qualify.dump(a_scheme(silver=1)))
    assert what_if.is_stale(TierScheme.objects.select_related("program").get(pk=row.pk))
    assert "changed after everybody was measured" in words(at_desk(mats()).get(page(row)))


def test_the_page_names_movers_with_their_gaps(ladder: Ladder) -> None:
    row = measured(ladder)
    text = words(at_desk(mats()).get(page(row)))
    assert "Silver 3 2 −1" in text
    assert "Net revenue of at least £1,300.00 in the last 3 months: £1,200.00, £100.00 missing" in text
    assert "1 of them would do so under the version in force as well." in text
    movers = words(at_desk(mats()).get(page(row, "movers"), {"from": "silver", "to": "registered"}))
    assert "Partner FALLER" in movers
    assert "Partner STEADY" in movers
    assert at_desk(mats()).get(page(row, "movers"), {"from": "gold", "to": "silver"}).status_code == 404


def test_measuring_is_a_job_of_its_own_and_only_for_drafts(ladder: Ladder) -> None:
    row, client = draft_of(ladder), at_desk(mats())
    assert "Not measured yet" in words(client.get(page(row)))
    client.post(page(row, "measure"))
    run = what_if.latest_run(row)
    assert run is not None
    assert "already running" in words(client.post(page(row, "measure"), follow=True))
    in_force = client.post(page(ladder.scheme, "measure"), follow=True)
    assert "Only a draft can be tried" in words(in_force)


def test_who_would_move_leads_to_the_money(ladder: Ladder) -> None:
    row = measured(ladder)
    client = at_desk(mats())
    assert "What the moves would cost" in words(client.get(page(row)))
    client.post(reverse("admin:payouts_tier_moves", args=[row.pk]))
    made = DryRun.objects.get()
    names = {name: member.public_id for name, member in ladder.members.items()}
    assert made.changes["moves"] == {
        names["RISER"]: "silver",
        names["FALLER"]: "registered",
        names["STEADY"]: "registered",
    }
    assert reverse("admin:payouts_dryrun_change", args=[made.pk]) in links(client.get(page(row)))


def test_the_page_of_the_draft_says_who_would_move(ladder: Ladder) -> None:
    row = measured(ladder)
    shown = at_desk(ada()).get(reverse("admin:tiers_tierscheme_change", args=[row.pk]))
    assert "2 partners would go from Silver to Start." in words(shown)
    assert page(row) in links(shown)
    assert at_desk(fiona()).get(page(row)).status_code == 200
