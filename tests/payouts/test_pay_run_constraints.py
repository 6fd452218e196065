"""What the tables of pay runs refuse whoever writes to them: a second run being prepared, a check of no known kind or acknowledged by
nobody, and payments whose figures do not belong together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from payouts.models import FxRate, PayRun
from tests.factories import payout_rows as rows
from tests.factories.money_rows import FxRateFactory, PayRunCheckFactory
from tests.payouts.test_constraints import AT, Factory, Values, refuse
from tests.people import fiona

pytestmark = pytest.mark.django_db

OUTSIDE: list[tuple[str, Factory, Callable[[], Values]]] = [
    ("payouts_payruncheck_kind", PayRunCheckFactory, lambda: {"kind": "gut_feeling"}),
    ("payouts_payruncheck_acknowledged_pair", PayRunCheckFactory, lambda: {"acknowledged_at": AT}),
    ("payouts_payruncheck_acknowledged_pair", PayRunCheckFactory, lambda: {"acknowledged_by": fiona()}),
    ("payouts_payment_kind", rows.PaymentFactory, lambda: {"kind": "pigeon"}),
    (
        "payouts_payment_withheld_not_negative",
        rows.PaymentFactory,
        lambda: {"withheld_minor": -1, "sent_minor": 80_01},
    ),
    (
        "payouts_payment_sent_positive",
        rows.PaymentFactory,
        lambda: {"withheld_minor": 80_00, "sent_minor": 0},
    ),
    ("payouts_payment_sent_is_what_is_left", rows.PaymentFactory, lambda: {"sent_minor": 79_99}),
    ("payouts_payment_sent_is_what_is_left", rows.PaymentFactory, lambda: {"sent_currency": "EUR"}),
    (
        "payouts_payment_sent_is_what_is_left",
        rows.PaymentFactory,
        lambda: {"fx_rate": FxRateFactory.create()},
    ),
]


@pytest.mark.parametrize(("name", "row", "values"), OUTSIDE)
def test_the_database_refuses_a_row_outside_its_bounds(
    name: str, row: Factory, values: Callable[[], Values]
) -> None:
    wrong = values()
    if row is rows.PaymentFactory:
        # What a payment hangs on is there before: nothing but the payment is refused.
        statement = rows.StatementFactory.create()
        wrong |= {
            "pay_run": rows.PayRunFactory.create(),
            "statement": statement,
            "payment_method": rows.PaymentMethodFactory.create(partner=statement.membership.partner),
        }
    else:
        there: Any = row.create()
        wrong |= {"pay_run": there.pay_run, "membership": rows.StatementFactory.create().membership}
    refuse(name, row, wrong)


def test_a_check_of_a_kind_is_raised_once_for_a_membership_and_once_for_the_whole_run() -> None:
    there = PayRunCheckFactory.create()
    same = {"pay_run": there.pay_run, "membership": there.membership}
    refuse("payouts_payruncheck_once", PayRunCheckFactory, same)
    PayRunCheckFactory.create(**same, kind="missing_data")
    whole = {"pay_run": there.pay_run, "membership": None, "kind": "total_changed"}
    PayRunCheckFactory.create(**whole)
    refuse("payouts_payruncheck_once_for_all", PayRunCheckFactory, whole)


def test_a_payment_in_another_currency_names_its_rate() -> None:
    rate: FxRate = FxRateFactory.create()
    made = rows.PaymentFactory.create(sent_currency="EUR", sent_minor=92_00, fx_rate=rate)
    assert made.fx_rate == rate


def test_one_run_of_an_entity_and_currency_is_being_prepared() -> None:
    there = rows.PayRunFactory.create()
    shared = {"legal_entity": there.legal_entity, "prepared_by": there.prepared_by}
    refuse("payouts_payrun_one_being_prepared", rows.PayRunFactory, shared | {"state": "checked"})
    rows.PayRunFactory.create(**shared, currency="EUR")
    PayRun.objects.filter(pk=there.pk).update(state="cancelled")
    assert rows.PayRunFactory.create(**shared).pk != there.pk
