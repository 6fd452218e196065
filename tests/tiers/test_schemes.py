"""A scheme of tiers is drafted, looked over and published whole; what was measured by a version keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory
from tests.people import ada, mats
from tiers import scheme_lint, schemes
from tiers.choices import SchemeState
from tiers.models import Program, TierScheme
from tiers.qualify import Process, Rung

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def program() -> Program:
    program: Program = ProgramFactory()
    for rank, key in enumerate(("basic", "silver", "gold"), start=1):
        TierFactory(program=program, key=key, name=key.title(), rank=rank)
    return program


def asking(silver: int = 1_000_000, gold: int = 5_000_000, **more: Any) -> dict[str, Any]:
    def revenue(threshold: int) -> dict[str, Any]:
        row = {"key": "revenue", "metric": "net_revenue", "window": "trailing", "months": 12}
        return {"requirements": [{**row, "threshold": threshold, **more}]}

    return {"tiers": {"silver": revenue(silver), "gold": revenue(gold)}}


def draft(program: Program, stored: dict[str, Any] | None = None) -> TierScheme:
    row = schemes.draft(program, by=ada(), at=AT)
    return schemes.edit(row, asking() if stored is None else stored, by=ada(), at=AT)


def published(program: Program, effective_at: datetime = EPOCH, **asks: Any) -> TierScheme:
    return schemes.publish(draft(program, asking(**asks)), effective_at=effective_at, by=ada(), at=AT)


def test_one_draft_begins_with_what_the_newest_version_asks_of_tiers_in_use(program: Program) -> None:
    first = schemes.draft(program, by=ada(), at=AT)
    assert first == schemes.draft(program, by=ada(), at=AT)
    assert (first.number, schemes.scheme_of(first).asks) == (1, {})
    published(program)
    program.tiers.filter(key="gold").update(retired_at=AT, retired_by=ada())
    second = schemes.draft(program, by=ada(), at=AT)
    assert (second.number, list(schemes.scheme_of(second).asks)) == (2, ["silver"])


def test_each_version_is_in_force_from_its_instant_until_the_next_one(program: Program) -> None:
    first = published(program)
    second = schemes.publish(draft(program, asking(gold=6_000_000)), effective_at=JULY, by=ada(), at=AT)
    first.refresh_from_db()
    assert (first.state, second.state) == (SchemeState.SUPERSEDED, SchemeState.PUBLISHED)
    second_before = timedelta(seconds=1)
    moments = (EPOCH - second_before, EPOCH, JULY - second_before, JULY)
    assert [schemes.in_force(program, at=at) for at in moments] == [None, first, first, second]
    assert schemes.in_force(ProgramFactory(), at=JULY) is None
    assert len(second.sha256) == 64
    assert second.sha256 == schemes.fingerprint(TierScheme.objects.get(pk=second.pk)) != first.sha256


def test_only_the_first_version_may_begin_in_the_past_and_each_after_the_one_before(program: Program) -> None:
    published(program, effective_at=EPOCH)
    row = draft(program, asking(gold=6_000_000))
    with pytest.raises(schemes.InThePast, match="not on 1 Jan 2026"):
        schemes.publish(row, effective_at=datetime(2026, 1, 1, tzinfo=UTC), by=ada(), at=AT)
    schemes.publish(row, effective_at=JULY, by=ada(), at=AT)
    later = draft(program, asking(gold=7_000_000))
    for effective_at in (JULY - timedelta(days=1), JULY):
        with pytest.raises(schemes.BeforeTheLast, match="Version 2 takes effect on 1 Jul 2026"):
            schemes.publish(later, effective_at=effective_at, by=ada(), at=AT)


def test_a_draft_that_changes_nothing_is_refused(program: Program) -> None:
    published(program)
    with pytest.raises(schemes.NothingChanged):
        schemes.publish(schemes.draft(program, by=ada(), at=AT), effective_at=JULY, by=ada(), at=AT)


@pytest.mark.parametrize(
    ("stored", "field", "says"),
    [
        (asking(metric="love"), "metric", "tiers/silver/1/metric: is not one of"),
        (asking(silver=0), "threshold", "asks for nothing"),
        (
            asking(metric="certified_ratio", window="now", months=0, gold=101, silver=50),
            "threshold",
            "can never be met",
        ),
        (
            asking(
                metric="certified_ratio", window="now", months=0, gold=9, silver=5, params={"role": ["x"]}
            ),
            "role",
            "there is no “x”",
        ),
        ({"tiers": {"basic": asking()["tiers"]["gold"]}}, "basic", "it can ask for nothing"),
        ({"tiers": {"bronze": asking()["tiers"]["gold"]}}, "bronze", "no tier “bronze” in use"),
    ],
)
def test_what_is_wrong_by_itself_is_refused_at_once_and_nothing_is_saved(
    program: Program, stored: dict[str, Any], field: str, says: str
) -> None:
    row = draft(program)
    kept = row.definition
    with pytest.raises((schemes.Unfit, schemes.Unreadable), match=says) as refusal:
        schemes.edit(row, stored, by=ada(), at=AT)
    assert refusal.value.field == field
    assert TierScheme.objects.get(pk=row.pk).definition == kept


@pytest.mark.parametrize(
    ("stored", "field"),
    [(asking(silver=5_000_001), "threshold"), ({"tiers": {"silver": asking()["tiers"]["silver"]}}, "gold")],
)
def test_what_the_rest_could_put_right_is_refused_when_it_is_published(
    program: Program, stored: dict[str, Any], field: str
) -> None:
    row = draft(program, stored)
    with pytest.raises(schemes.Unfit) as refusal:
        schemes.publish(row, effective_at=JULY, by=ada(), at=AT)
    assert refusal.value.field == field
    assert TierScheme.objects.get(pk=row.pk).state == SchemeState.DRAFT


def test_a_window_longer_than_the_data_is_refused_unless_it_is_meant(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = JULY - timedelta(days=90)
    source = (lambda: {"net_revenue"}, lambda _question, _program: since)
    monkeypatch.setattr(scheme_lint, "_metrics", [source])
    row = draft(program)
    with pytest.raises(schemes.Unfit, match="the data begins on 2 Apr 2026") as refusal:
        schemes.publish(row, effective_at=JULY, by=ada(), at=AT)
    assert refusal.value.field == "months"
    with pytest.raises(schemes.Unfit):
        schemes.publish(row, effective_at=JULY, by=ada(), at=AT, meant=["out_of_order"])
    assert schemes.publish(row, effective_at=JULY, by=ada(), at=AT, meant=[scheme_lint.WINDOWS])
    # A year later the window is full.
    row = draft(program, asking(gold=6_000_000))
    schemes.publish(row, effective_at=since + timedelta(days=366), by=ada(), at=AT)


def test_two_people_lose_nothing_of_each_others(program: Program) -> None:
    row = draft(program)
    stale = TierScheme.objects.get(pk=row.pk)
    schemes.rewrite(row, lambda now: replace(now, process=Process(grace_days=30)), by=ada(), at=AT)
    both = schemes.rewrite(stale, lambda now: replace(now, asks=dict(now.asks)), by=ada(), at=AT)
    assert schemes.scheme_of(both).process.grace_days == 30


def test_what_is_published_is_only_read_and_a_draft_can_go(program: Program) -> None:
    row = published(program)
    moves = (
        lambda: schemes.edit(row, asking(), by=ada(), at=AT),
        lambda: schemes.publish(row, effective_at=JULY, by=ada(), at=AT),
        lambda: schemes.discard(row, by=ada(), at=AT),
    )
    for move in moves:
        with pytest.raises(schemes.NotADraft):
            move()
    schemes.discard(draft(program), by=ada(), at=AT)
    assert list(program.tier_schemes.all()) == [row]
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        f"tier_scheme.{verb}" for verb in ("drafted", "edited", "published", "drafted", "edited", "discarded")
    ]


def test_only_who_manages_tiers_writes_schemes(program: Program) -> None:
    row = draft(program)
    moves = (
        lambda: schemes.draft(program, by=mats(), at=AT),
        lambda: schemes.edit(row, asking(), by=mats(), at=AT),
        lambda: schemes.publish(row, effective_at=JULY, by=mats(), at=AT),
        lambda: schemes.discard(row, by=mats(), at=AT),
    )
    for move in moves:
        with pytest.raises(Forbidden):
            move()


def test_ladders_are_the_tiers_in_use_by_track_and_rank(program: Program) -> None:
    TierFactory(program=program, key="ally", name="Ally", rank=1, track="co-sell")
    TierFactory(program=program, key="old", rank=9, retired_at=AT, retired_by=ada())
    basic = (Rung("basic", 1, "Basic"), Rung("silver", 2, "Silver"), Rung("gold", 3, "Gold"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert schemes.ladders(program) == {"": basic, "co-sell": (Rung("ally", 1, "Ally"),)}
    assert len(queries) == 1
    assert schemes.ladder_of(program, "") == basic
    assert schemes.ladder_of(program, "nowhere") == ()


def test_a_row_is_read_once_for_what_it_says(program: Program) -> None:
    row = published(program)
    assert schemes.scheme_of(row) is schemes.scheme_of(row)
    row.definition = {}
    assert schemes.scheme_of(row).asks == {}
