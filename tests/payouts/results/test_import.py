"""What the bank says is booked once, all of a file or nothing; money that comes back is owed again, with the reason in plain words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils.translation import override

from payouts import bank_reasons, ledger, pay_runs
from payouts.choices import AccountKind, CommissionState, PayRunState, StatementState
from payouts.models import (
    Commission,
    Payment,
    PaymentResult,
    PayRun,
    ResultFile,
    Statement,
    Transaction,
)
from payouts.results import Mismatch, import_file, look
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.factories.payouts import prepared
from tests.house import House
from tests.payouts.results.bank import (
    APRIL_5,
    APRIL_7,
    APRIL_10,
    balance,
    on_its_way,
    owed,
    payment,
    states,
    table,
    take,
    written,
)
from tests.people import felix, fiona, mats
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db

CASH, FEES = AccountKind.CASH, AccountKind.PAYOUT_FEES
ALL_SENT = {"ANA": "sent", "BEN": "sent", "CLEO": "sent"}


@pytest.fixture
def house() -> House:
    return owed()


@pytest.fixture
def run(house: House) -> PayRun:
    return on_its_way(house)


def counts(file: ResultFile) -> tuple[int, int, int, int, int]:
    return (
        file.row_count,
        file.settled_count,
        file.returned_count,
        file.known_count,
        file.foreign_count,
    )


def refused(content: bytes, because: str) -> Mismatch:
    """See a file refused with nothing moved."""
    before = (states(), Transaction.objects.count(), OutgoingMail.objects.count())
    with pytest.raises(Mismatch) as refusal:
        take(content)
    assert because in str(refusal.value)
    assert (states(), Transaction.objects.count(), OutgoingMail.objects.count()) == before
    assert not ResultFile.objects.exists() and not PaymentResult.objects.exists()
    return refusal.value


def test_a_statement_of_account_settles_what_it_names_and_leaves_the_rest(house: House, run: PayRun) -> None:
    file = take(written("camt053_02.xml"))
    assert counts(file) == (5, 2, 0, 0, 2)
    assert states() == {"ANA": "settled", "BEN": "settled", "CLEO": "sent"}
    # 80.00 + 160.00 left the bank, and 0.35 for the second one.
    assert balance(house, CASH) == 240_35
    assert balance(house, FEES) == -35
    assert balance(house, AccountKind.IN_PAYMENT, "CLEO") == 120_00
    assert payment("ANA").bank_reference == "TX-ANA"
    assert payment("BEN").bank_reference == "BATCH-1"
    run.refresh_from_db()
    assert run.state == PayRunState.EXPORTED


def test_the_day_of_a_payment_is_the_day_the_bank_booked_it(run: PayRun) -> None:
    take(written("camt053_02.xml"), at=APRIL_10)
    # Noon of 6 April in London, where the program is.
    assert payment("ANA").settled_at == datetime(2026, 4, 6, 11, tzinfo=UTC)
    result = PaymentResult.objects.get(payment=payment("ANA"))
    assert (result.booked_on, result.told_at, result.told_by) == (date(2026, 4, 6), APRIL_10, fiona())
    assert "6 Apr 2026" in OutgoingMail.objects.filter(kind="payment_sent").order_by("pk")[0].text


def test_the_last_answer_reconciles_the_run(run: PayRun) -> None:
    take(written("camt053_02.xml"))
    take(table(f"{payment('CLEO').end_to_end_id},settled,,,,,"), name="rest.csv")
    run.refresh_from_db()
    assert (run.state, run.reconciled_by) == (PayRunState.RECONCILED, fiona())
    assert not any(total.minor for total in sums())


def sums() -> list[object]:
    """Return the sum of all accounts in each currency."""
    found: dict[str, object] = {}
    for (_kind, currency), money in ledger.trial_balance().items():
        found[currency] = found[currency] + money if currency in found else money  # type: ignore[operator]
    return list(found.values())


def test_money_that_comes_back_is_owed_again_with_the_reason_in_plain_words(
    house: House, run: PayRun
) -> None:
    take(written("camt053_02.xml"))
    file = take(written("camt053_08.xml"), at=APRIL_10)
    assert counts(file) == (1, 0, 1, 0, 0)
    back = payment("ANA")
    assert (back.state, back.failure_code, back.failure_reason) == (
        "returned",
        "AC04",
        "The account is closed.",
    )
    assert balance(house, AccountKind.PAYABLE, "ANA") == 80_00
    # 160.00 stayed away; the fees were 0.35 and 1.50.
    assert balance(house, CASH) == 161_85
    assert balance(house, FEES) == -1_85
    assert Statement.objects.get(membership=house.members["ANA"]).state == StatementState.ISSUED
    assert set(
        Commission.objects.filter(membership=house.members["ANA"]).values_list("state", "payment")
    ) == {(CommissionState.ON_STATEMENT, None)}
    mail = OutgoingMail.objects.get(kind="payment_failed")
    assert "The account is closed." in mail.text and "Check your bank details" in mail.text


def test_what_came_back_is_paid_by_the_next_run_under_a_new_id(house: House, run: PayRun) -> None:
    first = payment("ANA").end_to_end_id
    take(table(*(f"{payment(code).end_to_end_id},settled,,,,," for code in ("BEN", "CLEO"))))
    take(table(f"{first},returned,,AC04,,,"))
    again = prepared(house.program.legal_entity, at=APRIL_10)
    assert again.total_minor == 80_00
    assert payment("ANA").end_to_end_id != first


def test_a_refusal_before_the_money_left_undoes_the_instruction(house: House, run: PayRun) -> None:
    file = take(written("pain002_03.xml"))
    assert counts(file) == (4, 1, 1, 0, 1)
    assert states() == {"ANA": "sent", "BEN": "failed", "CLEO": "settled"}
    assert balance(house, AccountKind.PAYABLE, "BEN") == 160_00
    assert balance(house, CASH) == 120_00
    instructed = Transaction.objects.get(key=f"payment_instructed:{payment('BEN').public_id}")
    assert instructed.reversed_by.key == f"payment_failed:{payment('BEN').public_id}"


def test_a_file_refused_as_a_whole_fails_each_payment_with_its_own_reason(house: House, run: PayRun) -> None:
    file = take(written("pain002_10.xml"))
    assert counts(file) == (3, 0, 3, 0, 0)
    assert {code: payment(code).failure_code for code in states()} == {
        "ANA": "RC01",
        "BEN": "AM04",
        "CLEO": "AM04",
    }
    assert balance(house, CASH) == 0


def test_a_batch_booked_as_one_sum_settles_all_of_it(run: PayRun) -> None:
    file = take(written("camt054_08.xml"))
    assert counts(file) == (3, 3, 0, 0, 0)
    run.refresh_from_db()
    assert run.state == PayRunState.RECONCILED


def test_a_batch_booked_without_what_was_refused_before_settles_the_rest(house: House, run: PayRun) -> None:
    """The bank refused the 160.00 of BEN the day before, and books the 200.00 that are left as one sum."""
    take(written("pain002_03.xml"), at=APRIL_5)
    file = take(written("camt054_08.xml").replace(b"360.00", b"200.00"))
    assert (file.settled_count, file.known_count) == (1, 1)  # CLEO was settled by the first file
    assert states() == {"ANA": "settled", "BEN": "failed", "CLEO": "settled"}
    assert balance(house, CASH) == 200_00
    assert balance(house, AccountKind.PAYABLE, "BEN") == 160_00


def test_a_batch_of_another_sum_is_refused(run: PayRun) -> None:
    content = written("camt054_08.xml").replace(b"360.00", b"361.00")
    refusal = refused(content, "the batch is said to be 361.00 GBP, and we sent 360.00 GBP")
    assert refusal.faults.count == 1


def test_a_return_from_which_the_bank_kept_its_fee_is_recognised(house: House, run: PayRun) -> None:
    take(written("camt054_02.xml"), at=APRIL_10)  # 118.00 of 120.00, with charges of 2.00
    assert payment("CLEO").failure_reason == "Beneficiary moved abroad"
    assert balance(house, AccountKind.PAYABLE, "CLEO") == 120_00
    assert (balance(house, CASH), balance(house, FEES)) == (2_00, -2_00)


def test_paid_and_sent_back_in_one_file_is_booked_in_this_order(house: House, run: PayRun) -> None:
    name = payment("ANA").end_to_end_id
    take(table(f"{name},returned,,AC06,,2026-04-07,1.00", f"{name},settled,,,,2026-04-06,0.50"))
    assert payment("ANA").state == "returned"
    assert list(PaymentResult.objects.order_by("pk").values_list("outcome", "fee_minor")) == [
        ("settled", 50),
        ("returned", 1_00),
    ]
    assert (balance(house, CASH), balance(house, AccountKind.PAYABLE, "ANA")) == (1_50, 80_00)


def test_the_same_file_again_is_the_first_import(run: PayRun) -> None:
    content = written("camt053_02.xml")
    first = take(content)
    posted, told = Transaction.objects.count(), OutgoingMail.objects.count()
    assert take(content, at=APRIL_10, name="again.xml") == first
    assert (Transaction.objects.count(), OutgoingMail.objects.count()) == (posted, told)
    assert ResultFile.objects.get().name == "bank.xml"


def test_the_same_result_in_another_file_is_known(run: PayRun) -> None:
    take(written("camt053_02.xml"))
    posted = Transaction.objects.count()
    file = take(written("camt053_02.xml") + b"\n", at=APRIL_10)
    assert counts(file) == (5, 0, 0, 2, 2)
    assert Transaction.objects.count() == posted


def test_what_a_person_marked_before_the_file_came_is_known(run: PayRun) -> None:
    pay_runs.settle(run, by=felix(), at=APRIL_5, payments=[payment("ANA")], reference="BY HAND")
    file = take(written("camt053_02.xml"))
    assert counts(file) == (5, 1, 0, 1, 2)
    assert payment("ANA").bank_reference == "BY HAND"
    assert PaymentResult.objects.get(payment=payment("ANA")).file is None


def test_a_mark_by_hand_is_a_result_too(run: PayRun) -> None:
    pay_runs.fail(
        payment("BEN"), reason="by phone", code="AC06", by=fiona(), at=APRIL_5, booked_on=date(2026, 4, 5)
    )
    result = PaymentResult.objects.get()
    assert (result.outcome, result.code, result.reason, result.file) == ("failed", "AC06", "by phone", None)
    assert payment("BEN").failure_reason == "The account is blocked."


def test_an_unknown_id_in_our_shape_refuses_the_whole_file(run: PayRun) -> None:
    stranger = "PAY-01J00000000000000000000000"
    fault = refused(
        table(f"{payment('ANA').end_to_end_id},settled,,,,,", f"{stranger},settled,,,,,"),
        "no payment has this id",
    ).faults.kept[0]
    assert (fault.row, fault.about) == (3, stranger)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"GBP">80.00', b'"GBP">79.99', "it says 79.99 GBP, and we sent 80.00 GBP"),
        (b'"GBP">80.00', b'"EUR">80.00', "it says 80.00 EUR, and we sent 80.00 GBP"),
        (b'"GBP">80.00', b'"GBP">80.001', "it says 80.001 GBP, and we sent 80.00 GBP"),
        (b'"GBP">0.35', b'"GBP">0.355', "the fee 0.355 GBP is no amount of its currency"),
    ],
)
def test_another_amount_or_currency_refuses_the_whole_file(
    run: PayRun, old: bytes, new: bytes, said: str
) -> None:
    content = written("camt053_02.xml")
    assert old in content
    assert refused(content.replace(old, new), said).faults.kept[0].row in (1, 2)


def test_every_fault_is_counted_and_the_first_are_told(run: PayRun) -> None:
    rows = [f"PAY-01J000000000000000000000{place:02},settled,,,,," for place in range(8)]
    refusal = refused(table(*rows), "And 3 more.")
    assert refusal.faults.count == 8


def test_a_payment_of_another_legal_entity_refuses_the_file(run: PayRun) -> None:
    other = LegalEntity.objects.create(name="Halden France SAS", number_prefix="HF", country_code="FR")
    with pytest.raises(Mismatch, match="it was paid by Halden Giftware Ltd"):
        take(written("camt053_02.xml"), entity=other)
    assert states() == ALL_SENT


def test_a_payment_that_was_never_sent_refuses_the_file(house: House) -> None:
    prepared(house.program.legal_entity, at=APRIL_5)
    name = payment("ANA").end_to_end_id
    with pytest.raises(Mismatch, match="this payment was never sent; it is queued"):
        take(table(f"{name},settled,,,,,"))
    pay_runs.cancel(PayRun.objects.get(), by=fiona(), at=APRIL_5)
    with pytest.raises(Mismatch, match="this payment was never sent; it is cancelled"):
        take(table(f"{name},returned,,,,,"))
    assert not ResultFile.objects.exists()


def test_a_payment_that_came_back_cannot_arrive_afterwards(run: PayRun) -> None:
    name = payment("ANA").end_to_end_id
    take(table(f"{name},failed,,AC04,,2026-04-06,"))
    with pytest.raises(Mismatch, match="it came back before and is owed again"):
        take(table(f"{name},settled,B-9,,,2026-04-08,"), at=APRIL_10)
    assert payment("ANA").state == "failed"


def test_a_return_told_before_its_payment_was_told_leaves_room_for_both(run: PayRun) -> None:
    name = payment("ANA").end_to_end_id
    take(table(f"{name},failed,,AC04,,2026-04-06,"))
    file = take(table(f"{name},settled,,,,2026-04-05,", f"{name},returned,,AC04,,2026-04-06,"), at=APRIL_10)
    assert counts(file) == (2, 0, 0, 2, 0)


def test_an_older_booking_of_a_returned_payment_is_known_and_a_later_one_refused(run: PayRun) -> None:
    name = payment("ANA").end_to_end_id
    take(table(f"{name},settled,,,,2026-04-05,", f"{name},returned,,AC04,,2026-04-06,"))
    assert counts(take(table(f"{name},settled,x,,,2026-04-05,")))[3] == 1
    with pytest.raises(Mismatch, match="it came back before"):
        take(table(f"{name},settled,x,,,2026-04-09,"), at=APRIL_10)


def test_a_return_after_the_end_reopens_the_run(run: PayRun) -> None:
    take(written("camt054_08.xml"))
    take(written("camt053_08.xml"), at=APRIL_10)
    run.refresh_from_db()
    assert run.state == PayRunState.PARTLY_FAILED
    pay_runs.settle(run, by=fiona(), at=APRIL_10)
    run.refresh_from_db()
    assert run.state == PayRunState.RECONCILED


def test_what_only_passes_by_is_counted_and_books_nothing(run: PayRun) -> None:
    posted = Transaction.objects.count()
    file = take(table("NOTPROVIDED,settled,,,,,", "RENT-APRIL,returned,,,,,"))
    assert counts(file) == (2, 0, 0, 0, 2)
    assert Transaction.objects.count() == posted


def test_looking_writes_nothing_and_tells_what_would_happen(run: PayRun) -> None:
    seen = look(LegalEntity.objects.get(), content=written("camt053_02.xml"), by=fiona())
    assert (len(seen.plan.settled), len(seen.plan.came_back), seen.plan.waiting, seen.plan.foreign) == (
        2,
        0,
        1,
        2,
    )
    assert (states(), ResultFile.objects.count()) == (ALL_SENT, 0)


def test_who_may_not_settle_may_not_import(run: PayRun) -> None:
    entity = LegalEntity.objects.get()
    with pytest.raises(Forbidden):
        look(entity, content=written("camt053_02.xml"), by=mats())
    with pytest.raises(Forbidden):
        import_file(entity, name="x", content=written("camt053_02.xml"), by=mats(), at=APRIL_7)
    assert states() == ALL_SENT


def test_an_import_and_each_payment_are_on_record(run: PayRun) -> None:
    take(written("camt053_02.xml"))
    assert AuditEvent.objects.get(action="results.imported").actor == fiona()
    assert AuditEvent.objects.filter(action="payment.settled").count() == 2


def test_a_payment_paid_meanwhile_is_not_marked_as_failed_by_who_saw_it_on_its_way(run: PayRun) -> None:
    seen = payment("ANA")
    take(written("camt053_02.xml"))
    with pytest.raises(pay_runs.book.PaidMeanwhile):
        pay_runs.fail(seen, reason="Account closed", by=felix(), at=APRIL_7 + timedelta(hours=1))
    assert payment("ANA").state == "settled"


def test_each_reason_is_a_plain_sentence() -> None:
    for code, promise in bank_reasons.PLAIN.items():
        words = str(promise)
        assert words[0].isupper() and words.endswith(".") and code not in words


def test_a_reason_without_a_known_code_is_in_the_banks_words() -> None:
    assert bank_reasons.stored_words("XT99", "Konto gesperrt") == "Konto gesperrt"
    assert bank_reasons.stored_words("", "") == "The bank gave no reason."
    with override("fr"):
        assert bank_reasons.stored_words("AC04", "x") == "The account is closed."
    assert (
        bank_reasons.reason_of(Payment(failure_code="AC04", failure_reason="x")) == "The account is closed."
    )
