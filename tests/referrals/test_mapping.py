"""A shop's own file is read by what its columns mean: guessed from the header, put right by a person, remembered by the header."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from prm.accounts import policy
from prm.runs.progress import Reporter
from referrals import identity, imports, mapping, mapping_memory, sales_mapped
from referrals.facts import Event
from referrals.mapping import BadMapping, FileMapping
from referrals.mapping_guess import delimiter_of, guess
from referrals.models import Conversion, Customer, ImportMapping
from referrals.sales_files import Row, RowError
from referrals.sales_mapped import MappedFile
from tests.factories.prm import UserFactory
from tests.factories.referrals import NOW, CodeFactory

SHOP = """Bestellnummer;Datum;Betrag;MwSt;E-Mail;Kundennummer;Gutschein;Land;Farbe
A-1;03.11.2026 10:15;1.234,50;197,10;Kim@Example.org;K1;ana-1;DE;rot
A-2;25.10.2026 02:30;20,00;3,19;;K2;;DE;blau
"""
PLAIN = FileMapping(
    columns={"event_id": "id", "occurred_at": "when", "amount": "sum"},
    constants={"kind": "sale", "currency": "EUR"},
)


def read(text: str, told: FileMapping) -> list[Row | RowError]:
    return list(MappedFile(io.BytesIO(text.encode()), source="shop", at=NOW, mapping=told))


def one(cells: str, told: FileMapping, *, header: str = "id,when,sum") -> Event:
    (found,) = read(f"{header}\n{cells}\n", told)
    assert isinstance(found, Row), found
    return found.event


def fault(cells: str, told: FileMapping, *, header: str = "id,when,sum") -> tuple[str, str]:
    (found,) = read(f"{header}\n{cells}\n", told)
    assert isinstance(found, RowError)
    return found.column, found.code


def test_a_german_file_is_guessed_whole_but_for_the_currency() -> None:
    delimiter, header, rows = sales_mapped.look(io.BytesIO(SHOP.encode()))
    told = guess(header, rows, delimiter=delimiter)
    assert dict(told.columns) == {
        "event_id": "Bestellnummer",
        "occurred_at": "Datum",
        "amount": "Betrag",
        "tax": "MwSt",
        "customer_email": "E-Mail",
        "customer_id": "Kundennummer",
        "code": "Gutschein",
        "country": "Land",
    }
    assert (told.delimiter, told.decimal, told.dates, told.constants) == (";", ",", "dmy", {"kind": "sale"})
    with pytest.raises(BadMapping) as refusal:
        mapping.check(told, header)
    assert refusal.value.field == "currency"


def test_decimal_commas_local_times_and_mailboxes_are_read() -> None:
    delimiter, header, rows = sales_mapped.look(io.BytesIO(SHOP.encode()))
    told = guess(header, rows, delimiter=delimiter)
    told = replace(told, constants={"kind": "sale", "currency": "EUR"}, zone="Europe/Berlin")
    first, second = (found.event for found in read(SHOP, told) if isinstance(found, Row))
    assert (first.amount.minor, first.tax_minor, first.code) == (123450, 19710, "ANA-1")
    assert first.occurred_at == datetime(2026, 11, 3, 9, 15, tzinfo=UTC)  # winter time: one hour ahead
    # 02:30 happens twice in the night the clocks go back; the first is in summer time, two hours ahead.
    assert second.occurred_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert first.buyer.email_key == identity.email_key("kim@example.org")
    assert first.buyer.email_key != "" and "example" not in repr(first)
    assert (second.buyer.email_key, first.channel) == ("", "file")


@pytest.mark.parametrize(
    ("text", "decimal", "minor"),
    [
        ("1,234.50", ".", 123450),
        ("1234.5", ".", 123450),
        ("1'234.50", ".", 123450),
        ("1.234,50", ",", 123450),
        ("1 234,50", ",", 123450),
        ("1\u202f234,50", ",", 123450),
        ("7", ",", 700),
    ],
)
def test_amounts_are_read_as_they_are_said_to_be_written(text: str, decimal: str, minor: int) -> None:
    assert one(f'1,2026-11-01,"{text}"', replace(PLAIN, decimal=decimal)).amount.minor == minor


@pytest.mark.parametrize(
    ("text", "decimal"), [("12,50", "."), ("12.50", ","), ("1,23,4", "."), ("1.2.3", ","), ("1e3", ",")]
)
def test_an_amount_written_otherwise_is_a_fault_and_never_another_amount(text: str, decimal: str) -> None:
    assert fault(f'1,2026-11-01,"{text}"', replace(PLAIN, decimal=decimal)) == ("sum", "not_an_amount")


@pytest.mark.parametrize(
    ("text", "dates", "instant"),
    [
        ("2026-11-01", "iso", "2026-10-31T23:00:00+00:00"),
        ("2026-11-01 10:15", "iso", "2026-11-01T09:15:00+00:00"),
        ("2026-11-01T10:15:00Z", "iso", "2026-11-01T10:15:00+00:00"),
        ("1/11/2026", "dmy", "2026-10-31T23:00:00+00:00"),
        ("11/1/2026 2:03 PM", "mdy", "2026-11-01T13:03:00+00:00"),
        ("11/1/2026 12:30 am", "mdy", "2026-10-31T23:30:00+00:00"),
        ("1793527200", "unix", "2026-11-01T10:00:00+00:00"),
    ],
)
def test_dates_are_read_as_they_are_said_to_be_written(text: str, dates: str, instant: str) -> None:
    told = replace(PLAIN, dates=dates, zone="Europe/Berlin")
    assert one(f"1,{text},5", told).occurred_at.isoformat() == instant


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("13/13/2026", "dmy"),
        ("11/22/2026", "dmy"),
        ("22/11/2026", "mdy"),
        ("soon", "dmy"),
        ("1/1/2026 13:00 PM", "mdy"),
    ],
)
def test_a_date_written_otherwise_is_a_fault(text: str, dates: str) -> None:
    assert fault(f"1,{text},5", replace(PLAIN, dates=dates)) == ("when", "not_a_date")


def test_an_amount_below_zero_is_a_refund_only_where_that_was_said() -> None:
    assert fault("1,2026-11-01,-5", PLAIN) == ("sum", "negative")
    told = replace(PLAIN, negatives="refund", columns={**PLAIN.columns, "quantity": "n", "tax": "t"})
    refund = one("1,2026-11-01,-5.00,-2,-0.80", told, header="id,when,sum,n,t")
    assert (refund.kind, refund.amount.minor, refund.quantity, refund.tax_minor) == ("refund", 500, 2, 80)
    assert one("1,2026-11-01,5.00,2,0.80", told, header="id,when,sum,n,t").kind == "sale"


def test_a_mapping_that_reads_nothing_is_refused_with_its_place() -> None:
    header = ["id", "when", "sum", "x"]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"columns": {"event_id": "id", "amount": "sum"}}, "occurred_at"),
        ({"columns": {**PLAIN.columns, "code": "coupon"}}, "columns"),
        ({"columns": {**PLAIN.columns, "colour": "x"}}, "columns"),
        ({"columns": {**PLAIN.columns, "currency": "x"}}, "currency"),
        ({"constants": {"kind": "sale", "currency": "euro"}}, "currency"),
        ({"constants": {"kind": "sold", "currency": "EUR"}}, "kind"),
        ({"constants": {**PLAIN.constants, "click_id": "x"}}, "click_id"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"dates": "julian"}, "dates"),
        ({"attributes": {"a:b": "x"}}, "columns"),
    ]
    for change, place in wrong:
        with pytest.raises(BadMapping) as refusal:
            mapping.check(replace(PLAIN, **change), header)
        assert refusal.value.field == place, change


def test_what_parts_columns_is_what_parts_most() -> None:
    assert [delimiter_of(text) for text in ("a,b;c,d", "a;b,5;c", "a\tb\tc", "a|b", "a")] == [
        ",",
        ";",
        "\t",
        "|",
        ",",
    ]


@pytest.mark.django_db
def test_a_mapped_import_and_one_in_our_format_are_the_same_import() -> None:
    CodeFactory.create(code="ANA-1")
    own = "event_id,kind,occurred_at,customer_id,country,partner_code,amount,currency\n1,sale,2026-11-01T10:00:00Z,C1,France,ANA-1,12.50,GBP\n"
    shop = "Order;Date;Client;Pays;Coupon;Total\n1;01/11/2026 10:00;C1;France;ana-1;12,50\n"
    told = FileMapping(
        columns={
            "event_id": "Order",
            "occurred_at": "Date",
            "customer_id": "Client",
            "country": "Pays",
            "code": "Coupon",
            "amount": "Total",
        },
        constants={"kind": "sale", "currency": "GBP"},
        delimiter=";",
        decimal=",",
        dates="dmy",
    )

    def take(text: str, told: FileMapping | None) -> imports.Result:
        return imports.import_file(
            io.BytesIO(text.encode()), source="shop", at=NOW, reporter=Reporter(), mapping=told
        )

    assert (take(own, None).created, take(shop, told).changes_nothing) == (1, True)
    wrong = take(shop.replace("ana-1", "NOBODY").replace("\n1;", "\n2;"), told)
    assert [(each.line, each.column, each.code) for each in wrong.errors] == [(2, "Coupon", "unknown_code")]
    assert (Conversion.objects.count(), Customer.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_columns_are_remembered_by_source_and_header() -> None:
    mats = UserFactory.create(role=policy.ACCOUNT_MANAGER)
    header = ["id", "when", "sum"]
    row = mapping_memory.remember("shop", header, PLAIN, by=mats, at=NOW)
    other = replace(PLAIN, decimal=",")
    assert mapping_memory.remember("shop", header, other, by=mats, at=NOW).pk == row.pk
    assert mapping_memory.recall("shop", header) == other == mapping_memory.named(row.public_id)
    assert mapping_memory.recall("till", header) is None
    assert mapping_memory.recall("shop", [*header, "more"]) is None
    with pytest.raises(policy.Forbidden):
        mapping_memory.remember("shop", header, PLAIN, by=UserFactory.create(), at=NOW)
    assert ImportMapping.objects.get().mapping["decimal"] == ","
