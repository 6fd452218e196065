"""Tiers are added, changed, taken out of use and put back by verbs; benefits and targets are written beside them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import eligibility_rules, invitations, placement
from partners.invitations import Guest
from partners.tier_places import free_in
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.factories.partners import MembershipFactory, PlacementFactory, TermsVersionFactory
from tests.factories.recruiting import ProgramInvitationFactory
from tests.factories.tiering import BenefitFactory, TierReviewFactory
from tests.factories.tiers import ProgramFactory, TierFactory
from tests.people import ada, mats
from tiers import benefits, ladder_changes, targets
from tiers.models import Program, Tier, TierBenefit

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def program() -> Program:
    program: Program = ProgramFactory.create()
    for rank, key in enumerate(("registered", "silver", "gold"), start=1):
        TierFactory.create(program=program, key=key, name=key.title(), rank=rank)
    return program


def tier(program: Program, key: str) -> Tier:
    return program.tiers.get(key=key)


def retire(each: Tier) -> Tier:
    return ladder_changes.retire(each, by=ada(), at=NOW)


def test_a_tier_is_added_and_a_key_or_rank_that_is_taken_refused_at_its_field(program: Program) -> None:
    values = {"name": "Platinum", "rank": 4, "colour": "violet", "capacity": 5}
    made = ladder_changes.add(program, key="platinum", values=values, by=ada(), at=NOW)
    assert (made.rank, made.colour, made.capacity) == (4, "violet", 5)
    with pytest.raises(ladder_changes.KeyTaken) as taken:
        ladder_changes.add(program, key="gold", values={"name": "G", "rank": 9}, by=ada(), at=NOW)
    assert taken.value.field == "key"
    with pytest.raises(ladder_changes.RankTaken, match="Gold"):
        ladder_changes.add(program, key="other", values={"name": "G", "rank": 3}, by=ada(), at=NOW)
    with pytest.raises(Forbidden):
        ladder_changes.add(program, key="x", values={"name": "X", "rank": 8}, by=mats(), at=NOW)
    assert program.tiers.count() == 4
    assert AuditEvent.objects.filter(action="tier.added", actor=ada()).count() == 1


def test_where_a_tier_stands_is_fixed_while_somebody_or_a_review_is_there(program: Program) -> None:
    gold = tier(program, "gold")
    PlacementFactory.create(tier=gold, membership__program=program)
    with pytest.raises(ladder_changes.Held, match="1 partner stands in it"):
        ladder_changes.change(gold, values={"track": "Co-selling"}, by=ada(), at=NOW)
    moved = ladder_changes.change(gold, values={"rank": 5, "name": "Or"}, by=ada(), at=NOW)
    assert (moved.rank, moved.name) == (5, "Or")
    TierReviewFactory.create(
        round__program=program,
        from_tier=tier(program, "silver"),
        to_tier=gold,
        outcome="up",
        state="proposed",
    )
    with pytest.raises(ladder_changes.Held, match="1 open review is about it"):
        ladder_changes.change(gold, values={"rank": 6}, by=ada(), at=NOW)
    ladder_changes.change(gold, values={"colour": "gold"}, by=ada(), at=NOW)
    with pytest.raises(ladder_changes.RankTaken):
        ladder_changes.change(gold, values={"rank": 2}, by=ada(), at=NOW)


def test_a_tier_is_not_taken_out_of_use_while_anybody_is_there_or_promised_it(program: Program) -> None:
    gold, silver = tier(program, "gold"), tier(program, "silver")
    PlacementFactory.create(tier=gold, membership__program=program)
    TierReviewFactory.create(
        round__program=program, from_tier=silver, to_tier=gold, outcome="up", state="proposed"
    )
    ProgramInvitationFactory.create(program=program, tier=gold)
    eligibility_rules.draft(
        program,
        name="Large shops",
        decision="approve",
        conditions=[{"field": "country", "operator": "equals", "value": "GB"}],
        tier=gold,
        by=ada(),
        at=NOW,
    )
    with pytest.raises(ladder_changes.InUse) as refusal:
        retire(gold)
    said = str(refusal.value)
    assert "1 partner stands in it: place it elsewhere first." in said
    assert "1 open review is about it" in said
    assert "1 open invitation promises it" in said
    assert "Eligibility rules place applicants in it: “Large shops”." in said
    gold.refresh_from_db()
    assert gold.retired_at is None


def test_a_tier_out_of_use_is_offered_nowhere_and_can_come_back(program: Program) -> None:
    gold = retire(tier(program, "gold"))
    with pytest.raises(placement.OutOfUse):
        placement.place(MembershipFactory.create(program=program), tier=gold, by=mats(), at=NOW, because="x")
    TermsVersionFactory.create(published=True, program=program)
    with pytest.raises(placement.OutOfUse):
        invitations.invite(program, guest=Guest(email="a@b.example"), tier=gold, by=mats(), at=NOW)
    with pytest.raises(ladder_changes.NotInUse):
        retire(gold)
    with pytest.raises(ladder_changes.NotInUse):
        ladder_changes.change(gold, values={"name": "X"}, by=ada(), at=NOW)
    other = ladder_changes.add(program, key="top", values={"name": "Top", "rank": 3}, by=ada(), at=NOW)
    with pytest.raises(ladder_changes.RankTaken, match="Top"):
        ladder_changes.restore(gold, by=ada(), at=NOW)
    retire(other)
    assert ladder_changes.restore(gold, by=ada(), at=NOW).retired_at is None
    with pytest.raises(ladder_changes.InUseAlready):
        ladder_changes.restore(gold, by=ada(), at=NOW)


def test_the_last_tier_of_a_program_stays() -> None:
    only = TierFactory.create(rank=1)
    with pytest.raises(ladder_changes.TheLastOne):
        retire(only)


def test_places_are_counted_by_who_stands_there(program: Program) -> None:
    gold = tier(program, "gold")
    Tier.objects.filter(pk=gold.pk).update(capacity=2)
    gold.refresh_from_db()
    assert free_in(program.tiers.all(), at=NOW) == {gold.pk: 2}
    PlacementFactory.create(tier=gold, membership__program=program)
    PlacementFactory.create(tier=gold, membership__program=program, ends_at=NOW)
    assert free_in([gold], at=NOW) == {gold.pk: 1}


def test_benefits_say_what_each_tier_gives_in_the_readers_language(program: Program) -> None:
    gold, silver = tier(program, "gold"), tier(program, "silver")
    support = benefits.add(program, kind="support", name={}, by=ada(), at=NOW)
    named = benefits.add(program, kind="other", name={"en": " Lunch ", "fr": ""}, by=ada(), at=NOW)
    benefits.give(support, {gold.pk: {"en": "In 4 hours", "pl": " "}, silver.pk: {}}, by=ada(), at=NOW)
    benefits.give(named, {gold.pk: {}}, by=ada(), at=NOW)
    Tier.objects.filter(pk=gold.pk).update(benefits="- A stand\n\n")
    given = benefits.given_by(program.tiers.all())
    assert [each.text for each in given[gold.pk]] == ["Support level: In 4 hours", "Lunch", "A stand"]
    assert [each.text for each in given[silver.pk]] == ["Support level"]
    benefits.move(named, up=True, by=ada(), at=NOW)
    assert [row.label for row in benefits.matrix(program)] == ["Lunch", "Support level"]
    benefits.give(support, {silver.pk: None}, by=ada(), at=NOW)
    assert list(TierBenefit.objects.filter(benefit=support).values_list("tier__key", flat=True)) == ["gold"]
    benefits.remove(support, by=ada(), at=NOW)
    with pytest.raises(benefits.Gone):
        benefits.give(support, {gold.pk: {}}, by=ada(), at=NOW)
    assert [each.text for each in benefits.given_by([silver])[silver.pk]] == []


def test_benefits_that_say_nothing_or_too_much_are_refused_at_their_field(program: Program) -> None:
    with pytest.raises(benefits.NeedsAName) as unnamed:
        benefits.add(program, kind="other", name={"en": "  "}, by=ada(), at=NOW)
    assert unnamed.value.field == "name_en"
    row = BenefitFactory.create(program=program)
    gold = tier(program, "gold")
    with pytest.raises(benefits.TooLong) as long:
        benefits.give(row, {gold.pk: {"fr": "x" * 201}}, by=ada(), at=NOW)
    assert long.value.field == f"value_{gold.pk}_fr"
    with pytest.raises(benefits.Elsewhere):
        benefits.give(row, {TierFactory.create().pk: {}}, by=ada(), at=NOW)
    with pytest.raises(Forbidden):
        benefits.remove(row, by=mats(), at=NOW)
    assert not TierBenefit.objects.exists()


def test_targets_are_whole_numbers_for_goals_that_plans_know(program: Program) -> None:
    gold = tier(program, "gold")
    assert targets.write(gold, {"net_revenue": 50_000_00, "sales": 40}, by=ada(), at=NOW) == {
        "net_revenue": 50_000_00,
        "sales": 40,
    }
    assert targets.write(gold, {"sales": None}, by=ada(), at=NOW) == {"net_revenue": 50_000_00}
    with pytest.raises(targets.UnknownGoal):
        targets.write(gold, {"luck": 7}, by=ada(), at=NOW)
    with pytest.raises(targets.NotATarget):
        targets.write(gold, {"sales": -1}, by=ada(), at=NOW)
    assert targets.of_program(program) == {gold.pk: {"net_revenue": 50_000_00}}
