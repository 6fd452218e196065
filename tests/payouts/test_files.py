"""The files of a pay run: made once with its money on its way, numbered without gaps, refused whole when one payment is wrong, and handed
out as the same bytes with a record of who took them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from payouts.exports import checks, providers_csv
from payouts.models import Payment, PaymentFile, PaymentFileTaken, PayRun
from payouts.pay_runs import files
from prm.accounts import policy
from prm.audit.models import AuditEvent
from tests.factories import payout_rows as rows
from tests.factories.money_rows import PaymentFileTakenFactory
from tests.payouts.test_constraints import refuse
from tests.people import ada, felix, fiona, mats
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 12, 9, tzinfo=UTC)
LATER = datetime(2026, 5, 13, 9, tzinfo=UTC)
IBAN = "DE89370400440532013000"
EMAIL = '{"email": "ana@studio.example"}'
US = json.dumps({"routing_number": "011401533", "account_number": "4471", "account_type": "checking"})


@pytest.fixture
def run() -> PayRun:
    """A run in euros of an entity that can pay by every way."""
    entity = LegalEntity.objects.create(
        name="Halden Cadeaux SARL",
        number_prefix="HC",
        country_code="FR",
        iban="FR1420041010050500013M02606",
        us_routing_number="021000021",
        us_company_id="1943829104",
    )
    return rows.PayRunFactory.create(
        legal_entity=entity,
        currency="EUR",
        execute_on=date(2026, 5, 14),
        prepared_by=fiona(),
        approved_by=felix(),
        approved_at=AT,
    )


def pays(run: PayRun, minor: int, **facts: Any) -> Payment:
    """Add one payment of a run; in euros by IBAN unless told otherwise."""
    shape = {"kind": "bank_iban", "iban": IBAN, "currency": "EUR", "amount_minor": minor}
    payment: Payment = rows.PaymentFactory.create(pay_run=run, **{**shape, **facts})
    return payment


def of_every_kind(run: PayRun) -> list[Payment]:
    """Add 10.00 and 20.00 by IBAN, 3.00 by PayPal, 4.00 by Wise and 5.00 otherwise, and 7.00 dollars to a US account."""
    usd = {"sent_currency": "USD", "sent_minor": 7_00, "amount_minor": 6_00, "fx_rate": _rate()}
    return [
        pays(run, 10_00),
        pays(run, 3_00, kind="paypal", iban="", details=EMAIL),
        pays(run, 6_00, kind="us_account", iban="", details=US, **usd),
        pays(run, 20_00),
        pays(run, 4_00, kind="wise", iban="", details=EMAIL),
        pays(run, 5_00, kind="other", iban="", details='{"instructions": "By cheque"}'),
    ]


def _rate() -> Any:
    from tests.factories.money_rows import FxRateFactory

    return FxRateFactory.create(base="EUR", quote="USD", rate=Decimal("1.1666666667"))


def test_every_payment_is_in_the_file_of_its_kind_and_in_the_tables(run: PayRun) -> None:
    made = files.make(run, of_every_kind(run), by=fiona(), at=AT)
    assert [(file.format, file.currency, file.row_count, file.total_minor) for file in made] == [
        ("pain.001.001.09", "EUR", 2, 30_00),
        ("paypal_csv", "EUR", 1, 3_00),
        ("wise_csv", "EUR", 1, 4_00),
        ("nacha", "USD", 1, 7_00),
        ("payments_csv", "EUR", 5, 42_00),
        ("payments_xlsx", "EUR", 5, 42_00),
        ("payments_csv", "USD", 1, 7_00),
        ("payments_xlsx", "USD", 1, 7_00),
        ("journal_csv", "EUR", 0, 0),
    ]
    # What banks and providers are told adds up to what left, but for the one paid another way.
    to_banks = sum(file.total_minor for file in made if file.format in files.MOVES_MONEY)
    assert to_banks == 30_00 + 3_00 + 4_00 + 7_00


def test_numbers_have_no_gaps_and_name_the_files(run: PayRun) -> None:
    made = files.make(run, of_every_kind(run), by=fiona(), at=AT)
    assert [file.number for file in made] == [f"HC-F-2026-{number:05d}" for number in range(1, 10)]
    assert made[0].name == "HC-F-2026-00001-bank-EUR.xml"
    assert made[3].name == "HC-F-2026-00004-ach-USD.txt"
    assert len({file.name for file in made}) == len(made)


def test_a_file_is_what_its_hash_says_and_is_made_once(run: PayRun) -> None:
    payments = of_every_kind(run)
    made = files.make(run, payments, by=fiona(), at=AT)
    assert [hashlib.sha256(bytes(file.content)).hexdigest() for file in made] == [
        file.sha256 for file in made
    ]
    again = files.make(run, payments, by=felix(), at=LATER)
    assert again == made == files.files_of(run)
    assert PaymentFile.objects.count() == len(made)


def test_the_bank_gets_the_version_its_entity_asks_for(run: PayRun) -> None:
    run.legal_entity.bank_file = "pain.001.001.03"
    run.legal_entity.save()
    [message, *_rest] = files.make(run, [pays(run, 10_00)], by=fiona(), at=AT)
    assert message.format == "pain.001.001.03"
    assert b"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03" in bytes(message.content)


def test_no_version_is_stored_that_banks_do_not_take(run: PayRun) -> None:
    name = "tiers_legalentity_bank_file"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        LegalEntity.objects.filter(pk=run.legal_entity_id).update(bank_file="pain.001.001.02")
    assert LegalEntity.objects.get(pk=run.legal_entity_id).bank_file == "pain.001.001.09"


def test_one_wrong_payment_stops_every_file_and_no_number_is_spent(run: PayRun) -> None:
    payments = [*of_every_kind(run), pays(run, 8_00, kind="wise", iban="", details="{}")]
    with pytest.raises(checks.FileRefused, match=payments[-1].end_to_end_id) as refusal:
        files.make(run, payments, by=fiona(), at=AT)
    assert refusal.value.code == "bad_email"
    assert not PaymentFile.objects.exists()
    [first, *_rest] = files.make(run, payments[:-1], by=fiona(), at=AT)
    assert first.number == "HC-F-2026-00001"


def test_a_run_exported_after_its_payment_date_is_refused(run: PayRun) -> None:
    with pytest.raises(checks.FileRefused, match="2026-05-14 has passed"):
        files.make(run, [pays(run, 10_00)], by=fiona(), at=datetime(2026, 5, 15, 9, tzinfo=UTC))
    assert not PaymentFile.objects.exists()


def test_files_are_split_at_what_the_provider_takes(run: PayRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers_csv, "PAYPAL_ROWS", 2)
    payments = [pays(run, 100 + n, kind="paypal", iban="", details=EMAIL) for n in range(5)]
    made = files.make(run, payments, by=fiona(), at=AT)
    parts = [file for file in made if file.format == "paypal_csv"]
    assert [(file.part, file.row_count, file.total_minor) for file in parts] == [
        (1, 2, 2_01),
        (2, 2, 2_05),
        (3, 1, 1_04),
    ]
    read = [row for file in parts for row in csv.reader(io.StringIO(bytes(file.content).decode()))]
    assert [row[3] for row in read] == [payment.end_to_end_id for payment in payments]


def test_the_limits_are_those_the_providers_publish() -> None:
    assert (providers_csv.PAYPAL_ROWS, providers_csv.WISE_ROWS) == (5_000, 1_000)


def test_taking_a_file_gives_the_same_bytes_and_is_on_record(run: PayRun) -> None:
    [file, *_rest] = files.make(run, [pays(run, 10_00)], by=fiona(), at=AT)
    assert files.taken_before(file) == []
    first = files.take(file, by=fiona(), at=AT)
    assert [(taken.taken_by, taken.taken_at) for taken in files.taken_before(file)] == [(fiona(), AT)]
    assert files.take(file, by=felix(), at=LATER) == first == bytes(file.content)
    assert [taken.taken_by for taken in files.taken_before(file)] == [fiona(), felix()]
    events = AuditEvent.objects.filter(action="pay_run.file_taken").order_by("pk")
    assert [event.details["times_before"] for event in events] == [0, 1]
    assert files.content_type(file) == "application/xml"


def test_a_damaged_file_is_not_handed_out(run: PayRun) -> None:
    file = rows.PaymentFileFactory.create(pay_run=run, content=b"something else")
    with pytest.raises(files.FileDamaged):
        files.take(file, by=fiona(), at=AT)
    assert not PaymentFileTaken.objects.exists()


def test_account_managers_get_no_file(run: PayRun) -> None:
    file = rows.PaymentFileFactory.create(pay_run=run)
    with pytest.raises(policy.Forbidden):
        files.take(file, by=mats(), at=AT)
    with pytest.raises(policy.Forbidden):
        files.make(run, [], by=mats(), at=AT)
    assert not PaymentFileTaken.objects.exists()


def test_people_and_companies_are_told_apart_by_the_tax_profile(run: PayRun) -> None:
    from tests.factories.money_rows import TaxProfileFactory

    payments = [pays(run, 1_00 + n, kind="wise", iban="", details=EMAIL) for n in range(2)]
    TaxProfileFactory.create(
        partner=payments[1].membership.partner, status="private", vat_mode="outside_scope", vat_rate=0
    )
    made = files.make(run, payments, by=fiona(), at=AT)
    [wise] = [file for file in made if file.format == "wise_csv"]
    read = csv.DictReader(io.StringIO(bytes(wise.content).decode()))
    assert [row["receiverType"] for row in read] == ["INSTITUTION", "PERSON"]


def test_a_second_file_of_a_format_currency_and_part_is_refused_and_its_neighbours_are_let_in() -> None:
    there = rows.PaymentFileFactory.create()
    shared = {
        "pay_run": there.pay_run,
        "format": there.format,
        "currency": there.currency,
        "part": there.part,
    }
    refuse("payouts_paymentfile_one_per_format", rows.PaymentFileFactory, shared)
    for neighbour in ({"format": "nacha"}, {"currency": "EUR"}, {"part": 2}):
        rows.PaymentFileFactory.create(**{**shared, **neighbour})
    assert PaymentFile.objects.count() == 4


def test_files_and_who_took_them_are_never_rewritten() -> None:
    taken = PaymentFileTakenFactory.create()
    with pytest.raises(IntegrityError, match="made once"), transaction.atomic():
        PaymentFile.objects.filter(pk=taken.file_id).update(content=b"other")
    with pytest.raises(IntegrityError, match="stays known"), transaction.atomic():
        PaymentFileTaken.objects.filter(pk=taken.pk).update(taken_by=ada())
    with pytest.raises(IntegrityError, match="stays known"), transaction.atomic():
        PaymentFileTaken.objects.filter(pk=taken.pk)._raw_delete(connection.alias)
    assert PaymentFileTaken.objects.get(pk=taken.pk).taken_by == taken.taken_by
