"""Rows written in bulk are the rows the ORM would have written, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from payouts.models import PaymentMethod
from prm.lib.bulk import BulkWriter
from referrals.models import Conversion, Credit
from referrals.writing import CONVERSION
from tests.house import open_house

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
FIELDS = CONVERSION[1:]  # the database gives the id
NASTY = [
    "",
    "\\N",
    "tab\there",
    "two\nlines\r",
    "back\\slash \\t \\.",
    "quote ' and \" and %s",
    "Ünïcode € 漢字 🎉",
    "\\.",
    " spaces ",
    "{1,2}",
]


def row(number: int, **changes: Any) -> list[Any]:
    values: dict[str, Any] = {
        "public_id": f"cnv_{number}",
        "source": "shop",
        "external_id": f"e{number}",
        "kind": "sale",
        "state": "recorded",
        "occurred_at": NOON,
        "recorded_at": datetime(2026, 3, 3, tzinfo=UTC),
        "customer_id": None,
        "amount_minor": 10_000,
        "currency": "GBP",
        "channel": "api",
        "quantity": 1,
        "tax_minor": 0,
        "shipping_minor": 0,
        "discount_minor": 0,
        "cost_minor": 0,
        "attributes": {},
        "original_id": None,
    }
    return [{**values, **changes}.get(name, "") for name in FIELDS]


def test_every_text_comes_back_as_it_was_given() -> None:
    BulkWriter(Conversion, FIELDS).write(
        row(number, product=text, attributes={"text": text, "n": 3, "yes": True, "list": [text, None]})
        for number, text in enumerate(NASTY)
    )
    found = Conversion.objects.order_by("pk")
    assert [each.product for each in found] == NASTY
    assert [each.attributes["list"] for each in found] == [[text, None] for text in NASTY]


def test_a_row_is_the_one_the_orm_writes() -> None:
    values = dict(zip(FIELDS, row(1, country="France", sub_id="a\tb", attributes={"x": "é\\"}), strict=True))
    BulkWriter(Conversion, FIELDS).write([list(values.values())])
    Conversion.objects.create(**{**values, "public_id": "cnv_2", "external_id": "e2"})
    ours, theirs = Conversion.objects.order_by("pk").values()
    different = {"id", "public_id", "external_id"}
    assert {key: value for key, value in ours.items() if key not in different} == {
        key: value for key, value in theirs.items() if key not in different
    }
    with connection.cursor() as cursor:  # the database holds the same texts too, byte for byte
        cursor.execute("SELECT CAST(occurred_at AS text), CAST(attributes AS text) FROM referrals_conversion")
        assert len(set(cursor.fetchall())) == 1


def test_decimals_and_keys_are_kept_exactly() -> None:
    house = open_house()
    member = house.member("ANA")
    conversions = BulkWriter(Conversion, ("id", *FIELDS))
    with transaction.atomic():
        [pk] = conversions.reserve(1)
        conversions.write([[pk, *row(1)]])
        names = ("conversion_id", "membership_id", "role", "share", "reason", "occurred_at", "attributed_at")
        BulkWriter(Credit, names).write([[pk, member.pk, "sourced", Decimal("0.333333"), "code", NOON, NOON]])
    credit = Credit.objects.get()
    assert (credit.conversion_id, credit.share, credit.rated_at) == (pk, Decimal("0.333333"), None)
    assert credit.occurred_at == NOON


def test_reserved_keys_are_nobody_else_s_before_they_are_used() -> None:
    writer = BulkWriter(Conversion, ("id", *FIELDS))
    with transaction.atomic():
        first, second = writer.reserve(2), writer.reserve(3)
        assert len({*first, *second}) == 5
        writer.write([[pk, *row(pk)] for pk in (*second, *first)])
    later = Conversion.objects.create(**dict(zip(FIELDS, row(999), strict=True)))
    assert later.pk > max(*first, *second)
    with transaction.atomic():
        assert min(writer.reserve(1)) > later.pk


def test_of_one_call_all_rows_are_written_or_none() -> None:
    writer = BulkWriter(Conversion, FIELDS)
    with (
        pytest.raises(IntegrityError, match="referrals_conversion_amount_not_negative"),
        transaction.atomic(),
    ):
        writer.write([row(1), row(2, amount_minor=-1)])
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        writer.write([row(3), row(4, currency=None)])
    assert not Conversion.objects.exists()
    writer.write([])
    assert not Conversion.objects.exists()


def test_many_rows_come_from_an_iterator() -> None:
    BulkWriter(Conversion, FIELDS).write(row(number, product="x" * 50) for number in range(3000))
    assert Conversion.objects.count() == 3000


def test_what_is_encrypted_on_saving_is_not_written_in_bulk() -> None:
    with pytest.raises(TypeError, match="encrypted"):
        BulkWriter(PaymentMethod, ("iban",))
