from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from tests.desk import at_desk, words
from tests.factories.tiers import PlanFactory, PlanVersionFactory, ProgramFactory, RuleFactory, TierFactory
from tests.people import ada, fiona
from tiers.admin.rule_editor import Editor
from tiers.models import PlanVersion, Rule
from tiers.rulebook import RULE_FIELDS

pytestmark = pytest.mark.django_db

# What the browser sends for a fresh form, before anything is typed.
FRESH: dict[str, Any] = {
    "name": "Every order",
    "kind": "percent",
    "join": "all",
    "steps-count": 0,
    "tests-count": 0,
    "group-0-count": 0,
    "then": "save",
}


@pytest.fixture
def draft() -> PlanVersion:
    program = ProgramFactory.create(name="Affiliates")
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    TierFactory.create(program=program, key="gold", name="Gold", rank=2)
    return PlanVersionFactory.create(plan=PlanFactory.create(program=program, name="Rates"), number=1)


def add(draft: PlanVersion, **typed: Any) -> Any:
    url = reverse("admin:tiers_rule_add", args=[draft.pk])
    return at_desk(ada()).post(url, {**FRESH, **typed})


def saved(draft: PlanVersion, **typed: Any) -> Rule:
    answer = add(draft, **typed)
    assert answer.status_code == 302, words(answer)
    return draft.rules.get()


def test_a_percentage_is_saved_as_people_write_it(draft: PlanVersion) -> None:
    rule = saved(draft, rate="12,5 %")
    assert (rule.kind, rule.rate, rule.key, rule.position) == ("percent", Decimal("12.5"), "every-order", 1)
    assert (rule.params, rule.conditions) == ({}, {})


STEPS: dict[str, Any] = {
    "steps-count": 5,
    "steps-0-start": "0",
    "steps-0-rate": "5",
    "steps-1-start": "1 000.00",
    "steps-1-rate": "8,5",
    "steps-2-start": "",
    "steps-2-rate": "",
}
PARAMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"kind": "graduated", "metric": "revenue", "window": "month", **STEPS},
        {
            "steps": [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "8.5"}],
            "metric": "revenue",
            "window": {"kind": "month"},
        },
    ),
    (
        {
            "kind": "volume",
            "metric": "sales",
            "window": "joining",
            "window_months": "6",
            "steps-count": 2,
            "steps-0-start": "0",
            "steps-0-flat": "1.50",
            "steps-1-start": "25",
            "steps-1-flat": "2",
        },
        {
            "steps": [{"from": 0, "flat": 150}, {"from": 25, "flat": 200}],
            "metric": "sales",
            "window": {"kind": "joining", "months": 6},
        },
    ),
    (
        {
            "kind": "prospective",
            "metric": "revenue",
            "window": "trailing",
            "window_months": "12",
            "crossing": "new",
            "flat_on_refund": "pro_rata",
            **STEPS,
        },
        {
            "steps": [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "8.5"}],
            "metric": "revenue",
            "crossing": "new",
            "window": {"kind": "trailing", "months": 12},
        },
    ),
    (
        {
            "kind": "stairstep",
            "metric": "revenue",
            "window": "quarter",
            "steps-count": 1,
            "steps-0-start": "10000",
            "steps-0-flat": "500",
        },
        {
            "steps": [{"from": 1_000_000, "flat": 50_000}],
            "metric": "revenue",
            "window": {"kind": "quarter"},
        },
    ),
    (
        {"kind": "package", "metric": "revenue", "window": "month", "package": "1000", "flat": "50"},
        {"metric": "revenue", "package": 100_000, "window": {"kind": "month"}},
    ),
    (
        {
            "kind": "accelerator",
            "metric": "revenue",
            "window": "year",
            "target": "20000",
            "steps-count": 2,
            "steps-0-start": "0",
            "steps-0-rate": "5",
            "steps-1-start": "100 %",
            "steps-1-rate": "10",
        },
        {
            "steps": [{"from": 0, "rate": "5"}, {"from": 100, "rate": "10"}],
            "metric": "revenue",
            "target": 2_000_000,
            "window": {"kind": "year"},
        },
    ),
    (
        {
            "kind": "recurring",
            "rate": "20",
            "lasts": "months",
            "lasts_for": "12",
            "schedule": "20; 10",
            "flat_on_refund": "pro_rata",
        },
        {"recurring": {"months": 12, "schedule": ["20", "10"]}},
    ),
    (
        {"kind": "recurring", "rate": "20", "lasts": "life", "lasts_for": "12", "flat_on_refund": "kept"},
        {"recurring": {}},
    ),
    (
        {
            "kind": "milestone",
            "metric": "new_customers",
            "window": "lifetime",
            "stacking": "on",
            "steps-count": 1,
            "steps-0-start": "10",
            "steps-0-flat": "100",
        },
        {
            "steps": [{"from": 10, "flat": 10_000}],
            "metric": "new_customers",
            "stacking": True,
            "window": {"kind": "lifetime"},
        },
    ),
    (
        {
            "kind": "lifetime_value",
            "metric": "revenue",
            "steps-count": 1,
            "steps-0-start": "500",
            "steps-0-rate": "3",
        },
        {"steps": [{"from": 50_000, "rate": "3"}], "metric": "revenue"},
    ),
    (
        {"kind": "override", "levels": "5; 2", "override_of": "sales"},
        {"levels": ["5", "2"], "override_of": "sales"},
    ),
    ({"kind": "per_unit", "flat": "1,50", "flat_on_refund": "until_full"}, {}),
    ({"kind": "participation", "rate": "2", "flat_on_refund": "pro_rata"}, {}),
    ({"kind": "retainer", "flat": "300"}, {}),
    ({"kind": "draw", "flat": "500"}, {}),
]


@pytest.mark.parametrize(("typed", "params"), PARAMS, ids=[str(typed["kind"]) for typed, _ in PARAMS])
def test_each_model_is_typed_in_peoples_units_and_stored_in_the_engines(
    draft: PlanVersion, typed: dict[str, Any], params: dict[str, Any]
) -> None:
    rule = saved(draft, **typed)
    assert (rule.kind, rule.params) == (typed["kind"], params)


@pytest.mark.parametrize(("typed", "params"), PARAMS, ids=[str(typed["kind"]) for typed, _ in PARAMS])
def test_what_was_saved_comes_back_as_it_can_be_typed_again(
    draft: PlanVersion, typed: dict[str, Any], params: dict[str, Any]
) -> None:
    rule = saved(draft, **typed)
    editor = Editor(draft, rule=rule)
    sent = {field.html_name: field.value() for field in editor.form}
    sent |= {editor.steps.name: editor.steps.count, editor.tests.name: 0, "group-0-count": 0}
    sent |= {field.html_name: field.value() for row in editor.steps.forms for field in row}
    url = reverse("admin:tiers_rule_change", args=[draft.pk, rule.pk])
    answer = at_desk(ada()).post(url, {**clean(sent), "then": "save"})
    assert answer.status_code == 302, words(answer)
    again = Rule.objects.get(pk=rule.pk)
    assert [getattr(again, name) for name in RULE_FIELDS] == [getattr(rule, name) for name in RULE_FIELDS]


def clean(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the values of fields as a browser sends them: boxes that are not ticked and empty fields say nothing."""
    return {name: value for name, value in sent.items() if value not in (None, False)}


def test_limits_are_typed_in_major_units_with_their_periods(draft: PlanVersion) -> None:
    rule = saved(
        draft,
        rate="10",
        event_min="1",
        event_max="50",
        customer_max="200",
        window_max="2000",
        limit_window="quarter",
        budget_max="10000",
        budget_window="year",
    )
    assert rule.params["limits"] == {
        "event_min": 100,
        "event_max": 5_000,
        "customer_max": 20_000,
        "window_max": 200_000,
        "budget_max": 1_000_000,
        "window": {"kind": "quarter"},
        "budget_window": {"kind": "year"},
    }


CONDITIONS: dict[str, Any] = {
    "rate": "10",
    "join": "all",
    "tests-count": 4,
    "tests-0-attribute": "category",
    "tests-0-operator": "not_in",
    "tests-0-values": "Postage, Samples",
    "tests-1-attribute": "tier",
    "tests-1-operator": "=",
    "tests-1-values": "Gold",
    "tests-2-attribute": "",
    "tests-2-operator": "=",
    "tests-3-attribute": "attribute",
    "tests-3-name": "colour",
    "tests-3-operator": "=",
    "tests-3-values": "red, or blue",
    "group-0-count": 2,
    "group-0-join": "any",
    "group-0-0-attribute": "country",
    "group-0-0-operator": "in",
    "group-0-0-values": "fr; DE",
    "group-0-1-attribute": "amount",
    "group-0-1-operator": ">=",
    "group-0-1-values": "1 000,50",
}


def test_conditions_are_rows_with_a_group_inside(draft: PlanVersion) -> None:
    rule = saved(draft, **CONDITIONS)
    assert rule.conditions == {
        "join": "all",
        "tests": [
            {"attribute": "category", "operator": "not_in", "values": ["Postage", "Samples"]},
            {"attribute": "tier", "operator": "=", "values": ["gold"]},
            {"attribute": "attribute:colour", "operator": "=", "values": ["red, or blue"]},
            {
                "join": "any",
                "tests": [
                    {"attribute": "country", "operator": "in", "values": ["FR", "DE"]},
                    {"attribute": "amount", "operator": ">=", "values": ["1000.50"]},
                ],
            },
        ],
    }
    page = at_desk(ada()).get(reverse("admin:tiers_rule_change", args=[draft.pk, rule.pk])).content.decode()
    assert 'value="Postage, Samples"' in page
    assert 'value="Gold"' in page  # the tier by its name
    assert 'value="colour"' in page
    assert 'value="FR, DE"' in page


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"rate": ""}, "rate", "This field is required"),
        ({"rate": "a lot"}, "rate", "Write a percentage such as 8 or 12.5"),
        ({"rate": "120"}, "rate", "120 % is not between 0 and 100 %"),
        ({"rate": "-3"}, "rate", "-3 % is not between 0 and 100 %"),
        ({"rate": "5", "event_max": "1.005"}, "event_max", "GBP has 2 decimals"),
        (
            {"rate": "5", "event_min": "9", "event_max": "2"},
            "event_min",
            "floor of 9.00 GBP is above the cap",
        ),
        ({"kind": "flat", "flat": "-2", "flat_on_refund": "kept"}, "flat", "less than nothing"),
        ({"name": "", "rate": "5"}, "name", "This field is required"),
        (
            {"kind": "recurring", "rate": "5", "lasts": "months", "flat_on_refund": "kept"},
            "lasts_for",
            "Say how many",
        ),
        (
            {
                "kind": "recurring",
                "rate": "5",
                "lasts": "months",
                "lasts_for": "1",
                "schedule": "5; 4",
                "flat_on_refund": "kept",
            },
            "schedule",
            "schedule has 2 rates",
        ),
        ({"kind": "participation", "flat_on_refund": "kept"}, "rate", "Give a percentage or an amount"),
        (
            {"kind": "graduated", "metric": "revenue", "window": "month", "steps-count": 5},
            "steps-0-start",
            "Fill in at least one row",
        ),
        (
            {
                "kind": "graduated",
                "metric": "revenue",
                "window": "month",
                "steps-count": 3,
                "steps-0-start": "0",
                "steps-0-rate": "5",
                "steps-1-start": "",
                "steps-2-start": "0.00",
                "steps-2-rate": "8",
            },
            "steps-2-start",
            "Step 2 starts at 0.00, not above step 1",
        ),
        (
            {
                "kind": "graduated",
                "metric": "revenue",
                "window": "month",
                "steps-count": 1,
                "steps-0-start": "100",
                "steps-0-rate": "5",
            },
            "steps-0-start",
            "The first step must start at 0, not at 100.00",
        ),
        (
            {"rate": "5", "tests-count": 1, "tests-0-operator": "=", "tests-0-values": "Mugs"},
            "tests-0-attribute",
            "Choose what the condition asks about",
        ),
        (
            {"rate": "5", "tests-count": 1, "tests-0-attribute": "product", "tests-0-operator": ">"},
            "tests-0-values",
            "Write what it is compared with",
        ),
        (
            {
                "rate": "5",
                "tests-count": 2,
                "tests-1-attribute": "product",
                "tests-1-operator": ">",
                "tests-1-values": "9",
            },
            "tests-1-operator",
            "“>” does not fit “product”",
        ),
        (
            {
                "rate": "5",
                "group-0-count": 1,
                "group-0-0-attribute": "country",
                "group-0-0-operator": "=",
                "group-0-0-values": "Atlantis",
            },
            "group-0-0-values",
            "“ATLANTIS” is not a country",
        ),
        (
            {
                "rate": "5",
                "tests-count": 1,
                "tests-0-attribute": "customer_type",
                "tests-0-operator": "=",
                "tests-0-values": "old",
            },
            "tests-0-values",
            "“old” is not one of: new, returning",
        ),
        ({"kind": "magic", "rate": "5"}, "kind", "not one of the available choices"),
    ],
)
def test_what_makes_no_sense_is_named_beside_its_field_and_nothing_is_saved(
    draft: PlanVersion, typed: dict[str, Any], field: str, said: str
) -> None:
    answer = add(draft, **typed)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert said in words(answer)
    assert "<title>Error:" in page
    target = "id_kind_0" if field == "kind" else f"id_{field}"
    assert f'href="#{target}"' in page and f'id="{target}"' in page
    assert f'id="{target.removesuffix("_0")}_error"' in page
    assert not draft.rules.exists()


def test_an_unusual_rate_is_saved_when_somebody_says_it_is_meant(draft: PlanVersion) -> None:
    assert saved(draft, rate="120", unusual="on").rate == Decimal(120)


def test_choosing_a_model_shows_its_fields_and_keeps_what_was_typed(draft: PlanVersion) -> None:
    answer = add(draft, name="Grows", kind="graduated", rate="7.5", metric="revenue", then="show")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "There is" not in words(answer)  # nothing is judged yet
    assert 'value="Grows"' in page
    assert 'name="steps-4-rate"' in page
    assert '<input type="hidden" name="rate" value="7.5">' in page
    back = add(draft, name="Grows", kind="percent", rate="7.5", metric="revenue", then="show")
    assert 'value="7.5"' in back.content.decode()
    assert 'name="steps-0-rate"' not in back.content.decode()
    assert not draft.rules.exists()


def test_the_columns_follow_what_is_counted(draft: PlanVersion) -> None:
    page = add(draft, kind="graduated", metric="sales", then="show").content.decode()
    assert 'name="steps-0-flat"' in page
    assert 'name="steps-0-rate"' not in page


def test_the_sentence_and_the_example_follow_what_is_typed(draft: PlanVersion) -> None:
    url = reverse("admin:tiers_rule_add", args=[draft.pk])
    typed = {**FRESH, "kind": "graduated", "metric": "revenue", "window": "month", **STEPS, "then": "refresh"}
    answer = at_desk(ada()).post(url, typed, headers={"X-Part": "preview"})
    text = words(answer)
    assert "5% of orders up to £1,000 in a month" in text
    # half of the second bound at 5 %, and one and a half times of it: 50.00 and 500.00 at 8.5 % = 42.50
    assert "An order of £500.00 £25.00" in text
    assert "An order of £1,500.00 £92.50" in text
    assert b"<html" not in answer.content
    assert not draft.rules.exists()


def test_the_example_of_a_plain_percentage_shows_three_orders(draft: PlanVersion) -> None:
    text = words(add(draft, rate="12.5", then="refresh"))
    assert "12.5% of every order." in text
    assert "An order of £20.00 £2.50" in text
    assert "An order of £100.00 £12.50" in text
    assert "An order of £1,000.00 £125.00" in text


def test_the_example_of_a_recurring_rule_shows_its_end(draft: PlanVersion) -> None:
    text = words(
        add(
            draft,
            kind="recurring",
            rate="20",
            lasts="months",
            lasts_for="12",
            flat_on_refund="kept",
            then="refresh",
        )
    )
    assert "£100.00 in month 1 of a customer £20.00" in text
    assert "£100.00 in month 12 of a customer £20.00" in text
    assert "£100.00 in month 13 of a customer £0.00" in text


def test_what_is_missing_for_the_sentence_is_named(draft: PlanVersion) -> None:
    url = reverse("admin:tiers_rule_add", args=[draft.pk])
    answer = at_desk(ada()).post(url, {**FRESH, "rate": "much"}, headers={"X-Part": "preview"})
    assert "Percent: Write a percentage such as 8 or 12.5." in words(answer)


def test_a_rule_keeps_its_key_and_place_when_it_is_renamed(draft: PlanVersion) -> None:
    rule = saved(draft, rate="5")
    url = reverse("admin:tiers_rule_change", args=[draft.pk, rule.pk])
    at_desk(ada()).post(url, {**FRESH, "name": "All orders", "rate": "6"})
    again = draft.rules.get()
    assert (again.name, again.key, again.position, again.rate) == ("All orders", "every-order", 1, Decimal(6))


def test_two_rules_of_one_name_have_two_keys(draft: PlanVersion) -> None:
    add(draft, rate="5")
    add(draft, rate="6")
    found = list(draft.rules.order_by("position").values_list("key", "position"))
    assert found == [("every-order", 1), ("every-order-2", 2)]


def test_rules_of_another_version_have_no_page_here(draft: PlanVersion) -> None:
    other = RuleFactory.create()
    url = reverse("admin:tiers_rule_change", args=[draft.pk, other.pk])
    assert at_desk(ada()).get(url).status_code == 404
    assert at_desk(fiona()).get(url).status_code == 403


def test_a_table_with_too_many_rows_or_none_is_no_error_of_ours(draft: PlanVersion) -> None:
    for count in ("99999", "-1", "x", ""):
        answer = add(
            draft, **{"kind": "graduated", "metric": "revenue", "window": "month", "steps-count": count}
        )
        assert answer.status_code == 200


def test_a_step_that_says_nothing_about_pay_is_asked_for_it(draft: PlanVersion) -> None:
    forgotten = {**STEPS, "steps-1-rate": ""}
    answer = add(draft, kind="graduated", metric="revenue", window="month", **forgotten)
    assert "Row 2: Give a percentage; write 0 if the step pays nothing." in words(answer)
    meant = {**STEPS, "steps-1-rate": "0"}
    rule = saved(draft, kind="graduated", metric="revenue", window="month", **meant)
    assert rule.params["steps"] == [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "0"}]


def test_a_country_is_typed_by_its_name_too(draft: PlanVersion) -> None:
    asked = {"tests-count": 1, "tests-0-attribute": "country", "tests-0-operator": "in"}
    rule = saved(draft, rate="5", **asked, **{"tests-0-values": "France, es, uk"})
    assert rule.conditions["tests"][0]["values"] == ["FR", "ES", "GB"]
