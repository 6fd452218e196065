"""The back office of plans in a browser: a rule written with a script and without one, errors that lead to their fields, and every page in
light and dark without a fault."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.hands import assert_accessible, faults, sideways, sign_in
from tests.factories.tiers import (
    PlanCaseFactory,
    PlanVersionFactory,
    ProgramFactory,
    RuleFactory,
    TierFactory,
    published_plan,
)
from tests.people import ada
from tiers.models import PlanVersion

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def draft(site: str) -> PlanVersion:
    program = ProgramFactory.create(name="Affiliates", slug="affiliates")
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    TierFactory.create(program=program, key="gold", name="Gold", rank=2)
    published_plan(program, by=ada())
    version = PlanVersionFactory.create(plan=program.plan, number=2)
    RuleFactory.create(version=version, key="every", name="Every order", position=1)
    return version


def page_of(draft: PlanVersion, below: str = "") -> str:
    return f"/admin/tiers/planversion/{draft.pk}/{below or 'change/'}"


def test_a_graduated_rule_is_written_while_its_sentence_and_example_follow(
    draft: PlanVersion, page: Page
) -> None:
    sign_in(page, ada())
    page.goto(page_of(draft))
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Name", exact=True).fill("Grows with you")
    page.get_by_role("radio", name="Graduated").check()
    page.get_by_label("From, row 1").fill("0")
    page.get_by_label("Percent, row 1").fill("5")
    page.get_by_role("button", name="Add a step").click()
    expect(page.get_by_label("From, row 2")).to_be_focused()
    page.get_by_label("From, row 2").fill("1000")
    page.get_by_label("Percent, row 2").fill("8,5 %")
    says = page.get_by_role("status")
    expect(says).to_contain_text("5% of orders up to £1,000 in a month, 8.5%")
    # 1,000 at 5 % is 50.00, and 500 at 8.5 % is 42.50
    expect(says).to_contain_text("An order of £1,500.00 £92.50".replace(" £9", "£9"))
    assert_accessible(page)
    page.get_by_role("checkbox", name="Gold").check()
    page.get_by_role("button", name="Add a condition").first.click()
    row = page.locator("[data-row]", has=page.get_by_label("What, row 2")).first
    row.get_by_label("What, row 2").select_option(label="Customer")
    row.get_by_label("Value, row 2").fill("New")
    expect(says).to_contain_text("in the Gold tier")
    page.get_by_role("button", name="Save the rule").last.click()
    expect(page.get_by_text("“Grows with you” is saved in the draft.")).to_be_visible()
    rule = draft.rules.get(key="grows-with-you")
    assert rule.params["steps"] == [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "8.5"}]
    assert rule.conditions["tests"] == [{"attribute": "customer_type", "operator": "=", "values": ["new"]}]
    assert rule.tier_keys == ["gold"]


def test_what_is_counted_changes_the_columns_at_once_and_the_focus_stays(
    draft: PlanVersion, page: Page
) -> None:
    sign_in(page, ada())
    page.goto(page_of(draft, "rules/add/"))
    page.get_by_role("radio", name="Graduated").check()
    metric = page.get_by_label("What is counted")
    expect(page.get_by_label("Percent, row 1")).to_be_visible()
    metric.select_option(label="Number of sales")
    expect(page.get_by_label("Percent, row 1")).to_have_count(0)
    expect(page.get_by_label("What is counted")).to_be_focused()
    expect(page.get_by_label("Its length in months").first).to_be_hidden()
    page.get_by_label("Counted over").select_option(label="Blocks of months since the partner joined")
    expect(page.get_by_label("Its length in months").first).to_be_visible()


def test_steps_are_removed_and_the_rest_is_saved(draft: PlanVersion, page: Page) -> None:
    steps = [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "7"}, {"from": 200_000, "rate": "9"}]
    rule = RuleFactory.create(
        version=draft,
        kind="graduated",
        rate=0,
        position=2,
        params={"steps": steps, "window": {"kind": "month"}},
    )
    sign_in(page, ada())
    page.goto(page_of(draft, f"rules/{rule.pk}/"))
    page.get_by_role("button", name="Remove row 2").first.click()
    expect(page.get_by_role("status")).not_to_contain_text("7%")
    page.get_by_role("button", name="Save the rule").last.click()
    page.wait_for_url("**/change/**")
    rule.refresh_from_db()
    assert rule.params["steps"] == [steps[0], steps[2]]


def test_a_stored_rule_becomes_another_model_while_what_it_held_is_kept(
    draft: PlanVersion, page: Page
) -> None:
    params = {
        "steps": [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "7"}],
        "window": {"kind": "month"},
    }
    rule = RuleFactory.create(version=draft, kind="graduated", rate=0, position=2, params=params)
    sign_in(page, ada())
    page.goto(page_of(draft, f"rules/{rule.pk}/"))
    page.locator("details.model-choice summary").click()
    page.get_by_role("radio", name="Percent of the commissionable").check()
    page.get_by_label("Percent", exact=True).fill("11")
    expect(page.get_by_role("status")).to_contain_text("11% of every order")


def test_everything_works_without_a_script(draft: PlanVersion, open_page: Opener) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, ada())
    page.goto(page_of(draft, "rules/add/"))
    page.get_by_label("Name", exact=True).fill("A hundred sales")
    page.get_by_role("radio", name="Milestone").check()
    page.get_by_role("button", name="Show its fields").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("A hundred sales")
    page.get_by_label("What is counted").select_option(label="Number of sales")
    page.get_by_role("button", name="Show the columns for this count").click()
    expect(page.get_by_label("From, row 5")).to_be_visible()
    page.get_by_label("From, row 2").fill("100")
    page.get_by_label("Amount, row 2").fill("500")
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("status")).to_contain_text("£500 once, on reaching 100 orders in a month")
    page.get_by_role("button", name="Save the rule").last.click()
    expect(page.get_by_text("“A hundred sales” is saved in the draft.")).to_be_visible()
    assert draft.rules.get(key="a-hundred-sales").params["steps"] == [{"from": 100, "flat": 50_000}]


def test_the_enter_key_saves_and_does_not_show_other_fields(draft: PlanVersion, page: Page) -> None:
    sign_in(page, ada())
    page.goto(page_of(draft, f"rules/{draft.rules.get().pk}/"))
    page.get_by_label("Percent", exact=True).fill("9")
    page.get_by_label("Percent", exact=True).press("Enter")
    page.wait_for_url("**/change/**")
    assert draft.rules.get().rate == Decimal(9)


def test_errors_take_the_focus_and_lead_to_their_fields(draft: PlanVersion, page: Page) -> None:
    sign_in(page, ada())
    page.goto(page_of(draft, "rules/add/"))
    page.get_by_label("Percent", exact=True).fill("a lot")
    page.get_by_role("button", name="Save the rule").last.click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    assert page.title().startswith("Error:")
    expect(summary).to_contain_text("There are 2 things to fix")
    assert_accessible(page)
    summary.get_by_role("link", name="Percent:").click()
    expect(page.get_by_label("Percent", exact=True)).to_be_focused()
    expect(page.get_by_label("Percent", exact=True)).to_have_value("a lot")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_plans_is_sound(draft: PlanVersion, open_page: Opener, scheme: str) -> None:
    kinds = {
        "volume": {
            "window": {"kind": "year"},
            "steps": [{"from": 0, "rate": "5"}, {"from": 500_000, "rate": "9"}],
        },
        "override": {"levels": ["5", "2"]},
        "recurring": {"recurring": {"months": 12, "schedule": ["20", "10"]}, "limits": {"event_max": 5_000}},
    }
    rules = [
        RuleFactory.create(version=draft, key=kind, name=kind, kind=kind, position=at, rate=0, params=params)
        for at, (kind, params) in enumerate(kinds.items(), start=2)
    ]
    case = PlanCaseFactory.create(version=draft, name="A plain order")
    PlanCaseFactory.create(version=draft, name="Another", expected_minor=1)
    page = open_page(color_scheme=scheme)
    sign_in(page, ada())
    addresses = [
        f"/admin/tiers/plan/{draft.plan_id}/change/",
        page_of(draft),
        page_of(draft, "publish/"),
        page_of(draft, "rules/add/"),
        *(page_of(draft, f"rules/{rule.pk}/") for rule in rules),
        page_of(draft, f"rules/{rules[0].pk}/remove/"),
        page_of(draft, f"examples/{case.pk}/"),
        f"/admin/tiers/planversion/{draft.plan.versions.get(number=1).pk}/change/",
        f"/admin/tiers/plan/try/?program=affiliates&amount=418&kind=sale&quantity=1&version={draft.public_id}",
    ]
    found: list[str] = []
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, address
        found += faults(page) + sideways(page)
    assert found == []
