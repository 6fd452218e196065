"""The day of a run is one on which the banks of every currency it will send move money."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from payouts import pay_runs
from payouts.models import PaymentMethod, PayRun
from tests.factories.payouts import give_account
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
APRIL_7 = datetime(2026, 4, 7, 9, tzinfo=UTC)
LABOUR_DAY = date(2026, 5, 1)  # a Friday on which TARGET rests and sterling moves


@pytest.fixture
def house() -> House:
    house = open_house()
    give_account(house.member("ANA10", at=MARCH_1), at=MARCH_1)
    return house


def opened(house: House, day: date) -> PayRun:
    return pay_runs.open(house.program.legal_entity, currency="GBP", execute_on=day, by=fiona(), at=APRIL_7)


def test_sterling_moves_on_a_holiday_of_the_euro(house: House) -> None:
    assert opened(house, LABOUR_DAY).execute_on == LABOUR_DAY


def test_a_run_that_will_send_euros_is_not_opened_for_a_holiday_of_the_euro(house: House) -> None:
    PaymentMethod.objects.update(payout_currency="EUR")
    with pytest.raises(pay_runs.NotABankDay, match="The next day they do is 2026-05-04"):
        opened(house, LABOUR_DAY)
    assert not PayRun.objects.exists()


def test_an_account_that_was_replaced_decides_nothing(house: House) -> None:
    PaymentMethod.objects.update(payout_currency="EUR", replaced_at=APRIL_7, replaced_by=fiona())
    assert opened(house, LABOUR_DAY).execute_on == LABOUR_DAY
