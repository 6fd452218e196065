"""What the tables of rates and of shared accounts refuse, and the moment of the rate a program names; each by the database itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from payouts.models import FxRate
from tests.factories.money_rows import AccountSignalFactory, FxRateFactory
from tests.factories.payout_rows import PaymentMethodFactory
from tests.factories.tiers import ProgramFactory
from tests.payouts.test_constraints import Factory, Values, refuse
from tests.people import fiona

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 11, 9, tzinfo=UTC)


@pytest.mark.parametrize("row", [FxRateFactory, AccountSignalFactory], ids=lambda row: row.__name__)
def test_a_row_with_nothing_wrong_is_let_in(row: Factory) -> None:
    made = row.create()
    assert type(made)._default_manager.get(pk=made.pk) == made


@pytest.mark.parametrize(
    ("name", "row", "values"),
    [
        ("payouts_fxrate_positive", FxRateFactory, {"rate": Decimal(0)}),
        ("payouts_fxrate_positive", FxRateFactory, {"rate": Decimal("-1.1")}),
        ("payouts_fxrate_two_currencies", FxRateFactory, {"base": "EUR", "quote": "EUR"}),
        ("payouts_accountsignal_cleared_pair", AccountSignalFactory, {"cleared_at": AT}),
    ],
)
def test_what_is_outside_is_refused(name: str, row: Factory, values: Values) -> None:
    refuse(name, row, values)


def test_who_cleared_a_signal_and_when_belong_together() -> None:
    refuse("payouts_accountsignal_cleared_pair", AccountSignalFactory, {"cleared_by": fiona()})


def test_a_rate_stands_once_a_day_and_source() -> None:
    FxRateFactory.create()
    refuse("payouts_fxrate_once", FxRateFactory, {"rate": Decimal("1.2")})
    for other in (
        {"source": "ECB"},
        {"rate_on": date(2026, 4, 3)},
        {"quote": "USD"},
        {"base": "USD"},
    ):
        FxRateFactory.create(**other)
    assert FxRate.objects.count() == 5


def test_two_accounts_raise_one_signal() -> None:
    signal = AccountSignalFactory.create()
    refuse(
        "payouts_accountsignal_once", AccountSignalFactory, {"method": signal.method, "other": signal.other}
    )
    AccountSignalFactory.create(method=signal.method)


def test_a_program_names_one_of_two_moments() -> None:
    refuse("tiers_program_fx_moment", ProgramFactory, {"fx_moment": "tomorrow"})
    for moment in ("statement", "payment"):
        assert ProgramFactory.create(fx_moment=moment).fx_moment == moment


@pytest.mark.parametrize("kind", ["bank_iban", "us_account", "paypal", "wise", "other"])
def test_every_kind_of_payment_method_is_let_in(kind: str) -> None:
    assert PaymentMethodFactory.create(kind=kind).kind == kind


def test_a_rate_is_for_ever() -> None:
    row = FxRateFactory.create()
    for change in (lambda: FxRate.objects.update(rate=2), row.delete):
        with pytest.raises(IntegrityError, match="must be found again"), transaction.atomic():
            change()
