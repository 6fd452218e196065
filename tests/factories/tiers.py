"""Rows of the tiers app for tests. A plan is published the way the product publishes it, so its rules are frozen and its date counts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from prm.accounts.models import User
from tiers import publishing
from tiers.models import LegalEntity, Plan, PlanCase, PlanVersion, Program, Rule, Tier

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class LegalEntityFactory(DjangoModelFactory[LegalEntity]):
    class Meta:
        model = LegalEntity

    name = "Halden Software Ltd"
    number_prefix = factory.Sequence(lambda n: f"H{n:05d}")
    street = "Canal Road"
    building_number = "7"
    postcode = "EC1A 1BB"
    town = "London"
    country_code = "GB"
    contact_email = "partners@halden.example"


class ProgramFactory(DjangoModelFactory[Program]):
    """A public GBP program in London: 30 days of cookie, 14 of hold, 50.00 at least, payments on the 14th."""

    class Meta:
        model = Program

    legal_entity = factory.SubFactory(LegalEntityFactory)
    slug = factory.Sequence(lambda n: f"program-{n}")
    name = factory.Sequence(lambda n: f"Program {n}")
    partnership_type = "affiliate"
    summary = "People who write about software."
    currency = "GBP"
    time_zone = "Europe/London"
    cookie_days = 30
    hold_days = 14
    minimum_payout_minor = 5000
    payment_day = 14
    decision_days = 5
    destination_url = "https://shop.halden.example/"


class TierFactory(DjangoModelFactory[Tier]):
    class Meta:
        model = Tier

    program = factory.SubFactory(ProgramFactory)
    key = factory.Sequence(lambda n: f"tier-{n}")
    name = factory.Sequence(lambda n: f"Tier {n}")
    rank = factory.Sequence(lambda n: n + 1)


class PlanFactory(DjangoModelFactory[Plan]):
    class Meta:
        model = Plan

    program = factory.SubFactory(ProgramFactory)
    name = factory.LazyAttribute(lambda plan: f"{plan.program.name} plan")


class PlanVersionFactory(DjangoModelFactory[PlanVersion]):
    """A draft; `published_plan` makes one that is in force."""

    class Meta:
        model = PlanVersion

    plan = factory.SubFactory(PlanFactory)
    number = factory.Sequence(lambda n: n + 1)


class RuleFactory(DjangoModelFactory[Rule]):
    """Eight percent of every order."""

    class Meta:
        model = Rule

    version = factory.SubFactory(PlanVersionFactory)
    key = factory.Sequence(lambda n: f"rule-{n}")
    name = "Every order"
    position = factory.Sequence(lambda n: n + 1)
    kind = "percent"
    rate = Decimal(8)


class PlanCaseFactory(DjangoModelFactory[PlanCase]):
    """An order of 100.00 that must earn 8.00."""

    class Meta:
        model = PlanCase

    version = factory.SubFactory(PlanVersionFactory)
    name = factory.Sequence(lambda n: f"Example {n}")
    facts = factory.Dict({"kind": "sale", "amount": "100.00"})
    expected_minor = 8_00


def published_plan(
    program: Program, *rules: dict[str, Any], by: User, at: datetime = EPOCH, combine: str = "first_match"
) -> PlanVersion:
    """Publish a plan of `program` with these rules, in force from `at` on; without rules it pays 8 % of every order."""
    plan = Plan.objects.filter(program=program).first() or PlanFactory.create(program=program)
    number = plan.versions.count() + 1
    version = PlanVersionFactory.create(plan=plan, number=number, combine=combine)
    for position, values in enumerate(rules or ({},), start=1):
        RuleFactory.create(version=version, **{"position": position, "key": f"rule-{position}", **values})
    return publishing.publish(version, effective_at=at, by=by, at=at)
