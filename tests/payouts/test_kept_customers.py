"""A partner falls to a lower tier, and customers from before keep what the former tier earns, as long as the placement says. Gold earns
10 % of every order, silver 5 %, bronze 2 %; figures are worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import F

from partners.models import Membership, MetricSnapshot, Placement
from partners.tier_reviews import at_stake
from payouts import tier_outlooks
from payouts.choices import DryRunKind
from payouts.dry_runs import asking, work_on
from payouts.explained.rows import rows_of
from payouts.models import Commission, TierOutlook
from payouts.simulator import simulate
from prm.lib.money import Money
from prm.runs.progress import Reporter
from referrals import conversions
from tests.factories.tiering import MetricSnapshotFactory, TierOutlookFactory
from tests.house import House, open_house
from tests.payouts.test_reconcile import BEGAN, LATER, assert_in_order
from tests.people import ada
from tiers import publishing
from tiers.models import Plan, Rule, Tier

pytestmark = pytest.mark.django_db

FELL = datetime(2026, 4, 1, tzinfo=UTC)
FELL_AGAIN = datetime(2026, 5, 1, tzinfo=UTC)
KEPT_UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


def stand(member: Membership, tier: str, at: datetime, **kept: Any) -> None:
    """Place a membership as a decided review does."""
    Placement.objects.filter(membership=member, ends_at=None).update(ends_at=at)
    Placement.objects.create(
        membership=member,
        tier=Tier.objects.get(program=member.program, key=tier),
        starts_at=at,
        because="test",
        placed_at=at,
        placed_by=ada(),
        **kept,
    )


@pytest.fixture
def house() -> Iterator[House]:
    """Ana stands in gold until April; “old” bought in March."""
    made = open_house()
    version = publishing.draft_from(Plan.objects.get(program=made.program), by=ada(), at=BEGAN)
    version.rules.all().delete()
    for rank, (key, percent) in enumerate((("bronze", 2), ("silver", 5), ("gold", 10)), start=2):
        made.tier = Tier.objects.create(program=made.program, key=key, name=key.title(), rank=rank)
        Rule.objects.create(
            version=version, key=key, name=key.title(), position=rank, rate=percent, tier_keys=[key]
        )
    publishing.publish(version, effective_at=BEGAN, by=ada(), at=BEGAN)
    made.member("ANA")
    sell(made, "m-old", "old", datetime(2026, 3, 5, 12, tzinfo=UTC))
    yield made


def sell(house: House, name: str, customer: str, at: datetime) -> None:
    """Record an order of 100.00 by a customer, and rate it."""
    conversions.record(replace(house.event(name, "100.00", "ANA", at), customer_id=customer), at=at)
    house.rate(LATER)


def test_customers_from_before_keep_the_former_tier_and_new_ones_do_not(house: House) -> None:
    stand(house.members["ANA"], "silver", FELL, keeps_customers=True)
    sell(house, "a-old", "old", datetime(2026, 4, 2, tzinfo=UTC))
    sell(house, "a-new", "new", datetime(2026, 4, 2, tzinfo=UTC))
    assert (house.amounts("m-old"), house.amounts("a-old"), house.amounts("a-new")) == ([1000], [1000], [500])
    sell(
        house, "late", "other", datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC)
    )  # a second before, told afterwards
    assert house.amounts("late") == [1000]
    assert_in_order(house)


def test_without_the_setting_everybody_earns_by_the_new_tier_from_its_instant_on(house: House) -> None:
    stand(house.members["ANA"], "silver", FELL)
    sell(house, "before", "old", FELL - datetime.resolution)
    sell(house, "after", "old", FELL)
    assert (house.amounts("before"), house.amounts("after")) == ([1000], [500])
    assert_in_order(house)


def test_what_is_kept_ends_to_the_second(house: House) -> None:
    kept = {"keeps_customers": True, "customers_keep_ends_at": KEPT_UNTIL}
    stand(house.members["ANA"], "silver", FELL, **kept)
    sell(house, "last", "old", KEPT_UNTIL - datetime.resolution)
    sell(house, "over", "old", KEPT_UNTIL)
    assert (house.amounts("last"), house.amounts("over")) == ([1000], [500])


def test_each_customer_keeps_the_tier_of_its_own_time_through_two_falls(house: House) -> None:
    stand(house.members["ANA"], "silver", FELL, keeps_customers=True)
    sell(house, "s-middle", "middle", datetime(2026, 4, 9, tzinfo=UTC))
    stand(house.members["ANA"], "bronze", FELL_AGAIN, keeps_customers=True)
    for customer in ("old", "middle", "new"):
        sell(house, f"b-{customer}", customer, datetime(2026, 5, 9, tzinfo=UTC))
    told = [house.amounts(f"b-{customer}") for customer in ("old", "middle", "new")]
    assert told == [[1000], [500], [200]]
    stand(house.members["ANA"], "gold", datetime(2026, 7, 1, tzinfo=UTC))
    sell(house, "up", "new", datetime(2026, 7, 2, tzinfo=UTC))
    assert house.amounts("up") == [1000]
    assert_in_order(house)


def test_a_rise_takes_nothing_away_that_was_promised_at_the_fall_before(house: House) -> None:
    kept = {"keeps_customers": True, "customers_keep_ends_at": KEPT_UNTIL}
    stand(house.members["ANA"], "bronze", FELL, **kept)
    sell(house, "b-middle", "middle", datetime(2026, 4, 9, tzinfo=UTC))
    stand(house.members["ANA"], "silver", FELL_AGAIN)
    for customer in ("old", "middle", "new"):
        sell(house, f"s-{customer}", customer, datetime(2026, 5, 9, tzinfo=UTC))
    # Until June gold goes on for who bought in gold's time; who came in bronze's has gained by the rise.
    told = [house.amounts(f"s-{customer}") for customer in ("old", "middle", "new")]
    assert told == [[1000], [500], [500]]
    sell(house, "over", "old", KEPT_UNTIL)
    assert house.amounts("over") == [500]
    assert_in_order(house)


def test_a_refund_takes_back_what_its_own_sale_earned(house: House) -> None:
    stand(house.members["ANA"], "silver", FELL, keeps_customers=True)
    sell(house, "a-old", "old", datetime(2026, 4, 2, tzinfo=UTC))
    house.refund("r", "50.00", "", datetime(2026, 5, 2, tzinfo=UTC), of="a-old")
    house.rate(LATER)
    assert house.amounts("r") == [-500]
    assert_in_order(house)


def test_the_explanation_says_which_tier_counted_and_why(house: House) -> None:
    stand(house.members["ANA"], "silver", FELL, keeps_customers=True)
    sell(house, "a-old", "old", datetime(2026, 4, 2, tzinfo=UTC))
    sell(house, "a-new", "new", datetime(2026, 4, 2, tzinfo=UTC))

    def tier_rows(name: str) -> list[str]:
        line = Commission.objects.get(conversion__external_id=name)
        rows = rows_of(line.because, house.program.zone)
        return [row.note for row in rows if row.label == "Tier"]

    assert tier_rows("a-old") == [
        "Gold, the former one: it still counts for customers from before the change."
    ]
    assert tier_rows("a-new") == []


def test_moves_are_tried_on_what_happened_without_touching_the_books(house: House) -> None:
    member = house.members["ANA"]
    sell(house, "s", "new", datetime(2026, 3, 20, tzinfo=UTC))
    lines = Commission.objects.count()
    made = asking.record(
        house.program,
        DryRunKind.MOVES,
        starts_at=datetime(2026, 3, 1, tzinfo=UTC),
        ends_at=FELL,
        changes={"moves": {member.public_id: "bronze"}},
        by=ada(),
        at=LATER,
    )
    report = work_on(made, Reporter(), at=LATER).report
    # Two orders of 100.00: 10 % was 20.00, 2 % would be 4.00.
    assert (report["total"]["old"], report["total"]["new"]) == (2000, 400)
    assert Commission.objects.count() == lines
    assert [row["key"] for row in report["partners"]] == [member.public_id]


@pytest.mark.parametrize(
    ("moves", "code"),
    [
        ({}, asking.NothingToTry),
        (None, asking.NothingToTry),
        ({"mem_nobody": "gold"}, asking.UnknownMembership),
        ({"mem_nobody": "platinum"}, asking.UnknownTier),
    ],
)
def test_moves_that_make_no_sense_are_refused(house: House, moves: Any, code: type[Exception]) -> None:
    with pytest.raises(code):
        asking.record(
            house.program,
            DryRunKind.MOVES,
            starts_at=FELL,
            ends_at=FELL_AGAIN,
            changes={"moves": moves},
            by=ada(),
            at=LATER,
        )


def test_an_outlook_tells_what_twelve_months_would_have_earned_in_another_tier(house: House) -> None:
    member, bronze = house.members["ANA"], Tier.objects.get(program=house.program, key="bronze")
    at = datetime(2027, 3, 5, 15, tzinfo=UTC)
    # The window is 5 March 2026 to 4 March 2027; the first order lies in it, one a day earlier does not.
    sell(house, "outside", "old", datetime(2026, 3, 4, 12, tzinfo=UTC))
    found = tier_outlooks.outlook(member, bronze, at=at)
    assert found is not None
    assert (found.earned_minor, found.would_minor, found.currency) == (1000, 200, "GBP")
    sell(house, "inside", "old", datetime(2026, 9, 4, 12, tzinfo=UTC))
    again = tier_outlooks.outlook(member, bronze, at=at)
    assert again is not None
    assert again.earned_minor == 1000  # of the same day: kept
    newer = tier_outlooks.outlook(member, bronze, at=datetime(2027, 3, 6, 1, tzinfo=UTC))
    assert newer is not None
    assert (newer.earned_minor, newer.would_minor) == (1000, 200)  # the first order has left the window
    assert TierOutlook.objects.count() == 1
    [stake] = at_stake.stakes([(member.pk, bronze.pk), (member.pk, house.tier.pk)]).values()
    assert (stake.earned, stake.would, stake.change.minor) == (newer.earned, newer.would, -800)


def test_what_all_moves_are_worth_is_added_up_by_currency(house: House) -> None:
    member, bronze = house.members["ANA"], Tier.objects.get(program=house.program, key="bronze")
    MetricSnapshotFactory.create(
        membership=member, tier=house.tier, measured_tier=bronze, outcome="down", taken_at=LATER
    )
    asked = MetricSnapshot.objects.annotate(target_id=F("measured_tier_id"))
    assert at_stake.change_of(asked) == []  # nobody has computed it yet
    # For bronze, which the figures reach, and for silver, one step down.
    assert tier_outlooks.refresh(at=LATER) == 2
    assert tier_outlooks.refresh(at=LATER) == 0
    assert at_stake.change_of(asked) == [Money(-800, "GBP")]


def test_a_member_with_many_events_is_left_to_a_worker(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[dict[str, Any]] = []
    monkeypatch.setattr(tier_outlooks, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(tier_outlooks, "ring_now", lambda task, **told: rung.append({"task": task, **told}))
    member, bronze = house.members["ANA"], Tier.objects.get(program=house.program, key="bronze")
    assert tier_outlooks.outlook(member, bronze, at=LATER) is None
    assert rung == [{"task": tier_outlooks.TASK, "membership_id": member.pk, "tier_id": bronze.pk}]
    made = TierOutlookFactory.create(membership=member, tier=bronze)
    assert tier_outlooks.outlook(member, bronze, at=LATER) == made


@pytest.mark.parametrize(("since", "pence"), [("2026-03-05", 1000), ("2026-04-05", 500)])
def test_the_simulator_asks_since_when_the_customer_buys(house: House, since: str, pence: int) -> None:
    member = house.members["ANA"]
    stand(member, "silver", FELL, keeps_customers=True)
    order = {"kind": "sale", "amount": "100.00", "occurred_on": "2026-04-09", "customer_since": since}
    found = simulate(house.program, {"partner": member.public_id, **order}, at=LATER)
    assert found.amount.minor == pence
