"""What the database itself refuses in the referrals app, whoever asks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from referrals.models import Click, Code, Conversion, Credit, Customer, Link
from tests.factories.referrals import (
    NOW,
    ClickFactory,
    CodeFactory,
    ConversionFactory,
    CreditFactory,
    CustomerFactory,
    LinkFactory,
)

pytestmark = pytest.mark.django_db


def refused(factory: Any, **values: Any) -> str:
    model = factory._meta.model
    before = model.objects.count()
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        factory.create(**values)
    assert model.objects.count() == before
    return str(error.value)


def refused_change(row: Any, **values: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).delete()


def test_referrals_conversion_once_per_source() -> None:
    ConversionFactory.create(source="shop", external_id="A1")
    refused(ConversionFactory, source="shop", external_id="A1")
    ConversionFactory.create(source="till", external_id="A1")


def test_referrals_conversion_kind() -> None:
    assert "referrals_conversion_kind" in refused(ConversionFactory, kind="gift")


def test_referrals_conversion_state() -> None:
    assert "referrals_conversion_state" in refused(ConversionFactory, state="lost")


def test_referrals_conversion_amount_not_negative() -> None:
    ConversionFactory.create(amount_minor=0)
    assert "referrals_conversion_amount_not_negative" in refused(ConversionFactory, amount_minor=-1)


def test_referrals_conversion_only_refunds_name_an_original() -> None:
    ConversionFactory.create(kind="refund", original_external_id="A1")
    assert "only_refunds_name_an_original" in refused(ConversionFactory, original_external_id="A1")


@pytest.mark.parametrize(
    "values", [{"tax_minor": -1}, {"discount_minor": -1}, {"tax_minor": 60_00, "shipping_minor": 40_01}]
)
def test_referrals_conversion_deductions_fit(values: dict[str, int]) -> None:
    ConversionFactory.create(amount_minor=100_00, tax_minor=60_00, shipping_minor=40_00)
    found = refused(ConversionFactory, **{"amount_minor": 100_00, **values})
    assert "referrals_conversion_deductions_fit" in found


def test_referrals_customer_once_per_source() -> None:
    CustomerFactory.create(external_id="C1")
    refused(CustomerFactory, external_id="C1")
    CustomerFactory.create(external_id="C1", source="till")
    assert Customer.objects.count() == 2


def test_referrals_credit_once_per_membership() -> None:
    credit = CreditFactory.create()
    refused(CreditFactory, conversion=credit.conversion, membership=credit.membership)


def test_referrals_credit_role() -> None:
    assert "referrals_credit_role" in refused(CreditFactory, role="guessed")


def test_referrals_credit_reason() -> None:
    assert "referrals_credit_reason" in refused(CreditFactory, reason="luck")


@pytest.mark.parametrize("share", [Decimal("0"), Decimal("-0.5"), Decimal("1.000001")])
def test_referrals_credit_share_0_to_1(share: Decimal) -> None:
    assert "referrals_credit_share_0_to_1" in refused(CreditFactory, share=share)


def test_slugs_codes_and_click_ids_are_unique() -> None:
    refused(LinkFactory, slug=LinkFactory.create().slug)
    refused(CodeFactory, code=CodeFactory.create().code)
    refused(ClickFactory, click_id=ClickFactory.create().click_id)
    assert (Link.objects.count(), Code.objects.count(), Click.objects.count()) == (2, 1, 1)


def test_clicks_are_append_only() -> None:
    refused_change(ClickFactory.create(), visitor="somebody else")


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 1},
        {"currency": "EUR"},
        {"occurred_at": NOW},
        {"external_id": "B"},
        {"payload_sha256": "1" * 64},
        {"product": "P"},
        {"quantity": 2},
        {"tax_minor": 1},
        {"cost_minor": 1},
        {"attributes": {"a": 1}},
    ],
)
def test_the_facts_of_a_conversion_stay_as_they_were_told(change: dict[str, Any]) -> None:
    row = ConversionFactory.create()
    refused_change(row, **change)
    row.refresh_from_db()
    assert row.amount_minor == 100_00


def test_the_state_of_a_conversion_moves() -> None:
    row = ConversionFactory.create()
    assert Conversion.objects.filter(pk=row.pk).update(state="refunded") == 1


def test_a_refund_is_joined_once() -> None:
    sale, other = ConversionFactory.create(), ConversionFactory.create()
    refund = ConversionFactory.create(kind="refund", original_external_id=sale.external_id)
    assert Conversion.objects.filter(pk=refund.pk).update(original=sale) == 1
    for wrong in (other, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Conversion.objects.filter(pk=refund.pk).update(original=wrong)
    refund.refresh_from_db()
    assert refund.original_id == sale.pk


def test_a_credit_stays_as_it_was_given_and_only_its_rating_is_noted() -> None:
    credit = CreditFactory.create()
    refused_change(credit, share=Decimal("0.5"))
    refused_change(credit, membership=CreditFactory.create().membership)
    assert Credit.objects.filter(pk=credit.pk).update(rated_at=NOW) == 1


def test_a_credit_is_superseded_once_and_another_may_stand_beside_it() -> None:
    credit = CreditFactory.create()
    assert Credit.objects.filter(pk=credit.pk).update(superseded_at=NOW) == 1
    CreditFactory.create(conversion=credit.conversion, membership=credit.membership)
    for wrong in (None, NOW + timedelta(days=1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Credit.objects.filter(pk=credit.pk).update(superseded_at=wrong)
