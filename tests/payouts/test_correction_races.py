"""Two people who correct one statement at the same instant make one correction."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from payouts import reconciliation, statements
from payouts.choices import StatementState
from payouts.models import Statement
from prm.lib.periods import Month
from tests.factories.payouts import close_months
from tests.house import open_house
from tests.payouts.test_money_races import at_once
from tests.people import fiona

APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_one_correction_and_one_refusal_that_names_it() -> None:
    house = open_house()
    house.member("ANA10", at=datetime(2026, 3, 1, tzinfo=UTC))
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    [statement] = close_months(house.program, Month(2026, 3), at=APRIL_3)
    by = fiona()
    ended = at_once(3, lambda: statements.correct(statement, reason="Wrong name", by=by, at=APRIL_3))
    made = [each for each in ended if isinstance(each, Statement)]
    assert len(made) == 1
    refusals = [each for each in ended if isinstance(each, statements.AlreadyCorrected)]
    assert len(refusals) == 2 and all(made[0].number in str(each) for each in refusals)
    states = sorted(Statement.objects.values_list("state", flat=True))
    assert states == [StatementState.CREDIT_NOTE, StatementState.CREDITED, StatementState.ISSUED]
    assert reconciliation.check() == []
