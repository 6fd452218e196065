"""Two people send money, once per statement, and the ledger tells where it is at every moment."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from partners.choices import MembershipState
from partners.models import Membership
from payouts import ledger, pay_runs
from payouts.choices import (
    AccountKind,
    CommissionState,
    LeftOut,
    PaymentState,
    PayRunState,
    StatementState,
)
from payouts.models import Commission, Entry, Payment, PaymentFile, PaymentMethod, PayRun, Statement
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.payouts import close_months, exported, give_account, looked_at, prepared
from tests.house import House, open_house
from tests.people import ana, felix, fiona, mats
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
APRIL_5 = datetime(2026, 4, 5, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
MARCH, APRIL, MAY = Month(2026, 3), Month(2026, 4), Month(2026, 5)


@pytest.fixture
def house() -> House:
    """One member with 80.00 on the statement of March and an account to pay it to."""
    house = open_house()
    membership = house.member("ANA10", at=MARCH_1, owner=ana())
    give_account(membership, at=APRIL_3)
    house.sale("s1", "1000.00", "ANA10", MARCH_2)  # 8 % = 80.00
    house.rate(APRIL_3)
    close_months(house.program, MARCH, at=APRIL_3)
    return house


@pytest.fixture
def entity(house: House) -> LegalEntity:
    return house.program.legal_entity


def balances(membership: Membership) -> dict[str, int]:
    kinds = (AccountKind.PENDING, AccountKind.PAYABLE, AccountKind.IN_PAYMENT)
    return {kind.value: ledger.balance(ledger.partner_account(membership, kind)).minor for kind in kinds}


def left_out(run: PayRun) -> dict[str, tuple[str, int]]:
    rows = run.exceptions.select_related("membership__partner")
    return {row.membership.partner.name: (row.reason, row.amount_minor) for row in rows}


def test_a_run_pays_what_the_statement_says(house: House, entity: LegalEntity) -> None:
    run = prepared(entity, at=APRIL_5)
    payment = run.payments.get()
    assert (run.state, run.total_minor, run.payment_count) == (PayRunState.CHECKED, 80_00, 1)
    assert (payment.amount_minor, payment.iban, payment.state) == (
        80_00,
        "GB33BUKB20201555555555",
        PaymentState.QUEUED,
    )
    assert payment.end_to_end_id == payment.public_id.replace("_", "-").upper()
    assert balances(house.members["ANA10"]) == {"pending": 0, "payable": 80_00, "in_payment": 0}


def test_the_money_walks_from_payable_to_the_bank(house: House, entity: LegalEntity) -> None:
    membership = house.members["ANA10"]
    run = exported(entity, at=APRIL_5)
    assert balances(membership) == {"pending": 0, "payable": 0, "in_payment": 80_00}
    assert Commission.objects.get().state == CommissionState.SENT
    assert run.payments.get().state == PaymentState.SENT
    pay_runs.settle(run, by=fiona(), at=APRIL_5, reference="BANK-77")
    assert balances(membership) == {"pending": 0, "payable": 0, "in_payment": 0}
    cash = ledger.program_account(house.program, AccountKind.CASH)
    assert ledger.balance(cash) == Money(80_00, "GBP")
    assert Commission.objects.get().state == CommissionState.PAID
    assert Statement.objects.get().state == StatementState.PAID
    run.refresh_from_db()
    assert (run.state, run.reconciled_by) == (PayRunState.RECONCILED, fiona())
    assert sum(total.minor for total in ledger.trial_balance().values()) == 0


def test_the_partner_hears_that_money_was_paid_once(entity: LegalEntity) -> None:
    run = exported(entity, at=APRIL_5)
    pay_runs.settle(run, by=fiona(), at=APRIL_5, reference="BANK-77")
    pay_runs.settle(run, by=fiona(), at=APRIL_5, reference="BANK-77")
    mail = OutgoingMail.objects.get(kind="payment_sent")
    assert mail.subject == "We paid you £80.00"
    assert "5 Apr 2026" in mail.text and "BANK-77" in mail.text and "5555" in mail.text


def test_every_step_is_on_record(entity: LegalEntity) -> None:
    run = exported(entity, at=APRIL_5)
    pay_runs.settle(run, by=fiona(), at=APRIL_5)
    actions = AuditEvent.objects.filter(object_public_id=run.public_id).order_by("pk")
    assert list(actions.values_list("action", "actor__email")) == [
        ("pay_run.opened", fiona().email),
        ("pay_run.prepared", fiona().email),
        ("pay_run.check_acknowledged", fiona().email),  # paid for the first time
        ("pay_run.check_acknowledged", fiona().email),  # no address
        ("pay_run.approved", felix().email),
        ("pay_run.exported", fiona().email),
        ("pay_run.reconciled", fiona().email),
    ]


def test_who_prepared_cannot_approve(entity: LegalEntity) -> None:
    run = prepared(entity, at=APRIL_5)
    with pytest.raises(pay_runs.SamePerson):
        pay_runs.approve(run, by=fiona(), at=APRIL_5)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        PayRun.objects.filter(pk=run.pk).update(approved_by=fiona(), approved_at=APRIL_5)
    run.refresh_from_db()
    assert run.state == PayRunState.CHECKED


def test_who_entered_an_account_cannot_approve_what_is_paid_to_it() -> None:
    house = open_house()
    membership = house.member("ANA10", at=MARCH_1, owner=ana())
    give_account(membership, at=APRIL_3, by=felix())
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    close_months(house.program, MARCH, at=APRIL_3)
    run = prepared(house.program.legal_entity, at=APRIL_5)
    with pytest.raises(pay_runs.OwnAccountChange):
        pay_runs.approve(run, by=felix(), at=APRIL_5)
    run.refresh_from_db()
    assert run.state == PayRunState.CHECKED


def test_an_account_manager_touches_no_money(house: House, entity: LegalEntity) -> None:
    run = prepared(entity, at=APRIL_5)
    for verb in (pay_runs.approve, pay_runs.export, pay_runs.settle, pay_runs.cancel):
        with pytest.raises(Forbidden):
            verb(run, by=mats(), at=APRIL_5)
    with pytest.raises(Forbidden):
        pay_runs.prepare(entity, currency="GBP", execute_on=date(2026, 4, 6), by=mats(), at=APRIL_5)
    with pytest.raises(Forbidden):
        pay_runs.fail(run.payments.get(), reason="x", by=mats(), at=APRIL_5)
    assert not PaymentFile.objects.exists()


def test_approving_twice_is_refused(entity: LegalEntity) -> None:
    run = pay_runs.approve(looked_at(prepared(entity, at=APRIL_5), at=APRIL_5), by=felix(), at=APRIL_5)
    with pytest.raises(pay_runs.AlreadyApproved):
        pay_runs.approve(run, by=felix(), at=APRIL_5)


def test_an_approval_holds_for_the_payments_that_were_prepared(entity: LegalEntity) -> None:
    run = looked_at(prepared(entity, at=APRIL_5), at=APRIL_5)
    payment = run.payments.get()
    payment.iban = "GB29NWBK60161331926819"
    payment.save(update_fields=["iban"])
    with pytest.raises(pay_runs.ChangedSincePrepared):
        pay_runs.approve(run, by=felix(), at=APRIL_5)


def test_an_account_changed_between_approval_and_export_stops_the_export(entity: LegalEntity) -> None:
    run = pay_runs.approve(looked_at(prepared(entity, at=APRIL_5), at=APRIL_5), by=felix(), at=APRIL_5)
    payment = run.payments.get()
    payment.iban = "GB29NWBK60161331926819"
    payment.save(update_fields=["iban"])
    with pytest.raises(pay_runs.ChangedSincePrepared):
        pay_runs.export(run, by=fiona(), at=APRIL_5)
    run.refresh_from_db()
    assert run.state == PayRunState.APPROVED
    assert not Entry.objects.filter(transaction__kind="payment_instructed").exists()


def test_only_an_approved_run_is_exported(entity: LegalEntity) -> None:
    run = prepared(entity, at=APRIL_5)
    with pytest.raises(pay_runs.NotInState):
        pay_runs.export(run, by=fiona(), at=APRIL_5)
    with pytest.raises(pay_runs.NotInState):
        pay_runs.settle(run, by=fiona(), at=APRIL_5)
    assert not PaymentFile.objects.exists()


def test_exporting_again_answers_with_the_same_files_and_moves_nothing(entity: LegalEntity) -> None:
    run = exported(entity, at=APRIL_5)
    entries = Entry.objects.count()
    first = [(file.pk, file.sha256) for file in PaymentFile.objects.order_by("pk")]
    again = pay_runs.export(run, by=fiona(), at=MAY_4)
    assert [(file.pk, file.sha256) for file in again] == first
    assert [hashlib.sha256(bytes(file.content)).hexdigest() for file in again] == [
        file.sha256 for file in again
    ]
    assert [file.format for file in again] == [
        "pain.001.001.09",
        "payments_csv",
        "payments_xlsx",
        "journal_csv",
    ]
    assert Entry.objects.count() == entries


def test_a_statement_is_paid_once(house: House, entity: LegalEntity) -> None:
    prepared(entity, at=APRIL_5)
    with pytest.raises(pay_runs.OneAtATime, match="is being prepared already"):
        prepared(entity, at=APRIL_5)
    payment = Payment.objects.get()
    copy = Payment.objects.get(pk=payment.pk)
    copy.pk, copy.public_id, copy.end_to_end_id = None, "pay_x", "PAY-X"
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)
    assert Payment.objects.count() == 1


def test_after_it_was_sent_there_is_nothing_left_to_pay(entity: LegalEntity) -> None:
    exported(entity, at=APRIL_5)
    with pytest.raises(pay_runs.NothingToPay):
        prepared(entity, at=APRIL_5)


def test_a_cancelled_run_gives_its_statements_back(entity: LegalEntity) -> None:
    run = pay_runs.cancel(prepared(entity, at=APRIL_5), by=fiona(), at=APRIL_5)
    assert (run.state, run.payments.get().state) == (PayRunState.CANCELLED, PaymentState.CANCELLED)
    again = prepared(entity, at=APRIL_5)
    assert again.payments.get().end_to_end_id != run.payments.get().end_to_end_id
    assert again.total_minor == 80_00


def test_an_exported_run_cannot_be_cancelled(entity: LegalEntity) -> None:
    run = exported(entity, at=APRIL_5)
    with pytest.raises(pay_runs.NotInState):
        pay_runs.cancel(run, by=fiona(), at=APRIL_5)


def test_a_failed_payment_is_owed_as_before_and_paid_next_time_under_a_new_id(
    house: House, entity: LegalEntity
) -> None:
    membership = house.members["ANA10"]
    run = exported(entity, at=APRIL_5)
    payment = pay_runs.fail(run.payments.get(), reason="Account closed", by=fiona(), at=APRIL_5)
    assert payment.state == PaymentState.FAILED
    assert balances(membership) == {"pending": 0, "payable": 80_00, "in_payment": 0}
    assert Commission.objects.get().state == CommissionState.ON_STATEMENT
    assert Statement.objects.get().state == StatementState.ISSUED
    run.refresh_from_db()
    assert run.state == PayRunState.PARTLY_FAILED
    mail = OutgoingMail.objects.get(kind="payment_failed")
    assert "Account closed" in mail.text
    again = exported(entity, at=APRIL_5)
    assert again.total_minor == 80_00
    assert again.payments.get().end_to_end_id != payment.end_to_end_id


def test_a_payment_sent_back_after_it_was_confirmed_comes_out_of_the_bank_account(
    house: House, entity: LegalEntity
) -> None:
    run = exported(entity, at=APRIL_5)
    pay_runs.settle(run, by=fiona(), at=APRIL_5)
    payment = pay_runs.fail(run.payments.get(), reason="Returned", by=fiona(), at=MAY_4)
    assert payment.state == PaymentState.RETURNED
    cash = ledger.program_account(house.program, AccountKind.CASH)
    assert ledger.balance(cash) == Money(0, "GBP")
    assert balances(house.members["ANA10"])["payable"] == 80_00


def test_failing_twice_books_once(entity: LegalEntity) -> None:
    run = exported(entity, at=APRIL_5)
    pay_runs.fail(run.payments.get(), reason="Account closed", by=fiona(), at=APRIL_5)
    entries = Entry.objects.count()
    pay_runs.fail(run.payments.get(), reason="Account closed", by=fiona(), at=APRIL_5)
    assert Entry.objects.count() == entries


def test_a_payment_that_was_not_sent_cannot_fail(entity: LegalEntity) -> None:
    run = prepared(entity, at=APRIL_5)
    with pytest.raises(pay_runs.NotSent):
        pay_runs.fail(run.payments.get(), reason="x", by=fiona(), at=APRIL_5)


def test_some_payments_can_be_settled_before_others(house: House, entity: LegalEntity) -> None:
    second = house.member("BEN10", at=APRIL_3)
    give_account(second, at=APRIL_3, iban="GB29NWBK60161331926819")
    house.sale("s2", "2000.00", "BEN10", APRIL_3)  # 160.00
    house.rate(MAY_4)
    close_months(house.program, APRIL, at=MAY_4)
    run = exported(entity, at=MAY_4)
    assert run.total_minor == 240_00
    first, other = run.payments.order_by("pk")
    pay_runs.settle(run, by=fiona(), at=MAY_4, payments=[first])
    run.refresh_from_db()
    assert run.state == PayRunState.EXPORTED
    pay_runs.fail(other, reason="Account closed", by=fiona(), at=MAY_4)
    run.refresh_from_db()
    assert run.state == PayRunState.PARTLY_FAILED
    pay_runs.settle(run, by=fiona(), at=MAY_4)
    run.refresh_from_db()
    assert run.state == PayRunState.RECONCILED
    assert balances(second)["payable"] == 160_00


def test_the_statement_after_a_payment_shows_it_and_does_not_pay_it_again(
    house: House, entity: LegalEntity
) -> None:
    exported(entity, at=APRIL_5)  # leaves in April
    house.sale("s2", "700.00", "ANA10", APRIL_3)  # 56.00, ready on 17 April
    house.rate(MAY_4)
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert (april.opening_minor, april.earned_minor, april.paid_minor, april.closing_minor) == (
        80_00,
        56_00,
        -80_00,
        56_00,
    )
    assert prepared(entity, at=MAY_4).total_minor == 56_00


def test_a_payment_that_leaves_after_the_next_month_was_closed_is_not_paid_again(
    house: House, entity: LegalEntity
) -> None:
    house.sale("s2", "700.00", "ANA10", APRIL_3)  # 56.00
    run = looked_at(prepared(entity, at=APRIL_5, execute_on=date(2026, 5, 5)), at=APRIL_5)
    run = pay_runs.approve(run, by=felix(), at=APRIL_5)
    house.rate(MAY_4)
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert april.closing_minor == 136_00  # the 80.00 had not left
    pay_runs.export(run, by=fiona(), at=MAY_4)
    assert prepared(entity, at=MAY_4).total_minor == 56_00


def test_lines_of_carried_over_statements_are_paid_with_the_statement_that_pays_their_balance() -> None:
    house = open_house()
    membership = house.member("ANA10", at=MARCH_1)
    give_account(membership, at=APRIL_3)
    house.sale("s1", "500.00", "ANA10", MARCH_2)  # 40.00: below the minimum
    house.sale("s2", "500.00", "ANA10", APRIL_3)  # 40.00: together enough
    house.rate(MAY_4)
    close_months(house.program, MARCH, at=APRIL_5)
    close_months(house.program, APRIL, at=MAY_4)
    run = exported(house.program.legal_entity, at=MAY_4)
    assert run.total_minor == 80_00
    assert set(Commission.objects.values_list("state", "payment")) == {
        (CommissionState.SENT, run.payments.get().pk)
    }
    pay_runs.settle(run, by=fiona(), at=MAY_4)
    states = Statement.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [StatementState.CARRIED_OVER, StatementState.PAID]


def test_a_refund_after_payment_becomes_a_debit_on_the_next_statement(
    house: House, entity: LegalEntity
) -> None:
    run = exported(entity, at=APRIL_5)
    pay_runs.settle(run, by=fiona(), at=APRIL_5)
    house.refund("r1", "250.00", "ANA10", APRIL_5)  # -20.00
    house.rate(MAY_4)
    [april] = close_months(house.program, APRIL, at=MAY_4)
    assert (april.opening_minor, april.paid_minor, april.reversed_minor, april.closing_minor) == (
        80_00,
        -80_00,
        -20_00,
        -20_00,
    )


def test_everybody_left_out_is_listed_with_the_reason() -> None:
    house = open_house()
    sales = {
        "FINE1": "1000",
        "SMALL": "600",
        "MINUS": "-1000",
        "NOACC": "1000",
        "COOL1": "1000",
        "PAUSE": "1000",
    }
    for code, amount in sales.items():
        house.member(code, at=MARCH_1)
        record = house.refund if amount.startswith("-") else house.sale
        record(f"o-{code}", f"{amount.lstrip('-')}.00", code, MARCH_2)
    house.member("EMPTY", at=MARCH_1)
    for code in ("FINE1", "SMALL", "MINUS", "PAUSE"):
        give_account(house.members[code], at=APRIL_3)
    give_account(house.members["COOL1"], at=APRIL_5 + timedelta(hours=2))
    Membership.objects.filter(pk=house.members["PAUSE"].pk).update(state=MembershipState.SUSPENDED)
    house.rate(APRIL_3)
    close_months(house.program, MARCH, at=APRIL_3)
    run = prepared(house.program.legal_entity, at=APRIL_5)
    assert [payment.membership for payment in run.payments.all()] == [house.members["FINE1"]]
    assert left_out(run) == {
        "Partner SMALL": (LeftOut.BELOW_MINIMUM, 48_00),
        "Partner MINUS": (LeftOut.NEGATIVE, -80_00),
        "Partner NOACC": (LeftOut.NO_PAYMENT_METHOD, 80_00),
        "Partner COOL1": (LeftOut.METHOD_COOLING, 80_00),
        "Partner PAUSE": (LeftOut.MEMBERSHIP_PAUSED, 80_00),
    }


def test_a_run_needs_an_account_to_pay_from_and_a_day_to_come(entity: LegalEntity) -> None:
    with pytest.raises(pay_runs.BadDate):
        prepared(entity, at=APRIL_5, execute_on=date(2026, 4, 4))
    entity.iban = ""
    entity.save()
    with pytest.raises(pay_runs.NoAccountToPayFrom):
        prepared(entity, at=APRIL_5)
    assert not PayRun.objects.exists()


@pytest.mark.parametrize("change", [{"total_minor": 1}, {"sha256": "x"}, {"execute_on": date(2027, 1, 1)}])
def test_the_database_refuses_to_change_a_prepared_run(
    entity: LegalEntity, change: dict[str, object]
) -> None:
    run = prepared(entity, at=APRIL_5)
    with pytest.raises(IntegrityError, match="what was prepared"), transaction.atomic():
        PayRun.objects.filter(pk=run.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayRun.objects.filter(pk=run.pk)._raw_delete(PayRun.objects.db)


@pytest.mark.parametrize("change", [{"amount_minor": 1}, {"holder": "X"}, {"end_to_end_id": "X"}])
def test_the_database_refuses_to_change_a_payment_or_a_file(
    entity: LegalEntity, change: dict[str, object]
) -> None:
    run = exported(entity, at=APRIL_5)
    with pytest.raises(IntegrityError), transaction.atomic():
        run.payments.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        run.files.update(name="other.xml")
    with pytest.raises(IntegrityError), transaction.atomic():
        run.files.all()._raw_delete(PaymentFile.objects.db)


def test_the_database_refuses_an_exported_run_nobody_approved(entity: LegalEntity) -> None:
    run = prepared(entity, at=APRIL_5)
    with pytest.raises(IntegrityError, match="approved_before_export"), transaction.atomic():
        PayRun.objects.filter(pk=run.pk).update(
            state=PayRunState.EXPORTED, exported_at=APRIL_5, exported_by=fiona()
        )


def test_payments_keep_the_account_they_were_prepared_for(house: House, entity: LegalEntity) -> None:
    run = prepared(entity, at=APRIL_5)
    give_account(house.members["ANA10"], at=APRIL_5, iban="GB29NWBK60161331926819")
    assert run.payments.get().iban == "GB33BUKB20201555555555"
    assert PaymentMethod.objects.current().get().ending == "6819"
