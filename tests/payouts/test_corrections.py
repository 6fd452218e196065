"""A wrong statement is taken back by a credit note and issued anew under a new number; money moves only where VAT was wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from partners.models import Partner
from payouts import ledger, pay_runs, reconciliation, statement_facts, statements
from payouts.choices import (
    AccountKind,
    CommissionState,
    InvoiceKind,
    PaymentState,
    StatementKind,
    StatementState,
    TransactionKind,
    VatMode,
)
from payouts.models import Commission, Invoice, Payment, Statement, Transaction
from payouts.tax import VatTerms
from prm.accounts.policy import Forbidden
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.money_rows import SelfBillingMandateFactory, TaxProfileFactory
from tests.factories.payouts import close_months, exported, give_account
from tests.house import House, open_house
from tests.people import ana, felix, fiona, mats
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
APRIL_9 = datetime(2026, 4, 9, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=MARCH_1, owner=ana())
    house.sale("s1", "1000.00", "ANA10", MARCH_2)  # 80.00
    house.sale("s2", "500.00", "ANA10", MARCH_2)  # 40.00
    house.rate(APRIL_3)
    return house


@pytest.fixture
def wrong(house: House) -> Statement:
    [statement] = close_months(house.program, MARCH, at=APRIL_3)
    return statement


LATER_FACTS = ("net_minor", "tax", "sealed", "expected", "fx", "method", "others", "dispute_days")
LATER_COLUMNS = ("vat_minor", "withheld_minor")


def without_guards(statement: Statement, facts: dict[str, object]) -> Statement:
    """Give a statement the facts an earlier version froze, as an installation that was brought up to date has them."""
    trigger = "payouts_statement_facts_stay"
    on = " ON payouts_statement" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger}{on}")
    Statement.objects.filter(pk=statement.pk).update(facts=facts)
    return Statement.objects.get(pk=statement.pk)


def corrected(statement: Statement, reason: str = "The street was wrong.") -> Statement:
    return statements.correct(statement, reason=reason, by=fiona(), at=APRIL_9)


def test_a_correction_is_a_credit_note_and_a_new_number_over_the_same_lines(wrong: Statement) -> None:
    partner = wrong.membership.partner
    partner.street = "Rue Neuve"
    partner.save()
    new = corrected(wrong)
    wrong.refresh_from_db()
    note = Statement.objects.get(corrects=wrong, kind=StatementKind.CREDIT_NOTE)
    assert [each.number for each in (wrong, note, new)] == ["HG-2026-00001", "HG-2026-00002", "HG-2026-00003"]
    assert (wrong.state, note.state, new.state) == (
        StatementState.CREDITED,
        StatementState.CREDIT_NOTE,
        StatementState.ISSUED,
    )
    assert (note.earned_minor, note.closing_minor, note.line_count) == (-120_00, -120_00, 0)
    assert (new.earned_minor, new.closing_minor, new.due_on) == (120_00, 120_00, wrong.due_on)
    assert new.facts["partner"]["street"] == "Rue Neuve"
    assert note.facts["partner"] == wrong.facts["partner"]
    assert new.facts["correction"]["number"] == note.facts["correction"]["number"] == wrong.number
    assert new.correction_reason == note.correction_reason == "The street was wrong."
    columns = ("position", "commission_id", "order_id", "amount_minor", "occurred_at")
    assert list(new.lines.values_list(*columns)) == list(wrong.lines.values_list(*columns))
    assert set(Commission.objects.values_list("statement", flat=True)) == {new.pk}
    for each in (wrong, note, new):
        assert statement_facts.is_unchanged(Statement.objects.get(pk=each.pk)), each
    assert reconciliation.check() == []


def test_the_partner_gets_the_new_one_and_reads_why(wrong: Statement) -> None:
    new = corrected(wrong)
    mail = OutgoingMail.objects.filter(kind="statement_ready").latest("pk")
    assert new.number in mail.text
    assert wrong.number in mail.text and "The street was wrong." in mail.text


def test_the_next_month_opens_with_the_balance_of_the_one_in_force(house: House, wrong: Statement) -> None:
    new = corrected(wrong)
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert (april.opening_minor, april.number) == (120_00, "HG-2026-00004")
    new.refresh_from_db()
    assert new.state == StatementState.CARRIED_OVER
    assert reconciliation.check() == []


def test_an_earlier_month_and_a_corrected_one_can_be_corrected(house: House, wrong: Statement) -> None:
    close_months(house.program, APRIL, at=MAY_4)
    once = statements.correct(wrong, reason="First", by=fiona(), at=MAY_4)
    twice = statements.correct(once, reason="Second", by=fiona(), at=MAY_4)
    assert statements.standing(wrong) == statements.standing(once) == twice
    assert statements.family([wrong.pk]) == {wrong.pk: {wrong.pk, once.pk, twice.pk}}
    assert [each.number for each in (once, twice)] == ["HG-2026-00004", "HG-2026-00006"]
    assert reconciliation.check() == []


def test_what_was_paid_under_the_old_number_is_not_paid_again(house: House, wrong: Statement) -> None:
    give_account(house.members["ANA10"], at=APRIL_3)
    run = exported(house.program.legal_entity, at=APRIL_3)
    new = corrected(wrong)
    with pytest.raises(pay_runs.NothingToPay):
        pay_runs.prepare(
            house.program.legal_entity, currency="GBP", execute_on=APRIL_9.date(), by=fiona(), at=APRIL_9
        )
    pay_runs.settle(run, by=felix(), at=APRIL_9, reference="R1")
    new.refresh_from_db()
    wrong.refresh_from_db()
    assert (wrong.state, new.state) == (StatementState.CREDITED, StatementState.PAID)
    assert Payment.objects.get().statement == wrong
    assert reconciliation.check() == []


def test_a_payment_that_comes_back_is_owed_by_the_statement_in_force(house: House, wrong: Statement) -> None:
    give_account(house.members["ANA10"], at=APRIL_3)
    run = exported(house.program.legal_entity, at=APRIL_3)
    new = corrected(wrong)
    pay_runs.fail(run.payments.get(), reason="AC04", by=felix(), at=APRIL_9)
    new.refresh_from_db()
    assert new.state == StatementState.ISSUED
    again = pay_runs.prepare(
        house.program.legal_entity, currency="GBP", execute_on=APRIL_9.date(), by=fiona(), at=APRIL_9
    )
    assert [payment.statement for payment in again.payments.all()] == [new]


def test_lines_of_a_payment_prepared_before_the_correction_leave_with_it(
    house: House, wrong: Statement
) -> None:
    give_account(house.members["ANA10"], at=APRIL_3)
    run = pay_runs.prepare(
        house.program.legal_entity, currency="GBP", execute_on=APRIL_9.date(), by=fiona(), at=APRIL_3
    )
    corrected(wrong)
    for check in run.checks.filter(acknowledged_at=None):
        pay_runs.acknowledge(check, note="Known", by=fiona(), at=APRIL_9)
    pay_runs.export(pay_runs.approve(run, by=felix(), at=APRIL_9), by=fiona(), at=APRIL_9)
    assert set(Commission.objects.values_list("state", flat=True)) == {CommissionState.SENT}
    assert set(Payment.objects.values_list("state", flat=True)) == {PaymentState.SENT}


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 201])
def test_a_correction_says_what_was_wrong(wrong: Statement, reason: str) -> None:
    with pytest.raises((statements.NoReason, statements.ReasonTooLong)):
        corrected(wrong, reason)
    assert Statement.objects.count() == 1


def test_a_second_correction_of_the_same_statement_is_refused_with_the_number_in_force(
    wrong: Statement,
) -> None:
    new = corrected(wrong)
    with pytest.raises(statements.AlreadyCorrected, match=new.number):
        corrected(wrong)
    with pytest.raises(statements.NotAStatement):
        corrected(Statement.objects.get(kind=StatementKind.CREDIT_NOTE))
    assert Statement.objects.count() == 3


def test_who_does_not_issue_statements_corrects_none(wrong: Statement) -> None:
    with pytest.raises(Forbidden):
        statements.correct(wrong, reason="No", by=mats(), at=APRIL_9)
    assert Statement.objects.count() == 1


def test_vat_that_was_wrong_is_put_right_in_the_open_month(
    house: House, wrong: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was agreed when March was issued; by 9 April a mandate and 20 % of 120.00, which is 24.00, hold."""
    membership = house.members["ANA10"]
    Partner.objects.update(street="Rue Neuve", postcode="75002", town="Paris")  # an invoice needs both
    LegalEntity.objects.update(vat_number="GB123456789")
    terms = VatTerms(
        VatMode.DOMESTIC,
        Decimal("20.00"),
        SelfBillingMandateFactory(partner=membership.partner, legal_entity=house.program.legal_entity),
        TaxProfileFactory(partner=membership.partner),
        "by_hand",
    )
    monkeypatch.setattr("payouts.statements.vat.terms_for", lambda membership, at: terms)
    monkeypatch.setattr("payouts.statements.vat.invoices.issue_for", lambda statement, by, at: None)
    new = corrected(wrong)
    assert (new.vat_minor, new.facts["tax"]["vat_minor"]) == (0, 24_00)
    written = Transaction.objects.get(kind=TransactionKind.VAT)
    assert (written.key, written.period.as_month) == (f"vat-correction:{new.public_id}", APRIL)
    payable = ledger.partner_account(membership, AccountKind.PAYABLE)
    assert ledger.balance(payable) == Money(144_00, "GBP")
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert (april.opening_minor, april.vat_minor, april.closing_minor) == (120_00, 24_00, 144_00)
    [line] = april.lines.all()
    assert (line.kind, line.order_id, line.amount_minor) == ("vat", new.number, 24_00)
    assert april.facts["tax"]["vat_minor"] == 0
    assert reconciliation.check() == []


def test_no_invoice_where_nothing_was_agreed(wrong: Statement) -> None:
    corrected(wrong)
    assert not Invoice.objects.filter(kind=InvoiceKind.INVOICE).exists()


def test_a_statement_from_before_there_was_tax_is_corrected_too(house: House, wrong: Statement) -> None:
    facts = {key: value for key, value in wrong.facts.items() if key not in LATER_FACTS}
    bridge = {key: value for key, value in wrong.facts["bridge"].items() if key not in LATER_COLUMNS}
    old = without_guards(wrong, {**facts, "bridge": bridge})
    new = corrected(old)
    note = Statement.objects.get(corrects=old, kind=StatementKind.CREDIT_NOTE)
    assert (new.facts["net_minor"], new.facts["tax"], new.closing_minor) == (120_00, None, 120_00)
    for each in (note, new):
        assert statement_facts.is_unchanged(Statement.objects.get(pk=each.pk)), each
    assert statements.correct(new, reason="Again", by=fiona(), at=APRIL_9).closing_minor == 120_00
    assert reconciliation.check() == []
