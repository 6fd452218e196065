from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from payouts import ledger, pay_runs
from payouts.choices import AccountKind
from payouts.exports.bank_days import next_bank_day
from payouts.models import Payment, PaymentFile, PaymentFileTaken, PayRun, Transaction
from payouts.pay_runs.preview import preview
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from prm.lib.periods import Month
from tests.desk import at_desk, links, words
from tests.factories.payouts import close_months, give_account
from tests.house import House, open_house
from tests.people import ada, felix, fiona, mats

pytestmark = pytest.mark.django_db

FEBRUARY = datetime(2026, 2, 2, 9, tzinfo=UTC)
PREPARE = "admin:payouts_payrun_prepare"


@pytest.fixture
def house() -> House:
    """One partner owed 80.00 with an account, one owed 80.00 without, one owed 8.00, which is below the minimum."""
    made = open_house()
    for code, amount in (("K1", "1000.00"), ("K2", "1000.00"), ("K3", "100.00")):
        made.member(code)
        made.sale(f"s-{code}", amount, code, datetime(2026, 1, 5, 12, tzinfo=UTC))
    made.rate(FEBRUARY)
    close_months(made.program, Month(2026, 1), at=FEBRUARY)
    give_account(made.members["K1"], at=FEBRUARY)
    give_account(made.members["K3"], at=FEBRUARY, iban="GB29NWBK60161331926819")
    return made


def soon() -> date:
    """Return a day on which banks pay."""
    return next_bank_day(timezone.now().date() + timedelta(days=3), "GBP")


def made(house: House, *, by: User) -> PayRun:
    at = timezone.now()
    run = pay_runs.prepare(house.program.legal_entity, currency="GBP", execute_on=soon(), by=by, at=at)
    pay_runs.acknowledge_all(run, note="Called them.", by=by, at=at)
    return run


@pytest.fixture
def run(house: House) -> PayRun:
    return made(house, by=fiona())


def step(run: PayRun, name: str) -> str:
    return reverse("admin:payouts_payrun_step", args=[run.pk, name])


def stage(run: PayRun, name: str) -> str:
    return reverse("admin:payouts_payrun_stage", args=[run.pk, name])


def page(run: PayRun) -> str:
    return reverse("admin:payouts_payrun_change", args=[run.pk])


def test_a_preview_gives_the_figures_of_the_run_itself(house: House) -> None:
    entity, at = house.program.legal_entity, timezone.now()
    seen = preview(entity, currency="GBP", execute_on=soon(), by=fiona(), at=at)
    made = pay_runs.prepare(entity, currency="GBP", execute_on=soon(), by=fiona(), at=at)
    assert (seen.payments, seen.total.minor) == (made.payment_count, made.total_minor) == (1, 8000)
    assert sum(count for count, _sum in seen.left_out.values()) == made.exceptions.count() == 2


def test_a_date_in_the_past_is_refused_beside_its_field(house: House) -> None:
    asked = {"legal_entity": house.program.legal_entity_id, "currency": "GBP", "execute_on": "2020-01-01"}
    response = at_desk(fiona()).post(reverse(PREPARE), asked)
    assert "The payment date has passed." in words(response)
    assert not PayRun.objects.exists()


def test_a_run_shows_whom_it_pays_whom_it_leaves_out_and_no_account_number(run: PayRun) -> None:
    response = at_desk(felix()).get(stage(run, "check"))
    text = words(response)
    assert "£80.00" in text
    assert "Partner K2" in text
    assert "No bank account" in text
    assert run.sha256 in text
    assert "Prepared by Fiona Brandt" in text
    assert "ending 5555" in text
    assert "GB33BUKB20201555555555" not in response.content.decode()
    assert stage(run, "approve") in links(response)


def test_the_preparer_is_not_offered_the_approval_and_cannot_take_it(run: PayRun) -> None:
    client = at_desk(fiona())
    response = client.get(page(run))
    assert step(run, "approve") not in response.content.decode()
    assert "Somebody else has to approve it." in words(response)
    refused = client.post(step(run, "approve"), follow=True)
    assert "You prepared this pay run" in words(refused)
    run.refresh_from_db()
    assert run.state == "checked"


def test_an_administrator_who_prepared_cannot_approve_either(house: House) -> None:
    run = made(house, by=ada())
    at_desk(ada()).post(step(run, "approve"))
    run.refresh_from_db()
    assert run.state == "checked"


def test_from_approval_to_paid_every_step_says_its_numbers(run: PayRun) -> None:
    approves, client = at_desk(felix()), at_desk(fiona())
    assert "1 payments, £80.00 together, leave Halden Giftware Ltd" in words(
        approves.get(step(run, "approve"))
    )
    assert "Approve 1 payments, £80.00" in words(approves.get(step(run, "approve")))
    approves.post(step(run, "approve"))
    assert "£80.00 leaves the partners' balances" in words(client.get(step(run, "export")))
    client.post(step(run, "export"))
    text = words(client.get(stage(run, "export")))
    for file in PaymentFile.objects.all():
        assert file.name in text
        assert file.sha256 in text
    assert "1 payments, £80.00 together, are booked as paid." in words(client.get(step(run, "settle")))
    client.post(step(run, "settle"), {"reference": "BANK-77"})
    run.refresh_from_db()
    assert run.state == "reconciled"
    assert Payment.objects.get().bank_reference == "BANK-77"
    assert ledger.trial_balance()[AccountKind.CASH.value, "GBP"].minor == 8000


def test_settling_without_a_reference_asks_for_it_and_books_nothing(run: PayRun) -> None:
    at_desk(felix()).post(step(run, "approve"))
    at_desk(fiona()).post(step(run, "export"))
    response = at_desk(fiona()).post(step(run, "settle"), {"reference": ""})
    assert "There is 1 thing to fix" in words(response)
    assert Payment.objects.get().state == "sent"


def test_a_step_taken_twice_is_refused_in_words_and_done_once(run: PayRun) -> None:
    client = at_desk(felix())
    client.post(step(run, "approve"))
    assert "approved already" in words(client.post(step(run, "approve"), follow=True))
    client.post(step(run, "export"))
    client.post(step(run, "export"))
    assert Transaction.objects.filter(kind="payment_instructed").count() == 1
    assert PaymentFile.objects.count() == 4


def test_the_file_is_the_same_every_time_and_a_page_warns_before_the_second(run: PayRun) -> None:
    at_desk(felix()).post(step(run, "approve"))
    at_desk(fiona()).post(step(run, "export"))
    file = PaymentFile.objects.get(format="pain.001.001.09")
    url = reverse("admin:payouts_payrun_file", args=[run.pk, file.pk])
    first = at_desk(fiona()).get(url)
    assert first.content == bytes(file.content)
    assert hashlib.sha256(first.content).hexdigest() == file.sha256
    assert "no-store" in first["Cache-Control"]
    warning = at_desk(felix()).get(url)
    assert "Fiona Brandt downloaded it on" in words(warning)
    assert "it pays 1 payment twice" in words(warning)
    assert PaymentFileTaken.objects.count() == 1
    second = at_desk(felix()).post(url)
    assert second.content == first.content
    assert list(PaymentFileTaken.objects.order_by("pk").values_list("taken_by", flat=True)) == [
        fiona().pk,
        felix().pk,
    ]
    assert AuditEvent.objects.filter(action="pay_run.file_taken").count() == 2


def test_the_table_of_payments_has_the_amounts_of_the_run(run: PayRun) -> None:
    at_desk(felix()).post(step(run, "approve"))
    at_desk(fiona()).post(step(run, "export"))
    file = PaymentFile.objects.get(format="payments_csv")
    content = at_desk(fiona()).get(reverse("admin:payouts_payrun_file", args=[run.pk, file.pk])).content
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["amount"] for row in rows] == ["80.00"]


def test_a_failed_payment_is_owed_again(run: PayRun) -> None:
    at_desk(felix()).post(step(run, "approve"))
    at_desk(fiona()).post(step(run, "export"))
    payment = Payment.objects.get()
    url = reverse("admin:payouts_payrun_fail", args=[run.pk, payment.pk])
    client = at_desk(fiona())
    assert url in links(client.get(stage(run, "paid")))
    assert "£80.00 goes back to what we owe Partner K1." in words(client.get(url))
    client.post(url, {"reason": "Account closed"})
    payment.refresh_from_db()
    assert (payment.state, payment.failure_reason) == ("failed", "Account closed")
    account = ledger.partner_account(payment.membership, AccountKind.PAYABLE)
    assert ledger.balance(account).minor == 8000


def test_a_payment_that_was_paid_while_the_page_was_open_is_not_marked_as_failed(run: PayRun) -> None:
    at_desk(felix()).post(step(run, "approve"))
    at_desk(fiona()).post(step(run, "export"))
    payment = Payment.objects.get()
    url = reverse("admin:payouts_payrun_fail", args=[run.pk, payment.pk])
    assert '<input type="hidden" name="seen" value="sent"' in at_desk(fiona()).get(url).content.decode()
    pay_runs.settle(run, by=felix(), at=timezone.now())
    late = at_desk(fiona()).post(url, {"reason": "Account closed", "seen": "sent"}, follow=True)
    assert "was booked as paid in the meantime" in words(late)
    payment.refresh_from_db()
    assert payment.state == "settled"


def test_a_run_is_cancelled_before_export_and_not_after(run: PayRun) -> None:
    client = at_desk(fiona())
    at_desk(felix()).post(step(run, "approve"))
    client.post(step(run, "export"))
    refused = client.post(step(run, "cancel"), follow=True)
    assert "not possible any more" in words(refused)
    run.refresh_from_db()
    assert run.state == "exported"


def test_a_cancelled_run_pays_nobody(run: PayRun) -> None:
    at_desk(fiona()).post(step(run, "cancel"))
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert Payment.objects.get().state == "cancelled"


@pytest.mark.parametrize("name", ["approve", "export", "settle", "cancel"])
def test_account_managers_take_no_step(run: PayRun, name: str) -> None:
    response = at_desk(mats()).post(step(run, name), {"reference": "x"})
    assert response.status_code == 403
    assert "Finance" in words(response)
    run.refresh_from_db()
    assert run.state == "checked"


def test_a_get_never_moves_a_run(run: PayRun) -> None:
    for name in ("approve", "export", "settle", "cancel"):
        at_desk(felix()).get(step(run, name))
    run.refresh_from_db()
    assert run.state == "checked"
