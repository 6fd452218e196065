"""A bank's file is told by its content and read to the letter; what is broken, or made to harm, is refused before anything else happens."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from payouts.results import reading
from payouts.results.facts import Amount, NotRead, Says, WrongRows
from tests.payouts.results.bank import FOLDER, table


def read(name: str) -> list[tuple[object, ...]]:
    found = reading.read((FOLDER / name).read_bytes())
    return [
        (
            each.says.name,
            each.end_to_end_id or each.message_id,
            str(each.amount or ""),
            str(each.fee or ""),
            each.code,
        )
        for each in found.bookings
    ]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("camt053_02.xml", "camt.053"),
        ("camt053_08.xml", "camt.053"),
        ("camt054_02.xml", "camt.054"),
        ("camt054_08.xml", "camt.054"),
        ("pain002_03.xml", "pain.002"),
        ("pain002_10.xml", "pain.002"),
    ],
)
def test_a_format_is_told_by_its_content(name: str, form: str) -> None:
    assert reading.read((FOLDER / name).read_bytes()).format == form


def test_one_entry_of_a_statement_can_hold_many_payments() -> None:
    assert read("camt053_02.xml") == [
        ("PAID", "@ANA@", "80.00 GBP", "", ""),
        ("PAID", "@BEN@", "160 GBP", "0.35 GBP", ""),
        ("PAID", "RENT-APRIL", "950.00 GBP", "", ""),
        ("PAID", "", "", "", ""),
        ("WAITING", "@CLEO@", "120.00 GBP", "", ""),
    ]


def test_a_reversed_credit_is_money_that_came_back_with_its_total_of_charges() -> None:
    assert read("camt053_08.xml") == [("CAME_BACK", "@ANA@", "80.00 GBP", "1.50 GBP", "AC04")]


def test_single_charges_are_added_up_and_a_code_of_the_bank_itself_counts() -> None:
    # 1.25 + 0.75 = 2.00
    assert read("camt054_02.xml") == [("CAME_BACK", "@CLEO@", "118.00 GBP", "2.00 GBP", "NARR")]


def test_an_entry_without_details_names_its_batch() -> None:
    [booking] = reading.read((FOLDER / "camt054_08.xml").read_bytes()).bookings
    assert (booking.is_of_a_batch, booking.message_id) == (True, "@MESSAGE@")
    assert (booking.amount, booking.reference) == (Amount(Decimal("360.00"), "GBP"), "SUM-7")


def test_a_status_report_speaks_of_transfers_and_of_the_whole_file() -> None:
    assert read("pain002_03.xml") == [
        ("WAITING", "@ANA@", "", "", ""),
        ("CAME_BACK", "@BEN@", "160.00 GBP", "", "AC01"),
        ("PAID", "@CLEO@", "", "", ""),
        ("WAITING", "NOTPROVIDED", "", "", ""),
    ]
    assert read("pain002_10.xml") == [
        ("CAME_BACK", "@ANA@", "", "", "RC01"),
        ("CAME_BACK", "@MESSAGE@", "", "", "AM04"),
    ]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("ACSC", Says.PAID),
        ("ACCC", Says.PAID),
        ("RJCT", Says.CAME_BACK),
        ("ACCP", Says.WAITING),
        ("ACSP", Says.WAITING),
        ("ACTC", Says.WAITING),
        ("PDNG", Says.WAITING),
        ("RCVD", Says.WAITING),
    ],
)
def test_only_a_final_status_says_anything(status: str, says: Says) -> None:
    text = (FOLDER / "pain002_03.xml").read_text().replace("<TxSts>ACCP", f"<TxSts>{status}")
    assert reading.read(text.encode()).bookings[0].says is says


LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">&lol2;</Document>"""
FILE = (
    """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>"""
)
NESTED = "<a>" * 60 + "</a>" * 60


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b" \r\n ", "it is empty"),
        (LAUGHS.encode(), "declares a document type"),
        (LAUGHS.replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"), "declares a document type"),
        (FILE.encode(), "declares a document type"),
        (NESTED.encode(), "nested too deep"),
        (b"<Document>", "no well-formed XML"),
        (b"<Document>&x;</Document>", "no well-formed XML"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>', "none of camt.053"),
        (b"<html/>", "none of camt.053"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "not written in UTF-8"),
        (b"name,amount\r\nx,1\r\n", "the header lacks end_to_end_id, outcome"),
        (b"end_to_end_id,outcome,colour\r\n", "columns that are not known or come twice: colour"),
        (b"end_to_end_id,outcome,outcome\r\n", "come twice"),
        (b"x" * (20 * 1024 * 1024 + 1), "larger than 20 MB"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_is_no_bank_file_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(NotRead, match=why):
        reading.read(content)


@pytest.mark.parametrize("amount", ["1e3000", "-1", "NaN", "80,00", ""])
def test_an_amount_that_is_none_refuses_the_file(amount: str) -> None:
    text = (FOLDER / "camt053_08.xml").read_text().replace(">80.00<", f">{amount}<")
    with pytest.raises(NotRead, match="is no amount"):
        reading.read(text.encode())


def test_a_table_is_read_with_commas_or_semicolons_and_a_byte_order_mark() -> None:
    rows = table("PAY-1,settled,B-1,,,2026-04-06,0.35", "pay-2,returned,,ac04,Closed,,", ",,,,,,")
    for content in (rows, b"\xef\xbb\xbf" + rows, rows.replace(b",", b";")):
        first, second = reading.read(content).bookings
        assert (first.end_to_end_id, first.says, first.reference) == ("PAY-1", Says.PAID, "B-1")
        assert (first.booked_on, first.fee) == (date(2026, 4, 6), Amount(Decimal("0.35")))
        assert (second.end_to_end_id, second.says, second.code) == ("PAY-2", Says.CAME_BACK, "AC04")


def test_every_fault_of_a_table_is_named_by_row_and_column() -> None:
    rows = table(
        "PAY-1,paid,,,,,",
        ",settled,,,,06.04.2026,",
        "PAY-3,settled,,,,,free",
        "PAY-4,settled",
    )
    with pytest.raises(WrongRows) as refusal:
        reading.read(rows)
    assert [(fault.row, fault.about) for fault in refusal.value.faults.kept] == [
        (2, "outcome"),
        (3, "end_to_end_id"),
        (3, "booked_on"),
        (4, "fee"),
        (5, "columns"),
    ]
    assert "Row 2, outcome: 'paid' is none of settled, failed, returned, pending." in str(refusal.value)
