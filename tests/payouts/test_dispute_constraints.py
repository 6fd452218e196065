"""What the tables of questions refuse whoever writes to them, and what was said that nobody rewrites."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from payouts.models import Dispute, DisputeMessage
from tests.factories import money_rows as rows
from tests.factories.payout_rows import CommissionFactory
from tests.payouts.test_constraints import everything, refuse
from tests.people import fiona

pytestmark = pytest.mark.django_db

AT = datetime(2026, 4, 7, 9, tzinfo=UTC)

OUTSIDE: list[tuple[str, Any, Callable[[], dict[str, Any]]]] = [
    ("payouts_dispute_cause", rows.DisputeFactory, lambda: {"cause": "weather"}),
    ("payouts_dispute_state", rows.DisputeFactory, lambda: {"state": "lost", "decided_at": None}),
    (
        "payouts_dispute_decided_pair",
        rows.DisputeFactory,
        lambda: {"state": "refused", "decided_at": AT},
    ),
    ("payouts_dispute_decided_pair", rows.DisputeFactory, lambda: {"decided_by": fiona()}),
    (
        "payouts_dispute_open_or_decided",
        rows.DisputeFactory,
        lambda: {"decided_at": AT, "decided_by": fiona()},
    ),
    ("payouts_dispute_open_or_decided", rows.DisputeFactory, lambda: {"state": "withdrawn"}),
    ("payouts_disputemessage_says_something", rows.DisputeMessageFactory, lambda: {"text": ""}),
]
# A state nobody knows is neither open nor decided.
NEIGHBOURS = {"payouts_dispute_state": "payouts_dispute_open_or_decided"}


@pytest.mark.parametrize(("name", "row", "values"), OUTSIDE)
def test_the_database_refuses(name: str, row: Any, values: Callable[[], dict[str, Any]]) -> None:
    given = values() | (
        {"dispute": rows.DisputeFactory.create()} if row is rows.DisputeMessageFactory else {}
    )
    if row is rows.DisputeFactory:
        given["commission"] = CommissionFactory.create()
        given["opened_by"] = fiona()
    refuse(name, row, given, or_by=NEIGHBOURS.get(name, ""))


@pytest.mark.parametrize("state", ["opened", "answered", "waiting_partner"])
def test_an_open_question_of_any_state_keeps_another_out(state: str) -> None:
    there = rows.DisputeFactory.create(state=state)
    again = {"commission": there.commission, "opened_by": there.opened_by}
    refuse("payouts_dispute_one_open_per_line", rows.DisputeFactory, again)


@pytest.mark.parametrize("state", ["accepted", "refused", "withdrawn"])
def test_a_decided_question_lets_another_in(state: str) -> None:
    there = rows.DisputeFactory.create(state=state, decided_at=AT, decided_by=fiona())
    assert rows.DisputeFactory.create(commission=there.commission).state == "opened"


REWRITTEN: list[tuple[type[Any], dict[str, Any]]] = [
    (Dispute, {"cause": "late"}),
    (Dispute, {"opened_at": AT}),
    (Dispute, {"public_id": "dsp_other"}),
    (DisputeMessage, {"text": "I never said that."}),
    (DisputeMessage, {"is_from_partner": False}),
]


@pytest.mark.parametrize(("table", "change"), REWRITTEN)
def test_what_was_asked_and_said_stays(table: type[Any], change: dict[str, Any]) -> None:
    rows.DisputeMessageFactory.create()
    before = everything()
    with pytest.raises(DatabaseError), transaction.atomic():
        table.objects.update(**change)
    assert everything() == before


@pytest.mark.parametrize("table", [DisputeMessage, Dispute])
def test_no_question_is_deleted(table: type[Any]) -> None:
    message = rows.DisputeMessageFactory.create()
    row = message if table is DisputeMessage else rows.DisputeFactory.create()
    before = everything()
    with pytest.raises(DatabaseError), transaction.atomic():
        table.objects.filter(pk=row.pk).delete()
    assert everything() == before
