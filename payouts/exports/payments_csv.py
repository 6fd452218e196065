"""A pay run as CSV, for banks without an XML upload and for finance's own files. The amounts add up to the run's total."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from payouts.exports.rows import formula_safe, plain
from payouts.models import Payment, PayRun

FORMAT = "payments_csv"
CONTENT_TYPE = "text/csv; charset=utf-8"
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
)


def render(run: PayRun, payments: Sequence[Payment]) -> bytes:
    """Return the file for the payments of a run, in the order given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for payment in payments:
        writer.writerow(
            [
                run.message_id,
                payment.public_id,
                payment.end_to_end_id,
                run.execute_on.isoformat(),
                formula_safe(payment.holder),
                payment.iban,
                payment.bic,
                plain(payment.amount),
                payment.currency,
                formula_safe(payment.statement.number),
                formula_safe(payment.membership.partner.name),
                formula_safe(payment.membership.program.name),
            ]
        )
    return text.getvalue().encode()


def file_name(run: PayRun) -> str:
    return f"{run.message_id}.csv"
