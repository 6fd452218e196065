"""A stored rule is read as it was meant or refused with the field named: one row of a table for each thing that can be wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.money import Money
from tiers.engine.facts import Group, Limits, Recurring, RuleFacts, Step, Window
from tiers.engine.facts import Test as Condition
from tiers.engine.reading import KINDS, MESSAGES, Unreadable, read_rule

ZERO = {"from": 0, "rate": "10"}


def stored(kind: str = "percent", **rule: Any) -> dict[str, Any]:
    return {"key": "base", "name": "Base", "position": 1, "kind": kind, "rate": "8", **rule}


def rule_of(kind: str = "percent", currency: str = "GBP", **rule: Any) -> RuleFacts:
    return read_rule(stored(kind, **rule), currency=currency)


def refused(rule: dict[str, Any], currency: str = "GBP") -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_rule(rule, currency=currency)
    return caught.value


@pytest.mark.parametrize(
    ("percent", "rate"),
    [
        ("8", "0.08"),
        (Decimal("8.000000"), "0.08"),
        ("12.345678", "0.12345678"),
        (100, "1"),
        ("0", "0"),
        (None, "0"),
    ],
)
def test_a_percentage_is_read_as_a_fraction_of_one_without_padding(percent: object, rate: str) -> None:
    read = rule_of(rate=percent).rate
    assert read == Decimal(rate)
    assert format(read, "f") == rate


def test_the_rows_of_before_are_read_as_before() -> None:
    rule = rule_of(
        "percent_plus_flat",
        rate=Decimal("5.000000"),
        flat_minor=200,
        flat_on_refund="kept",
        event_kinds=["sale"],
        tier_keys=["gold"],
        countries=["FR"],
        unusual=False,
        params={},
        conditions={},
    )
    assert rule == RuleFacts(
        "base",
        "Base",
        1,
        "percent_plus_flat",
        Decimal("0.05"),
        Money(200, "GBP"),
        frozenset({"sale"}),
        frozenset({"gold"}),
        frozenset({"FR"}),
        "kept",
    )
    assert rule_of("percent", flat_minor=200).flat is None


@pytest.mark.parametrize(
    ("kind", "params", "flat", "facts"),
    [
        (
            "graduated",
            {"steps": [ZERO, {"from": 100000, "rate": "12", "flat": 500}], "window": {"kind": "quarter"}},
            0,
            {
                "steps": (Step(0, Decimal("0.1")), Step(100000, Decimal("0.12"), 500)),
                "window": Window("quarter"),
            },
        ),
        (
            "volume",
            {"steps": [{"from": 0, "flat": 100}], "metric": "units"},
            0,
            {"steps": (Step(0, flat=100),), "metric": "units"},
        ),
        (
            "prospective",
            {
                "steps": [ZERO],
                "metric": "sales",
                "window": {"kind": "trailing", "months": 6},
                "crossing": "new",
            },
            0,
            {
                "steps": (Step(0, Decimal("0.1")),),
                "metric": "sales",
                "window": Window("trailing", 6),
                "crossing_has_new_rate": True,
            },
        ),
        (
            "stairstep",
            {"steps": [{"from": 10, "flat": 20000}]},
            0,
            {"steps": (Step(10, flat=20000),)},
        ),
        ("package", {"package": 100000}, 500, {"package": 100000, "flat": Money(500, "GBP")}),
        (
            "accelerator",
            {"steps": [ZERO, {"from": 80, "rate": "12"}], "target": 500000},
            0,
            {"target": 500000, "steps": (Step(0, Decimal("0.1")), Step(80, Decimal("0.12")))},
        ),
        (
            "milestone",
            {"steps": [{"from": 10, "flat": 20000}], "metric": "sales", "stacking": True},
            0,
            {"stacking": True, "metric": "sales", "steps": (Step(10, flat=20000),)},
        ),
        (
            "lifetime_value",
            {"steps": [{"from": 50000, "flat": 2500, "rate": "2"}]},
            0,
            {"steps": (Step(50000, Decimal("0.02"), 2500),), "window": Window("lifetime")},
        ),
        (
            "recurring",
            {"recurring": {"months": 12, "schedule": ["10", "5"]}},
            0,
            {"recurring": Recurring(12, None, (Decimal("0.1"), Decimal("0.05")))},
        ),
        ("recurring", {}, 0, {"recurring": Recurring()}),
        (
            "override",
            {"levels": ["10", "5"], "override_of": "sales"},
            0,
            {"levels": (Decimal("0.1"), Decimal("0.05")), "override_of": "sales"},
        ),
        ("participation", {}, 500, {"flat": Money(500, "GBP")}),
        ("participation", {}, 0, {"flat": None}),
        ("recurring", {}, 100, {"flat": Money(100, "GBP")}),
        ("retainer", {}, 50000, {"flat": Money(50000, "GBP")}),
        ("draw", {}, 50000, {"flat": Money(50000, "GBP")}),
        ("per_unit", {}, 50, {"flat": Money(50, "GBP")}),
        (
            "percent",
            {
                "limits": {
                    "event_max": 5000,
                    "window_max": 90000,
                    "window": {"kind": "year", "months": 12},
                    "budget_max": 10**7,
                }
            },
            0,
            {"limits": Limits(event_max=5000, window_max=90000, window=Window("year"), budget_max=10**7)},
        ),
        ("percent", {"limits": {"window": {"kind": "year"}}}, 0, {"limits": None}),
        (
            "percent",
            {"limits": {"window_min": 1, "window": {"kind": "joining", "months": 6}}},
            0,
            {"limits": Limits(window_min=1, window=Window("joining", 6))},
        ),
    ],
)
def test_each_kind_is_read_with_its_own_details(
    kind: str, params: dict[str, Any], flat: int, facts: dict[str, Any]
) -> None:
    rule = rule_of(kind, flat_minor=flat, params=params)
    assert {name: getattr(rule, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("rule", "field", "code"),
    [
        (stored(colour="red"), "colour", "unknown_key"),
        (stored(key=""), "key", "missing"),
        (stored(name=None), "name", "missing"),
        (stored(name="  "), "name", "missing"),
        (stored(name=7), "name", "not_a_text"),
        (stored(name="n" * 201), "name", "too_long"),
        (stored(position="1"), "position", "not_a_whole_number"),
        (stored(position=True), "position", "not_a_whole_number"),
        (stored(position=-1), "position", "too_small"),
        (stored("bribe"), "kind", "not_a_choice"),
        ({"key": "base", "name": "Base"}, "kind", "not_a_choice"),
        (stored(rate="eight"), "rate", "not_a_percentage"),
        (stored(rate="1e1"), "rate", "not_a_percentage"),
        (stored(rate="٨"), "rate", "not_a_percentage"),
        (stored(rate=Decimal("NaN")), "rate", "not_a_percentage"),
        (stored(rate=True), "rate", "not_a_percentage"),
        (stored(rate="8,5"), "rate", "not_a_percentage"),
        (stored(rate="8.1234567"), "rate", "too_many_decimals"),
        (stored(rate="100.5"), "rate", "unusual_rate"),
        (stored(rate="-1"), "rate", "unusual_rate"),
        (stored(rate="1000", unusual=True), "rate", "too_large"),
        (stored("flat", flat_minor=-1), "flat_minor", "unusual_flat"),
        (stored("flat", flat_minor="200"), "flat_minor", "not_a_whole_number"),
        (stored("flat", flat_minor=2**63), "flat_minor", "too_large"),
        (stored("retainer"), "flat_minor", "missing"),
        (stored(flat_on_refund="sometimes"), "flat_on_refund", "not_a_choice"),
        (stored(event_kinds="sale"), "event_kinds", "not_a_list"),
        (stored(event_kinds=["sale", 3]), "event_kinds.1", "not_a_text"),
        (stored(countries=[""]), "countries.0", "missing"),
        (stored(unusual="yes"), "unusual", "not_yes_or_no"),
        (stored(params=[]), "params", "not_an_object"),
        (stored(params={"staps": []}), "params.staps", "unknown_key"),
        (stored(params={"steps": [ZERO]}), "steps", "not_for_kind"),
        (stored(params={"levels": ["5"]}), "levels", "not_for_kind"),
        (stored("graduated"), "steps", "missing"),
        (stored("prospective", params={"steps": []}), "steps", "missing"),
        (stored("package", flat_minor=5), "package", "missing"),
        (stored("package", params={"package": 10}), "flat_minor", "missing"),
        (stored("package", flat_minor=5, params={"package": 0}), "package", "too_small"),
        (stored("accelerator", params={"steps": [ZERO]}), "target", "missing"),
        (stored("override"), "levels", "missing"),
        (stored("override", params={"levels": ["5", "x"]}), "levels.1", "not_a_percentage"),
        (stored("override", params={"levels": ["500"]}), "levels.0", "unusual_rate"),
        (stored(params={"metric": "smiles"}), "metric", "not_a_choice"),
        (stored(params={"crossing": "both"}), "crossing", "not_a_choice"),
        (stored(params={"override_of": "luck"}), "override_of", "not_a_choice"),
        (stored(params={"stacking": 1}), "stacking", "not_yes_or_no"),
        (stored(params={"window": {"kind": "week"}}), "window.kind", "not_a_choice"),
        (stored(params={"window": {"kind": "month", "days": 3}}), "window.days", "unknown_key"),
        (stored(params={"window": {"kind": "trailing", "months": 0}}), "window.months", "too_small"),
        (stored(params={"window": {"kind": "month", "months": 2}}), "window.months", "months_of_window"),
        (stored(params={"limits": {"event_min": 0}}), "limits.event_min", "too_small"),
        (stored(params={"limits": {"event_max": "5"}}), "limits.event_max", "not_a_whole_number"),
        (stored(params={"limits": {"cap": 5}}), "limits.cap", "unknown_key"),
        (
            stored(params={"limits": {"event_min": 500, "event_max": 499}}),
            "limits.event_min",
            "min_above_max",
        ),
        (
            stored(params={"limits": {"window_max": 1, "window": {"kind": "trailing"}}}),
            "limits.window.kind",
            "trailing_window",
        ),
        (
            stored("recurring", params={"recurring": {"months": 12, "payments": 3}}),
            "recurring.payments",
            "months_or_payments",
        ),
        (stored("recurring", params={"recurring": {"months": 0}}), "recurring.months", "too_small"),
        (
            stored("recurring", params={"recurring": {"months": 1, "schedule": ["9", "8"]}}),
            "recurring.schedule",
            "schedule_too_long",
        ),
    ],
)
def test_nonsense_is_refused_with_its_field_named(rule: dict[str, Any], field: str, code: str) -> None:
    error = refused(rule)
    assert (error.field, error.code) == (field, code)
    assert str(error) == f"{field}: {error.message % error.params}"


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        (
            "graduated",
            {"steps": [ZERO, {"from": 50000}, {"from": 50000}]},
            "steps.2.from: Step 3 starts at 500.00, not above step 2.",
        ),
        (
            "graduated",
            {"steps": [ZERO, {"from": 10}, {"from": 9}], "metric": "sales"},
            "steps.0.rate: This rule pays flat amounts: step 1 cannot have a rate.",
        ),
        (
            "prospective",
            {"steps": [ZERO, {"from": 10}, {"from": 9}], "metric": "sales"},
            "steps.2.from: Step 3 starts at 9, not above step 2.",
        ),
        (
            "accelerator",
            {"steps": [ZERO, {"from": 80}, {"from": 80}], "target": 5},
            "steps.2.from: Step 3 starts at 80 %, not above step 2.",
        ),
        (
            "volume",
            {"steps": [{"from": 100}]},
            "steps.0.from: The first step must start at 0, not at 1.00.",
        ),
        (
            "milestone",
            {"steps": [{"from": 10, "rate": "5"}]},
            "steps.0.rate: This rule pays flat amounts: step 1 cannot have a rate.",
        ),
        (
            "lifetime_value",
            {"steps": [ZERO, {"from": 10}]},
            "steps.1: A rule of kind “lifetime_value” has one step.",
        ),
        (
            "volume",
            {"steps": [ZERO], "window": {"kind": "trailing", "months": 3}},
            "window.kind: A trailing window moves on every month; this needs one that begins and ends.",
        ),
        (
            "lifetime_value",
            {"steps": [ZERO], "window": {"kind": "month"}},
            "window.kind: A rule of kind “lifetime_value” counts over the customer's whole life.",
        ),
        (
            "graduated",
            {"steps": [{"from": 0, "rate": "101"}]},
            "steps.0.rate: 101 % is not between 0 and 100 %. Confirm it if it is meant.",
        ),
        (
            "stairstep",
            {"steps": [{"from": 0, "flat": -5}]},
            "steps.0.flat: -0.05 GBP is less than nothing. Confirm it if it is meant.",
        ),
        (
            "accelerator",  # of 5 sales, 81 % and 99 % are both the fifth
            {"steps": [{"from": 0}, {"from": 81}, {"from": 99}], "target": 5, "metric": "sales"},
            "steps.2.from: Step 3 starts at 99 %, not above step 2.",
        ),
        ("stairstep", {"steps": [{"from": -1}]}, "steps.0.from: -1 is less than 0."),
        ("stairstep", {"steps": [{"flat": 1}]}, "steps.0.from: This is missing."),
        ("stairstep", {"steps": [7]}, "steps.0: This must be an object with named parts."),
        ("stairstep", {"steps": [{"from": 1}] * 101}, "steps: There are more than 100 of these."),
    ],
)
def test_a_table_of_steps_without_sense_is_refused(kind: str, params: dict[str, Any], said: str) -> None:
    assert str(refused(stored(kind, params=params))) == said


def test_an_unusual_rate_is_read_once_somebody_has_confirmed_it() -> None:
    rule = rule_of(
        "graduated", rate="-5", unusual=True, params={"steps": [{"from": 0, "rate": "150", "flat": -1}]}
    )
    assert (rule.rate, rule.steps) == (Decimal("-0.05"), (Step(0, Decimal("1.5"), -1),))


def test_conditions_are_read_with_their_groups() -> None:
    french = {"attribute": "country", "operator": "in", "values": ["FR", "es"]}
    big = {"attribute": "amount", "operator": ">=", "values": ["50.00"]}
    seats = {"attribute": "attribute:seats", "operator": ">", "values": [" 5 "]}
    rule = rule_of(conditions={"join": "all", "tests": [french, {"join": "any", "tests": [big, seats]}]})
    assert rule.conditions == Group(
        "all",
        (
            Condition("country", "in", ("FR", "es")),
            Group("any", (Condition("amount", ">=", ("50.00",)), Condition("attribute:seats", ">", ("5",)))),
        ),
    )
    assert rule_of(conditions=None).conditions == Group()


@pytest.mark.parametrize(
    ("test", "field", "code"),
    [
        (("weather", "=", ["fine"]), "attribute", "unknown_attribute"),
        (("attribute:", "=", ["fine"]), "attribute", "unknown_attribute"),
        (("country", "<", ["FR"]), "operator", "unfit_operator"),
        (("amount", "contains", ["5"]), "operator", "unfit_operator"),
        (("date", "in", ["2026-01-01"]), "operator", "unfit_operator"),
        (("product", "like", ["x"]), "operator", "unfit_operator"),
        (("product", None, ["x"]), "operator", "missing"),
        (("product", "=", []), "values", "no_values"),
        (("product", "=", ["a", "b"]), "values", "one_value"),
        (("product", "in", "POST"), "values", "not_a_list"),
        (("product", "in", ["POST", 5]), "values.1", "not_a_text"),
        (("product", "=", [""]), "values.0", "missing"),
        (("amount", ">", ["fifty"]), "values.0", "not_an_amount"),
        (("amount", ">", ["5.001"]), "values.0", "too_many_decimals"),
        (("quantity", ">", ["1e3"]), "values.0", "not_a_number"),
        (("attribute:seats", ">", ["many"]), "values.0", "not_a_number"),
        (("date", ">", ["01.02.2026"]), "values.0", "not_a_day"),
        (("country", "in", ["FR", "France"]), "values.1", "not_a_country"),
        (("currency", "=", ["EUR"]), "values.0", "other_currency"),
        (("currency", "=", ["XYZ"]), "values.0", "unknown_currency"),
        (("customer_type", "=", ["old"]), "values.0", "not_a_choice"),
        (("kind", "=", ["purchase"]), "values.0", "not_a_choice"),
    ],
)
def test_a_condition_that_could_never_be_met_is_refused(test: tuple[Any, ...], field: str, code: str) -> None:
    attribute, operator, values = test
    good = {"attribute": "product", "operator": "=", "values": ["A"]}
    bad = {"attribute": attribute, "operator": operator, "values": values}
    error = refused(stored(conditions={"tests": [good, {"join": "any", "tests": [bad]}]}))
    assert (error.field, error.code) == (f"conditions.tests.1.tests.0.{field}", code)


@pytest.mark.parametrize(
    ("conditions", "field", "code"),
    [
        ([], "conditions", "not_an_object"),
        ({"join": "some", "tests": []}, "conditions.join", "not_a_choice"),
        ({"joins": "all"}, "conditions.joins", "unknown_key"),
        ({"tests": [{"join": "any", "tests": []}]}, "conditions.tests.0.tests", "missing"),
        (
            {"tests": [{"tests": [{"join": "all", "tests": []}]}]},
            "conditions.tests.0.tests.0",
            "too_deep",
        ),
        ({"tests": ["country = FR"]}, "conditions.tests.0", "not_an_object"),
    ],
)
def test_groups_of_conditions_have_one_shape(conditions: Any, field: str, code: str) -> None:
    error = refused(stored(conditions=conditions))
    assert (error.field, error.code) == (field, code)


def test_a_program_has_a_currency_that_exists() -> None:
    error = refused(stored(), currency="XXY")
    assert (error.field, error.code) == ("currency", "unknown_currency")


def test_an_amount_has_the_decimals_of_the_programs_currency() -> None:
    test = {"attribute": "amount", "operator": ">", "values": ["5000.5"]}
    error = refused(stored(conditions={"tests": [test]}), currency="JPY")
    assert str(error) == ("conditions.tests.0.values.0: 5000.5 has 1 decimals; at most 0 are kept.")


def test_a_book_sent_as_a_rate_is_not_repeated_whole() -> None:
    assert len(str(refused(stored(rate="9" * 10_000)))) < 200


WORDS = {"steps", "from", "rate", "flat", "window", "kind", "months", "limits", "event_max", "tests", "join"}
WORDS |= {"attribute", "operator", "values", "recurring", "levels", "target", "package"}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.sampled_from(["8", "", "month", "all", "sales", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted(WORDS)),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(kind=st.sampled_from(KINDS), params=JSON, conditions=JSON, flat=st.integers(-5, 5))
def test_whatever_is_stored_is_read_or_refused(kind: str, params: Any, conditions: Any, flat: int) -> None:
    try:
        rule = rule_of(kind, params=params, conditions=conditions, flat_minor=flat)
    except Unreadable as error:
        assert error.code in MESSAGES
    else:
        assert rule.kind == kind
