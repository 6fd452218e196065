"""A longer hold is fixed on a line when it is born: the longest that applied when its event happened counts, with its reason, and its end changes
nothing that was earned before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payouts import accrual, reconcile, reserves
from payouts.explained.line import explain, readable
from payouts.models import Commission, Reserve
from prm.accounts import policy
from prm.lib.errors import Refused
from referrals import conversions
from referrals.attribution.correct import Share, correct
from referrals.models import Conversion
from tests.house import House, open_house
from tests.people import ada, fiona, mats
from tiers import publishing
from tiers.models import Plan, Rule

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH_5 = datetime(2026, 3, 5, 9, tzinfo=UTC)
# Midnights in London, which is on UTC until 29 March and an hour ahead afterwards: 2 March and 14, 30 and 60 days.
USUAL = datetime(2026, 3, 16, tzinfo=UTC)
AFTER_30 = datetime(2026, 3, 31, 23, tzinfo=UTC)
AFTER_60 = datetime(2026, 4, 30, 23, tzinfo=UTC)
WHY = "Many returns in the last quarter."


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=MARCH_1)
    house.member("BEA10", at=MARCH_1)
    return house


def hold(house: House, code: str = "", **changes: Any) -> Reserve:
    values = {"hold_days": 60, "reason": WHY, "by": fiona(), "at": MARCH_1}
    membership = house.members[code] if code else None
    return reserves.hold_longer(house.program, membership=membership, **{**values, **changes})


def sell(house: House, name: str, code: str, *, at: datetime = MARCH_2, **facts: Any) -> None:
    event = house.event(name, "100.00", code, at)
    conversions.record(replace(event, **facts), at=at)


def ready(order: str) -> datetime:
    return Commission.objects.get(conversion__external_id=order).payable_at


def test_a_partner_held_longer_waits_longer_and_nobody_else_does(house: House) -> None:
    hold(house, "ANA10")
    sell(house, "a", "ANA10")
    sell(house, "b", "BEA10")
    house.rate(MARCH_5)
    assert (ready("a"), ready("b")) == (AFTER_60, USUAL)
    because = Commission.objects.get(conversion__external_id="a").because
    assert because["hold"] == {"days": 60, "usual_days": 14, "reason": WHY}
    assert "hold" not in Commission.objects.get(conversion__external_id="b").because


def test_the_longest_of_those_that_apply_counts(house: House) -> None:
    hold(house, "ANA10", hold_days=30)
    hold(house, product="Mug", reason="Mugs break.")
    hold(house, category="Garden", hold_days=30, reason="Plants die.")
    sell(house, "mug", "ANA10", product="mug")
    sell(house, "other", "ANA10", product="Plate", category="Kitchen")
    sell(house, "tree", "BEA10", category="garden")
    sell(house, "plain", "BEA10")
    house.rate(MARCH_5)
    assert [ready(name) for name in ("mug", "other", "tree", "plain")] == [
        AFTER_60,
        AFTER_30,
        AFTER_30,
        USUAL,
    ]


def test_all_that_a_longer_hold_names_has_to_be_met(house: House) -> None:
    hold(house, "ANA10", product="Mug")
    sell(house, "his-mug", "ANA10", product="Mug")
    sell(house, "his-plate", "ANA10", product="Plate")
    sell(house, "her-mug", "BEA10", product="Mug")
    house.rate(MARCH_5)
    assert [ready(name) for name in ("his-mug", "his-plate", "her-mug")] == [AFTER_60, USUAL, USUAL]


def test_it_counts_when_something_happened_and_not_when_it_was_computed(house: House) -> None:
    reserve = hold(house, "ANA10", starts_at=MARCH_2, at=MARCH_1)
    sell(house, "before", "ANA10", at=MARCH_1)
    sell(house, "during", "ANA10", at=MARCH_2)
    house.rate(MARCH_2)
    reserves.end(reserve, by=fiona(), at=MARCH_5)
    sell(house, "late", "ANA10", at=MARCH_2)
    sell(house, "after", "ANA10", at=MARCH_5)
    house.rate(MARCH_5)
    assert ready("before") == datetime(2026, 3, 15, tzinfo=UTC)
    assert ready("during") == ready("late") == AFTER_60
    assert ready("after") == datetime(2026, 3, 19, tzinfo=UTC)


def test_the_reversal_of_a_sale_held_longer_waits_with_it(house: House) -> None:
    hold(house, "ANA10")
    sell(house, "a", "ANA10")
    house.rate(MARCH_2)
    house.refund("r", "100.00", "", MARCH_5, of="a")
    house.rate(MARCH_5)
    assert ready("r") == AFTER_60


def test_a_recruiter_waits_as_long_as_the_sale_it_earns_on(house: House) -> None:
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=MARCH_1)
    params = {"levels": ["10"], "override_of": "commission"}
    Rule.objects.create(
        version=version, key="up", name="Up", kind="override", rate=0, position=2, params=params
    )
    publishing.publish(version, effective_at=MARCH_1, by=ada(), at=MARCH_1)
    house.recruit("ANA10", by="BEA10", at=MARCH_1)
    hold(house, "ANA10", hold_days=30)
    sell(house, "a", "ANA10")
    house.rate(MARCH_2)
    waits = Commission.objects.filter(conversion__external_id="a").values_list("kind", "payable_at")
    assert set(waits) == {("earned", AFTER_30), ("override", AFTER_30)}


def test_the_line_says_why_it_waits_longer(house: House) -> None:
    hold(house, "ANA10")
    sell(house, "a", "ANA10")
    house.rate(MARCH_5)
    found = readable(Commission.objects.all()).get()
    steps = [step.what for step in explain(found, at=MARCH_5).steps]
    assert f"Commission computed, on hold for 60 days instead of 14: {WHY}" in steps


def test_a_correction_waits_as_long_as_its_sale_would(house: House) -> None:
    hold(house, "ANA10")
    sell(house, "a", "ANA10")
    house.rate(MARCH_2)
    sale = Conversion.objects.get()
    correct(sale, credits=[Share(house.members["BEA10"], Decimal(1))], by=ada(), reason="Hers.", at=MARCH_5)
    reconcile.reconcile_superseded([sale.pk], at=MARCH_5)
    house.rate(MARCH_5)
    lines = Commission.objects.order_by("pk").values_list("amount_minor", "payable_at")
    assert list(lines) == [(8_00, AFTER_60), (-8_00, AFTER_60), (8_00, USUAL)]
    assert [bool(line.because.get("hold")) for line in Commission.objects.order_by("pk")] == [
        True,
        True,
        False,
    ]


def test_a_batch_asks_once_whatever_it_holds(house: House) -> None:
    def asked(prefix: str) -> tuple[int, int]:
        for number in range(6):
            sell(house, f"{prefix}{number}", "ANA10", product=f"P{number}")
        with CaptureQueriesContext(connection) as queries:
            accrual.sweep(at=MARCH_5)
        about = [query for query in queries if '"payouts_reserve"' in query["sql"]]
        return len(queries), len(about)

    asked("warm")
    without, once = asked("none")
    assert once == 1
    for number in range(4):
        hold(house, product=f"P{number}")
    hold(house, "ANA10", hold_days=30)
    assert asked("some") == (without, 1)


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({}, reserves.AboutNothing, "membership"),
        ({"product": "Mug", "hold_days": 14}, reserves.NoLongerThanBefore, "hold_days"),
        ({"product": "Mug", "hold_days": 731}, reserves.NoLongerThanBefore, "hold_days"),
        ({"product": "Mug", "reason": " "}, reserves.NoReason, "reason"),
        ({"product": "M" * 101}, reserves.TooLongAName, "product"),
        (
            {"product": "Mug", "starts_at": datetime(2026, 2, 1, tzinfo=UTC)},
            reserves.StartsInThePast,
            "starts_at",
        ),
    ],
)
def test_a_longer_hold_that_makes_no_sense_is_refused(
    house: House, changes: dict[str, Any], refusal: type[Refused], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        hold(house, **changes)
    assert refused.value.field == field
    assert not Reserve.objects.exists()


def test_a_partner_of_another_program_is_refused(house: House) -> None:
    other = open_house(slug="other", entity=house.program.legal_entity)
    other.member("CEA10", at=MARCH_1)
    with pytest.raises(reserves.AnotherProgram):
        reserves.hold_longer(
            house.program,
            membership=other.members["CEA10"],
            hold_days=60,
            reason=WHY,
            by=fiona(),
            at=MARCH_1,
        )


def test_a_longer_hold_ends_once_and_one_that_never_began_never_applies(house: House) -> None:
    reserve = hold(house, "ANA10", starts_at=MARCH_5)
    reserves.end(reserve, by=fiona(), at=MARCH_2)
    sell(house, "a", "ANA10", at=datetime(2026, 3, 6, tzinfo=UTC))
    house.rate(datetime(2026, 3, 6, tzinfo=UTC))
    assert ready("a") == datetime(2026, 3, 20, tzinfo=UTC)
    with pytest.raises(reserves.EndedAlready):
        reserves.end(reserve, by=fiona(), at=datetime(2026, 3, 7, tzinfo=UTC))


def test_who_looks_after_partners_sets_no_longer_hold(house: House) -> None:
    with pytest.raises(policy.Forbidden):
        hold(house, "ANA10", by=mats())
    assert not Reserve.objects.exists()
