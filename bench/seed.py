"""A program with partners and events of any number, put in place by COPY: what a benchmark measures comes after it. The same size is
the same data every time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

PER_MEMBERSHIP = 5000
BEGIN = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
YEAR = timedelta(days=364)
AFTER = BEGIN + timedelta(days=400)
REFUND_EVERY = 40
MONTH = {"kind": "month", "months": 1}
STEPS = [{"from": 0, "rate": "5"}, {"from": 1_000_000, "rate": "6.5"}, {"from": 5_000_000, "rate": "8"}]
GRADUATED: dict[str, Any] = {
    "key": "steps",
    "name": "Steps",
    "kind": "graduated",
    "rate": 0,
    "params": {"metric": "revenue", "window": MONTH, "steps": STEPS},
}
PERCENT: dict[str, Any] = {"key": "ten", "name": "Ten percent", "kind": "percent", "rate": Decimal(10)}

_CREDIT = ("conversion_id", "membership_id", "role", "share", "reason", "occurred_at", "attributed_at")


@dataclass(frozen=True)
class _Row:
    """One event to come."""

    pk: int
    name: str
    kind: str
    at: datetime
    minor: int
    of: _Row | None = None


def program(slug: str, rule: dict[str, Any], memberships: int) -> tuple[Any, list[int]]:
    """Make a program whose plan has one rule, and its memberships; return it with their keys."""
    from partners.models import Membership, Partner
    from prm.accounts.models import User
    from tiers import publishing
    from tiers.models import LegalEntity, Plan, Program, Rule

    by, _made = User.objects.get_or_create(
        email="bench@halden.example", defaults={"is_superuser": True, "is_staff": True, "full_name": "Bench"}
    )
    entity, _made = LegalEntity.objects.get_or_create(name="Bench Ltd", number_prefix="BE", country_code="GB")
    made = Program.objects.create(
        legal_entity=entity,
        slug=slug,
        name=slug,
        partnership_type="affiliate",
        currency="GBP",
        time_zone="Europe/London",
        destination_url="https://shop.halden.example/",
    )
    version = publishing.draft_from(Plan.objects.create(program=made, name=slug), by=by, at=BEGIN)
    Rule.objects.create(version=version, position=1, **rule)
    publishing.publish(version, effective_at=BEGIN, by=by, at=BEGIN)
    partners = Partner.objects.bulk_create(Partner(name=f"{slug} {number}") for number in range(memberships))
    members = Membership.objects.bulk_create(
        Membership(partner=partner, program=made, joined_at=BEGIN) for partner in partners
    )
    return made, [member.pk for member in members]


def events(slug: str, members: list[int], count: int, *, span: timedelta = YEAR) -> None:
    """Put `count` events in place, credited and not rated: sales over `span`, one in forty a part of one given back."""
    from prm.lib.bulk import BulkWriter
    from referrals.models import Conversion, Credit
    from referrals.writing import CONVERSION

    conversions, credits = BulkWriter(Conversion, CONVERSION), BulkWriter(Credit, _CREDIT)
    per_member = count // len(members)
    for number, member in enumerate(members):
        with transaction.atomic():
            rows = list(_rows(f"{slug}-{number}", conversions.reserve(per_member), number, span))
            conversions.write(_conversion(row) for row in rows)
            credits.write((row.pk, member, "sourced", 1, "code", row.at, BEGIN) for row in rows)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE referrals_conversion, referrals_credit")


def _rows(name: str, keys: list[int], seed: int, span: timedelta) -> Iterator[_Row]:
    dice = random.Random(seed)  # the same data each time
    step = span / len(keys)
    sales: list[_Row] = []
    for number, pk in enumerate(keys):
        at = BEGIN + step * number + timedelta(seconds=1)
        if number % REFUND_EVERY == REFUND_EVERY - 1:
            sale = sales.pop(dice.randrange(len(sales)))
            yield _Row(pk, f"{name}-r{number}", "refund", at, dice.randint(1, sale.minor), of=sale)
            continue
        row = _Row(pk, f"{name}-s{number}", "sale", at, dice.randint(500, 50_000))
        sales = [*sales[-50:], row]
        yield row


def _conversion(row: _Row) -> tuple[Any, ...]:
    of = row.of
    what = (
        row.pk,
        f"cnv_bench_{row.pk}",
        "bench",
        row.name,
        row.kind,
        "recorded",
        row.at,
        row.at,
        None,
        "France",
    )
    money: tuple[Any, ...] = (
        row.minor,
        "GBP",
        "",
        "",
        "",
        "",
        1,
        0,
        0,
        0,
        0,
        "",
        "",
        "api",
        "",
        "",
        "",
        "",
        {},
    )
    return (*what, *money, of.name if of else "", of.pk if of else None, "")
