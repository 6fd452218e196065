"""What the tables of statements refuse: a second correction, a credit note of nothing, a line of two things or of none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import payout_rows as rows
from tests.payouts.test_constraints import refuse

pytestmark = pytest.mark.django_db

SECOND = {"number": "SECOND-2026-00001"}


def beside(statement: Any, **values: Any) -> dict[str, Any]:
    """Return what a document of the same membership and month is made of."""
    return {"membership": statement.membership, "period": statement.period, **SECOND, **values}


def test_a_document_is_a_statement_or_a_credit_note() -> None:
    neighbour = "payouts_statement_credit_note_names_one"
    refuse("payouts_statement_kind", rows.StatementFactory, {"kind": "invoice"}, or_by=neighbour)


def test_a_credit_note_names_what_it_takes_back_and_a_statement_is_none() -> None:
    name = "payouts_statement_credit_note_names_one"
    refuse(name, rows.StatementFactory, {"kind": "credit_note", "state": "credit_note"})
    refuse(name, rows.StatementFactory, {"state": "credit_note"})
    there = rows.StatementFactory.create()
    refuse(name, rows.StatementFactory, beside(there, kind="credit_note", state="issued", corrects=there))


def test_a_statement_is_corrected_once() -> None:
    there = rows.StatementFactory.create(state="credited")
    note = {"kind": "credit_note", "state": "credit_note", "corrects": there}
    rows.StatementFactory.create(**beside(there, **note, number="NOTE-2026-00001"))
    refuse("payouts_statement_corrected_once", rows.StatementFactory, beside(there, **note))


def test_a_month_has_one_statement_in_force_beside_those_that_were_corrected() -> None:
    there = rows.StatementFactory.create(state="credited")
    rows.StatementFactory.create(**beside(there, corrects=there))
    third = beside(there, number="THIRD-2026-00001", currency="GBP")
    refuse("payouts_statement_once_per_month", rows.StatementFactory, third)


def test_a_line_is_of_a_commission_or_of_a_transaction() -> None:
    name = "payouts_statementline_commission_or_transaction"
    refuse(name, rows.StatementLineFactory, {"commission": None})
    refuse(name, rows.StatementLineFactory, {"transaction": rows.TransactionFactory.create()})


def test_a_commission_is_once_on_a_statement() -> None:
    there = rows.StatementLineFactory.create(statement__line_count=2)
    again = {"statement": there.statement, "commission": there.commission, "position": 2}
    refuse("payouts_statementline_commission_once", rows.StatementLineFactory, again)
