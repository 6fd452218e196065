from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from prm.audit.models import AuditEvent
from tests.desk import at_desk, links, words
from tests.factories.partners import MembershipFactory
from tests.factories.tiers import (
    LegalEntityFactory,
    PlanCaseFactory,
    PlanVersionFactory,
    ProgramFactory,
    RuleFactory,
    TierFactory,
    published_plan,
)
from tests.people import ada, fiona, mats
from tiers.fingerprints import fingerprint
from tiers.models import Plan, PlanVersion, Program, Rule, Tier

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


def test_a_new_version_starts_from_the_one_in_force_and_earns_nothing_yet(plan: Plan) -> None:
    draft = draft_of(plan)
    assert (draft.number, draft.rules.get().flat_minor) == (2, 200)
    assert draft_of(plan) == draft  # a second press goes on with the same draft
    url = reverse("admin:tiers_planversion_change", args=[draft.pk])
    assert "Nothing earns by it until it is published" in words(at_desk(ada()).get(url))


SETTINGS: dict[str, object] = {
    "combine": "stack",
    "deducts": ["tax"],
    "excluded_products": "POST\r\nBANK CHARGES\r\n\r\nPOST",
    "excluded_categories": "Postage, and packing",
    "grandfather": "customers",
    "notice_days": "14",
}


def test_the_settings_of_a_draft_are_written_one_thing_on_a_line(plan: Plan) -> None:
    draft = draft_of(plan)
    url = reverse("admin:tiers_planversion_change", args=[draft.pk])
    assert at_desk(ada()).post(url, SETTINGS).status_code == 302
    draft.refresh_from_db()
    assert (draft.combine, draft.deducts, draft.grandfather, draft.notice_days) == (
        "stack",
        ["tax"],
        "customers",
        14,
    )
    assert draft.excluded_products == ["POST", "BANK CHARGES"]
    assert draft.excluded_categories == ["Postage, and packing"]
    assert AuditEvent.objects.filter(action="plan_version.edited", actor=ada()).exists()


def test_settings_that_make_no_sense_are_named_and_nothing_is_saved(plan: Plan) -> None:
    draft = draft_of(plan)
    url = reverse("admin:tiers_planversion_change", args=[draft.pk])
    answer = at_desk(ada()).post(url, {**SETTINGS, "notice_days": "-1", "deducts": ["rent"]})
    assert "There are 2 things to fix" in words(answer)
    assert b"<title>Error:" in answer.content
    draft.refresh_from_db()
    assert draft.combine == "first_match"


def test_rules_stand_in_the_order_in_which_they_win_and_the_page_says_why(plan: Plan) -> None:
    TierFactory.create(program=plan.program, key="gold", name="Gold", rank=2)
    draft = draft_of(plan)
    RuleFactory.create(version=draft, key="gold", name="Gold", position=2, tier_keys=["gold"])
    RuleFactory.create(
        version=draft,
        key="mugs",
        name="Mugs",
        position=3,
        conditions={"tests": [{"attribute": "category", "operator": "=", "values": ["Mugs"]}]},
    )
    text = words(at_desk(ada()).get(reverse("admin:tiers_planversion_change", args=[draft.pk])))
    places = [text.index(said) for said in ("Mugs about a product", "Gold for a tier", "for everybody")]
    assert places == sorted(places)
    assert "8% of every order, on category Mugs." in text


def test_a_rule_changes_places_only_with_one_as_specific(plan: Plan) -> None:
    draft = draft_of(plan)
    first = draft.rules.get()
    second = RuleFactory.create(version=draft, key="second", position=2)
    gold = RuleFactory.create(version=draft, key="gold", position=3, tier_keys=["start"])
    client = at_desk(ada())

    def move(rule: Rule, to: str) -> list[str]:
        client.post(reverse("admin:tiers_rule_move", args=[draft.pk, rule.pk]), {"to": to})
        return list(draft.rules.order_by("position").values_list("key", flat=True))

    assert move(second, "up") == ["second", first.key, "gold"]
    assert move(second, "up") == ["second", first.key, "gold"]  # only the tier's rule stands before it
    assert move(gold, "down") == ["second", first.key, "gold"]


def test_a_rule_is_removed_on_a_page_that_says_what_that_does(plan: Plan) -> None:
    draft = draft_of(plan)
    url = reverse("admin:tiers_rule_remove", args=[draft.pk, draft.rules.get().pk])
    client = at_desk(ada())
    assert "earn nothing once the draft is published" in words(client.get(url))
    assert draft.rules.exists()
    assert "no longer part of the draft" in words(client.post(url, follow=True))
    assert not draft.rules.exists()


def test_every_gate_before_publication_is_shown_with_what_it_found(plan: Plan) -> None:
    draft = draft_of(plan)
    PlanCaseFactory.create(version=draft, name="Too much", facts={"amount": "100.00"}, expected_minor=9_99)
    client = at_desk(ada())
    for page in ("tiers_planversion_change", "tiers_planversion_publish"):
        text = words(client.get(reverse(f"admin:{page}", args=[draft.pk])))
        assert "1 rule can be read and pays." in text
        assert "1 example fails: Too much." in text
        assert "No notice is promised" in text
        assert "nobody has seen what it changes" in text
    refused = client.post(reverse("admin:tiers_planversion_publish", args=[draft.pk]), {"effective_on": ""})
    assert "Example “Too much” must earn 9.99 GBP and earns 7.00 GBP" in words(refused)
    draft.refresh_from_db()
    assert draft.state == "draft"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (12_50, "costs £12.50 more: 3 earn more, 1 less."),
        (-12_50, "costs £12.50 less: 3 earn more, 1 less."),
        (0, "costs the same: 3 earn more, 1 less."),
    ],
)
def test_the_gate_of_the_dry_run_says_what_it_found_until_the_draft_changes(
    plan: Plan, change: int, said: str
) -> None:
    draft = draft_of(plan)
    report = {"currency": "GBP", "total": {"change": change}, "winners": 3, "losers": 1}
    PlanVersion.objects.filter(pk=draft.pk).update(report={**report, "fingerprint": fingerprint(draft)})
    url = reverse("admin:tiers_planversion_publish", args=[draft.pk])
    assert said in words(at_desk(ada()).get(url))
    draft.rules.update(rate=6)
    assert "The draft was changed after the last one" in words(at_desk(ada()).get(url))


def test_what_is_worth_a_look_is_listed_with_its_rule(plan: Plan) -> None:
    draft = draft_of(plan)
    draft.rules.update(conditions={"tests": [{"attribute": "code", "operator": "=", "values": ["SPRING10"]}]})
    text = words(at_desk(ada()).get(reverse("admin:tiers_planversion_change", args=[draft.pk])))
    assert "Worth a look" in text
    assert "It asks for code SPRING10, which nobody owns." in text


def test_a_draft_for_one_partner_leads_to_where_it_is_proposed(plan: Plan) -> None:
    membership = MembershipFactory.create(program=plan.program)
    own = PlanVersionFactory.create(plan=plan, number=7, member_key=membership.public_id)
    page = at_desk(ada()).get(reverse("admin:tiers_planversion_change", args=[own.pk]))
    assert f"These are own terms of {membership.partner.name}." in words(page)
    assert reverse("admin:partners_membership_terms", args=[membership.pk]) in links(page)
    assert reverse("admin:tiers_planversion_publish", args=[own.pk]) not in links(page)
    assert "For one partner only" not in words(
        at_desk(ada()).get(reverse("admin:tiers_planversion_change", args=[plan.versions.get(number=1).pk]))
    )


EXAMPLE: dict[str, object] = {
    "name": "A plain order",
    "expected": "7.00",
    "kind": "sale",
    "amount": "100.00",
    "quantity": "1",
    "role": "sourced",
    "then": "save",
}


def test_an_example_is_kept_with_what_it_must_earn(plan: Plan) -> None:
    draft = draft_of(plan)
    answer = at_desk(ada()).post(
        reverse("admin:tiers_case_add", args=[draft.pk]),
        {**EXAMPLE, "tier": "start", "tax": "20.00", "before_count": "9", "occurred_on": "2026-11-22"},
    )
    assert answer.status_code == 302, words(answer)
    case = draft.cases.get()
    assert (case.name, case.expected_minor) == ("A plain order", 700)
    assert case.facts == {
        "kind": "sale",
        "amount": "100.00",
        "tier": "start",
        "role": "sourced",
        "occurred_on": "2026-11-22",
        "quantity": 1,
        "deductions": {"tax": "20.00"},
        "before": {"sales": 9, "new_customers": 9, "leads": 9, "units": 9},
    }
    page = at_desk(ada()).get(reverse("admin:tiers_case_change", args=[draft.pk, case.pk])).content.decode()
    assert 'value="20.00"' in page and 'value="9"' in page and 'value="2026-11-22"' in page


def test_an_example_is_tried_before_it_is_saved(plan: Plan) -> None:
    draft = draft_of(plan)
    url = reverse("admin:tiers_case_add", args=[draft.pk])
    # 5 % of 100.00 is 5.00, and 2.00 on top
    text = words(at_desk(ada()).post(url, {**EXAMPLE, "then": "try", "expected": "6.00"}))
    assert "£7.00" in text
    assert "It must earn £6.00." in text
    assert not draft.cases.exists()


def test_two_examples_of_a_version_do_not_share_a_name(plan: Plan) -> None:
    draft = draft_of(plan)
    PlanCaseFactory.create(version=draft, name="A plain order")
    answer = at_desk(ada()).post(reverse("admin:tiers_case_add", args=[draft.pk]), EXAMPLE)
    assert "Another example of this version has this name." in words(answer)
    assert draft.cases.count() == 1


def test_an_example_is_removed(plan: Plan) -> None:
    draft = draft_of(plan)
    case = PlanCaseFactory.create(version=draft)
    url = reverse("admin:tiers_case_remove", args=[draft.pk, case.pk])
    client = at_desk(ada())
    assert "no longer has to come out right" in words(client.get(url))
    client.post(url)
    assert not draft.cases.exists()


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
    client = at_desk(ada())
    page = client.get(reverse("admin:tiers_planversion_change", args=[version.pk]))
    assert "Save the settings" not in words(page)
    assert (
        client.post(reverse("admin:tiers_planversion_change", args=[version.pk]), SETTINGS).status_code == 200
    )
    for name in ("tiers_rule_add", "tiers_case_add"):
        assert client.get(reverse(f"admin:{name}", args=[version.pk])).status_code == 404
    version.refresh_from_db()
    assert (version.combine, version.rules.get().rate) == ("first_match", Decimal(5))


@pytest.mark.parametrize("who", [fiona, mats])
def test_only_administrators_write_rules_and_examples(plan: Plan, who: object) -> None:
    assert callable(who)
    draft = draft_of(plan)
    client = at_desk(who())
    page = words(client.get(reverse("admin:tiers_planversion_change", args=[draft.pk])))
    assert "5% plus £2 of every order" in page or "£2" in page
    assert "New rule" not in page
    for name in ("tiers_rule_add", "tiers_case_add"):
        assert client.get(reverse(f"admin:{name}", args=[draft.pk])).status_code == 403
    assert (
        client.post(reverse("admin:tiers_planversion_change", args=[draft.pk]), SETTINGS).status_code == 403
    )


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
        "fx_moment": "payment",
        "second_person_above": "",
        "dispute_days": 30,
        "answer_days": 5,
        "cookie_days": 30,
        "destination_url": "https://shop.example/",
        "allowed_domains": "a.example, b.example",
        "decision_days": 5,
        "is_public": "on",
        "tiers-TOTAL_FORMS": 1,
        "tiers-INITIAL_FORMS": 0,
        "tiers-0-rank": 1,
        "tiers-0-key": "start",
        "tiers-0-name": "Registered",
        **changed,
    }


def test_a_program_is_added_closed_with_its_tiers_and_its_plan() -> None:
    entity = LegalEntityFactory.create()
    response = at_desk(ada()).post(reverse("admin:tiers_program_add"), program_form(entity.pk))
    assert response.status_code == 302
    program = Program.objects.get(slug="creators")
    assert (program.minimum_payout_minor, program.allowed_domains) == (5000, ["a.example", "b.example"])
    assert Tier.objects.get(program=program).name == "Registered"
    assert Plan.objects.filter(program=program).exists()
    assert not program.is_open
    assert AuditEvent.objects.filter(action="program.added", actor=ada()).exists()


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
            second_person_above="100.50",
        ),
    )
    program.refresh_from_db()
    assert program.second_person_above_minor == 100_50
    assert (program.currency, program.time_zone, program.minimum_payout_minor) == (
        "GBP",
        "Europe/London",
        2000,
    )


def test_a_new_program_whose_tiers_repeat_each_other_is_answered_with_what_was_typed() -> None:
    again = {"tiers-1-rank": 1, "tiers-1-key": "start", "tiers-1-name": "Typed", "tiers-TOTAL_FORMS": 2}
    entity = LegalEntityFactory.create()
    response = at_desk(ada()).post(reverse("admin:tiers_program_add"), program_form(entity.pk, **again))
    assert "Another tier of this program has this rank." in words(response)
    assert "Another tier of this program has this key." in words(response)
    assert 'value="Typed"' in response.content.decode()
    assert not Program.objects.exists()


def test_the_claw_back_window_is_set_until_somebody_has_joined() -> None:
    program = ProgramFactory.create()
    url = reverse("admin:tiers_program_change", args=[program.pk])
    for days in (60, 90):
        told = {"slug": program.slug, "clawback_days": days, "tiers-TOTAL_FORMS": 0}
        at_desk(ada()).post(url, program_form(program.legal_entity_id, **told))
        program.refresh_from_db()
        assert program.clawback_days == 60
        MembershipFactory.create(program=program)


def test_account_managers_look_at_programs_and_change_nothing() -> None:
    program = ProgramFactory.create(name="Affiliates")
    TierFactory.create(program=program, name="Registered")
    url = reverse("admin:tiers_program_change", args=[program.pk])
    client = at_desk(mats())
    text = words(client.get(url))
    assert "£50.00" in text
    assert client.post(url, {"name": "Other"}).status_code == 403


def test_a_version_that_promises_notice_asks_for_its_day(plan: Plan) -> None:
    draft = draft_of(plan)
    url = reverse("admin:tiers_planversion_publish", args=[draft.pk])
    assert "Empty: at once." in words(at_desk(ada()).get(url))
    PlanVersion.objects.filter(pk=draft.pk).update(notice_days=14)
    assert "Empty: at once." not in words(at_desk(ada()).get(url))
    assert "This field is required" in words(at_desk(ada()).post(url, {"effective_on": ""}))
