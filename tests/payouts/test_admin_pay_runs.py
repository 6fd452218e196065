from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from payouts import ledger, pay_runs
from payouts.choices import AccountKind
from payouts.models import Payment, PaymentFile, PayRun, Transaction
from payouts.pay_runs.preview import preview
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


def asked(house: House) -> dict[str, object]:
    day = timezone.now().date() + timedelta(days=3)
    return {
        "legal_entity": house.program.legal_entity_id,
        "currency": "GBP",
        "execute_on": day.isoformat(),
    }


@pytest.fixture
def run(house: House) -> PayRun:
    at_desk(fiona()).post(reverse(PREPARE), {**asked(house), "confirm": "yes"})
    return PayRun.objects.get()


def step(run: PayRun, name: str) -> str:
    return reverse("admin:payouts_payrun_step", args=[run.pk, name])


def page(run: PayRun) -> str:
    return reverse("admin:payouts_payrun_change", args=[run.pk])


def test_what_a_run_would_pay_is_said_before_anything_is_prepared(house: House) -> None:
    text = words(at_desk(fiona()).post(reverse(PREPARE), asked(house)))
    assert "1 payments, £80.00 together." in text
    assert "2 partners with a balance are left out" in text
    assert "No bank account" in text
    assert "Below the minimum payout" in text
    assert not PayRun.objects.exists()
    assert not AuditEvent.objects.filter(action="pay_run.prepared").exists()


def test_a_preview_gives_the_figures_of_the_run_itself(house: House) -> None:
    entity, at = house.program.legal_entity, timezone.now()
    seen = preview(entity, currency="GBP", execute_on=at.date(), by=fiona(), at=at)
    made = pay_runs.prepare(entity, currency="GBP", execute_on=at.date(), by=fiona(), at=at)
    assert (seen.payments, seen.total.minor) == (made.payment_count, made.total_minor) == (1, 8000)
    assert sum(seen.left_out.values()) == made.exceptions.count() == 2


def test_a_date_in_the_past_is_refused_beside_its_field(house: House) -> None:
    response = at_desk(fiona()).post(reverse(PREPARE), {**asked(house), "execute_on": "2020-01-01"})
    assert "The payment date has passed." in words(response)
    assert not PayRun.objects.exists()


def test_a_run_shows_whom_it_pays_whom_it_leaves_out_and_no_account_number(run: PayRun) -> None:
    response = at_desk(felix()).get(page(run))
    text = words(response)
    assert "£80.00" in text
    assert "Partner K2" in text
    assert "No bank account" in text
    assert run.sha256 in text
    assert "Prepared by Fiona Brandt" in text
    assert "ending 5555" in text
    assert "GB33BUKB20201555555555" not in response.content.decode()
    assert step(run, "approve") in links(response)


def test_the_preparer_is_not_offered_the_approval_and_cannot_take_it(run: PayRun) -> None:
    client = at_desk(fiona())
    response = client.get(page(run))
    assert step(run, "approve") not in links(response)
    assert "Somebody else has to approve it." in words(response)
    refused = client.post(step(run, "approve"), follow=True)
    assert "You prepared this pay run" in words(refused)
    run.refresh_from_db()
    assert run.state == "checked"


def test_an_administrator_who_prepared_cannot_approve_either(house: House) -> None:
    at_desk(ada()).post(reverse(PREPARE), {**asked(house), "confirm": "yes"})
    made = PayRun.objects.get()
    at_desk(ada()).post(step(made, "approve"))
    made.refresh_from_db()
    assert made.state == "checked"


def test_from_approval_to_paid_every_step_says_its_numbers(run: PayRun) -> None:
    approves, client = at_desk(felix()), at_desk(fiona())
    assert "1 payments, £80.00 together, leave Halden Giftware Ltd" in words(
        approves.get(step(run, "approve"))
    )
    assert "Approve 1 payments, £80.00" in words(approves.get(step(run, "approve")))
    approves.post(step(run, "approve"))
    assert "£80.00 leaves the partners' balances" in words(client.get(step(run, "export")))
    client.post(step(run, "export"))
    text = words(client.get(page(run)))
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
    assert PaymentFile.objects.count() == 2


def test_the_file_is_the_same_every_time_and_taking_it_is_on_record(run: PayRun) -> None:
    at_desk(felix()).post(step(run, "approve"))
    at_desk(fiona()).post(step(run, "export"))
    file = PaymentFile.objects.get(format="payments_csv")
    url = reverse("admin:payouts_payrun_file", args=[run.pk, file.pk])
    client = at_desk(fiona())
    first, second = client.get(url), client.get(url)
    assert first.content == second.content == bytes(file.content)
    rows = list(csv.DictReader(io.StringIO(first.content.decode())))
    assert [row["amount"] for row in rows] == ["80.00"]
    assert "no-store" in first["Cache-Control"]
    assert AuditEvent.objects.filter(action="pay_run.file_taken", actor=fiona()).count() == 2


def test_a_failed_payment_is_owed_again(run: PayRun) -> None:
    at_desk(felix()).post(step(run, "approve"))
    at_desk(fiona()).post(step(run, "export"))
    payment = Payment.objects.get()
    url = reverse("admin:payouts_payrun_fail", args=[run.pk, payment.pk])
    client = at_desk(fiona())
    assert url in links(client.get(page(run)))
    assert "£80.00 goes back to what we owe Partner K1." in words(client.get(url))
    client.post(url, {"reason": "Account closed"})
    payment.refresh_from_db()
    assert (payment.state, payment.failure_reason) == ("failed", "Account closed")
    account = ledger.partner_account(payment.membership, AccountKind.PAYABLE)
    assert ledger.balance(account).minor == 8000


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
