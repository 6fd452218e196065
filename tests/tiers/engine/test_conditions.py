"""Whether a rule applies: each attribute and operator once met and once not, missing values, groups, roles and exclusions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from prm.lib.money import Money
from tests.tiers.engine.facts import AT, flat, percent, plan, refund, sale
from tiers.engine import Event, RuleFacts, Standing
from tiers.engine.attributes import ATTRIBUTES, FITTING, OPERATORS, attribute_of, day_of, number_of
from tiers.engine.conditions import WhyNot, excluded, situation, why_not, why_not_groups
from tiers.engine.facts import Group
from tiers.engine.facts import Test as Condition

LONDON = ZoneInfo("Europe/London")
ANA = Standing(
    "gold",
    "Gold",
    membership="mem_ana",
    partner_country="GB",
    partnership_type="affiliate",
    tags=frozenset({"Coffee", "top"}),
)
ORDER = sale(
    "75.00",
    product="Lamp-12",
    category="Lighting",
    quantity=3,
    country="fr",
    code="ANA10",
    link="lnk_1",
    sub_id="spring/blog",
    deal="dea_7",
    customer="C1",
    customer_since=datetime(2026, 1, 31, 12, tzinfo=UTC),
    attributes={"plan": "Annual", "seats": 12, "trial": False, "weight": "2.5"},
)


def a_test(attribute: str, operator: str, *values: str) -> Condition:
    return Condition(attribute, operator, values)


def asked(
    *tests: Condition | Group, event: Event = ORDER, standing: Standing = ANA, join: Any = "all"
) -> WhyNot | None:
    rule = percent("0.1", conditions=Group(join, tests))
    return why_not_groups(rule, event, standing, LONDON)


MET = [
    ("kind", "=", "sale"),
    ("kind", "in", "renewal", "SALE"),
    ("kind", "!=", "renewal"),
    ("product", "=", "lamp-12"),
    ("product", "in", "POST", "LAMP-12"),
    ("product", "not_in", "POST", "D"),
    ("product", "!=", "lamp"),
    ("product", "starts_with", "LAMP"),
    ("product", "ends_with", "-12"),
    ("product", "contains", "amp"),
    ("product", "not_contains", "desk"),
    ("category", "=", "lighting"),
    ("amount", "=", "75"),
    ("amount", "!=", "75.01"),
    ("amount", "<", "75.01"),
    ("amount", "<=", "75.00"),
    ("amount", ">", "74.99"),
    ("amount", ">=", "75.00"),
    ("quantity", "=", "3"),
    ("quantity", "in", "1", "3"),
    ("quantity", ">=", "3"),
    ("currency", "=", "gbp"),
    ("country", "=", "FR"),
    ("country", "in", "es", "fr"),
    ("country", "not_in", "ES", "PT"),
    ("customer_type", "=", "returning"),
    ("customer_age_months", "=", "9"),  # 31 January to 2 November: 31 October was nine months
    ("customer_age_months", "<", "10"),
    ("code", "starts_with", "ana"),
    ("link", "=", "lnk_1"),
    ("sub_id", "contains", "blog"),
    ("deal", "=", "dea_7"),
    ("partner", "in", "mem_ana", "mem_bo"),
    ("partner_country", "=", "gb"),
    ("partnership_type", "=", "affiliate"),
    ("tier", "not_in", "silver"),
    ("tag", "=", "coffee"),
    ("tag", "in", "tea", "TOP"),
    ("tag", "not_in", "tea"),
    ("date", "=", "2026-11-02"),
    ("date", ">=", "2026-11-02"),
    ("date", "<", "2026-11-03"),
    ("role", "=", "sourced"),
    ("attribute:plan", "=", "annual"),
    ("attribute:plan", "contains", "nn"),
    ("attribute:seats", "=", "12"),
    ("attribute:seats", "=", "12.0"),
    ("attribute:seats", ">", "9"),  # as numbers: as texts "12" comes before "9"
    ("attribute:seats", "starts_with", "1"),
    ("attribute:trial", "=", "no"),
    ("attribute:trial", "!=", "yes"),
    ("attribute:weight", "<=", "2.50"),
]


@pytest.mark.parametrize("test", MET)
def test_a_condition_that_is_met_says_nothing(test: tuple[str, ...]) -> None:
    assert asked(a_test(*test)) is None


@pytest.mark.parametrize(
    ("test", "found"),
    [
        (("kind", "=", "renewal"), "sale"),
        (("product", "in", "POST", "D"), "Lamp-12"),
        (("product", "not_in", "POST", "LAMP-12"), "Lamp-12"),
        (("product", "not_contains", "AMP"), "Lamp-12"),
        (("product", "ends_with", "13"), "Lamp-12"),
        (("amount", ">=", "75.01"), "75.00"),
        (("amount", "!=", "75"), "75.00"),
        (("quantity", "<", "3"), "3"),
        (("quantity", "not_in", "3"), "3"),
        (("country", "!=", "FR"), "fr"),
        (("customer_type", "=", "new"), "returning"),
        (("customer_age_months", ">=", "10"), "9"),
        (("tag", "!=", "TOP"), "Coffee, top"),
        (("tag", "=", "tea"), "Coffee, top"),
        (("date", ">", "2026-11-02"), "2026-11-02"),
        (("attribute:plan", ">", "5"), "Annual"),  # a text without a number has no order
        (("attribute:trial", "=", "yes"), "no"),
        (("attribute:trial", ">", "0"), "no"),
        (("attribute:seats", "=", "twelve"), "12"),
    ],
)
def test_a_condition_that_is_not_met_says_what_was_wanted_and_found(
    test: tuple[str, ...], found: str
) -> None:
    attribute, operator, *values = test
    assert asked(a_test(*test)) == WhyNot("condition", (attribute, operator, ", ".join(values)), found)


BARE = Event("o", "signup", AT, Money(0, "GBP"))
NOBODY = Standing("")
CAN_BE_MISSING = [
    "product",
    "category",
    "country",
    "customer_type",
    "customer_age_months",
    "code",
    "link",
    "sub_id",
    "deal",
    "partner",
    "partner_country",
    "partnership_type",
    "tier",
    "tag",
    "attribute:plan",
]


@pytest.mark.parametrize("attribute", CAN_BE_MISSING)
def test_what_is_missing_meets_only_what_is_said_in_the_negative(attribute: str) -> None:
    known = attribute_of(attribute)
    assert known is not None
    met = {
        operator
        for operator in known.operators
        if asked(a_test(attribute, operator, "1"), event=BARE, standing=NOBODY) is None
    }
    assert met == {"!=", "not_in", "not_contains"} & set(known.operators)
    why = asked(a_test(attribute, "=", "1"), event=BARE, standing=NOBODY)
    assert why == WhyNot("condition", (attribute, "=", "1"), "")


@pytest.mark.parametrize(
    ("since", "kind", "age"),
    [
        (None, "new", "0"),
        (AT, "new", "0"),
        # The event is at 09:30 in London, which is 08:30 UTC in the summer time of 2 October.
        (datetime(2026, 10, 2, 8, 30, tzinfo=UTC), "returning", "1"),
        (datetime(2026, 10, 2, 8, 31, tzinfo=UTC), "returning", "0"),
    ],
)
def test_a_customer_is_new_at_the_first_sale_and_ages_by_the_programs_calendar(
    since: datetime | None, kind: str, age: str
) -> None:
    event = sale("10.00", customer="C1", customer_since=since)
    assert asked(a_test("customer_type", "=", kind), event=event) is None
    assert asked(a_test("customer_age_months", "=", age), event=event) is None


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", "2026-10-31"), ("Europe/Paris", "2026-11-01"), ("Asia/Tokyo", "2026-11-01")]
)
def test_a_date_is_the_programs_own(zone: str, day: str) -> None:
    event = sale("10.00", occurred_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    rule = percent("0.1", conditions=Group("all", (a_test("date", "=", day),)))
    assert why_not_groups(rule, event, ANA, ZoneInfo(zone)) is None


@pytest.mark.parametrize(
    ("amount", "currency", "value", "is_met"),
    [(5000, "JPY", "5000", True), (5000, "GBP", "50.00", True), (50000, "KWD", "50", True)],
)
def test_an_amount_is_compared_in_whole_units_of_its_currency(
    amount: int, currency: str, value: str, is_met: bool
) -> None:
    event = Event("o", "sale", AT, Money(amount, currency))
    assert (asked(a_test("amount", "=", value), event=event) is None) is is_met
    assert (asked(a_test("amount", "<", value), event=event) is None) is not is_met


FRENCH, BIG, LAMPS = (
    a_test("country", "=", "FR"),
    a_test("amount", ">", "100"),
    a_test("category", "=", "lighting"),
)


def test_all_of_a_group_must_be_met_and_the_first_that_is_not_is_named() -> None:
    assert asked(FRENCH, LAMPS) is None
    assert asked(FRENCH, BIG, LAMPS) == WhyNot("condition", ("amount", ">", "100"), "75.00")


def test_one_of_a_group_is_enough_when_any_will_do() -> None:
    assert asked(BIG, LAMPS, join="any") is None
    spanish = a_test("country", "=", "ES")
    why = asked(BIG, spanish, join="any")
    assert why == WhyNot("no_condition", ("amount > 100", "country = ES"), "")


def test_groups_nest_once() -> None:
    big_or_lamp = Group("any", (BIG, LAMPS))
    assert asked(FRENCH, big_or_lamp) is None
    big_and_lamp = Group("all", (BIG, LAMPS))
    assert asked(FRENCH, big_and_lamp) == WhyNot("condition", ("amount", ">", "100"), "75.00")
    spanish = a_test("country", "=", "ES")
    assert asked(spanish, big_or_lamp, join="any") is None
    why = asked(spanish, big_and_lamp, join="any")
    assert why == WhyNot("no_condition", ("country = ES", "amount > 100 and category = lighting"), "")


@pytest.mark.parametrize("join", ["all", "any"])
def test_no_conditions_are_met_by_everything(join: Any) -> None:
    assert asked(join=join) is None
    assert asked(Group(join, ()), join=join) is None


def test_a_refund_without_its_sale_meets_what_a_sale_would() -> None:
    back = refund("75.00", product="Lamp-12")
    assert asked(a_test("kind", "=", "sale"), event=back) is None
    assert asked(a_test("kind", "=", "refund"), event=back) is None
    assert asked(a_test("kind", "!=", "sale"), event=back) is not None
    assert asked(a_test("kind", "=", "renewal"), event=back) is not None


PARTICIPATION = flat("5.00", kind="participation")
OVERRIDE = percent("0", kind="override", levels=())


@pytest.mark.parametrize(
    ("rule", "role", "depth", "why"),
    [
        (percent("0.1"), "sourced", 0, None),
        (percent("0.1"), "influenced", 0, None),
        (percent("0.1"), "assisted", 0, WhyNot("other_role", (), "assisted")),
        (PARTICIPATION, "assisted", 0, None),
        (PARTICIPATION, "sourced", 0, WhyNot("other_role", ("assisted",), "sourced")),
        (OVERRIDE, "sourced", 0, WhyNot("other_level", ("recruiter",), "seller")),
        (OVERRIDE, "sourced", 1, None),
        (percent("0.1"), "sourced", 1, WhyNot("other_level", ("seller",), "recruiter")),
        (flat("50.00", kind="retainer"), "sourced", 0, WhyNot("month_model", (), "sale")),
    ],
)
def test_assists_and_recruiters_meet_only_their_own_rules(
    rule: RuleFacts, role: str, depth: int, why: WhyNot | None
) -> None:
    now = situation(sale("10.00", role=role), Standing("gold", depth=depth))
    assert why_not(rule, now) == why


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (sale("18.00", product="post"), WhyNot("excluded_product", (), "post")),
        (sale("18.00", product="POSTER"), None),
        (sale("18.00", category="FEES"), WhyNot("excluded_category", (), "FEES")),
        (sale("18.00"), None),
        (refund("18.00", product="D"), WhyNot("excluded_product", (), "D")),
    ],
)
def test_a_plan_pays_nothing_for_what_it_excludes(event: Event, why: WhyNot | None) -> None:
    terms = plan(
        percent("0.1"),
        excluded_products=frozenset({"POST", "D"}),
        excluded_categories=frozenset({"fees"}),
    )
    assert excluded(terms, event) == why
    assert excluded(plan(percent("0.1")), event) is None


def test_every_attribute_can_be_asked_with_every_operator_that_fits_it() -> None:
    samples = {"amount": "10.00", "number": "1", "date": "2026-01-01"}
    for attribute in (*ATTRIBUTES.values(), attribute_of("attribute:seats")):
        assert attribute is not None
        value = samples.get(attribute.type, "1")
        for operator in attribute.operators:
            opposite = {"=": "!=", "in": "not_in", "contains": "not_contains", "<": ">=", ">": "<="}
            met = asked(a_test(attribute.key, operator, value)) is None
            if operator in opposite and attribute.key != "attribute:seats":
                assert met is not (asked(a_test(attribute.key, opposite[operator], value)) is None)
    assert {operator for fitting in FITTING.values() for operator in fitting} == set(OPERATORS)


def test_nothing_unknown_can_be_asked() -> None:
    assert attribute_of("weather") is None
    assert attribute_of("attribute:") is None
    with pytest.raises(ValueError, match="weather"):
        asked(a_test("weather", "=", "fine"))


@pytest.mark.parametrize("text", ["1e3", "٣", "1,5", "", " 1", "1.0000001", "+1", "NaN", "1\n"])
def test_a_number_is_plain_digits(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize("text", ["20261122", "2026-W47-7", "2026-11-31", "22.11.2026", ""])
def test_a_day_is_written_one_way(text: str) -> None:
    assert day_of(text) is None
