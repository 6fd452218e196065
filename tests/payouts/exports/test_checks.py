"""Negative controls: a faultless message with one thing wrong, and the check that finds it. The schema alone finds few of them."""

from __future__ import annotations

import re
from datetime import date

import pytest
import xmlschema

from payouts.exports import checks, sepa_checks, sepa_pain001
from tests.payouts.exports.sent import TODAY, by_iban, run
from tests.payouts.exports.test_bank_message import NEW, schema

FIRST = by_iban()[0].end_to_end_id
SECOND = by_iban()[1].end_to_end_id

# What is replaced in the message, by what, the code that finds it, and the payment it names.
FAULTS: list[tuple[str, str, str, str]] = [
    ("DE89370400440532013000", "DE89370400440532013001", "bad_iban", FIRST),  # remainder is not 1
    ("DE89370400440532013000", "DE00370400440532013088", "bad_iban", FIRST),  # 00 is never given out
    ("DE89370400440532013000", "DE8937040044053201300", "bad_iban", FIRST),  # one character short
    ("DE89370400440532013000", "FR1420041010050500013M02606", "pays_itself", FIRST),
    ("DE89370400440532013000", "TR330006100519786457841326", "outside_sepa", FIRST),
    ("COBADEFFXXX", "COBADEF", "bad_bic", FIRST),
    (">PSSTFRPPPAR<", ">PSST1<", "bad_bic", ""),
    ("<Nm>Studio Prado", "<Nm>Studió Prado", "bad_characters", FIRST),
    ("Statement HC-2026-00001", "Statement HC_2026", "bad_characters", FIRST),
    ("<Nm>Studio Prado</Nm>", "<Nm> </Nm>", "missing_name", FIRST),
    ("<EndToEndId>" + FIRST, "<EndToEndId>/" + FIRST, "bad_slashes", FIRST),
    (f"<EndToEndId>{FIRST}", f"<EndToEndId>{SECOND}", "repeated_id", SECOND),
    (f"<EndToEndId>{FIRST}", "<EndToEndId>NOTPROVIDED", "missing_id", "NOTPROVIDED"),
    ("<NbOfTxs>3</NbOfTxs>", "<NbOfTxs>4</NbOfTxs>", "wrong_count", ""),
    ("<CtrlSum>1333.57</CtrlSum>", "<CtrlSum>1333.56</CtrlSum>", "wrong_sum", ""),
    ('Ccy="EUR">1234.56', 'Ccy="EUR">1234.5', "wrong_decimals", FIRST),
    ('Ccy="EUR">1234.56', 'Ccy="EUR">0.00', "not_positive", FIRST),
    ('Ccy="EUR">1234.56', 'Ccy="EUR">1000000000.00', "amount_too_large", FIRST),
    ('Ccy="EUR">1234.56', 'Ccy="GBP">1234.56', "mixed_currencies", ""),
    ('Ccy="EUR">1234.56', 'Ccy="EUR">1234.57', "differs_from_books", FIRST),
    ('Ccy="EUR">1234.56', 'Ccy="EUR">1e3', "unreadable", FIRST),
    ("2026-05-14<", "2026-05-11<", "date_passed", ""),
    ("2026-05-14<", "2026-05-16<", "not_a_bank_day", ""),  # a Saturday
    ("2026-05-14<", "2026-12-25<", "not_a_bank_day", ""),  # a Friday on which TARGET rests
    ("<TwnNm>Berlin</TwnNm>", "", "address_incomplete", FIRST),
    ("<Ctry>DE</Ctry>", "", "address_incomplete", FIRST),
    ("<StrtNm>Hauptstrasse</StrtNm>", "<AdrLine>Hauptstrasse</AdrLine>", "address_unstructured", FIRST),
    ("<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>SHAR</ChrgBr>", "wrong_charges", ""),
    ("pain.001.001.09", "pain.001.001.02", "unknown_message", ""),
    ("</Document>", "", "unreadable", ""),
]


def good() -> str:
    return sepa_pain001.render(run(), by_iban()).decode()


def found_in(document: str, *, on: date = TODAY) -> list[checks.Problem]:
    said = sepa_pain001.expected(by_iban())
    return list(sepa_checks.problems_in(document.encode(), on=on, expected=said))


def test_a_message_with_nothing_wrong_passes() -> None:
    assert found_in(good()) == []


@pytest.mark.parametrize(("was", "becomes", "code", "payment"), FAULTS)
def test_every_fault_is_found_and_names_its_payment(was: str, becomes: str, code: str, payment: str) -> None:
    document = good()
    assert was in document
    faulty = [problem for problem in found_in(document.replace(was, becomes)) if problem.code == code]
    assert faulty, f"{code} was not found"
    assert payment in faulty[0].payment
    with pytest.raises(checks.FileRefused) as refusal:
        checks.refuse_if(faulty)
    assert refusal.value.code == code
    assert str(refusal.value).startswith("The file was not made. ")


def test_two_equal_payments_under_two_ids_are_found() -> None:
    twice = by_iban()[:1] * 2
    document = sepa_pain001.render(run(), twice).decode()
    other = re.sub(f"(?s)(.*){FIRST}(.*){FIRST}", rf"\1{SECOND}\2{SECOND}", document)
    assert [problem.code for problem in found_in(other) if problem.code != "differs_from_books"] == [
        "repeated_payment"
    ]


def test_two_batches_with_one_id_are_found() -> None:
    batch = re.search(r"(?s) <PmtInf>.*</PmtInf>\n", good())
    assert batch is not None
    codes = {problem.code for problem in found_in(good().replace(batch[0], batch[0] * 2))}
    assert {"repeated_batch", "wrong_count", "wrong_sum", "repeated_id", "repeated_payment"} <= codes


def test_a_payment_the_books_do_not_know_and_one_that_is_left_out_are_found() -> None:
    document = sepa_pain001.render(run(), by_iban()[:2])
    said = sepa_pain001.expected(by_iban()[1:])
    found = {
        problem.payment.partition(" ")[0]: problem.code
        for problem in sepa_checks.problems_in(document, on=TODAY, expected=said)
    }
    third = by_iban()[2].end_to_end_id
    assert found == {FIRST: "differs_from_books", third: "differs_from_books"}


def test_the_schema_alone_would_let_most_of_them_through() -> None:
    missed = []
    for was, becomes, _code, _payment in FAULTS:
        try:
            schema(NEW).validate(good().replace(was, becomes))
        except (xmlschema.XMLSchemaException, SyntaxError):
            continue
        missed.append(was)
    assert len(missed) > len(FAULTS) // 2


def test_a_refusal_names_three_and_counts_the_rest() -> None:
    five = [checks.Problem("bad_iban", f"PAY-{number}") for number in range(5)]
    text = str(checks.FileRefused(five))
    assert "PAY-2: the IBAN is wrong; and 2 more." in text
    assert "PAY-3" not in text


@pytest.mark.parametrize("code", sorted(checks.SENTENCES))
def test_every_code_has_a_sentence_that_can_be_filled(code: str) -> None:
    assert str(checks.Problem(code, "PAY-1", "this")).startswith("PAY-1: ")


@pytest.mark.parametrize(
    ("iban", "is_one"),
    [
        ("BE68539007547034", True),
        ("GB33BUKB20201555555555", True),
        ("RS35260005601001611379", True),
        ("DE89 3704 0044 0532 0130 00", False),
        ("de89370400440532013000", False),
        ("DE89370400440532013000\n", False),
        ("XX89370400440532013000", False),
        ("", False),
    ],
)
def test_an_iban_is_told_by_its_letters_length_and_check_digits(iban: str, is_one: bool) -> None:
    assert checks.is_iban(iban) is is_one


@pytest.mark.parametrize(
    ("email", "is_one"),
    [
        ("ana@studio.example", True),
        ("a.b+c@x-y.example.org", True),
        ("=cmd@studio.example", False),
        ("ana@studio", False),
        ("ana@studio.example,1000", False),
        ("ana prado@studio.example", False),
        ("żółw@syn.example", False),
        ("", False),
    ],
)
def test_an_address_of_a_provider_is_plain_and_begins_no_formula(email: str, is_one: bool) -> None:
    assert checks.is_email(email) is is_one
