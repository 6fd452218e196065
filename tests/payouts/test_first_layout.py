"""Statements issued before every movement had a line: they stay as they are, their files still add up, and they can be corrected."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from payouts import reconciliation, statements
from payouts.exports import csv as statement_csv
from payouts.models import Statement
from prm.lib.db import suspended_triggers
from prm.lib.periods import Month
from tests.factories.payouts import close_months, exported, give_account
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 12, tzinfo=UTC)
_NEW = ("others", "net_minor", "tax", "fx", "expected", "method", "sealed", "dispute_days")


@pytest.fixture
def april(db: None) -> Statement:
    """A statement of the first layout: 80.00 was carried in and paid, 16.00 was earned, and only the sale has a line."""
    house: House = open_house(hold_days=0)
    member = house.member("MARTA", at=MARCH)
    house.sale("o-1", "1000.00", "MARTA", MARCH)
    house.rate(MARCH)
    give_account(member, at=datetime(2026, 3, 1, tzinfo=UTC))
    close_months(house.program, Month(2026, 3), at=APRIL_3)
    exported(house.program.legal_entity, at=APRIL_3)
    house.sale("o-2", "200.00", "MARTA", datetime(2026, 4, 20, tzinfo=UTC))
    house.rate(datetime(2026, 4, 20, tzinfo=UTC))
    [issued] = close_months(house.program, Month(2026, 4), at=MAY_4)
    assert [line.kind for line in issued.lines.order_by("position")] == ["earned", "payment"]
    with suspended_triggers():
        for each in Statement.objects.all():
            each.lines.filter(commission=None).delete()
            Statement.objects.filter(pk=each.pk).update(
                facts={name: value for name, value in each.facts.items() if name not in _NEW},
                line_count=each.lines.count(),
            )
    issued.refresh_from_db()
    return issued


def sums(statement: Statement) -> list[tuple[str, Decimal]]:
    rows = csv.DictReader(io.StringIO(statement_csv.render(statement).decode()))
    return [(row["kind"], Decimal(row["amount"])) for row in rows]


def test_its_file_adds_up_and_the_books_agree(april: Statement) -> None:
    assert sums(april) == [("opening_balance", Decimal(80)), ("earned", Decimal(16)), ("paid", Decimal(-80))]
    assert reconciliation.check() == []


def test_it_can_be_corrected(april: Statement) -> None:
    newer = statements.correct(april, reason="The address was wrong", by=fiona(), at=MAY_4)
    assert newer.closing_minor == 16_00
    assert sums(newer) == sums(april)
    assert reconciliation.check() == []
