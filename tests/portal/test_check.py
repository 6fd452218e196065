"""Anybody can check a printed statement, and learns nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client

from payouts.models import Statement
from prm.lib.db import suspended_triggers
from prm.lib.periods import Month
from tests.factories.payouts import close_months
from tests.house import open_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def statement() -> Statement:
    house = open_house()
    house.member("ANA10", at=datetime(2026, 3, 1, tzinfo=UTC))
    house.sale("s1", "1000.00", "ANA10", datetime(2026, 3, 2, tzinfo=UTC))
    house.rate(datetime(2026, 4, 3, tzinfo=UTC))
    [statement] = close_months(house.program, Month(2026, 3), at=datetime(2026, 4, 3, tzinfo=UTC))
    return statement


def test_a_genuine_statement_is_confirmed_by_number_and_total_without_names(
    client: Client, statement: Statement
) -> None:
    answer = client.get(f"/v/{statement.number}/{statement.check_code}/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert statement.number in text and "£80.00" in text and "March 2026" in text
    assert "ANA10" not in text and "Giftware" not in text


def test_a_code_may_be_typed_in_small_letters(client: Client, statement: Statement) -> None:
    assert client.get(f"/v/{statement.number}/{statement.check_code.lower()}/").status_code == 200


def test_a_wrong_code_and_a_wrong_number_get_the_same_answer(client: Client, statement: Statement) -> None:
    wrong_code = client.get(f"/v/{statement.number}/AAAAAAAAAAAA/")
    wrong_number = client.get(f"/v/HG-1999-00001/{statement.check_code}/")
    assert wrong_code.status_code == wrong_number.status_code == 404
    assert "We cannot confirm this document" in wrong_code.content.decode()
    assert "£80.00" not in wrong_code.content.decode()


def test_a_statement_somebody_changed_in_the_database_is_not_confirmed(
    client: Client, statement: Statement
) -> None:
    with suspended_triggers(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payouts_statementline SET amount_minor = 9000 WHERE statement_id = %s", [statement.pk]
        )
    assert client.get(f"/v/{statement.number}/{statement.check_code}/").status_code == 404
