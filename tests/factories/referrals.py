"""Rows of the referrals app. A membership asked for here is an active one of a GBP program, without a plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import factory

from partners.models import Membership, Partner
from prm.lib.ids import ulid
from prm.lib.money import Money
from referrals.facts import Event
from referrals.models import Click, Code, Conversion, Credit, Customer, Link
from tiers.models import LegalEntity, Program

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_numbers = count(1)


def new_membership(
    *,
    currency: str = "GBP",
    name: str = "",
    state: str = "active",
    joined_at: datetime = NOW - timedelta(days=400),
    **program: Any,
) -> Membership:
    """Return a new partner's membership in a new program; further arguments are the program's."""
    number = next(_numbers)
    entity = LegalEntity.objects.create(name="Operator", number_prefix=f"Q{number}", country_code="GB")
    values = {
        "slug": f"referrals-{number}",
        "name": f"Program {number}",
        "partnership_type": "affiliate",
        "currency": currency,
        "time_zone": "Europe/London",
        "destination_url": "https://shop.example/start",
        "cookie_days": 30,
    }
    made = Program.objects.create(legal_entity=entity, **{**values, **program})
    partner = Partner.objects.create(name=name or f"Partner {number}")
    return Membership.objects.create(partner=partner, program=made, state=state, joined_at=joined_at)


def an_event(external_id: str = "", **changes: Any) -> Event:
    """Return a sale of 100.00 GBP as the shop tells it."""
    amount = changes.pop("amount", "100.00")
    currency = changes.pop("currency", "GBP")
    values: dict[str, Any] = {
        "source": "shop",
        "external_id": external_id or f"order-{next(_numbers)}",
        "kind": "sale",
        "occurred_at": NOW - timedelta(hours=1),
        "amount": amount if isinstance(amount, Money) else Money.parse(amount, currency),
    }
    return Event(**{**values, **changes})


class LinkFactory(factory.django.DjangoModelFactory):
    """A link that leads to the shop's start page."""

    class Meta:
        model = Link

    membership = factory.LazyFunction(new_membership)
    slug = factory.Sequence(lambda number: f"link-{number}")
    label = "Newsletter"
    destination_url = "https://shop.example/start"
    created_at = NOW - timedelta(days=300)


class CodeFactory(factory.django.DjangoModelFactory):
    """A code that is on."""

    class Meta:
        model = Code

    membership = factory.LazyFunction(new_membership)
    code = factory.Sequence(lambda number: f"CODE-{number}")
    created_at = NOW - timedelta(days=300)


class ClickFactory(factory.django.DjangoModelFactory):
    """A click an hour and a half ago."""

    class Meta:
        model = Click

    link = factory.SubFactory(LinkFactory)
    click_id = factory.LazyFunction(ulid)
    visitor = factory.LazyFunction(ulid)
    clicked_at = NOW - timedelta(minutes=90)


class CustomerFactory(factory.django.DjangoModelFactory):
    """A customer of the shop."""

    class Meta:
        model = Customer

    source = "shop"
    external_id = factory.Sequence(lambda number: f"customer-{number}")
    first_seen_at = NOW


class ConversionFactory(factory.django.DjangoModelFactory):
    """A sale of 100.00 GBP, written without the verb: for tests of constraints and pages."""

    class Meta:
        model = Conversion

    source = "shop"
    external_id = factory.Sequence(lambda number: f"written-{number}")
    kind = "sale"
    occurred_at = NOW - timedelta(hours=1)
    recorded_at = NOW
    amount_minor = 100_00
    currency = "GBP"
    payload_sha256 = "0" * 64


class CreditFactory(factory.django.DjangoModelFactory):
    """A membership's whole share of a sale, by its code."""

    class Meta:
        model = Credit

    conversion = factory.SubFactory(ConversionFactory)
    membership = factory.LazyFunction(new_membership)
    reason = "code"
    occurred_at = factory.SelfAttribute("conversion.occurred_at")
    attributed_at = NOW
