from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from prm.audit.models import AuditEvent
from tests.desk import at_desk, words
from tests.factories.tiers import LegalEntityFactory, ProgramFactory, TierFactory, published_plan
from tests.people import ada, fiona, mats
from tiers.models import Plan, PlanVersion, Program, Tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> Plan:
    program = ProgramFactory.create(name="Affiliates")
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    version = published_plan(program, {"kind": "percent_plus_flat", "rate": "5", "flat_minor": 200}, by=ada())
    return version.plan


def draft_of(plan: Plan) -> PlanVersion:
    at_desk(ada()).post(reverse("admin:tiers_plan_draft", args=[plan.pk]))
    return plan.versions.get(state="draft")


def rules_form(version: PlanVersion, **changed: object) -> dict[str, object]:
    """Return what the browser would send for the one rule of a draft."""
    rule = version.rules.get()
    values: dict[str, object] = {
        "combine": version.combine,
        "rules-TOTAL_FORMS": 1,
        "rules-INITIAL_FORMS": 1,
        "rules-0-id": rule.pk,
        "rules-0-version": version.pk,
        "rules-0-position": 1,
        "rules-0-key": rule.key,
        "rules-0-name": rule.name,
        "rules-0-kind": rule.kind,
        "rules-0-rate": str(rule.rate),
        "rules-0-flat": "2.00",
        "rules-0-flat_on_refund": rule.flat_on_refund,
        "rules-0-countries": "",
    }
    return {**values, **{f"rules-0-{name}": value for name, value in changed.items()}}


def test_an_order_is_tried_on_the_version_in_force_and_explained(plan: Plan) -> None:
    tier = plan.program.tiers.get()
    order: dict[str, str | int] = {"tier": tier.pk, "kind": "sale", "amount": "418.00", "country": "France"}
    text = words(at_desk(fiona()).get(reverse("admin:tiers_plan_change", args=[plan.pk]), order))
    assert "£22.90" in text  # 5 % of 418.00 is 20.90, and 2.00 on top
    assert "Order total £418.00" in text
    assert "Nothing is booked by trying" in text


def test_an_order_that_earns_nothing_says_so_and_why(plan: Plan) -> None:
    version = draft_of(plan)
    url = reverse("admin:tiers_planversion_change", args=[version.pk])
    at_desk(ada()).post(url, rules_form(version, countries="Germany"))
    order: dict[str, str | int] = {
        "tier": plan.program.tiers.get().pk,
        "kind": "sale",
        "amount": "10",
        "country": "France",
    }
    text = words(at_desk(ada()).get(url, order))
    assert "This order earns nothing." in text
    assert "is for customers in GERMANY" in text


def test_an_amount_that_is_none_is_named_beside_its_field(plan: Plan) -> None:
    order: dict[str, str | int] = {"tier": plan.program.tiers.get().pk, "kind": "sale", "amount": "ten"}
    text = words(at_desk(ada()).get(reverse("admin:tiers_plan_change", args=[plan.pk]), order))
    assert "Write an amount such as 2.00" in text


def test_a_new_version_starts_from_the_one_in_force_and_earns_nothing_yet(plan: Plan) -> None:
    draft = draft_of(plan)
    assert (draft.number, draft.rules.get().flat_minor) == (2, 200)
    assert draft_of(plan) == draft  # a second press goes on with the same draft
    url = reverse("admin:tiers_planversion_change", args=[draft.pk])
    assert "Nothing earns by it until it is published" in words(at_desk(ada()).get(url))


def test_rules_of_a_draft_are_edited_in_major_units(plan: Plan) -> None:
    draft = draft_of(plan)
    url = reverse("admin:tiers_planversion_change", args=[draft.pk])
    response = at_desk(ada()).post(
        url, rules_form(draft, flat="3,50", rate="6.5", tier_keys=["start"], event_kinds=["sale", "renewal"])
    )
    assert response.status_code == 302
    rule = draft.rules.get()
    assert (rule.flat_minor, rule.rate) == (350, Decimal("6.5"))
    assert (rule.tier_keys, rule.event_kinds) == (["start"], ["sale", "renewal"])
    assert 'value="3.50"' in at_desk(ada()).get(url).content.decode()


def test_publishing_is_a_page_that_says_what_happens(plan: Plan) -> None:
    draft = draft_of(plan)
    url = reverse("admin:tiers_planversion_publish", args=[draft.pk])
    client = at_desk(ada())
    text = words(client.get(url))
    assert "Version 1 is superseded on that date." in text
    assert "No booked commission changes." in text
    response = client.post(url, {"effective_on": "2027-01-01"}, follow=True)
    assert "Version 2 is in force from 1 Jan 2027 on." in words(response)
    draft.refresh_from_db()
    # midnight in London, which is on universal time in winter
    assert draft.effective_at is not None
    assert draft.effective_at.isoformat() == "2027-01-01T00:00:00+00:00"


def test_a_draft_that_pays_nothing_is_refused_in_words(plan: Plan) -> None:
    draft = draft_of(plan)
    draft.rules.update(rate=0, flat_minor=0)
    url = reverse("admin:tiers_planversion_publish", args=[draft.pk])
    assert "pays nothing" in words(at_desk(ada()).post(url, {"effective_on": ""}))
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_published_version_offers_nothing_to_edit(plan: Plan) -> None:
    version = plan.versions.get()
    url = reverse("admin:tiers_planversion_change", args=[version.pk])
    client = at_desk(ada())
    assert 'name="rules-0-rate"' not in client.get(url).content.decode()
    assert client.post(url, rules_form(version, rate="50")).status_code == 403
    assert version.rules.get().rate == Decimal(5)


@pytest.mark.parametrize("who", [fiona, mats])
def test_others_try_plans_and_do_not_write_them(plan: Plan, who: object) -> None:
    assert callable(who)
    client = at_desk(who())
    assert client.get(reverse("admin:tiers_plan_change", args=[plan.pk])).status_code == 200
    refused = client.post(reverse("admin:tiers_plan_draft", args=[plan.pk]))
    assert refused.status_code == 403
    assert "Administrator" in words(refused)
    assert not plan.versions.filter(state="draft").exists()


def program_form(entity_id: int, **changed: object) -> dict[str, object]:
    return {
        "name": "Creators",
        "slug": "creators",
        "partnership_type": "influencer",
        "legal_entity": entity_id,
        "summary": "",
        "currency": "GBP",
        "time_zone": "Europe/London",
        "minimum_payout": "50.00",
        "hold_days": 14,
        "payment_day": 14,
        "cookie_days": 30,
        "destination_url": "https://shop.example/",
        "allowed_domains": "a.example, b.example",
        "decision_days": 5,
        "is_open": "on",
        "is_public": "on",
        "tiers-TOTAL_FORMS": 1,
        "tiers-INITIAL_FORMS": 0,
        "tiers-0-rank": 1,
        "tiers-0-key": "start",
        "tiers-0-name": "Registered",
        "tiers-0-revenue_from": "1 000.00",
        **changed,
    }


def test_a_program_is_opened_with_its_tiers_and_its_plan() -> None:
    entity = LegalEntityFactory.create()
    response = at_desk(ada()).post(reverse("admin:tiers_program_add"), program_form(entity.pk))
    assert response.status_code == 302
    program = Program.objects.get(slug="creators")
    assert (program.minimum_payout_minor, program.allowed_domains) == (5000, ["a.example", "b.example"])
    assert Tier.objects.get(program=program).revenue_from_minor == 100_000
    assert Plan.objects.filter(program=program).exists()
    assert AuditEvent.objects.filter(action="program.opened", actor=ada()).exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("minimum_payout", "50.005", "GBP has 2 decimals"),
        ("minimum_payout", "-1", "must not be negative"),
        ("currency", "XXX", "not an ISO 4217 currency"),
        ("time_zone", "Mars/Base", "not an IANA time zone"),
    ],
)
def test_a_program_that_makes_no_sense_is_refused_by_field(field: str, value: str, said: str) -> None:
    entity = LegalEntityFactory.create()
    response = at_desk(ada()).post(
        reverse("admin:tiers_program_add"), program_form(entity.pk, **{field: value})
    )
    assert said in words(response)
    assert not Program.objects.exists()


def test_currency_and_zone_stay_once_a_program_exists() -> None:
    program = ProgramFactory.create()
    url = reverse("admin:tiers_program_change", args=[program.pk])
    at_desk(ada()).post(
        url,
        program_form(
            program.legal_entity_id,
            slug=program.slug,
            currency="EUR",
            time_zone="Europe/Paris",
            minimum_payout="20",
        ),
    )
    program.refresh_from_db()
    assert (program.currency, program.time_zone, program.minimum_payout_minor) == (
        "GBP",
        "Europe/London",
        2000,
    )


def test_account_managers_look_at_programs_and_change_nothing() -> None:
    program = ProgramFactory.create(name="Affiliates")
    TierFactory.create(program=program, name="Registered", revenue_from_minor=100_000)
    url = reverse("admin:tiers_program_change", args=[program.pk])
    client = at_desk(mats())
    text = words(client.get(url))
    assert "£50.00" in text
    assert "£1,000.00" in text
    assert client.post(url, {"name": "Other"}).status_code == 403
