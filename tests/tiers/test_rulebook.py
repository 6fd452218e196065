"""Which version rates an event: the one negotiated with the partner, else the program's, else the one a newer version leaves to
those who came before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from prm.lib.money import Money
from tests.factories.tiers import PlanFactory, PlanVersionFactory, ProgramFactory, RuleFactory
from tests.people import ada
from tiers.engine.compute import prepare
from tiers.engine.facts import Event, Standing, Step, Window
from tiers.engine.reading import Unreadable
from tiers.models import Plan, PlanVersion
from tiers.rulebook import Edition, Rulebook, facts

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)  # version 1
APRIL = datetime(2026, 4, 1, tzinfo=UTC)  # version 2
JULY = datetime(2026, 7, 1, tzinfo=UTC)  # version 3
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)
MEMBER = "mem_anaprado"


@pytest.fixture
def plan() -> Plan:
    return PlanFactory.create(program=ProgramFactory.create(clawback_days=60))


def put(plan: Plan, number: int, at: datetime, **values: object) -> PlanVersion:
    """Put a published version in place whose one rule pays `number` percent."""
    version = PlanVersionFactory.create(plan=plan, number=number)
    RuleFactory.create(version=version, rate=Decimal(number))
    PlanVersion.objects.filter(pk=version.pk).update(
        state="superseded",
        effective_at=at,
        published_at=at,
        published_by=ada(),
        **values,
    )
    return PlanVersion.objects.get(pk=version.pk)


def three(plan: Plan, *, second: str = "nobody", third: str = "nobody") -> Rulebook:
    for number, at, keeps in ((1, JANUARY, "nobody"), (2, APRIL, second), (3, JULY, third)):
        put(plan, number, at, grandfather=keeps)
    return Rulebook.load([plan.program_id])


def number(book: Rulebook, plan: Plan, at: datetime, **who: object) -> int | None:
    found = book.plan_for(plan.program_id, at, **who)  # type: ignore[arg-type]
    return found.version_number if found else None


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (JANUARY - SECOND, None),
        (JANUARY, 1),
        (APRIL - SECOND, 1),
        (APRIL, 2),
        (JULY - SECOND, 2),
        (JULY, 3),
        (AUGUST, 3),
    ],
)
def test_each_version_is_in_force_until_the_next_begins(
    plan: Plan, at: datetime, expected: int | None
) -> None:
    book = three(plan)
    assert number(book, plan, at) == expected
    # Without a word about it, nobody keeps an older version.
    assert number(book, plan, at, joined_at=ALWAYS, customer_since=ALWAYS) == expected


# What versions 2 and 3 say, when the partner joined, and the version in August.
JOINED = [
    (
        "nobody",
        "memberships",
        APRIL - SECOND,
        2,
    ),  # version 2 took everybody along, version 3 leaves them there
    ("nobody", "memberships", APRIL, 2),
    ("nobody", "memberships", JULY - SECOND, 2),
    ("nobody", "memberships", JULY, 3),
    ("memberships", "nobody", ALWAYS, 3),  # version 3 takes everybody along
    ("memberships", "memberships", ALWAYS, 1),  # before there was a version
    ("memberships", "memberships", JANUARY, 1),
    ("memberships", "memberships", APRIL - SECOND, 1),
    ("memberships", "memberships", APRIL, 2),
    ("memberships", "memberships", JULY - SECOND, 2),
    ("memberships", "memberships", JULY, 3),
    ("memberships", "memberships", None, 3),
    ("customers", "memberships", APRIL - SECOND, 2),  # version 2 asks for the customer, and nobody knows one
]


@pytest.mark.parametrize(("second", "third", "joined_at", "expected"), JOINED)
def test_a_partner_keeps_the_version_it_joined_under(
    plan: Plan, second: str, third: str, joined_at: datetime | None, expected: int
) -> None:
    book = three(plan, second=second, third=third)
    assert number(book, plan, AUGUST, joined_at=joined_at) == expected


BOUGHT = [
    ("nobody", "customers", APRIL - SECOND, 2),
    ("nobody", "customers", JULY - SECOND, 2),
    ("nobody", "customers", JULY, 3),
    ("customers", "nobody", ALWAYS, 3),
    ("customers", "customers", ALWAYS, 1),
    ("customers", "customers", APRIL - SECOND, 1),
    ("customers", "customers", APRIL, 2),
    ("customers", "customers", JULY, 3),
    ("customers", "customers", None, 3),  # a customer's first sale, or one nobody knows
]


@pytest.mark.parametrize(("second", "third", "customer_since", "expected"), BOUGHT)
def test_a_customer_keeps_the_version_of_its_first_sale(
    plan: Plan, second: str, third: str, customer_since: datetime | None, expected: int
) -> None:
    book = three(plan, second=second, third=third)
    assert number(book, plan, AUGUST, customer_since=customer_since, joined_at=ALWAYS) == expected


def test_version_three_may_ask_for_customers_and_version_two_for_partners(plan: Plan) -> None:
    book = three(plan, second="memberships", third="customers")
    old_partner = {"joined_at": APRIL - SECOND}
    assert number(book, plan, AUGUST, customer_since=APRIL, **old_partner) == 1
    assert number(book, plan, AUGUST, customer_since=JULY, **old_partner) == 3
    assert number(book, plan, AUGUST, customer_since=APRIL, joined_at=APRIL) == 2


DOCUMENTED = Path(__file__).parents[2] / "docs" / "algorithms" / "versions.md"


def documented() -> list[list[str]]:
    """Return the rows of the page's table of worked cases."""
    table = DOCUMENTED.read_text().split("| version 2 keeps |")[1].split("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


def moment(text: str) -> datetime | None:
    return None if text == "–" else datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("row", documented(), ids=" ".join)
def test_the_page_about_versions_is_right(plan: Plan, row: list[str]) -> None:
    second, third, joined, since, expected = row
    book = three(plan, second=second, third=third)
    found = number(book, plan, AUGUST, joined_at=moment(joined), customer_since=moment(since))
    assert found == int(expected)


@pytest.mark.parametrize(
    ("at", "who", "expected"),
    [
        (APRIL - SECOND, MEMBER, 1),
        (APRIL, MEMBER, 8),
        (JULY - SECOND, MEMBER, 8),
        (JULY, MEMBER, 9),
        (AUGUST, "mem_other", 3),
        (AUGUST, "", 3),
    ],
)
def test_what_was_negotiated_wins_for_its_partner_only(
    plan: Plan, at: datetime, who: str, expected: int
) -> None:
    put(plan, 8, APRIL, member_key=MEMBER)
    put(plan, 9, JULY, member_key=MEMBER)
    assert number(three(plan), plan, at, member_key=who, joined_at=ALWAYS) == expected


def test_a_negotiated_version_can_leave_older_customers_where_they_were(plan: Plan) -> None:
    put(plan, 8, APRIL, member_key=MEMBER, grandfather="customers")
    book = three(plan)
    for since, expected in ((APRIL - SECOND, 3), (APRIL, 8), (None, 8)):
        assert number(book, plan, AUGUST, member_key=MEMBER, customer_since=since) == expected


def test_drafts_and_proposals_rate_nothing(plan: Plan) -> None:
    put(plan, 1, JANUARY)
    PlanVersionFactory.create(plan=plan, number=2, effective_at=APRIL)
    PlanVersionFactory.create(
        plan=plan,
        number=3,
        effective_at=APRIL,
        state="proposed",
        member_key=MEMBER,
        proposed_at=JANUARY,
        proposed_by=ada(),
    )
    assert number(Rulebook.load([plan.program_id]), plan, AUGUST, member_key=MEMBER) == 1


def test_a_book_tries_a_draft_without_changing(plan: Plan) -> None:
    book = three(plan, third="memberships")
    draft = PlanVersionFactory.create(plan=plan, number=4)
    RuleFactory.create(version=draft)
    tried = book.tried_with(plan.program_id, Edition(facts(draft, effective_at=APRIL)))
    assert [number(tried, plan, at, joined_at=ALWAYS) for at in (APRIL - SECOND, APRIL, AUGUST)] == [1, 4, 4]
    assert number(book, plan, AUGUST, joined_at=ALWAYS) == 2
    assert {each.version_number for each in tried.plans(plan.program_id)} == {1, 4}


def test_a_version_carries_everything_the_engine_asks_for(plan: Plan) -> None:
    version = PlanVersionFactory.create(
        plan=plan,
        number=1,
        deducts=["tax"],
        excluded_products=["POST"],
        excluded_categories=["gift-card"],
    )
    RuleFactory.create(
        version=version,
        kind="graduated",
        rate=0,
        params={
            "steps": [{"from": 0, "rate": "5"}, {"from": 10_000_00, "rate": "7.5"}],
            "window": {"kind": "quarter"},
        },
        conditions={"tests": [{"attribute": "category", "operator": "=", "values": ["pens"]}]},
    )
    read = facts(version, effective_at=JANUARY)
    assert (read.deducts, read.excluded_products) == (frozenset({"tax"}), frozenset({"POST"}))
    assert (read.excluded_categories, read.clawback_days) == (frozenset({"gift-card"}), 60)
    assert read.time_zone == "Europe/London"
    rule = read.rules[0]
    assert rule.steps == (Step(0, Decimal("0.05")), Step(10_000_00, Decimal("0.075")))
    assert (rule.window, rule.specificity) == (Window("quarter"), 2)


def test_a_draft_without_a_date_and_a_rule_that_makes_no_sense_are_not_read(plan: Plan) -> None:
    version = PlanVersionFactory.create(plan=plan, number=1)
    RuleFactory.create(version=version, kind="graduated", rate=0)
    with pytest.raises(ValueError, match="no date of effect"):
        facts(version)
    with pytest.raises(Unreadable, match="steps"):
        facts(version, effective_at=JANUARY)


def condition(attribute: str, value: str) -> dict[str, object]:
    return {"tests": [{"attribute": attribute, "operator": "=", "values": [value]}]}


def test_the_most_specific_rule_wins_then_the_first_position(plan: Plan) -> None:
    """Deal before partner before product before tier before everybody; a percentage is never compared with an amount."""
    version = PlanVersionFactory.create(plan=plan, number=1)
    rows: list[tuple[str, dict[str, object]]] = [
        ("default", {}),
        ("default-later", {}),
        ("tier", {"tier_keys": ["gold"]}),
        ("product", {"conditions": condition("product", "PEN")}),
        ("partner", {"conditions": condition("partner", MEMBER)}),
        ("deal", {"conditions": condition("deal", "D-1"), "kind": "flat", "rate": 0, "flat_minor": 1}),
    ]
    for position, (key, values) in enumerate(rows, start=1):
        RuleFactory.create(version=version, key=key, position=position, **values)
    plan_facts = facts(version, effective_at=JANUARY)
    in_order = [rule.key for rule in plan_facts.rules]
    assert in_order == ["deal", "partner", "product", "tier", "default", "default-later"]
    rater = prepare(plan_facts)

    def winner(*, deal: str = "", member: str = "", product: str = "", tier: str = "") -> str:
        event = Event("o", "sale", APRIL, Money(100_00, "GBP"), product=product, deal=deal)
        return rater.select(event, Standing(tier, membership=member))[0][0].key

    everything = {"deal": "D-1", "member": MEMBER, "product": "PEN", "tier": "gold"}
    assert winner(**everything) == "deal"  # it pays a penny, and still it is what was agreed
    for without, expected in (
        ("deal", "partner"),
        ("member", "product"),
        ("product", "tier"),
        ("tier", "default"),
    ):
        del everything[without]
        assert winner(**everything) == expected
