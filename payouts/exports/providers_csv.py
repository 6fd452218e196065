"""Payments by PayPal and Wise, as the files their batch pages take. One currency in a file, and no more rows than the provider takes
at once; recipients get exactly the amount that left the balance."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from payouts.exports.checks import Problem, is_email
from payouts.exports.payee import details_of
from payouts.exports.rows import plain
from payouts.models import Payment, PayRun
from prm.lib.cells import formula_safe

PAYPAL, WISE = "paypal_csv", "wise_csv"
CONTENT_TYPE = "text/csv; charset=utf-8"
PAYPAL_ROWS = 5_000  # docs.paypal.ai/send/use-web-ui
WISE_ROWS = 1_000  # wise.com/us/blog/everything-about-batch-payments
_PAYPAL_ID, _PAYPAL_NOTE = 30, 400  # characters
# The currencies PayPal holds balances in; in some of them it takes whole amounts only, whatever the standard says.
_PAYPAL_CURRENCIES = (
    "AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD"
)
_PAYPAL_WHOLE = frozenset({"HUF", "JPY", "TWD"})
_WISE_HEADER = (
    "name",
    "recipientEmail",
    "paymentReference",
    "receiverType",
    "amountCurrency",
    "amount",
    "sourceCurrency",
    "targetCurrency",
    "type",
)


def render_paypal(run: PayRun, payments: Sequence[Payment]) -> bytes:
    """Return the file for PayPal's page of mass payments. It has no header: its first row would be taken for a payment."""
    return _written(
        [
            details_of(payment)["email"],
            plain(payment.sent),
            payment.sent_currency,
            payment.end_to_end_id,
            formula_safe(f"{run.legal_entity.name}, statement {payment.statement.number}"[:_PAYPAL_NOTE]),
        ]
        for payment in payments
    )


def paypal_problems(payments: Sequence[Payment]) -> Iterator[Problem]:
    """Yield what PayPal would refuse."""
    for payment in payments:
        who = _who(payment)
        yield from _email(payment, who)
        if payment.sent_currency not in _PAYPAL_CURRENCIES.split():
            yield Problem("wrong_currency", who, payment.sent_currency)
        if len(payment.end_to_end_id) > _PAYPAL_ID:
            yield Problem("id_too_long", who, str(len(payment.end_to_end_id)))
        amount = payment.sent.decimal()
        if payment.sent_currency in _PAYPAL_WHOLE and amount != amount.to_integral_value():
            yield Problem("no_decimals_taken", who, str(payment.sent))


def render_wise(run: PayRun, payments: Sequence[Payment], *, people: frozenset[int]) -> bytes:
    """Return the file for Wise's page of batch payments by e-mail; `people` are the partners who are persons."""
    return _written(_wise_rows(payments, people))


def _wise_rows(payments: Sequence[Payment], people: frozenset[int]) -> Iterator[Sequence[str]]:
    yield _WISE_HEADER
    for payment in payments:
        is_person = payment.membership.partner_id in people
        yield [
            formula_safe(payment.holder),
            details_of(payment)["email"],
            formula_safe(payment.statement.number),
            "PERSON" if is_person else "INSTITUTION",
            "target",
            plain(payment.sent),
            # Paid from a balance in the currency that arrives: the exchange is ours and booked, not the provider's.
            payment.sent_currency,
            payment.sent_currency,
            "EMAIL",
        ]


def wise_problems(payments: Sequence[Payment]) -> Iterator[Problem]:
    """Yield what Wise would refuse."""
    for payment in payments:
        yield from _email(payment, _who(payment))


def _email(payment: Payment, who: str) -> Iterator[Problem]:
    email = details_of(payment).get("email", "")
    if not is_email(email):
        yield Problem("bad_email", who, email or "nothing")


def _who(payment: Payment) -> str:
    return f"{payment.end_to_end_id} ({payment.holder})"


def _written(rows: Iterator[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
