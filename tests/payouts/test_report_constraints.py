"""What the database itself refuses about daily totals, whoever asks."""

from __future__ import annotations

import pytest

from payouts.models import DailyTotal
from tests.factories.tracking import DailyTotalFactory
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def test_payouts_dailytotal_dimension() -> None:
    assert_refused("payouts_dailytotal_dimension", DailyTotal, lambda: DailyTotalFactory(dimension="weather"))


def test_payouts_dailytotal_once() -> None:
    row = DailyTotalFactory(dimension="country", key="France")
    again = {"membership": row.membership, "dimension": "country"}
    assert_refused("payouts_dailytotal_once", DailyTotal, lambda: DailyTotalFactory(**again, key="France"))
    DailyTotalFactory(**again, key="Spain")
    assert DailyTotal.objects.count() == 2


def test_payouts_dailytotal_organic_once() -> None:
    nobody = {"membership": None, "program": None}
    DailyTotalFactory(**nobody)
    assert_refused("payouts_dailytotal_organic_once", DailyTotal, lambda: DailyTotalFactory(**nobody))
    DailyTotalFactory(**nobody, currency="EUR")
    assert DailyTotal.objects.count() == 2
