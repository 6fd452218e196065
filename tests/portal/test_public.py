"""Public pages tell the offer as the engine pays it, and nothing that is not published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone, translation

from portal.offer import offer_of
from prm.lib.money import Money
from tests.factories.partners import TermsVersionFactory
from tests.factories.tiers import ProgramFactory, TierFactory, published_plan
from tests.people import ada
from tiers.models import Program, Tier
from tiers.rulebook import Rulebook

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def program() -> Program:
    program = ProgramFactory(slug="affiliates", name="Halden Affiliates")
    TermsVersionFactory(published=True, program=program, number=1)
    return program


def ladder(program: Program) -> list[Tier]:
    return [
        TierFactory(program=program, key="bronze", name="Bronze", rank=1),
        TierFactory(program=program, key="gold", name="Gold", rank=2),
    ]


def offer(program: Program, tiers: list[Tier]) -> object:
    plan = Rulebook.load([program.pk]).plan_for(program.pk, NOW)
    return offer_of(program, plan, tiers, at=NOW)


def test_one_percentage_is_told_in_one_sentence(program: Program) -> None:
    published_plan(program, by=ada())
    told = offer(program, [])
    assert told.sentence == (  # type: ignore[attr-defined]
        "8% of every order, when the customer comes through your link and buys within 30 days, or uses your code."
    )
    # 8 % of 50.00, 200.00 and 1,000.00
    assert [row.earned for row in told.examples] == [  # type: ignore[attr-defined]
        (Money(400, "GBP"),),
        (Money(1600, "GBP"),),
        (Money(8000, "GBP"),),
    ]


def test_percent_plus_flat_is_shown_as_it_is_paid(program: Program) -> None:
    rule = {"kind": "percent_plus_flat", "rate": Decimal(5), "flat_minor": 200, "flat_on_refund": "kept"}
    published_plan(program, rule, by=ada())
    told = offer(program, [])
    assert told.sentence.startswith("5% plus £2 for every order, ")  # type: ignore[attr-defined]
    # 2.50 + 2.00; 10.00 + 2.00; 50.00 + 2.00
    assert [row.earned[0].minor for row in told.examples] == [450, 1200, 5200]  # type: ignore[attr-defined]
    assert any("You keep the fixed amount." in each.answer for each in told.questions)  # type: ignore[attr-defined]


def test_tiers_that_earn_differently_stand_side_by_side(program: Program) -> None:
    gold = {"name": "Gold", "rate": Decimal("12.5"), "tier_keys": ["gold"]}
    tiers = ladder(program)
    published_plan(program, gold, {"name": "All"}, by=ada())
    told = offer(program, tiers)
    assert "8% of every order, up to 12.5% in the Gold tier, when" in told.sentence  # type: ignore[attr-defined]
    assert told.headings == ("Bronze", "Gold")  # type: ignore[attr-defined]
    assert [amount.minor for amount in told.examples[1].earned] == [1600, 2500]  # type: ignore[attr-defined]
    assert [tier.rates for tier in told.tiers] == [  # type: ignore[attr-defined]
        ("8% of every order",),
        ("12.5% of every order",),
    ]


def test_rules_for_other_events_and_countries_are_named(program: Program) -> None:
    tiers = ladder(program)[:1]
    lead = {"kind": "flat", "rate": Decimal(0), "flat_minor": 1000, "event_kinds": ["qualified_lead"]}
    abroad = {"rate": Decimal(3), "countries": ["FR", "PL"]}
    published_plan(program, lead, abroad, by=ada())
    told = offer(program, tiers)
    assert told.tiers[0].rates == (  # type: ignore[attr-defined]
        "£10 for every qualified lead",
        "3% of every order, for customers in France or Poland",
    )
    assert told.examples == ()  # type: ignore[attr-defined]


def test_steps_bonuses_and_conditions_are_told_as_the_engine_reads_them(program: Program) -> None:
    steps = [{"from": 0, "rate": "10"}, {"from": 100_000, "rate": "12"}]
    base = {"kind": "graduated", "rate": Decimal(0), "params": {"steps": steps}}
    bonus = {
        "kind": "milestone",
        "rate": Decimal(0),
        "tier_keys": ["gold"],
        "params": {"steps": [{"from": 10, "flat": 20_000}], "metric": "sales", "window": {"kind": "quarter"}},
    }
    lamps = {
        "rate": Decimal(20),
        "conditions": {"tests": [{"attribute": "product", "operator": "=", "values": ["Lamp"]}]},
    }
    tiers = ladder(program)
    published_plan(program, lamps, base, bonus, by=ada())
    told = offer(program, tiers)
    ladder_text = "10% of orders up to £1,000 in a month, 12% of what is above £1,000"
    assert told.sentence.startswith(f"{ladder_text}, when the customer")  # type: ignore[attr-defined]
    bronze, gold = told.tiers  # type: ignore[attr-defined]
    assert bronze.rates == ("20% of every order, on product Lamp", ladder_text)
    assert set(gold.rates) == {*bronze.rates, "£200 once, on reaching 10 orders in a quarter"}
    # 10 % of 1,000.00: the step above begins with the next penny
    assert [amount.minor for amount in told.examples[2].earned] == [10_000]  # type: ignore[attr-defined]


def test_what_was_agreed_with_one_partner_is_not_public(program: Program, client: Client) -> None:
    tests = [{"attribute": "partner", "operator": "=", "values": ["mem_secret"]}]
    special = {"rate": Decimal(33), "conditions": {"tests": tests}}
    lead = {"kind": "flat", "rate": 0, "flat_minor": 500, "event_kinds": ["qualified_lead"]}
    published_plan(program, special, lead, by=ada())
    for path in ("/", "/p/affiliates/"):
        page = client.get(path).content.decode()
        assert "33%" not in page and "mem_secret" not in page and "£5 for every qualified lead" in page


def test_dates_of_payment_are_worked_out_from_the_settings(program: Program) -> None:
    # 20 November + 14 days of hold = 4 December, on the statement of 1 January, paid on the 14th.
    answer = offer(program, []).questions[0].answer  # type: ignore[attr-defined]
    for day in ("20 Nov 2026", "4 Dec 2026", "1 Jan 2027", "14 Jan 2027"):
        assert day in answer


def test_a_program_without_a_plan_promises_nothing(program: Program, client: Client) -> None:
    assert offer(program, []).sentence == ""  # type: ignore[attr-defined]
    page = client.get("/p/affiliates/").content.decode()
    assert "What you earn is published soon." in page
    assert "%" not in page.split("<main", 1)[1].split("</main", 1)[0]


def test_the_page_of_a_program_leads_to_the_application(program: Program, client: Client) -> None:
    published_plan(program, by=ada())
    page = client.get("/p/affiliates/").content.decode()
    assert "/p/affiliates/apply/" in page
    assert "/p/affiliates/terms/" in page
    assert "£80.00" in page
    assert "£50.00" in page  # the minimum and an order size


@pytest.mark.parametrize("why", ["closed", "no terms"])
def test_a_program_that_takes_nobody_says_so(program: Program, client: Client, why: str) -> None:
    if why == "closed":
        Program.objects.filter(pk=program.pk).update(is_open=False)
        slug = "affiliates"
    else:
        slug = ProgramFactory(slug="bare").slug
    page = client.get(f"/p/{slug}/").content.decode()
    assert "Applications are closed." in page
    assert f"/p/{slug}/apply/" not in page
    assert client.get(f"/p/{slug}/apply/").status_code == 302


def test_the_list_shows_public_programs_only(program: Program, client: Client) -> None:
    published_plan(program, by=ada())
    ProgramFactory(slug="secret", name="Secret Guild", is_public=False)
    for url in ("/", "/p/"):
        page = client.get(url).content.decode()
        assert "Halden Affiliates" in page
        assert "8% of every order" in page
        assert "Secret Guild" not in page
    for path in ("", "terms/", "apply/", "apply/check/", "apply/sent/"):
        assert client.get(f"/p/secret/{path}").status_code == 404
        assert client.get(f"/p/nowhere/{path}").status_code == 404


def test_without_programs_the_list_says_so(client: Client) -> None:
    assert "No programs yet" in client.get("/").content.decode()


def test_terms_show_the_version_in_force_and_every_published_one(program: Program, client: Client) -> None:
    now = timezone.now()
    coming = now + timedelta(days=30)
    TermsVersionFactory(
        published=True, program=program, number=2, effective_at=coming, pricing="Nine percent."
    )
    TermsVersionFactory(program=program, number=3, pricing="Only a thought.")
    page = client.get("/p/affiliates/terms/").content.decode()
    assert "Version 1" in page
    assert "Nine percent." not in page
    assert "Only a thought." not in page
    later = client.get("/p/affiliates/terms/?version=2").content.decode()
    assert "Nine percent." in later
    assert "This version is not in force yet." in later
    assert client.get("/p/affiliates/terms/?version=3").status_code == 404
    assert client.get("/p/affiliates/terms/?version=x").status_code == 404


def test_public_pages_only_answer_reads(program: Program, client: Client) -> None:
    for url in ("/", "/p/", "/p/affiliates/", "/p/affiliates/terms/"):
        assert client.post(url).status_code == 405


def test_amounts_follow_the_language(program: Program) -> None:
    published_plan(program, by=ada())
    with translation.override("fr"):
        told = offer(program, [])
    assert told.sentence.startswith("8\u202f% ") or told.sentence.startswith("8\xa0% ")  # type: ignore[attr-defined]
