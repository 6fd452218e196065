"""The wholesaler of the real sales with one graduated plan for all 75 partners, and what its table comes to, reckoned in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

from django.db import connection

from demo import dataset
from partners.models import Membership, Partner, Placement
from referrals.models import Code
from tests.people import ada
from tiers import publishing
from tiers.models import LegalEntity, Plan, PlanVersion, Program, Rule, Tier

START = datetime(2010, 11, 1, tzinfo=UTC)
AT = datetime(2012, 1, 10, tzinfo=UTC)
# From so many pence of a month on, the part above earns so many percent.
Steps = Sequence[tuple[int, int]]


def by_the_table(steps: Steps, volume: int) -> int:
    """Return what the steps give for a volume, rounded half away from zero; below nothing the first rate counts."""
    exact = Fraction(0) if volume > 0 else Fraction(volume * steps[0][1], 100)
    bounds = [*(start for start, _rate in steps[1:]), None]
    for (start, rate), end in zip(steps, bounds, strict=True):
        if volume > start:
            part = (volume if end is None else min(volume, end)) - start
            exact += Fraction(part * rate, 100)
    return int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)


def open_program(steps: Steps, *, excluded: Sequence[str] = ()) -> Program:
    """Make the program, publish its plan and take in the partners of the overlay, each with their code."""
    entity = LegalEntity.objects.create(name="Halden Giftware Ltd", number_prefix="HG", country_code="GB")
    program = Program.objects.create(
        legal_entity=entity,
        slug="wholesale",
        name="Wholesale",
        partnership_type="affiliate",
        currency="GBP",
        time_zone="Europe/London",
        destination_url="https://shop.halden.example/",
    )
    tier = Tier.objects.create(program=program, key="registered", name="Registered", rank=1)
    Plan.objects.create(program=program, name="Graduated")
    version = draft(program, steps, excluded=excluded)
    publishing.publish(version, effective_at=START, by=ada(), at=START)
    for row in dataset.partners():
        partner = Partner.objects.create(name=row.name, country=row.country, email=f"{row.code}@x.example")
        member = Membership.objects.create(partner=partner, program=program, joined_at=START)
        Placement.objects.create(
            membership=member, tier=tier, starts_at=START, because="test", placed_at=START, placed_by=ada()
        )
        Code.objects.create(membership=member, code=row.code, created_at=START)
    return program


def know_the_rows() -> None:
    """Let PostgreSQL count what was imported, as it does by itself within a minute where it runs for good.

    Inside a test's open transaction it would count none of the rows; having counted here it is kept from that.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def draft(program: Program, steps: Steps, *, excluded: Sequence[str] = ()) -> PlanVersion:
    """Draft a version of the program's plan whose one rule is the table."""
    made = publishing.draft_from(program.plan, by=ada(), at=START)
    made.rules.all().delete()
    made.excluded_products = list(excluded)
    made.save()
    rows = [{"from": start, "rate": str(rate), "flat": 0} for start, rate in steps]
    Rule.objects.create(
        version=made,
        key="goods",
        name="Goods",
        kind="graduated",
        params={"metric": "revenue", "window": {"kind": "month", "months": 1}, "steps": rows},
    )
    return made
