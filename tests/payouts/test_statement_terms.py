"""Every term of a statement's bridge is the sum of listed lines: adjustments by their kind, VAT by the terms of the month's end, tax withheld,
payments and what came back. What is expected of the payment is frozen beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payouts import adjustments, ledger, pay_runs, reconciliation, statements
from payouts.calendar import month_of
from payouts.choices import AccountKind, AdjustmentKind, AdjustmentReason, InvoiceKind
from payouts.explained.bridge import bridge_of
from payouts.exports import csv
from payouts.models import Invoice, Statement
from payouts.payment_methods import add
from payouts.release import release_membership
from payouts.tax import agreement, mandates, profiles
from payouts.tax.profiles import TaxFacts
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.money_rows import FxRateFactory, WithholdingFactory
from tests.factories.payouts import IBANS, close_months, exported, give_account
from tests.factories.tiers import LegalEntityFactory
from tests.house import House, open_house
from tests.people import ada, ana, felix, fiona

pytestmark = pytest.mark.django_db

BEFORE = datetime(2026, 2, 1, 9, tzinfo=UTC)
MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH_20 = datetime(2026, 3, 20, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
APRIL_9 = datetime(2026, 4, 9, 9, tzinfo=UTC)
APRIL_20 = datetime(2026, 4, 20, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)
COLUMNS = ("opening", "earned", "reversed", "adjusted", "vat", "withheld", "paid", "closing")


def bridge(statement: Statement) -> tuple[int, ...]:
    return tuple(getattr(statement, f"{name}_minor") for name in COLUMNS)


def listed(statement: Statement) -> list[tuple[str, str, int]]:
    rows = statement.lines.order_by("position").values_list("kind", "order_id", "amount_minor")
    return [
        (kind, text.split("-")[0] if text.startswith("PAY") else text, minor) for kind, text, minor in rows
    ]


@pytest.fixture
def house() -> House:
    house = open_house()
    house.program.second_person_above_minor = 1_000_00
    house.program.save()
    house.member("ANA10", at=MARCH_1, owner=ana())
    house.sale("s1", "1000.00", "ANA10", MARCH_2)  # 80.00
    house.rate(APRIL_3)
    return house


@pytest.fixture
def french() -> House:
    """An operator and a partner in France, with a mandate and 20 % VAT from February on."""
    entity = LegalEntityFactory.create(
        name="Halden France SAS",
        number_prefix="HF",
        street="Rue de la Paix",
        building_number="12",
        postcode="75002",
        town="Paris",
        country_code="FR",
        vat_number="FR83404833048",
        registration_number="404833048",
        contact_email="compta@halden.example",
    )
    house = open_house(currency="EUR", zone="Europe/Paris", entity=entity)
    house.program.second_person_above_minor = 1_000_00
    house.program.save()
    partner = house.member("ANA10", at=MARCH_1, owner=ana()).partner
    partner.legal_name, partner.country, partner.language = "Studio Prado SARL", "FR", "fr"
    partner.street, partner.building_number = "Rue des Lilas", "7"
    partner.postcode, partner.town = "75011", "Paris"
    partner.save()
    facts = TaxFacts(country_code="FR", status="business", vat_number="FR40303265045")
    profiles.set_profile(partner, facts, by=ana(), at=BEFORE)
    mandates.agree(partner, entity, version=agreement.VERSION, by=ana(), at=BEFORE, address="192.0.2.7")
    house.sale("s1", "1000.00", "ANA10", MARCH_2)  # 80.00
    house.rate(APRIL_3)
    return house


def post(house: House, kind: AdjustmentKind, minor: int, note: str, *, is_taxable: bool = True) -> None:
    adjustments.propose(
        house.members["ANA10"],
        kind=kind,
        amount=Money(minor, house.program.currency),
        reason=AdjustmentReason.CAMPAIGN,
        note=note,
        is_taxable=is_taxable,
        by=fiona(),
        at=MARCH_20,
    )


def test_what_people_post_is_told_apart_and_listed(house: House) -> None:
    post(house, AdjustmentKind.BONUS, 25_00, "Spring campaign")
    post(house, AdjustmentKind.ADJUSTMENT, -5_00, "Counted twice")
    [march] = close_months(house.program, MARCH, at=APRIL_3)
    assert bridge(march) == (0, 80_00, 0, 20_00, 0, 0, 0, 100_00)
    assert listed(march) == [
        ("earned", "s1", 80_00),
        ("bonus", "Spring campaign", 25_00),
        ("adjustment", "Counted twice", -5_00),
    ]
    terms = {term.label: (term.amount.minor, term.lines) for term in bridge_of(march)}
    assert terms["Bonuses agreed"] == (25_00, 1)
    assert terms["Adjustments"] == (-5_00, 1)
    assert terms["Commissions"] == (80_00, 1)
    assert reconciliation.check() == []


def test_a_payment_its_tax_and_its_return_are_lines_of_the_next_month(house: House) -> None:
    """80.00 leave, of which 10 % or 8.00 are kept back; the bank returns them, and all of it is owed again."""
    membership = house.members["ANA10"]
    give_account(membership, at=BEFORE)
    [march] = close_months(house.program, MARCH, at=APRIL_3)
    WithholdingFactory.create(partner=membership.partner)
    run = exported(house.program.legal_entity, at=APRIL_9)
    pay_runs.fail(run.payments.get(), reason="AC04", by=felix(), at=APRIL_20)
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert bridge(april) == (80_00, 0, 0, 0, 0, 0, 0, 80_00)
    assert listed(april) == [
        ("payment", "PAY", -72_00),
        ("withholding", "PAY", -8_00),
        ("returned", "PAY", 72_00),
        ("withholding", "PAY", 8_00),
    ]
    assert april.lines.filter(commission=None, transaction=None).count() == 0
    assert march.facts["expected"] == {"withheld_minor": 0, "sent_minor": 80_00, "rate": "0", "basis": ""}
    assert april.facts["expected"] == {
        "withheld_minor": 8_00,
        "sent_minor": 72_00,
        "rate": "10",
        "basis": "Treaty, article 12",
    }


def test_withheld_tax_is_a_term_of_its_own(house: House) -> None:
    membership = house.members["ANA10"]
    give_account(membership, at=BEFORE)
    close_months(house.program, MARCH, at=APRIL_3)
    WithholdingFactory.create(partner=membership.partner)
    exported(house.program.legal_entity, at=APRIL_9)
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert bridge(april) == (80_00, 0, 0, 0, 0, -8_00, -72_00, 0)


def test_vat_is_rounded_once_on_everything_taxable_and_invoiced(french: House) -> None:
    """80.00 + 0.13 are taxable, 9.00 are not: 20 % of 80.13 is 16.026, so 16.03; 80.00 + 9.13 + 16.03 = 105.16."""
    post(french, AdjustmentKind.ADJUSTMENT, 13, "Rounding of an order")
    post(french, AdjustmentKind.BONUS, 9_00, "A gift", is_taxable=False)
    [march] = close_months(french.program, MARCH, at=APRIL_3)
    assert bridge(march) == (0, 80_00, 0, 9_13, 16_03, 0, 0, 105_16)
    vat = march.lines.get(kind="vat")
    assert (vat.base_minor, vat.rate, vat.amount_minor) == (80_13, Decimal(20), 16_03)
    tax = march.facts["tax"]
    assert (tax["mode"], tax["rate"], tax["net_minor"], tax["vat_minor"]) == ("domestic", "20", 80_13, 16_03)
    invoice = Invoice.objects.get()
    assert (invoice.net_minor, invoice.vat_minor, invoice.statement_id) == (80_13, 16_03, march.pk)
    input_vat = ledger.program_account(french.program, AccountKind.INPUT_VAT)
    assert ledger.balance(input_vat) == Money(-16_03, "EUR")
    assert sum(row.amount_minor for row in march.lines.all()) == march.closing_minor
    assert reconciliation.check() == []


def test_tax_is_not_withheld_from_vat(french: House) -> None:
    """10 % of 80.00 are withheld, none of the 16.00 of VAT; what came back is paid again in the same way, with 50.00 and 10.00 more."""
    membership = french.members["ANA10"]
    give_account(membership, at=BEFORE, iban=IBANS[3])
    WithholdingFactory.create(partner=membership.partner)
    french.program.legal_entity.iban = IBANS[2]
    french.program.legal_entity.save()
    [march] = close_months(french.program, MARCH, at=APRIL_3)
    assert march.facts["expected"]["withheld_minor"] == 8_00
    first = exported(french.program.legal_entity, at=APRIL_9, currency="EUR").payments.get()
    assert (first.amount_minor, first.withheld_minor, first.sent_minor) == (96_00, 8_00, 88_00)
    pay_runs.fail(first, reason="Account closed", by=felix(), at=APRIL_9)
    post(french, AdjustmentKind.BONUS, 50_00, "A good month")
    [april] = close_months(french.program, APRIL, at=MAY_4)
    assert april.facts["expected"]["withheld_minor"] == 13_00
    again = exported(french.program.legal_entity, at=MAY_4, currency="EUR").payments.get()
    assert (again.amount_minor, again.withheld_minor, again.sent_minor) == (156_00, 13_00, 143_00)
    assert reconciliation.check() == []


def test_more_taken_back_than_earned_gives_vat_back(french: House) -> None:
    close_months(french.program, MARCH, at=APRIL_3)
    french.refund("r1", "200.00", "ANA10", APRIL_3)  # 16.00 taken back, and 3.20 of VAT with it
    french.rate(APRIL_20)
    [april] = close_months(french.program, APRIL, at=MAY_4)
    assert bridge(april) == (96_00, 0, -16_00, 0, -3_20, 0, 0, 76_80)
    assert Invoice.objects.get(statement=april).kind == InvoiceKind.CREDIT_NOTE


def test_a_correction_by_other_tax_facts_credits_the_invoice_and_puts_the_vat_right(french: House) -> None:
    """By April the partner is a small business: the 16.00 of VAT come back in April, and a new invoice carries none."""
    [march] = close_months(french.program, MARCH, at=APRIL_3)
    facts = TaxFacts(country_code="FR", status="small_business", registration_number="303265045")
    profiles.set_profile(french.members["ANA10"].partner, facts, by=ana(), at=APRIL_3)
    new = statements.correct(march, reason="No VAT is charged.", by=fiona(), at=APRIL_9)
    assert (march.vat_minor, new.vat_minor) == (16_00, 16_00)
    assert (new.facts["tax"]["mode"], new.facts["tax"]["vat_minor"]) == ("exempt", 0)
    assert "293 B" in new.facts["tax"]["note"]
    first, credit, second = Invoice.objects.order_by("pk")
    assert (first.vat_minor, credit.vat_minor, second.vat_minor) == (16_00, 16_00, 0)
    assert (credit.kind, credit.credits, second.statement) == (InvoiceKind.CREDIT_NOTE, first, new)
    [april] = close_months(french.program, APRIL, at=MAY_4)
    assert bridge(april) == (96_00, 0, 0, 0, -16_00, 0, 0, 80_00)
    assert listed(april) == [("vat", new.number, -16_00)]
    again = statements.correct(new, reason="The street was wrong too.", by=fiona(), at=MAY_4)
    assert again.facts["tax"]["vat_minor"] == 0
    assert reconciliation.check() == []


def test_where_the_rate_is_fixed_with_the_statement_it_is_frozen_with_what_arrives(house: House) -> None:
    """80.00 GBP at 1.15 are 92.00 EUR; the rate is the newest one of the week before 31 March."""
    house.program.fx_moment = "statement"
    house.program.save()
    FxRateFactory.create(rate_on=date(2026, 3, 30))
    add(
        house.members["ANA10"].partner,
        currency="GBP",
        payout_currency="EUR",
        holder="Partner ANA10",
        iban=IBANS[2],
        by=ada(),
        at=BEFORE,
    )
    [march] = close_months(house.program, MARCH, at=APRIL_3)
    frozen = march.facts["fx"]
    assert (frozen["rate_on"], frozen["amount_minor"], frozen["currency"]) == ("2026-03-30", 92_00, "EUR")
    assert Decimal(frozen["rate"]) == Decimal("1.15")


def test_without_a_rate_nothing_is_issued(house: House) -> None:
    from payouts.fx import NoRate

    house.program.fx_moment = "statement"
    house.program.save()
    add(
        house.members["ANA10"].partner,
        currency="GBP",
        payout_currency="EUR",
        holder="Partner ANA10",
        iban=IBANS[2],
        by=ada(),
        at=BEFORE,
    )
    period = month_of(house.program, MARCH)
    release_membership(house.members["ANA10"], until=period.ends_at, at=APRIL_3, into=period)
    with pytest.raises(NoRate):
        statements.issue(house.members["ANA10"], period=period, at=APRIL_3)
    assert not Statement.objects.exists()


def test_a_file_lists_payments_and_tax_too_and_adds_up(house: House) -> None:
    give_account(house.members["ANA10"], at=BEFORE)
    close_months(house.program, MARCH, at=APRIL_3)
    exported(house.program.legal_entity, at=APRIL_9)
    post_text = csv.render(close_months(house.program, APRIL, at=MAY_4)[0]).decode()
    rows = [line.split(",") for line in post_text.splitlines()[1:]]
    assert [row[5] for row in rows] == ["opening_balance", "payment"]
    assert sum(Decimal(row[9]) for row in rows) == 0


def queries(house: House, code: str) -> int:
    """Return how many questions issuing the statement of one member asks."""
    period = month_of(house.program, MARCH)
    member = house.members[code]
    release_membership(member, until=period.ends_at, at=APRIL_3, into=period)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        statements.issue(member, period=period, at=MAY_4)
    return len(asked)


def test_issuing_asks_as_much_for_many_lines_as_for_one(house: House) -> None:
    house.member("BEN10", at=MARCH_1)
    for number in range(40):
        house.sale(f"b{number}", "100.00", "BEN10", MARCH_2)
    house.rate(APRIL_3)
    few, many = queries(house, "ANA10"), queries(house, "BEN10")
    assert Statement.objects.get(membership=house.members["BEN10"]).line_count == 40
    assert many <= few  # the first one opens the series of numbers
    assert many <= 40
