"""The payments of a run in one currency as CSV, for banks without an upload and for finance's own files. `amount` is what the payee is
sent, and the amounts add up to the file's total; what left the balance and what was withheld stand beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

from payouts.exports.payee import account_text
from payouts.exports.rows import plain
from payouts.models import Payment, PayRun
from prm.lib.cells import formula_safe
from prm.lib.money import Money

FORMAT = "payments_csv"
CONTENT_TYPE = "text/csv; charset=utf-8"
# The names never change; what is new is added at the end.
HEADER = (
    "pay_run",
    "payment",
    "end_to_end_id",
    "execute_on",
    "account_holder",
    "iban",
    "bic",
    "amount",
    "currency",
    "statement",
    "partner",
    "program",
    "kind",
    "account",
    "gross",
    "withheld",
    "gross_currency",
    "fx_rate",
    "fx_day",
    "fx_source",
)
AMOUNTS = {"amount": "currency", "gross": "gross_currency", "withheld": "gross_currency"}


def render(run: PayRun, payments: Sequence[Payment]) -> bytes:
    """Return the file for the payments of a run, in the order given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for payment in payments:
        facts = facts_of(run, payment)
        writer.writerow([_cell(facts[name]) for name in HEADER])
    return text.getvalue().encode()


def facts_of(run: PayRun, payment: Payment) -> dict[str, str | Money]:
    """Return what both the CSV and the workbook say of a payment, by column."""
    rate = payment.fx_rate
    return {
        "pay_run": run.message_id,
        "payment": payment.public_id,
        "end_to_end_id": payment.end_to_end_id,
        "execute_on": run.execute_on.isoformat(),
        "account_holder": payment.holder,
        "iban": payment.iban,
        "bic": payment.bic,
        "amount": payment.sent,
        "currency": payment.sent_currency,
        "statement": payment.statement.number,
        "partner": payment.membership.partner.name,
        "program": payment.membership.program.name,
        "kind": payment.kind,
        "account": account_text(payment),
        "gross": payment.amount,
        "withheld": Money(payment.withheld_minor, payment.currency),
        "gross_currency": payment.currency,
        "fx_rate": "" if rate is None else format(Decimal(rate.rate).normalize(), "f"),
        "fx_day": "" if rate is None else rate.rate_on.isoformat(),
        "fx_source": "" if rate is None else rate.source,
    }


def _cell(value: str | Money) -> str:
    return plain(value) if isinstance(value, Money) else formula_safe(value)
