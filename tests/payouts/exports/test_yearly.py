"""Who was paid how much in a year: by the day the bank confirmed, over all programs, without what came back, networks apart."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from partners.models import Membership, Partner
from payouts import bookkeeping
from payouts.exports import yearly
from payouts.models import Payment
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from tests.factories import payout_rows as rows
from tests.factories.money_rows import TaxFormFactory, TaxProfileFactory
from tests.factories.partners import MembershipFactory, PartnerFactory
from tests.factories.tiers import LegalEntityFactory, ProgramFactory
from tests.payouts.exports.sent import is_golden
from tests.people import fiona, mats
from tiers.models import LegalEntity, Program

pytestmark = pytest.mark.django_db

IN_MAY = datetime(2026, 5, 14, 9, tzinfo=UTC)
NOW = datetime(2027, 1, 10, 9, tzinfo=UTC)


@pytest.fixture
def entity() -> LegalEntity:
    made: LegalEntity = LegalEntityFactory.create(name="Halden Inc", number_prefix="HI", country_code="US")
    return made


def program(entity: LegalEntity, *, zone: str = "America/New_York", currency: str = "USD") -> Program:
    made: Program = ProgramFactory.create(legal_entity=entity, time_zone=zone, currency=currency)
    return made


@pytest.fixture
def partner() -> Partner:
    made: Partner = PartnerFactory.create(
        name="Studio Prado",
        legal_name="=Prado LLC",
        street="Main Street",
        building_number="5",
        postcode="10001",
        town="New York",
        country="United States",
        vat_number="",
    )
    return made


def paid(entity: LegalEntity, where: Program, partner: Partner, minor: int, **facts: Any) -> Payment:
    """Add a payment the bank confirmed in May."""
    known = Membership.objects.filter(partner=partner, program=where).first()
    member = known or MembershipFactory.create(partner=partner, program=where)
    shape = {"state": "settled", "settled_at": IN_MAY, "currency": where.currency, "amount_minor": minor}
    payment: Payment = rows.PaymentFactory.create(
        pay_run=entity.pay_runs.first() or rows.PayRunFactory.create(legal_entity=entity),
        statement=rows.StatementFactory.create(membership=member, period=_period(where)),
        payment_method=rows.PaymentMethodFactory.create(
            partner=partner, replaced_at=NOW, replaced_by=fiona()
        ),
        **{**shape, **facts},
    )
    return payment


_MONTHS = iter(range(10_000))


def _period(where: Program) -> Any:
    """Return a month nobody has used, because a membership has one statement in each."""
    number = next(_MONTHS)
    return rows.PeriodFactory.create(program=where, year=2030 + number // 12, month=number % 12 + 1)


def test_a_year_is_counted_by_payment_date_over_all_programs(entity: LegalEntity, partner: Partner) -> None:
    first, second = program(entity), program(entity)
    paid(entity, first, partner, 1_500_00)
    paid(entity, second, partner, 400_00, withheld_minor=96_00, sent_minor=304_00)
    paid(entity, first, partner, 99_99, kind="paypal", settled_at=datetime(2026, 11, 2, tzinfo=UTC))
    [payee] = yearly.payees_of(entity, 2026)
    # 1,500.00 + 400.00 by bank, 99.99 by PayPal, 96.00 withheld of it.
    assert (payee.payments, payee.paid.minor) == (3, 1_999_99)
    assert (payee.by_network.minor, payee.reportable.minor, payee.withheld.minor) == (99_99, 1_900_00, 96_00)
    assert payee.quarters == [0, 1_900_00, 0, 99_99]
    assert payee.reaches_threshold is False


def test_what_came_back_and_what_others_paid_is_not_counted(entity: LegalEntity, partner: Partner) -> None:
    here, elsewhere = program(entity), LegalEntityFactory.create()
    paid(entity, here, partner, 10_00)
    paid(entity, here, partner, 20_00, state="returned")
    paid(entity, here, partner, 30_00, state="failed", settled_at=None)
    paid(entity, here, partner, 40_00, state="sent", settled_at=None)
    paid(elsewhere, here, partner, 50_00)
    assert [payee.paid.minor for payee in yearly.payees_of(entity, 2026)] == [10_00]


@pytest.mark.parametrize(
    ("zone", "settled_at", "year"),
    [
        ("America/New_York", datetime(2027, 1, 1, 4, 59, tzinfo=UTC), 2026),
        ("America/New_York", datetime(2027, 1, 1, 5, 0, tzinfo=UTC), 2027),
        ("Pacific/Kiritimati", datetime(2026, 12, 31, 10, 0, tzinfo=UTC), 2027),
        ("Europe/Paris", datetime(2025, 12, 31, 23, 0, tzinfo=UTC), 2026),
    ],
)
def test_the_year_ends_at_midnight_of_the_program(
    entity: LegalEntity, partner: Partner, zone: str, settled_at: datetime, year: int
) -> None:
    paid(entity, program(entity, zone=zone), partner, 10_00, settled_at=settled_at)
    counted = {each: len(yearly.payees_of(entity, each)) for each in (2025, 2026, 2027)}
    assert counted == {each: int(each == year) for each in (2025, 2026, 2027)}


@pytest.mark.parametrize(
    ("year", "minor", "reaches"),
    [(2025, 599_99, False), (2025, 600_00, True), (2026, 1_999_99, False), (2026, 2_000_00, True)],
)
def test_the_threshold_is_600_dollars_until_2025_and_2000_from_2026_on(
    entity: LegalEntity, partner: Partner, year: int, minor: int, reaches: bool
) -> None:
    paid(entity, program(entity), partner, minor, settled_at=datetime(year, 6, 1, tzinfo=UTC))
    [payee] = yearly.payees_of(entity, year)
    assert payee.reaches_threshold is reaches


def test_currencies_never_mix_and_only_dollars_have_a_threshold(
    entity: LegalEntity, partner: Partner
) -> None:
    paid(entity, program(entity), partner, 10_00)
    paid(entity, program(entity, currency="JPY"), partner, 920)
    found = yearly.payees_of(entity, 2026)
    assert [(payee.currency, payee.paid.minor, payee.reaches_threshold) for payee in found] == [
        ("JPY", 920, None),
        ("USD", 10_00, False),
    ]
    assert yearly.totals(found) == {"JPY": Money(920, "JPY"), "USD": Money(10_00, "USD")}


def test_the_newest_tax_facts_of_the_year_are_told(entity: LegalEntity, partner: Partner) -> None:
    paid(entity, program(entity), partner, 10_00)
    TaxFormFactory.create(partner=partner, tax_number_ending="1234", signed_on=datetime(2025, 1, 1).date())
    TaxFormFactory.create(partner=partner, tax_number_ending="6789", kind="w8bene")
    TaxFormFactory.create(
        partner=partner, tax_number_ending="0000", signed_on=NOW.date(), revoked_at=NOW, revoked_by=fiona()
    )
    TaxProfileFactory.create(partner=partner, country_code="CA", vat_mode="outside_scope", vat_rate=0)
    [payee] = yearly.payees_of(entity, 2026)
    assert (payee.tax_form, payee.tax_number_ending) == ("w8bene", "6789")
    assert (payee.country_code, payee.vat_number) == ("CA", "FR40303265045")


def test_both_files_add_up_and_the_csv_is_the_golden_file(entity: LegalEntity, partner: Partner) -> None:
    paid(entity, program(entity), partner, 2_500_00, withheld_minor=600_00, sent_minor=1_900_00)
    paid(entity, program(entity), partner, 100_00, kind="paypal")
    payees = yearly.payees_of(entity, 2026)
    content = yearly.render_csv(entity, payees)
    assert is_golden(content, "yearly.csv")
    [row] = csv.DictReader(io.StringIO(content.decode()))
    assert (row["paid"], row["paid_by_network"], row["reportable"]) == ("2600.00", "100.00", "2500.00")
    assert (row["legal_name"], row["threshold"], row["reaches_threshold"]) == (
        "'=Prado LLC",
        "2000.00",
        "yes",
    )
    book = openpyxl.load_workbook(io.BytesIO(yearly.render_xlsx(entity, payees)))
    header, only = book.worksheets[0].iter_rows()
    cells = {name.value: cell for name, cell in zip(header, only, strict=True)}
    assert tuple(cells) == yearly.HEADER
    assert Decimal(str(cells["reportable"].value)) == Decimal("2500")
    assert (cells["legal_name"].value, cells["legal_name"].data_type) == ("=Prado LLC", "s")


def test_taking_the_list_is_on_record_and_needs_finance(entity: LegalEntity) -> None:
    with pytest.raises(policy.Forbidden):
        bookkeeping.yearly_list(entity, 2026, by=mats(), at=NOW)
    with pytest.raises(bookkeeping.UnknownYear):
        bookkeeping.take_yearly_list(entity, 2028, form="csv", by=fiona(), at=NOW)
    assert not AuditEvent.objects.filter(action="yearly_list.taken").exists()
    bookkeeping.take_yearly_list(entity, 2026, form="xlsx", by=fiona(), at=NOW)
    assert AuditEvent.objects.get(action="yearly_list.taken").details["year"] == 2026


def test_the_command_writes_the_list(
    entity: LegalEntity, partner: Partner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paid(entity, program(entity), partner, 2_500_00)
    target = tmp_path / "list.csv"
    by = fiona().email
    call_command("yearly_payments", 2026, entity="HI", output=str(target), by=by, json=True)
    facts = json.loads(capsys.readouterr().out)
    assert (facts["payees"], facts["paid_minor"], facts["to_report"]) == (1, {"USD": 2_500_00}, 1)
    assert target.read_bytes() == yearly.render_csv(entity, yearly.payees_of(entity, 2026))
    with pytest.raises(CommandError) as error:
        call_command("yearly_payments", 2026, entity="HI", output=str(target))
    assert error.value.returncode == 2
