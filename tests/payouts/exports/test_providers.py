"""Mass payments by PayPal and Wise: the columns their pages ask for, exact amounts, and no cell a spreadsheet could calculate."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from payouts.exports import checks, providers_csv
from tests.payouts.exports.sent import by_mail, is_golden, payment, run


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def test_the_file_for_paypal_is_the_golden_file_and_adds_up() -> None:
    payments = by_mail("paypal")
    assert list(providers_csv.paypal_problems(payments)) == []
    content = providers_csv.render_paypal(run(), payments)
    assert is_golden(content, "paypal.csv")
    rows = read(content)
    assert [row[:3] for row in rows] == [
        ["ana@studio.example", "20.00", "EUR"],
        ["zolw+pay@syn.example", "7.50", "EUR"],
    ]
    assert [row[3] for row in rows] == [each.end_to_end_id for each in payments]
    assert all(len(row) == 5 and len(row[3]) <= 30 for row in rows)


def test_the_file_for_wise_is_the_golden_file_and_adds_up() -> None:
    payments = by_mail("wise")
    assert list(providers_csv.wise_problems(payments)) == []
    content = providers_csv.render_wise(run(), payments, people=frozenset({2}))
    assert is_golden(content, "wise.csv")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("27.50")
    assert [row["receiverType"] for row in rows] == ["INSTITUTION", "PERSON"]
    # Recipients get exactly this, in the currency the balance it is paid from is in.
    assert {(row["amountCurrency"], row["sourceCurrency"], row["targetCurrency"]) for row in rows} == {
        ("target", "EUR", "EUR")
    }


def test_names_that_begin_like_a_formula_are_disarmed() -> None:
    evil = payment(1, 5_00, kind="wise", details='{"email": "a@b.example"}', holder="=HYPERLINK(1)")
    [_header, row] = read(providers_csv.render_wise(run(), [evil], people=frozenset()))
    assert row[0] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("details", "minor", "currency", "code"),
    [
        ("", 5_00, "EUR", "bad_email"),
        ('{"email": "+cmd@x.example"}', 5_00, "EUR", "bad_email"),
        ('{"email": "a@x.example, b@x.example"}', 5_00, "EUR", "bad_email"),
        ('{"email": "a@x.example"}', 5_000, "BHD", "wrong_currency"),
        ('{"email": "a@x.example"}', 5_50, "HUF", "no_decimals_taken"),
    ],
)
def test_what_paypal_would_refuse_is_refused_here(details: str, minor: int, currency: str, code: str) -> None:
    faulty = payment(1, minor, currency, kind="paypal", details=details)
    with pytest.raises(checks.FileRefused) as refusal:
        checks.refuse_if(providers_csv.paypal_problems([faulty]))
    assert refusal.value.code == code
    assert faulty.end_to_end_id in str(refusal.value)


def test_forints_without_a_part_and_yen_are_taken_by_paypal() -> None:
    some = [
        payment(1, 5_00, "HUF", kind="paypal", details='{"email": "a@x.example"}'),
        payment(2, 920, "JPY", kind="paypal", details='{"email": "b@x.example"}'),
    ]
    assert list(providers_csv.paypal_problems(some)) == []


def test_an_id_longer_than_paypal_takes_is_refused() -> None:
    long = payment(1, 5_00, kind="paypal", details='{"email": "a@x.example"}', end_to_end_id="P" * 31)
    assert [each.code for each in providers_csv.paypal_problems([long])] == ["id_too_long"]


def test_wise_needs_an_address_to_write_to() -> None:
    nowhere = payment(1, 5_00, kind="wise", details='{"iban": "DE89370400440532013000"}')
    assert [each.code for each in providers_csv.wise_problems([nowhere])] == ["bad_email"]
