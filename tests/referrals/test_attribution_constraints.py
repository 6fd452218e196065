"""What the database itself refuses about decisions, lines of orders, clicks, limited codes and credits, whoever asks."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from referrals.models import AttributionRecord, Click, Code, ConversionLine, Credit
from tests.factories.referrals import ClickFactory, CodeFactory, CreditFactory
from tests.factories.tracking import (
    AttributionRecordFactory,
    ConversionLineFactory,
    ReferralFactory,
    TouchFactory,
)
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def test_referrals_attributionrecord_cause() -> None:
    name = "referrals_attributionrecord_cause"
    assert_refused(name, AttributionRecord, lambda: AttributionRecordFactory.create(cause="guessed"))


def test_referrals_conversionline_one_per_position() -> None:
    line = ConversionLineFactory.create()
    assert_refused(
        "referrals_conversionline_one_per_position",
        ConversionLine,
        lambda: ConversionLineFactory.create(conversion=line.conversion),
    )
    ConversionLineFactory.create(conversion=line.conversion, position=2)


def test_referrals_conversionline_amount_not_negative() -> None:
    name = "referrals_conversionline_amount_not_negative"
    assert_refused(name, ConversionLine, lambda: ConversionLineFactory.create(amount_minor=-1))
    ConversionLineFactory.create(amount_minor=0)


def test_referrals_click_kind() -> None:
    assert_refused("referrals_click_kind", Click, lambda: ClickFactory.create(kind="ghost"))


def test_referrals_code_within_limit() -> None:
    code = CodeFactory.create(use_limit=5, uses=5)
    rows = Code.objects.filter(pk=code.pk)
    assert_refused("referrals_code_within_limit", Code, lambda: rows.update(uses=6))
    assert_refused("referrals_code_within_limit", Code, lambda: rows.update(use_limit=4))
    rows.update(use_limit=None, uses=6)


def test_referrals_credit_reason() -> None:
    assert_refused("referrals_credit_reason", Credit, lambda: CreditFactory.create(reason="luck"))
    for reason in ("deal", "lead", "introduced", "customer", "view", "first_click", "clicks", "assisted"):
        CreditFactory.create(reason=reason)


def test_a_credit_keeps_the_contact_it_came_by() -> None:
    credit = CreditFactory.create(touch=TouchFactory.create())
    other = {"touch": TouchFactory.create(), "referral": ReferralFactory.create()}
    for name, row in other.items():
        with pytest.raises(IntegrityError, match="credit cannot be changed"), transaction.atomic():
            Credit.objects.filter(pk=credit.pk).update(**{name: row})


@pytest.mark.parametrize("factory", [AttributionRecordFactory, ConversionLineFactory])
def test_decisions_and_lines_stay_as_they_were_written(
    factory: type[AttributionRecordFactory | ConversionLineFactory],
) -> None:
    row = factory.create()
    rows = type(row)._default_manager.filter(pk=row.pk)
    field = "reason" if isinstance(row, AttributionRecord) else "product"
    for act in (lambda: rows.update(**{field: "other"}), lambda: rows.delete()):
        with (
            pytest.raises(IntegrityError, match=r"followed by another|as they were told"),
            transaction.atomic(),
        ):
            act()
    assert rows.exists()
