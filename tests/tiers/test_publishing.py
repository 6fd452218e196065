"""A plan version is published whole and never changes; what it replaces still rates its own time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from prm.accounts.policy import Forbidden
from prm.lib.events import subscribed
from prm.lib.money import Money
from tests.factories.tiers import PlanCaseFactory
from tests.house import House, open_house
from tests.people import ada, mats
from tiers import proofs, publishing, rulebook
from tiers.choices import VersionState
from tiers.engine.compute import compute
from tiers.engine.facts import Event, Standing
from tiers.events import PlanVersionPublished
from tiers.fingerprints import fingerprint
from tiers.models import LegalEntity, Plan, PlanVersion, Program, Rule, Tier

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    return open_house()


def draft() -> PlanVersion:
    return publishing.draft_from(Plan.objects.get(), by=ada(), at=AT)


def test_a_new_draft_starts_from_the_newest_version_and_is_made_once(house: House) -> None:
    first, second = draft(), draft()
    assert first == second
    assert (first.number, first.state) == (2, VersionState.DRAFT)
    assert list(first.rules.values_list("key", "rate")) == [("every-order", Decimal("8.000000"))]


def test_publishing_supersedes_what_went_before_and_both_rate_their_own_time(house: House) -> None:
    version = draft()
    version.rules.update(rate=Decimal("12.5"))
    published = publishing.publish(version, effective_at=JULY, by=ada(), at=AT)
    assert (published.state, published.published_by, len(published.sha256)) == (
        VersionState.PUBLISHED,
        ada(),
        64,
    )
    assert PlanVersion.objects.get(number=1).state == VersionState.SUPERSEDED
    book = rulebook.Rulebook.load([house.program.pk])
    before, after = (book.plan_for(house.program.pk, JULY + timedelta(seconds=step)) for step in (-1, 0))
    assert before is not None
    assert after is not None
    assert (before.version_number, after.version_number) == (1, 2)
    event = Event(key="o", kind="sale", occurred_at=JULY, amount=Money(10_00, "GBP"))
    # 12.5 % of 10.00 is 1.25
    assert [line.amount.minor for line in compute(event, Standing(tier_key=""), after)] == [125]


def test_a_draft_takes_over_everything_the_version_before_said(house: House) -> None:
    first = draft()
    settings = {
        "combine": "stack",
        "deducts": ["tax"],
        "excluded_products": ["POST"],
        "excluded_categories": ["gift"],
        "grandfather": "customers",
        "notice_days": 14,
    }
    PlanVersion.objects.filter(pk=first.pk).update(**settings)
    rule = {
        "rate": Decimal("120"),
        "unusual": True,
        "params": {"limits": {"event_max": 500}},
        "conditions": {"tests": [{"attribute": "product", "operator": "=", "values": ["PEN"]}]},
    }
    first.rules.update(**rule)
    PlanCaseFactory.create(
        version=first, name="Pen", facts={"amount": "1", "product": "PEN"}, expected_minor=1_20
    )
    publishing.publish(first, effective_at=JULY, by=ada(), at=AT)
    second = draft()
    assert second.number == 3
    assert {name: getattr(second, name) for name in settings} == settings
    assert second.rules.values(*rule).get() == rule
    assert second.cases.values_list("name", "expected_minor").get() == ("Pen", 1_20)
    assert first.rules.count() == first.cases.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"combine": "stack"},
        {"deducts": []},
        {"excluded_products": ["POST"]},
        {"excluded_categories": ["gift"]},
        {"grandfather": "memberships"},
        {"notice_days": 3},
        {"member_key": "mem_x"},
        {"effective_at": JULY},
    ],
)
def test_the_fingerprint_tells_versions_apart(house: House, change: dict[str, object]) -> None:
    version = draft()
    before = fingerprint(version)
    PlanVersion.objects.filter(pk=version.pk).update(**change)
    version.refresh_from_db()
    assert fingerprint(version) != before


@pytest.mark.parametrize(
    "change",
    [
        {"rate": 9},
        {"params": {"limits": {"event_max": 1}}},
        {"conditions": {"tests": [{"attribute": "deal", "operator": "=", "values": ["D"]}]}},
        {"unusual": True},
        {"countries": ["FR"]},
    ],
)
def test_the_fingerprint_covers_the_rules(house: House, change: dict[str, object]) -> None:
    version = draft()
    before = fingerprint(version)
    version.rules.update(**change)
    assert fingerprint(version) != before
    assert fingerprint(version) == fingerprint(PlanVersion.objects.get(pk=version.pk))


def test_the_fingerprint_covers_the_examples(house: House) -> None:
    version = draft()
    before = fingerprint(version)
    PlanCaseFactory.create(version=version)
    assert fingerprint(version) != before


def test_only_the_first_version_may_begin_in_the_past(house: House) -> None:
    version = draft()
    with pytest.raises(publishing.InThePast, match="1 Jun 2026, 09:59") as refused:
        publishing.publish(version, effective_at=AT - timedelta(seconds=1), by=ada(), at=AT)
    assert refused.value.field == "effective_on"
    assert publishing.publish(version, effective_at=AT, by=ada(), at=AT).effective_at == AT


def test_two_versions_never_begin_together(house: House) -> None:
    publishing.publish(draft(), effective_at=JULY, by=ada(), at=AT)
    third = draft()
    with pytest.raises(publishing.SameInstant, match="Version 2 begins at exactly this moment"):
        publishing.publish(third, effective_at=JULY, by=ada(), at=AT)
    publishing.publish(third, effective_at=JULY - timedelta(seconds=1), by=ada(), at=AT)
    book = rulebook.Rulebook.load([house.program.pk])
    numbers = []
    for at in (JULY - timedelta(seconds=2), JULY - timedelta(seconds=1), JULY):
        plan = book.plan_for(house.program.pk, at)
        numbers.append(plan.version_number if plan else None)
    assert numbers == [1, 3, 2]  # what was announced for July still begins in July


def test_partners_are_given_the_notice_they_were_promised(house: House) -> None:
    version = draft()
    PlanVersion.objects.filter(pk=version.pk).update(notice_days=30)
    # Thirty days after 1 June: 1 July, from its first moment in London, which is 23:00 UTC of 30 June.
    earliest = datetime(2026, 6, 30, 23, tzinfo=UTC)
    house.member("ANA10")
    with pytest.raises(publishing.NoticeTooShort, match="30 days' notice, so it begins on 1 Jul 2026, 00:00"):
        publishing.publish(version, effective_at=earliest - timedelta(seconds=1), by=ada(), at=AT)
    publishing.publish(version, effective_at=earliest, by=ada(), at=AT)


def test_notice_is_given_to_somebody(house: House) -> None:
    version = draft()
    PlanVersion.objects.filter(pk=version.pk).update(notice_days=30)
    assert publishing.publish(version, effective_at=AT, by=ada(), at=AT).state == VersionState.PUBLISHED


def test_publishing_is_announced(house: House, django_capture_on_commit_callbacks: Any) -> None:
    heard: list[PlanVersionPublished] = []
    with subscribed(PlanVersionPublished, heard.append), django_capture_on_commit_callbacks(execute=True):
        version = publishing.publish(draft(), effective_at=JULY, by=ada(), at=AT)
    assert heard == [PlanVersionPublished(version.pk)]


def test_a_version_for_one_partner_is_not_published_over_its_head(house: House) -> None:
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=AT, member_key="mem_x")
    with pytest.raises(publishing.ForOnePartner):
        publishing.publish(version, effective_at=JULY, by=ada(), at=AT)


def test_a_draft_for_one_partner_starts_from_what_everybody_has_and_stands_beside(house: House) -> None:
    mine = publishing.draft_from(Plan.objects.get(), by=ada(), at=AT, member_key="mem_x")
    everybody = draft()
    assert (mine.number, mine.member_key, everybody.number, everybody.member_key) == (2, "mem_x", 3, "")
    assert publishing.draft_from(Plan.objects.get(), by=ada(), at=AT, member_key="mem_x") == mine
    assert mine.rules.get().rate == 8


def test_before_the_first_version_nothing_rates(house: House) -> None:
    book = rulebook.Rulebook.load([house.program.pk])
    assert book.plan_for(house.program.pk, datetime(2025, 12, 31, 23, 59, tzinfo=UTC)) is None


def test_publishing_is_an_administrator_s_work(house: House) -> None:
    with pytest.raises(Forbidden):
        publishing.publish(draft(), effective_at=JULY, by=mats(), at=AT)
    assert PlanVersion.objects.get(number=2).state == VersionState.DRAFT


def test_a_version_is_published_once(house: House) -> None:
    version = publishing.publish(draft(), effective_at=JULY, by=ada(), at=AT)
    with pytest.raises(publishing.AlreadyPublished):
        publishing.publish(version, effective_at=JULY, by=ada(), at=AT)


def without_rules(version: PlanVersion) -> None:
    version.rules.all().delete()


def with_an_unknown_event_kind(version: PlanVersion) -> None:
    version.rules.update(event_kinds=["sale", "picnic"])


def with_an_unknown_tier(version: PlanVersion) -> None:
    version.rules.update(tier_keys=["registered", "platinum"])


def without_a_rate(version: PlanVersion) -> None:
    version.rules.update(rate=0)


def with_steps_that_overlap(version: PlanVersion) -> None:
    steps = [{"from": 0, "rate": "5"}, {"from": 100, "rate": "6"}, {"from": 100, "rate": "7"}]
    version.rules.update(kind="graduated", rate=0, params={"steps": steps})


def with_steps_that_pay_nothing(version: PlanVersion) -> None:
    version.rules.update(kind="graduated", rate=0, params={"steps": [{"from": 0}, {"from": 100}]})


def with_a_percentage_where_none_counts(version: PlanVersion) -> None:
    version.rules.update(kind="flat", rate=8, flat_minor=0)


def with_another_currency(version: PlanVersion) -> None:
    tests = [{"attribute": "currency", "operator": "=", "values": ["EUR"]}]
    version.rules.update(conditions={"tests": tests})


def with_an_unknown_attribute(version: PlanVersion) -> None:
    version.rules.update(conditions={"tests": [{"attribute": "mood", "operator": "=", "values": ["good"]}]})


def with_a_condition_on_an_unknown_tier(version: PlanVersion) -> None:
    deep = {
        "join": "any",
        "tests": [{"attribute": "tier", "operator": "in", "values": ["registered", "tin"]}],
    }
    version.rules.update(conditions={"tests": [deep]})


def with_a_deduction_nobody_makes(version: PlanVersion) -> None:
    PlanVersion.objects.filter(pk=version.pk).update(deducts=["tax", "lunch"])


def with_exclusions_that_are_no_words(version: PlanVersion) -> None:
    PlanVersion.objects.filter(pk=version.pk).update(excluded_products=[4711])


def with_an_example_that_fails(version: PlanVersion) -> None:
    PlanCaseFactory.create(version=version, name="A hundred", expected_minor=8_01)


def with_an_example_in_euros(version: PlanVersion) -> None:
    facts = {"amount": "100.00", "currency": "EUR"}
    PlanCaseFactory.create(version=version, name="Abroad", facts=facts)


@pytest.mark.parametrize(
    ("spoil", "refusal", "words"),
    [
        (without_rules, proofs.NoRules, "at least one rule"),
        (with_an_unknown_event_kind, proofs.UnknownCondition, "picnic"),
        (with_an_unknown_tier, proofs.UnknownCondition, "platinum"),
        (without_a_rate, proofs.NothingToEarn, "Every order"),
        (with_steps_that_pay_nothing, proofs.NothingToEarn, "Every order"),
        (with_a_percentage_where_none_counts, proofs.NothingToEarn, "Every order"),
        (
            with_steps_that_overlap,
            proofs.UnreadableRule,
            "“Every order”, steps.2.from: Step 3 starts at 1.00",
        ),
        (with_another_currency, proofs.UnreadableRule, "GBP"),
        (with_an_unknown_attribute, proofs.UnreadableRule, "cannot ask about “mood”"),
        (
            with_a_condition_on_an_unknown_tier,
            proofs.CertainlyWrong,
            "“Every order”: There is no tier called tin",
        ),
        (with_a_deduction_nobody_makes, proofs.UnknownDeduction, "lunch"),
        (with_exclusions_that_are_no_words, proofs.BadExclusions, "4711"),
        (
            with_an_example_that_fails,
            proofs.FailingExample,
            "“A hundred” must earn 8.01 GBP and earns 8.00 GBP",
        ),
        (with_an_example_in_euros, proofs.UnreadableExample, "“Abroad”: currency"),
    ],
)
def test_a_version_that_makes_no_sense_is_not_published(
    house: House, spoil: Callable[[PlanVersion], None], refusal: type[Exception], words: str
) -> None:
    version = draft()
    spoil(version)
    with pytest.raises(refusal, match=words):
        publishing.publish(version, effective_at=JULY, by=ada(), at=AT)
    kept = PlanVersion.objects.get(number=2)
    assert (kept.state, kept.effective_at, kept.sha256) == (VersionState.DRAFT, None, "")
    assert PlanVersion.objects.get(number=1).state == VersionState.PUBLISHED


def test_the_database_keeps_a_published_version_and_its_rules_as_they_are(house: House) -> None:
    version = PlanVersion.objects.get(number=1)
    for change in ({"effective_at": JULY}, {"combine": "stack"}, {"number": 9}, {"report": {"total": 0}}):
        with pytest.raises(IntegrityError, match="cannot change"), transaction.atomic():
            PlanVersion.objects.filter(pk=version.pk).update(**change)
    for state in ("draft", "proposed"):
        with pytest.raises(IntegrityError, match="draft again"), transaction.atomic():
            PlanVersion.objects.filter(pk=version.pk).update(state=state)
    with pytest.raises(IntegrityError, match="Rules of a published"), transaction.atomic():
        version.rules.update(rate=99)
    with pytest.raises(IntegrityError, match="Rules of a published"), transaction.atomic():
        version.rules.all().delete()
    with pytest.raises(IntegrityError, match="Rules of a published"), transaction.atomic():
        Rule.objects.create(version=version, key="more", name="More", position=2, rate=1)
    with pytest.raises(IntegrityError, match="kept for ever"), transaction.atomic():
        PlanVersion.objects.filter(pk=version.pk)._raw_delete("default")
    assert version.rules.get().rate == Decimal("8.000000")


def test_nothing_moves_from_a_draft_into_a_published_version(house: House) -> None:
    version = PlanVersion.objects.get(number=1)
    draft = publishing.draft_from(version.plan, by=ada(), at=AT)
    PlanCaseFactory.create(version=draft)
    draft.rules.update(key="more", position=2)
    with pytest.raises(IntegrityError, match="Rules of a published"), transaction.atomic():
        draft.rules.update(version=version)
    with pytest.raises(IntegrityError, match="examples of a published"), transaction.atomic():
        draft.cases.update(version=version)
    assert (version.rules.count(), version.cases.count()) == (1, 0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tiers_rule_kind", {"kind": "raffle"}),
        ("tiers_rule_flat_on_refund", {"flat_on_refund": "burnt"}),
        ("tiers_rule_flat_not_negative", {"flat_minor": -1}),
        ("tiers_rule_rate_0_to_100", {"rate": Decimal("100.000001")}),
    ],
)
def test_the_database_refuses_a_rule_outside_its_bounds(
    house: House, name: str, values: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Rule.objects.create(**{"version": draft(), "key": "x", "name": "X", "position": 7} | values)


@pytest.mark.parametrize("values", [{"key": "every-order", "position": 2}, {"key": "other", "position": 1}])
def test_a_key_and_a_position_are_used_once_in_a_version(house: House, values: dict[str, object]) -> None:
    # tiers_rule_one_per_key, tiers_rule_one_per_position
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.create(version=draft(), name="X", **values)
    assert draft().rules.count() == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tiers_planversion_state", {"state": "leaked", "effective_at": AT}),
        ("tiers_planversion_combine", {"combine": "shuffle"}),
        ("tiers_planversion_grandfather", {"grandfather": "everybody"}),
        ("tiers_planversion_proposed_pair", {"proposed_at": AT}),
        ("tiers_planversion_accepted_pair", {"accepted_at": AT}),
        ("tiers_planversion_published_pair", {"published_at": AT}),
        ("tiers_planversion_published_has_date", {"state": "published"}),
    ],
)
def test_the_database_refuses_a_version_in_no_real_state(
    house: House, name: str, values: dict[str, object]
) -> None:
    if (
        name == "tiers_planversion_state"
    ):  # nothing else may be wrong with the row: PostgreSQL names one refusal only
        values = values | {"published_at": AT, "published_by": ada()}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        PlanVersion.objects.create(**{"plan": Plan.objects.get(), "number": 5} | values)
    assert PlanVersion.objects.count() == 1


def test_a_version_number_is_used_once(house: House) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():  # tiers_planversion_one_per_number
        PlanVersion.objects.create(plan=Plan.objects.get(), number=1)
    assert PlanVersion.objects.count() == 1


def test_two_versions_never_begin_at_the_same_instant(house: House) -> None:
    first = PlanVersion.objects.get()
    values = {"state": "published", "published_at": AT, "published_by": ada()}
    with pytest.raises(IntegrityError), transaction.atomic():  # tiers_planversion_one_per_instant
        PlanVersion.objects.create(plan=first.plan, number=2, effective_at=first.effective_at, **values)
    PlanVersion.objects.create(
        plan=first.plan, number=2, effective_at=first.effective_at, member_key="mem_x", **values
    )
    assert PlanVersion.objects.count() == 2


def test_an_example_is_named_once_in_a_version(house: House) -> None:
    case = PlanCaseFactory.create(version=draft())
    with pytest.raises(IntegrityError), transaction.atomic():  # tiers_plancase_one_per_name
        PlanCaseFactory.create(version=case.version, name=case.name)
    assert case.version.cases.count() == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tiers_program_partnership_type", {"partnership_type": "friend"}),
        ("tiers_program_minimum_not_negative", {"minimum_payout_minor": -1}),
        ("tiers_program_payment_day", {"payment_day": 29}),
    ],
)
def test_the_database_refuses_a_program_outside_its_bounds(
    house: House, name: str, values: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Program.objects.filter(pk=house.program.pk).update(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"key": "registered", "rank": 2},
        {"key": "silver", "rank": 1},
    ],
)
def test_a_tier_has_its_own_key_and_rank(house: House, values: dict[str, object]) -> None:
    # tiers_tier_one_per_key, tiers_tier_one_per_rank
    with pytest.raises(IntegrityError), transaction.atomic():
        Tier.objects.create(program=house.program, name="X", **values)
    assert Tier.objects.count() == 1


def test_a_number_prefix_belongs_to_one_entity(house: House) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalEntity.objects.create(name="Other", number_prefix="HG", country_code="FR")
    assert LegalEntity.objects.count() == 1
