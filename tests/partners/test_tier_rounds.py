"""Rounds of tier reviews: they fall on the days of the calendar, everybody gets one case, and carrying one out again changes nothing."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners import leaving
from partners.models import Membership, Partner, Placement, ReviewEvidence, ReviewRound, TierReview
from partners.tier_reviews import rounds, writing
from partners.tier_reviews.calendar import due_rounds, next_anniversary, next_review
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.mail import outbox
from prm.mail.models import OutgoingMail
from prm.runs.models import Run
from prm.runs.progress import Cancelled, Reporter
from tests.factories.partners import MembershipFactory
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH, ProgramFactory
from tests.partners.score_scene import BY_ITSELF, REVIEW_DAY, REVIEWED, scene, tier_of
from tests.people import fiona, mats
from tiers.qualify import Calendar, Cycle, Scheme

pytestmark = pytest.mark.django_db
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def days(calendar: Calendar) -> list[tuple[str, str]]:
    found = due_rounds(ProgramFactory.build(), Scheme(calendar=calendar), since=YEAR[0], until=YEAR[1])
    return [(kind.value, f"{day:%m-%d}") for kind, day in found]


@pytest.mark.parametrize(
    ("rises", "falls", "expected"),
    [
        (Cycle("quarter", 5, 2), Cycle(), ["promotion 02-05", "promotion 05-05", "promotion 08-05", "promotion 11-05"]),
        (Cycle(), Cycle("half_year", 28, 4), ["demotion 04-28", "demotion 10-28"]),
        # Where both fall on one day, the round that looks at falls looks at rises too.
        (Cycle("half_year", 1, 1), Cycle("year", 1, 7), ["promotion 01-01", "demotion 07-01"]),
        (Cycle(), Cycle(), []),
    ],
)  # fmt: skip
def test_rounds_fall_on_the_days_of_the_calendar(rises: Cycle, falls: Cycle, expected: list[str]) -> None:
    assert [" ".join(each) for each in days(Calendar(rises, falls))] == expected


def test_anniversaries_are_everybodys_own_and_29_february_is_kept_on_the_28th() -> None:
    program = ProgramFactory.create(time_zone="America/New_York")
    for joined in (
        datetime(2024, 2, 29, 15, tzinfo=UTC),
        datetime(2025, 2, 28, 15, tzinfo=UTC),
        datetime(2025, 6, 2, 1, tzinfo=UTC),  # still 1 June in New York
        datetime(2026, 4, 4, 15, tzinfo=UTC),  # its first one comes in 2027
    ):
        MembershipFactory.create(program=program, joined_at=joined)
    scheme = Scheme(calendar=Calendar(demotion=Cycle("anniversary")))
    found = due_rounds(program, scheme, since=date(2026, 2, 20), until=date(2026, 6, 5))
    assert [f"{kind} {day}" for kind, day in found] == ["anniversary 2026-02-28", "anniversary 2026-06-01"]
    found = due_rounds(program, scheme, since=date(2028, 2, 27), until=date(2028, 3, 1))
    assert [f"{day}" for _kind, day in found] == ["2028-02-28", "2028-02-29"]
    assert next_anniversary(date(2024, 2, 29), after=date(2026, 2, 28)) == date(2027, 2, 28)
    due = next_review(scheme, program, datetime(2025, 6, 2, 1, tzinfo=UTC), at=REVIEWED)
    assert due == {"promotion": date(2027, 6, 1), "demotion": date(2027, 6, 1)}


def test_what_is_due_is_opened_once_and_never_from_before_the_scheme() -> None:
    here = scene(since=datetime(2026, 4, 1, 9, tzinfo=UTC))  # in the middle of 1 April
    opened = rounds.open_due(at=REVIEWED - timedelta(hours=1))  # still 30 June in London
    assert [(each.kind, f"{each.due_on}") for each in opened] == [
        ("promotion", "2026-05-01"),
        ("promotion", "2026-06-01"),
    ]
    assert rounds.open_due(at=REVIEWED - timedelta(hours=1)) == []
    newest = rounds.open_due(at=REVIEWED)
    assert [(each.kind, f"{each.due_on}", each.scheme) for each in newest] == [
        ("demotion", "2026-07-01", here.scheme)
    ]
    assert newest[0].measured_at == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert rounds.open_due(at=REVIEWED) == []


def test_a_first_scheme_that_begins_in_the_past_reviews_nobody_on_days_before_it_was_published() -> None:
    here = scene(published_at=datetime(2026, 6, 1, 12, tzinfo=UTC))  # in force since January
    opened = rounds.open_due(at=REVIEWED)
    assert [f"{each.kind} {each.due_on}" for each in opened] == [
        "promotion 2026-06-01",
        "demotion 2026-07-01",
    ]
    assert {each.scheme for each in opened} == {here.scheme}


@pytest.mark.parametrize(("ended", "goes_on"), [("failed", "queued"), ("cancelled", "cancelled")])
def test_a_round_whose_worker_failed_is_tried_again_and_a_stopped_one_is_not(
    ended: str, goes_on: str
) -> None:
    scene()
    rounds.open_due(at=REVIEWED)
    waiting = rounds.start_waiting(at=REVIEWED)
    Run.objects.update(state=ended, finished_at=REVIEWED)
    assert rounds.start_waiting(at=REVIEWED + timedelta(hours=1)) == waiting
    assert {run.state for run in Run.objects.all()} == {goes_on}


def test_everybody_gets_one_case_with_figures_and_movers_with_the_rows_behind_them() -> None:
    here = scene(since=datetime(2026, 6, 15, tzinfo=UTC))
    up, keep, down = here.member("bronze", 85), here.member("silver", 50), here.member("gold", 10)
    unknown = here.member("silver")
    here.member("bronze", 90, joined=REVIEWED)  # joined that day: the next round sees it
    row = here.review()
    assert row.counts == {"up": 1, "keep": 1, "down": 2}
    told = {
        each.membership_id: (each.outcome, each.state, each.measured_tier.key, each.to_tier.key)
        for each in TierReview.objects.filter(round=row)
    }
    assert told == {
        up.pk: ("up", "proposed", "gold", "gold"),
        keep.pk: ("keep", "kept", "silver", "silver"),
        down.pk: ("down", "proposed", "bronze", "silver"),  # one step
        unknown.pk: ("down", "proposed", "bronze", "bronze"),
    }
    key = "manual_score/now:0"
    assert here.case(up).figures == {key: {"value": "85", "rows": 1}}
    assert here.case(unknown).figures == {key: {"value": None, "rows": 0}}
    evidence = ReviewEvidence.objects.get(review=here.case(up))
    assert (evidence.question, evidence.more) == (key, 0)
    [figure] = up.staff_figures.all()
    assert evidence.rows == [[f"figure-{figure.pk}", "2026-01-01T00:00:00+00:00", "85"]]
    assert not ReviewEvidence.objects.filter(review=here.case(keep)).exists()
    assert tier_of(up) == "bronze"  # a person decides


def everything() -> tuple[Any, ...]:
    return (
        list(TierReview.objects.order_by("pk").values()),
        list(Placement.objects.order_by("pk").values()),
        list(ReviewRound.objects.order_by("pk").values()),
        OutgoingMail.objects.count(),
        AuditEvent.objects.count(),
    )


def test_a_round_carried_out_again_changes_nothing() -> None:
    here = scene(**BY_ITSELF, since=datetime(2026, 6, 15, tzinfo=UTC))
    here.member("bronze", 85)
    here.member("gold", 10)
    row = here.review()
    before = everything()
    assert rounds.carry_out(row, Reporter(), at=REVIEWED + timedelta(hours=1)) == {
        "round": row.public_id, "up": 1, "keep": 0, "down": 1,
    }  # fmt: skip
    here.review(at=REVIEWED + timedelta(hours=2))
    assert everything() == before


def test_the_order_of_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def outcomes(size: int, seed: int) -> list[tuple[str, ...]]:
        here = scene(**BY_ITSELF, since=datetime(2026, 6, 15, tzinfo=UTC))
        scores, standing = [5, 45, 50, 79, 80, 99, None], ["bronze", "silver", "gold"]
        made = [here.member(standing[number % 3], scores[number % 7]) for number in range(12)]
        monkeypatch.setattr(rounds, "CHUNK", size)
        chunks = rounds._chunks

        def shuffled(members: Any) -> Any:
            found = list(chunks(members))
            random.Random(seed).shuffle(found)
            return iter(found)

        monkeypatch.setattr(rounds, "_chunks", shuffled)
        with outbox.quiet():
            here.review()
        monkeypatch.setattr(rounds, "_chunks", chunks)
        return [
            (case.outcome, case.state, case.measured_tier.key, case.to_tier.key, tier_of(each))
            for each in made
            for case in [here.case(each)]
        ]

    assert outcomes(2_000, 1) == outcomes(1, 2) == outcomes(5, 3)


def test_a_round_that_was_interrupted_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    here = scene(**BY_ITSELF, since=datetime(2026, 6, 15, tzinfo=UTC))
    members = [here.member("bronze", 85) for _number in range(4)]
    monkeypatch.setattr(rounds, "CHUNK", 2)

    class Stopped(Reporter):
        def advance(self, done: int = 1, *, failed: int = 0, skipped: int = 0) -> None:
            raise Cancelled

    [row] = rounds.open_due(at=REVIEWED)
    with pytest.raises(Cancelled):
        rounds.carry_out(row, Stopped(), at=REVIEWED)
    row.refresh_from_db()
    assert (row.state, TierReview.objects.count()) == ("running", 2)
    rounds.carry_out(row, Reporter(), at=REVIEWED)
    assert (TierReview.objects.filter(state="applied").count(), row.counts["up"]) == (4, 4)
    assert {tier_of(each) for each in members} == {"gold"}


def test_a_thousand_memberships_ask_the_queries_of_ten() -> None:
    def queries(count: int) -> int:
        here = scene(since=datetime(2026, 6, 15, tzinfo=UTC))
        partners = Partner.objects.bulk_create(Partner(name=f"Many {each}") for each in range(count))
        made = Membership.objects.bulk_create(
            Membership(partner=each, program=here.program, joined_at=EPOCH) for each in partners
        )
        tier = here.tiers["bronze"]
        Placement.objects.bulk_create(
            Placement(membership=each, tier=tier, starts_at=EPOCH, placed_at=EPOCH, because="-")
            for each in made
        )
        [row] = rounds.open_due(at=REVIEWED)
        sitting = writing.Sitting.of(row)
        with CaptureQueriesContext(connection) as asked:
            assert writing.write(sitting, first=made[0].pk, last=made[-1].pk, at=REVIEWED) == count
        return len(asked)

    assert queries(10) == queries(1_000)


def test_a_promotion_round_proposes_no_fall_and_leaves_a_proposed_one_alone() -> None:
    here = scene()
    falls, rises = here.member("gold", 10), here.member("silver", 60)
    here.review()  # all that was due up to 1 July
    proposed = here.case(falls)
    assert (proposed.round.kind, proposed.outcome, proposed.state) == ("demotion", "down", "proposed")
    august = datetime(2026, 7, 31, 23, 19, tzinfo=UTC)
    here.score(rises, 85, at=august - timedelta(days=3))
    here.review(at=august)
    assert (here.case(falls).outcome, here.case(falls).state) == ("keep", "kept")
    proposed.refresh_from_db()
    assert proposed.state == "proposed"
    september = datetime(2026, 8, 31, 23, 19, tzinfo=UTC)
    first = here.case(rises)
    here.review(at=september)
    first.refresh_from_db()
    assert (first.state, here.case(rises).state) == ("lapsed", "proposed")  # newer figures, one proposal


def test_newcomers_do_not_fall_and_are_told_only_for_information() -> None:
    here = scene(protected_days=365)
    young = here.member("gold", 10, joined=datetime(2025, 7, 2, 12, tzinfo=UTC))
    old = here.member("gold", 10, joined=datetime(2025, 7, 1, 12, tzinfo=UTC))
    here.review()
    assert (here.case(young).state, here.case(old).state) == ("shadow", "proposed")


def test_who_is_suspended_is_looked_at_for_information_only() -> None:
    here = scene(**BY_ITSELF)
    found = [here.member("bronze", 90), here.member("gold", 0)]
    for each in found:
        leaving.suspend(each, reason="fraud", note="Clicks of a machine.", by=mats(), at=REVIEWED)
    here.review()
    assert [(here.case(each).outcome, here.case(each).state) for each in found] == [
        ("up", "shadow"),
        ("down", "shadow"),
    ]
    assert [tier_of(each) for each in found] == ["bronze", "gold"]
    assert not OutgoingMail.objects.filter(kind__startswith="tier_").exists()


def test_what_is_entered_on_the_day_of_a_review_is_for_the_next_one_however_late_a_worker_comes() -> None:
    here = scene()
    member = here.member("gold", 90)
    here.score(member, 10, at=REVIEWED + timedelta(hours=9))
    here.review(at=REVIEWED + timedelta(hours=12))
    assert here.case(member).figures == {"manual_score/now:0": {"value": "90", "rows": 1}}


def test_a_person_may_ask_for_a_round_once_a_day() -> None:
    here = scene(calendar=Calendar())
    here.member("bronze", 60)
    row = rounds.open_by_hand(here.program, by=mats(), at=REVIEWED)
    run = rounds.start(row, by=mats(), at=REVIEWED)
    assert (row.kind, row.due_on, row.opened_by, run.subject) == (
        "by_hand", REVIEW_DAY, mats(), row.public_id,
    )  # fmt: skip
    assert rounds.start(row, by=mats(), at=REVIEWED) == run
    with pytest.raises(rounds.LookedAtToday):
        rounds.open_by_hand(here.program, by=mats(), at=REVIEWED)
    with pytest.raises(rounds.NoScheme):
        rounds.open_by_hand(ProgramFactory.create(), by=mats(), at=REVIEWED)
    for nobody in (fiona(), UserFactory.create()):
        with pytest.raises(Forbidden):
            rounds.open_by_hand(here.program, by=nobody, at=REVIEWED + timedelta(days=1))


def test_the_command_carries_out_a_round_and_prints_it() -> None:
    here = scene()
    here.member("bronze", 60)
    out = StringIO()
    arguments = ("--program", here.program.slug, "--kind", "promotion", "--on", "2026-03-01")
    call_command("review_tiers", *arguments, "--json", "--no-progress", stdout=out)
    told = json.loads(out.getvalue())
    assert told["outcomes"][0] | {"round": ""} == {"round": "", "up": 1, "keep": 0, "down": 0}
    assert (told["state"], Run.objects.get().kind) == ("finished", rounds.RUN_KIND)
