from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from payouts.models import Commission
from payouts.simulator import BadOrder, NothingInForce, UnknownMembership, simulate
from prm.lib.money import Money
from referrals.models import Conversion
from tests.desk import at_desk, words
from tests.factories.partners import MembershipFactory, PlacementFactory
from tests.factories.tiers import PlanVersionFactory, ProgramFactory, RuleFactory, TierFactory, published_plan
from tests.house import START, open_house
from tests.people import ada, fiona, mats
from tiers.models import PlanVersion, Program

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def program() -> Program:
    """Five percent and 2.00 for everybody; nine percent in the Gold tier."""
    program = ProgramFactory.create(name="Affiliates", slug="affiliates")
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    TierFactory.create(program=program, key="gold", name="Gold", rank=2)
    published_plan(
        program,
        {"kind": "percent_plus_flat", "rate": "5", "flat_minor": 200, "name": "Every order"},
        {"kind": "percent", "rate": "9", "name": "Gold orders", "tier_keys": ["gold"]},
        by=ada(),
    )
    return program


def draft_paying(program: Program, percent: str) -> PlanVersion:
    version = PlanVersionFactory.create(plan=program.plan, number=2)
    RuleFactory.create(version=version, key="draft", name="Draft", rate=Decimal(percent))
    return version


def test_an_order_earns_what_the_rule_in_force_pays(program: Program) -> None:
    found = simulate(program, {"amount": "418.00"}, at=NOW)
    assert found.amount == Money(22_90, "GBP")  # 5 % of 418.00 is 20.90, and 2.00 on top
    assert found.because["outcome"] == "lines"
    assert found.plan.version_number == 1


def test_the_text_is_what_the_partner_would_read(program: Program) -> None:
    lines = simulate(program, {"amount": "418.00"}, at=NOW).text.splitlines()
    assert lines[0] == "Commission by “Every order”"
    assert lines[1] == "Order total: £418.00"
    assert any("£20.90" in line for line in lines)
    assert lines[-1] == "Commission: £22.90"


def test_rows_that_count_add_up_to_the_amount(program: Program) -> None:
    [line] = simulate(program, {"amount": "123.45"}, at=NOW).lines
    total = sum(row.amount.minor for row in line.rows if row.counts and row.amount is not None)
    assert total == line.amount.minor == 6_17 + 2_00  # 6.1725 rounded, and 2.00


def test_a_draft_can_be_tried_and_nothing_is_written(program: Program) -> None:
    found = simulate(program, {"amount": "100.00"}, version=draft_paying(program, "12"), at=NOW)
    assert found.amount == Money(12_00, "GBP")
    assert not Commission.objects.exists()
    assert not Conversion.objects.exists()


def test_a_membership_brings_its_tier_of_the_day(program: Program) -> None:
    membership = MembershipFactory.create(program=program, joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    june = datetime(2026, 6, 1, tzinfo=UTC)
    start, gold = program.tiers.get(key="start"), program.tiers.get(key="gold")
    PlacementFactory.create(membership=membership, tier=start, ends_at=june)
    PlacementFactory.create(membership=membership, tier=gold, starts_at=june)
    facts = {"amount": "100.00", "partner": membership.public_id}
    assert simulate(program, {**facts, "occurred_on": "2026-06-02"}, at=NOW).amount == Money(9_00, "GBP")
    assert simulate(program, {**facts, "occurred_on": "2026-05-31"}, at=NOW).amount == Money(7_00, "GBP")
    said = {**facts, "occurred_on": "2026-06-02", "tier": "start"}
    assert simulate(program, said, at=NOW).amount == Money(7_00, "GBP")


def test_what_was_agreed_with_a_partner_is_for_that_partner(program: Program) -> None:
    membership = MembershipFactory.create(program=program, joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    agreed = draft_paying(program, "20")
    PlanVersion.objects.filter(pk=agreed.pk).update(
        member_key=membership.public_id,
        state="published",
        effective_at=NOW.replace(month=6),
        published_at=NOW.replace(month=6),
        published_by=ada(),
    )
    mine = simulate(program, {"amount": "100.00", "partner": membership.public_id}, at=NOW)
    assert mine.amount == Money(20_00, "GBP")
    assert simulate(program, {"amount": "100.00"}, at=NOW).amount == Money(7_00, "GBP")


def test_what_the_books_of_a_membership_hold_counts() -> None:
    house = open_house(percent="8")
    member = house.member("ANA", at=START)
    steps = [{"from": 0, "rate": "5"}, {"from": 1_000_00, "rate": "10"}]
    published_plan(
        house.program,
        {
            "key": "steps",
            "kind": "graduated",
            "rate": 0,
            "params": {"window": {"kind": "month"}, "steps": steps},
        },
        by=ada(),
        at=NOW.replace(day=1),
    )
    house.sale("one", "950.00", "ANA", NOW.replace(day=10))
    house.rate(NOW.replace(day=10))
    facts = {"amount": "100.00", "partner": member.public_id, "occurred_on": "2026-11-22"}
    # the month holds 950.00: 50.00 more at 5 % is 2.50, and 50.00 at 10 % is 5.00
    assert simulate(house.program, facts, at=NOW).amount == Money(7_50, "GBP")
    assert simulate(house.program, {**facts, "before": "0"}, at=NOW).amount == Money(5_00, "GBP")
    assert simulate(house.program, {**facts, "occurred_on": "2026-12-01"}, at=NOW).amount == Money(
        5_00, "GBP"
    )
    before = Commission.objects.count()
    draft = PlanVersionFactory.create(plan=house.program.plan, number=3)
    higher = [{"from": 0, "rate": "6"}, {"from": 1_000_00, "rate": "20"}]
    RuleFactory.create(
        version=draft,
        key="steps",
        kind="graduated",
        rate=0,
        params={"window": {"kind": "month"}, "steps": higher},
    )
    # the draft goes on from what the version before it counted: 3.00 and 10.00
    assert simulate(house.program, facts, version=draft, at=NOW).amount == Money(13_00, "GBP")
    assert Commission.objects.count() == before


@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"amount": "ten"}, BadOrder, "amount"),
        ({"amount": "1.005"}, BadOrder, "amount"),
        ({"amount": "1", "tier": "platinum"}, BadOrder, "tier"),
        ({"amount": "1", "colour": "red"}, BadOrder, "colour"),
        ({"amount": "1", "occurred_on": "tomorrow"}, BadOrder, "occurred_on"),
        ({"amount": "1", "deductions": {"tax": "2"}}, BadOrder, None),
        ({"amount": "1", "partner": "mem_unknown"}, UnknownMembership, "partner"),
        ({"amount": "1", "occurred_on": "2019-12-31"}, NothingInForce, "occurred_on"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_by_field(
    program: Program, facts: dict[str, Any], refusal: type[Exception], field: str | None
) -> None:
    with pytest.raises(refusal) as caught:
        simulate(program, facts, at=NOW)
    assert getattr(caught.value, "field", None) == field


URL = "admin:payouts_simulator"
ORDER = {"program": "affiliates", "kind": "sale", "amount": "418.00", "quantity": "1"}


@pytest.mark.parametrize("who", [ada, mats, fiona])
def test_all_staff_try_orders_and_read_the_explanation(program: Program, who: Any) -> None:
    text = words(at_desk(who()).get(reverse(URL), ORDER))
    assert "£22.90" in text
    assert "Order total £418.00" in text
    assert "Nothing is booked by trying" in text


def test_the_page_tries_a_draft_by_its_address(program: Program) -> None:
    version = draft_paying(program, "12")
    page = at_desk(ada()).get(reverse(URL), {**ORDER, "version": version.public_id})
    assert "£50.16" in words(page)  # 12 % of 418.00
    assert f'<option value="{version.public_id}" selected>' in page.content.decode()
    bare = at_desk(ada()).get(reverse(URL), {"program": "affiliates", "version": version.public_id})
    assert f'<option value="{version.public_id}" selected>' in bare.content.decode()
    assert "Describe an order." in words(bare)


def test_prior_volume_counts_in_what_a_window_holds(program: Program) -> None:
    version = PlanVersionFactory.create(plan=program.plan, number=2)
    RuleFactory.create(
        version=version,
        key="steps",
        kind="graduated",
        rate=0,
        params={
            "window": {"kind": "month"},
            "steps": [{"from": 0, "rate": "5"}, {"from": 1_000_00, "rate": "10"}],
        },
    )
    asked = {**ORDER, "amount": "100.00", "before_revenue": "950.00", "version": version.public_id}
    # 50.00 at 5 % is 2.50, and 50.00 at 10 % is 5.00
    assert "£7.50" in words(at_desk(ada()).get(reverse(URL), asked))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"amount": "ten"}, "Write an amount such as 2.00"),
        ({"partner": "mem_nobody"}, "no membership of this program with this id"),
        ({"occurred_on": "2019-12-31"}, "No version was in force on this day."),
        ({"version": "plv_of_another"}, "is not one of the available choices"),
    ],
)
def test_what_cannot_be_tried_is_named_beside_its_field(
    program: Program, changed: dict[str, str], said: str
) -> None:
    page = at_desk(ada()).get(reverse(URL), {**ORDER, **changed})
    assert said in words(page)
    [name] = changed
    assert f'href="#try_{name}"' in page.content.decode()
    assert b"<title>Error:" in page.content


def test_an_order_that_earns_nothing_says_why(program: Program) -> None:
    version = draft_paying(program, "12")
    version.rules.update(countries=["DE"])
    text = words(at_desk(ada()).get(reverse(URL), {**ORDER, "country": "FR", "version": version.public_id}))
    assert "£0.00" in text
    assert "No rule covers it." in text
    assert "Rules that did not apply" in text


def test_the_page_suggests_the_partners_of_the_program_by_name(program: Program) -> None:
    member = MembershipFactory.create(program=program, partner__name="Orchard Reviews")
    MembershipFactory.create(partner__name="Somebody Else")
    page = at_desk(mats()).get(reverse("admin:payouts_simulator"), {"program": program.slug}).content.decode()
    assert f'<option value="{member.public_id}">Orchard Reviews</option>' in page
    assert "Somebody Else" not in page


def test_a_house_without_programs_has_nothing_to_try() -> None:
    assert "No program yet" in words(at_desk(ada()).get(reverse(URL)))
