"""What the tables of results refuse whoever writes to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from payouts.models import PaymentResult, ResultFile
from tests.factories import money_rows as rows
from tests.payouts.test_constraints import Factory, Values, everything, refuse

pytestmark = pytest.mark.django_db

OUTSIDE: list[tuple[str, Factory, Values]] = [
    ("payouts_resultfile_format", rows.ResultFileFactory, {"format": "fax"}),
    ("payouts_paymentresult_outcome", rows.PaymentResultFactory, {"outcome": "lost"}),
    (
        "payouts_paymentresult_fee_not_negative",
        rows.PaymentResultFactory,
        {"fee_minor": -1, "fee_currency": "GBP"},
    ),
    ("payouts_paymentresult_fee_has_a_currency", rows.PaymentResultFactory, {"fee_minor": 35}),
]


@pytest.mark.parametrize(("name", "row", "values"), OUTSIDE)
def test_the_database_refuses_what_cannot_be(name: str, row: Factory, values: Values) -> None:
    refuse(name, row, values)


def test_a_file_is_stored_once_for_a_legal_entity_and_may_be_stored_for_another() -> None:
    there = rows.ResultFileFactory.create()
    refuse(
        "payouts_resultfile_once",
        rows.ResultFileFactory,
        {"legal_entity": there.legal_entity, "sha256": there.sha256},
    )
    rows.ResultFileFactory.create(sha256=there.sha256)
    assert ResultFile.objects.count() == 2


def test_an_outcome_is_told_once_of_a_payment_and_another_one_too() -> None:
    there = rows.PaymentResultFactory.create()
    refuse(
        "payouts_paymentresult_once",
        rows.PaymentResultFactory,
        {"payment": there.payment, "outcome": "settled"},
    )
    rows.PaymentResultFactory.create(payment=there.payment, outcome="returned")
    assert PaymentResult.objects.count() == 2


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (rows.ResultFileFactory.create, {"name": "other.csv"}),
        (rows.ResultFileFactory.create, {"settled_count": 9}),
        (rows.PaymentResultFactory.create, {"outcome": "failed"}),
        (rows.PaymentResultFactory.create, {"fee_currency": "EUR"}),
    ],
)
def test_what_the_bank_said_stays_as_it_came(
    make: Callable[[], ResultFile | PaymentResult], change: Values
) -> None:
    row = make()
    before = everything()
    found = type(row)._default_manager.filter(pk=row.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        found.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        found._raw_delete(found.db)
    assert everything() == before
