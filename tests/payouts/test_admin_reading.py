from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse

from payouts.models import Account, Commission, Statement, Transaction
from prm.audit.models import AuditEvent
from prm.lib.periods import Month
from tests.desk import at_desk, links, words
from tests.people import felix, fiona, mats
from tests.portal.scene import Scene, busy_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return busy_partner()


def test_a_commission_is_explained_as_the_partner_sees_it(scene: Scene) -> None:
    line = Commission.objects.get(conversion__external_id="feb-1")
    text = words(at_desk(fiona()).get(reverse("admin:payouts_commission_change", args=[line.pk])))
    assert "Why £100.00?" in text
    assert "Order total £1,000.00" in text
    assert "× your rate, 10%" in text


def test_the_total_above_the_list_is_that_of_the_filter(scene: Scene) -> None:
    url = reverse("admin:payouts_commission_changelist")
    client = at_desk(fiona())
    assert "£665.00 in 7 rows" in words(client.get(url))
    assert "£320.00 in 3 rows" in words(client.get(url, {"stage": "ready"}))
    assert "−£25.00 in 2 rows" in words(client.get(url, {"stage": "reversed"}))


def test_the_page_of_a_statement_adds_up_and_leads_to_every_line(scene: Scene) -> None:
    statement = scene.statement(Month(2026, 5))
    response = at_desk(fiona()).get(reverse("admin:payouts_statement_change", args=[statement.pk]))
    text = words(response)
    assert "£300.00" in text
    assert "−£20.00" in text
    assert "Balance at the end of the month £280.00" in text
    for line in statement.lines.all():
        assert reverse("admin:payouts_commission_change", args=[line.commission_id]) in links(response)


def test_the_files_of_a_statement_carry_its_sum_and_taking_one_is_on_record(scene: Scene) -> None:
    statement = scene.statement(Month(2026, 5))
    client = at_desk(fiona())
    response = client.get(reverse("admin:payouts_statement_file", args=[statement.pk, "csv"]))
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert rows[-1]["running_total"] == "280.00"
    assert (
        client.get(reverse("admin:payouts_statement_file", args=[statement.pk, "xlsx"])).content[:2] == b"PK"
    )
    assert client.get(reverse("admin:payouts_statement_file", args=[statement.pk, "exe"])).status_code == 404
    assert AuditEvent.objects.filter(action="statement.file_taken", actor=fiona()).count() == 2


@pytest.mark.needs_pango
def test_a_statement_is_given_as_pdf(scene: Scene) -> None:
    statement = scene.statement(Month(2026, 5))
    response = at_desk(fiona()).get(reverse("admin:payouts_statement_file", args=[statement.pk, "pdf"]))
    assert response.content[:5] == b"%PDF-"


def test_the_ledger_shows_that_all_accounts_together_are_zero(scene: Scene) -> None:
    text = words(at_desk(fiona()).get(reverse("admin:payouts_account_changelist")))
    assert "Together, which is always zero £0.00" in text
    assert "On hold £45.00" in text


def test_an_account_shows_its_balance_and_where_its_money_went(scene: Scene) -> None:
    account = Account.objects.get(membership=scene.membership, kind="payable")
    response = at_desk(fiona()).get(reverse("admin:payouts_account_change", args=[account.pk]))
    # earned and released 640.00 less 20.00, of which 300.00 were instructed to the bank
    assert "£320.00" in words(response)
    released = Transaction.objects.filter(kind="release").first()
    assert released is not None
    assert reverse("admin:payouts_transaction_change", args=[released.pk]) in links(response)


def test_a_transaction_shows_both_sides_of_each_entry(scene: Scene) -> None:
    accrual = Transaction.objects.filter(kind="accrual").order_by("pk").first()
    assert accrual is not None
    text = words(at_desk(fiona()).get(reverse("admin:payouts_transaction_change", args=[accrual.pk])))
    assert "Commission expense" in text
    assert "Partner ANA10: On hold" in text


def test_bank_accounts_and_payments_show_only_the_ending(scene: Scene) -> None:
    client = at_desk(felix())
    for name in ("paymentmethod", "payment"):
        model = "PaymentMethod" if name == "paymentmethod" else "Payment"
        rows = client.get(reverse(f"admin:payouts_{name}_changelist"))
        assert rows.status_code == 200, model
        assert "GB33BUKB20201555555555" not in rows.content.decode()
    method = scene.membership.partner.payment_methods.get()
    page = client.get(reverse("admin:payouts_paymentmethod_change", args=[method.pk]))
    assert "IBAN ending 5555" in words(page)
    assert "GB33BUKB20201555555555" not in page.content.decode()


def test_account_managers_see_statements_of_their_partners_but_no_ledger(scene: Scene) -> None:
    client = at_desk(mats())
    statement = Statement.objects.first()
    assert statement is not None
    assert client.get(reverse("admin:payouts_statement_change", args=[statement.pk])).status_code == 200
    assert client.get(reverse("admin:payouts_transaction_changelist")).status_code == 403
