"""Every kind of rule, every condition and every limit says itself in plain words; the words name the figures of the rule."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from prm.lib.money import Money
from tests.tiers.engine.facts import plan
from tiers.engine import RuleFacts
from tiers.engine.attributes import ATTRIBUTES
from tiers.engine.facts import Group, Limits, Recurring, Step, Window
from tiers.engine.facts import Test as Condition
from tiers.engine.reading import KINDS
from tiers.sentences import conditions_sentence, plan_sentence, rule_sentence, rule_text

NAMES = {"gold": "Gold", "silver": "Silver", "mem_ana": "Ana's Coffee"}


def rule(kind: Any = "percent", rate: str = "0", flat: int | None = None, **facts: Any) -> RuleFacts:
    money = None if flat is None else Money(flat, "GBP")
    return RuleFacts("r", "Rule", 1, kind, Decimal(rate), money, **facts)


def said(of: RuleFacts) -> str:
    return rule_sentence(of, currency="GBP", locale="en_GB", names=NAMES)


def steps(*rows: tuple[int, str, int]) -> tuple[Step, ...]:
    return tuple(Step(start, Decimal(rate), flat) for start, rate, flat in rows)


LADDER = steps((0, "0.1", 0), (100000, "0.12", 0), (500000, "0.15", 0))
PIECES = steps((0, "0", 100), (10, "0", 200), (50, "0", 300))
SALES = frozenset({"sale"})
QUARTER, YEAR = Window("quarter"), Window("year")

KIND_TABLE: list[tuple[RuleFacts, str]] = [
    (rule(rate="0.15"), "15% of every order."),
    (
        rule(rate="0.125", event_kinds=frozenset({"sale", "renewal"})),
        "12.5% of every order and every renewal.",
    ),
    (rule("flat", flat=1000, event_kinds=frozenset({"qualified_lead"})), "£10 for every qualified lead."),
    (rule("flat", flat=1050, event_kinds=frozenset({"signup"})), "£10.50 for every sign-up."),
    (rule("percent_plus_flat", "0.05", 200), "5% plus £2 for every order."),
    (rule("per_unit", flat=50), "£0.50 for each piece of every order."),
    (rule("participation", flat=500), "£5 for every order, for helping with it."),
    (rule("participation", "0.02"), "2% of every order, for helping with it."),
    (
        rule("override", levels=(Decimal("0.1"), Decimal("0.05"))),
        "10% of the commission on orders of recruited partners, 5% at level 2.",
    ),
    (
        rule("override", levels=(Decimal("0.01"),), override_of="sales"),
        "1% of orders of recruited partners.",
    ),
    (
        rule("recurring", "0.15", recurring=Recurring(months=12), event_kinds=SALES),
        "15% of every order, for 12 months from the customer's first payment.",
    ),
    (
        rule("recurring", "0.15", recurring=Recurring(payments=1)),
        "15% of every order, for the customer's first payment.",
    ),
    (
        rule("recurring", "0.15", recurring=Recurring(payments=3)),
        "15% of every order, for the customer's first 3 payments.",
    ),
    (
        rule("recurring", "0.15", 100, recurring=Recurring()),
        "15% plus £1 for every order, for as long as the customer buys.",
    ),
    (
        rule(
            "recurring",
            recurring=Recurring(
                12, schedule=(Decimal("0.2"), Decimal("0.1"), Decimal("0.1"), Decimal("0.05"))
            ),
        ),
        "20% in month 1, 10% in months 2 to 3 and 5% in months 4 to 12 of every order, for 12 months from the"
        " customer's first payment.",
    ),
    (
        rule("recurring", recurring=Recurring(schedule=(Decimal("0.2"), Decimal("0.1")))),
        "20% in month 1 and 10% from month 2 on of every order, for as long as the customer buys.",
    ),
    (
        rule("prospective", steps=LADDER, window=Window("trailing", 3)),
        "10% of every order, 12% after £1,000 of orders in the last 3 months, 15% after £5,000.",
    ),
    (
        rule(
            "prospective",
            steps=steps((0, "0.1", 0), (10, "0.12", 200)),
            metric="sales",
            window=QUARTER,
            crossing_has_new_rate=True,
        ),
        "10% of every order, 12% plus £2 after 10 orders in a quarter, already for the order that reaches it.",
    ),
    (
        rule("graduated", steps=LADDER),
        "10% of orders up to £1,000 in a month, 12% of the part from £1,000 to £5,000, 15% of what is above £5,000.",
    ),
    (rule("graduated", steps=LADDER[:1], window=YEAR), "10% of orders in a year."),
    (
        rule("graduated", steps=steps((0, "0.1", 0), (100000, "0.12", 5000))),
        "10% of orders up to £1,000 in a month, £50 once and 12% of what is above £1,000.",
    ),
    (
        rule("graduated", steps=PIECES, metric="sales"),
        "£1 for each order up to 10 in a month, £2 for each one above 10 up to 50, £3 for each one above 50.",
    ),
    (
        rule("volume", steps=LADDER[:2], window=QUARTER),
        "10% of all orders in a quarter, 12% of all of them once they reach £1,000.",
    ),
    (
        rule("volume", steps=PIECES[:2], metric="units"),
        "£1 for each piece in a month, £2 for each of them once there are 10.",
    ),
    (
        rule("stairstep", steps=steps((100000, "0", 5000), (500000, "0", 10000))),
        "One amount for each month: £50 from £1,000 of orders on, £100 from £5,000 on.",
    ),
    (
        rule("milestone", steps=steps((10, "0", 20000)), metric="sales", window=QUARTER),
        "£200 once, on reaching 10 orders in a quarter.",
    ),
    (
        rule("milestone", steps=steps((1, "0", 20000), (5, "0", 50000)), metric="new_customers", window=YEAR),
        "£200 once, on reaching 1 new customer in a year, £500 instead at 5.",
    ),
    (
        rule(
            "milestone",
            steps=steps((100000, "0", 20000), (500000, "0", 50000)),
            stacking=True,
            window=Window("joining", 6),
        ),
        "£200 once, on reaching £1,000 of orders in 6 months counted from joining, another £500 at £5,000.",
    ),
    (
        rule("package", flat=500, package=100000),
        "£5 for each block of £1,000 of orders in a month, as soon as it is begun.",
    ),
    (
        rule("package", flat=500, package=10, metric="leads", window=Window("lifetime")),
        "£5 for each block of 10 qualified leads in total, as soon as it is begun.",
    ),
    (
        rule(
            "accelerator",
            steps=steps((0, "0.1", 0), (80, "0.12", 0), (120, "0.15", 0)),
            target=500000,
            window=QUARTER,
        ),
        "With a target of £5,000 of orders in a quarter: 10% of orders up to 80%, 12% of the part from 80% to 120%,"
        " 15% of what is above 120%.",
    ),
    (
        rule("accelerator", steps=steps((0, "0", 100), (100, "0", 200)), target=20, metric="sales"),
        "With a target of 20 orders in a month: £1 for each order up to 100%, £2 for each one above 100%.",
    ),
    (
        rule("lifetime_value", steps=steps((50000, "0.02", 2500)), window=Window("lifetime")),
        "£25 once and 2% of everything a customer has bought, when the customer reaches £500 of orders.",
    ),
    (
        rule("lifetime_value", steps=steps((10, "0", 2500)), metric="sales"),
        "£25 once, when the customer reaches 10 orders.",
    ),
    (rule("retainer", flat=50000), "£500 for each month."),
    (
        rule("draw", flat=50000),
        "£500 guaranteed for each month: what is missing is advanced, and paid back out of later earnings above it.",
    ),
]


@pytest.mark.parametrize(("of", "sentence"), KIND_TABLE)
def test_a_rule_says_what_it_pays(of: RuleFacts, sentence: str) -> None:
    assert said(of) == sentence


def test_every_kind_has_a_sentence() -> None:
    assert {of.kind for of, _ in KIND_TABLE} == set(KINDS)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (Limits(event_min=100, event_max=5000), "At least £1 for one order. At most £50 for one order."),
        (Limits(customer_max=10050), "At most £100.50 for one customer."),
        (
            Limits(window_min=10000, window_max=100000, window=QUARTER),
            "At least £100 in a quarter. At most £1,000 in a quarter.",
        ),
        (Limits(budget_max=1000000), "At most £10,000 in total for all partners together."),
        (
            Limits(budget_max=1000000, budget_window=YEAR),
            "At most £10,000 in a year for all partners together.",
        ),
        (Limits(), ""),
    ],
)
def test_floors_and_caps_are_said(limits: Limits, told: str) -> None:
    assert said(rule(rate="0.15", limits=limits)) == f"15% of every order. {told}".strip()


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("pro_rata", ""),
        ("kept", " The fixed amount is kept when an order is refunded."),
        ("until_full", " The fixed amount goes back only when the whole order is refunded."),
        ("at_first", " The fixed amount goes back with the first refund of an order."),
    ],
)
def test_what_a_refund_does_to_a_fixed_amount_is_said(policy: Any, told: str) -> None:
    assert said(rule("flat", flat=500, flat_on_refund=policy)) == f"£5 for every order.{told}"
    assert said(rule(rate="0.1", flat_on_refund=policy)) == "10% of every order."


@pytest.mark.parametrize(
    ("attribute", "operator", "values", "told"),
    [
        ("country", "in", "FR es", "for customers in France or Spain"),
        ("country", "!=", "FR", "for customers outside France"),
        ("product", "not_in", "POST D", "on products other than POST or D"),
        ("product", "=", "Lamp", "on product Lamp"),
        ("product", "starts_with", "LA", "when “Product” starts with LA"),
        ("category", "in", "Fees", "on category Fees"),
        ("category", "!=", "Fees", "on categories other than Fees"),
        ("amount", ">=", "50.00", "for amounts of £50 or more"),
        ("amount", ">", "0.50", "for amounts above £0.50"),
        ("amount", "<", "50", "for amounts below £50"),
        ("amount", "<=", "50", "for amounts up to £50"),
        ("amount", "in", "50 60", "for amounts of exactly £50 or £60"),
        ("amount", "!=", "50", "except for amounts of exactly £50"),
        ("quantity", ">=", "3", "from 3 pieces on"),
        ("quantity", "=", "3", "when “Quantity” is 3"),
        ("currency", "=", "GBP", "in GBP"),
        ("customer_type", "=", "new", "for new customers"),
        ("customer_type", "!=", "new", "except for new customers"),
        ("customer_type", "in", "returning", "for returning customers"),
        ("customer_type", "not_in", "returning", "except for returning customers"),
        ("customer_type", "in", "new returning", "for known customers"),
        ("customer_age_months", "<", "12", "in the first 12 months of a customer"),
        ("customer_age_months", ">=", "1", "from 1 month after the customer's first sale on"),
        ("code", "=", "ANA10", "with code ANA10"),
        ("code", "contains", "ANA", "when “Code used” contains ANA"),
        ("link", "=", "lnk_1", "through link lnk_1"),
        ("sub_id", "=", "blog", "with sub-id blog"),
        ("deal", "=", "dea_1", "from deal dea_1"),
        ("partner", "=", "mem_ana", "for partner Ana's Coffee"),
        ("partner", "!=", "mem_ana", "for every partner but Ana's Coffee"),
        ("partner_country", "in", "GB", "for partners in the United Kingdom"),
        ("country", "in", "nl FR", "for customers in France or the Netherlands"),
        ("partnership_type", "=", "agency", "for partners of type Agency or reseller"),
        ("tier", "in", "gold silver", "in the Gold or Silver tier"),
        ("tier", "!=", "gold", "in every tier but Gold"),
        ("tag", "=", "top", "for partners tagged top"),
        ("tag", "not_in", "top", "for partners not tagged top"),
        ("date", ">=", "2026-12-01", "from 1 Dec 2026 on"),
        ("date", "<", "2027-01-01", "before 1 Jan 2027"),
        ("kind", "in", "sale renewal", "for orders or renewals"),
        ("role", "=", "influenced", "when “Credit role” is influenced"),
        ("attribute:plan", "in", "year month", "when “plan” is one of year or month"),
        ("attribute:trial", "!=", "yes", "when “trial” is not yes"),
    ],
)
def test_a_condition_says_itself(attribute: str, operator: str, values: str, told: str) -> None:
    test = Condition(attribute, operator, tuple(values.split()))
    sentence = said(rule(rate="0.1", conditions=Group("all", (test,))))
    assert sentence == f"10% of every order, {told}."


def test_every_condition_that_can_be_set_can_be_said() -> None:
    samples = {"amount": "10.00", "number": "1", "date": "2026-01-01", "country": "FR"}
    for attribute in ATTRIBUTES.values():
        value = attribute.values[0] if attribute.values else samples.get(attribute.type, "x")
        for operator in attribute.operators:
            group = Group("all", (Condition(attribute.key, operator, (value,)),))
            told = said(rule(rate="0.1", conditions=group))
            assert told.startswith("10% of every order, ")
            assert "%(" not in told


FRENCH = Condition("country", "=", ("FR",))
BIG = Condition("amount", ">", ("100.00",))
NEW = Condition("customer_type", "=", ("new",))


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (Group("all", (FRENCH, NEW)), "for customers in France, for new customers"),
        (Group("any", (FRENCH, NEW)), "either for customers in France or for new customers"),
        (
            Group("all", (FRENCH, Group("any", (BIG, NEW)))),
            "for customers in France, either for amounts above £100 or for new customers",
        ),
        (
            Group("any", (NEW, Group("all", (FRENCH, BIG)))),
            "either for new customers or for customers in France and for amounts above £100",
        ),
    ],
)
def test_groups_say_whether_all_or_one_of_them_will_do(group: Group, told: str) -> None:
    assert said(rule(rate="0.1", conditions=group)) == f"10% of every order, {told}."


def test_tiers_and_countries_come_before_other_conditions() -> None:
    of = rule(
        rate="0.1",
        tiers=frozenset({"silver", "gold"}),
        countries=frozenset({"FR", "DE"}),
        conditions=Group("all", (NEW,)),
    )
    known: Any = {"currency": "GBP", "locale": "en_GB", "names": NAMES}
    told = "in the Gold or Silver tier, for customers in France or Germany, for new customers"
    assert rule_text(of, **known) == f"10% of every order, {told}"
    assert conditions_sentence(of, **known) == f"I{told[1:]}."
    assert conditions_sentence(rule(rate="0.1"), **known) == "Always."


def test_a_plan_says_its_rules_in_order_and_what_is_left_out() -> None:
    gold = RuleFacts("gold", "Gold", 2, "percent", Decimal("0.12"), tiers=frozenset({"gold"}))
    bonus = RuleFacts(
        "bonus", "Bonus", 1, "milestone", steps=steps((10, "0", 20000)), metric="sales", window=QUARTER
    )
    all_others = RuleFacts("all", "All", 3, "percent", Decimal("0.08"))
    terms = plan(
        all_others,
        bonus,
        gold,
        deducts=frozenset({"tax", "shipping"}),
        excluded_products=frozenset({"POST", "D"}),
        excluded_categories=frozenset({"Fees"}),
        clawback_days=60,
    )
    assert plan_sentence(terms, currency="GBP", locale="en_GB", names=NAMES) == (
        "The first of these that applies is paid: 12% of every order, in the Gold tier. 8% of every order."
        " Besides: £200 once, on reaching 10 orders in a quarter."
        " Percentages are of the amount without tax and shipping."
        " Products D and POST earn nothing. Category Fees earns nothing."
        " A refund within 60 days of the sale takes back the commission on what was refunded."
    )


def test_a_plan_of_one_rule_is_short() -> None:
    terms = plan(rule(rate="0.08"), deducts=frozenset())
    assert plan_sentence(terms, currency="GBP", locale="en_GB") == (
        "8% of every order. Percentages are of the full amount."
        " A refund takes back the commission on what was refunded."
    )
    stacked = plan(rule(rate="0.08"), rule(rate="0.01"), combine="stack")
    assert plan_sentence(stacked, currency="GBP", locale="en_GB").startswith(
        "All of these that apply add up: 8% of every order. 1% of every order."
    )


def test_figures_follow_the_language() -> None:
    with translation.override("fr"):
        told = rule_sentence(rule("percent_plus_flat", "0.125", 125050), currency="EUR", locale="fr")
    assert "12,5" in told
    assert "1\u202f250,50\xa0€" in told


def test_a_currency_without_decimals_shows_none() -> None:
    of = RuleFacts("r", "R", 1, "flat", flat=Money(500, "JPY"), conditions=Group("all", (BIG,)))
    assert rule_sentence(of, currency="JPY", locale="en_GB") == (
        "JP¥500 for every order, for amounts above JP¥100."
    )
