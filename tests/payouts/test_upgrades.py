"""What migrations do with the rows of an installation that is brought up to date: nothing is lost, and nothing keeps it from starting."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from payouts import pay_runs
from payouts.choices import PaymentState, PayRunState
from payouts.models import Payment, PayRun
from prm.lib.periods import Month
from tests.factories.payouts import close_months, give_account, looked_at, prepared
from tests.house import open_house
from tests.people import felix, fiona

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
APRIL_7 = datetime(2026, 4, 7, 9, tzinfo=UTC)


def test_of_two_runs_that_waited_for_approval_the_older_is_cancelled_and_its_statements_wait() -> None:
    """Before, a second run could be prepared beside one that waited: it paid whom the first had left out."""
    migration = import_module("payouts.migrations.0008_one_run_being_prepared")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {migration.Migration.operations[1].constraint.name}")
    house = open_house()
    for code in ("ANA10", "BEN10"):
        house.member(code, at=MARCH_1)
        house.sale(f"s-{code}", "1000.00", code, MARCH_2)
    house.rate(APRIL_3)
    close_months(house.program, Month(2026, 3), at=APRIL_3)
    give_account(house.members["ANA10"], at=APRIL_3)
    older = looked_at(prepared(house.program.legal_entity, at=APRIL_3), at=APRIL_3)
    pay_runs.approve(older, by=felix(), at=APRIL_3)
    give_account(house.members["BEN10"], at=APRIL_7)
    newer = prepared(house.program.legal_entity, at=APRIL_7)
    PayRun.objects.filter(pk=older.pk).update(
        state=PayRunState.CHECKED, approved_at=None, approved_by=None
    )  # both wait now, as they could before
    migration.keep_the_newest(apps, connection.schema_editor())
    older.refresh_from_db()
    newer.refresh_from_db()
    assert (older.state, older.cancelled_by, newer.state) == ("cancelled", fiona(), "checked")
    states = dict(Payment.objects.values_list("membership__partner__name", "state"))
    assert states == {"Partner ANA10": PaymentState.CANCELLED, "Partner BEN10": PaymentState.QUEUED}
    pay_runs.cancel(newer, by=fiona(), at=APRIL_7)
    again = prepared(house.program.legal_entity, at=APRIL_7)
    assert again.total_minor == 160_00
