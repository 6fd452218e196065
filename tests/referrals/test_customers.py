"""When customers first bought, worked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from referrals.customers import first_sales
from tests.factories.referrals import ConversionFactory, CreditFactory, CustomerFactory, new_membership

pytestmark = pytest.mark.django_db


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def happened(at: datetime, minor: int, **facts: Any) -> None:
    ConversionFactory.create(occurred_at=at, amount_minor=minor, **{"kind": "sale", **facts})


def test_the_first_sale_of_a_customer_is_the_earliest_whoever_brought_it() -> None:
    kim, lee, max_ = CustomerFactory.create_batch(3)
    brought = ConversionFactory.create(occurred_at=on(2, 5), amount_minor=10_00, customer=kim)
    CreditFactory.create(conversion=brought, membership=new_membership())
    happened(on(1, 5), 10_00, customer=kim, kind="renewal")
    happened(on(1, 1), 0, customer=kim, kind="signup")
    happened(on(1, 1), 0, customer=lee, kind="signup")
    assert first_sales([kim.pk, lee.pk, max_.pk]) == {kim.pk: on(1, 5)}
    assert first_sales([]) == {}


def test_a_declined_sale_is_nobodys_first() -> None:
    kim = CustomerFactory.create()
    happened(on(1, 2), 10_00, customer=kim, state="rejected")
    happened(on(1, 5), 10_00, customer=kim)
    assert first_sales([kim.pk]) == {kim.pk: on(1, 5)}
