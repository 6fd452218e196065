"""A statement on the page: its bridge, its lines and its files come to the same balance, and its payment is told as it moves."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from payouts.choices import StatementState
from payouts.models import Statement
from payouts.tasks_documents import render_statement
from portal.views import statement_lines, statement_page, statements
from portal.views.pages import StatementPage
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.payouts import close_months
from tests.portal.conftest import signed_in
from tests.portal.scene import Scene, on

pytestmark = pytest.mark.django_db


def page_of(scene: Scene, month: int, *, after: str = "") -> StatementPage:
    found = scene.statement(Month(2026, month))
    return statement_page.statement_page(found, scene.room(), after=after)


def test_the_list_shows_each_month_with_its_balance_and_where_its_payment_is(busy: Scene) -> None:
    rows = signed_in(busy).get("/portal/statements/").context["rows"]
    assert [(str(row.month), row.closing.minor, row.status.label) for row in rows] == [
        ("2026-05", 280_00, "Issued, payment on 14 Jun"),
        ("2026-04", 0, "Nothing to pay"),
        ("2026-03", 200_00, "On its way"),
        ("2026-02", 100_00, "Paid 16 Mar 2026"),
        ("2026-01", 0, "Nothing to pay"),
    ]


def test_before_the_first_statement_the_page_says_when_it_comes(newcomer: Scene) -> None:
    html = signed_in(newcomer).get("/portal/statements/").content.decode()
    assert "No statement yet" in html
    assert "when June is closed" in html


def test_the_bridge_adds_up_to_the_balance(busy: Scene) -> None:
    page = page_of(busy, 5)
    assert [(figure.label, figure.amount.minor, figure.note) for figure in page.bridge] == [
        ("Opening balance", 0, ""),
        ("Commissions ready in May", 300_00, "1 commission"),
        ("Refunds and reversals", -20_00, "1 commission"),
        ("Paid in May", 0, ""),
    ]
    for month in (1, 2, 3, 4, 5):
        page = page_of(busy, month)
        assert Money.total((figure.amount for figure in page.bridge), "GBP") == page.closing


def test_the_running_total_leads_from_the_opening_balance_to_the_closing_one(busy: Scene) -> None:
    # March opens with the 100.00 of February, earns 200.00, and February's payment leaves on 13 March.
    page = page_of(busy, 3)
    assert page.opened is not None
    assert page.opened.running.minor == 100_00
    sale, payment = page.lines
    assert sale.running.minor == 300_00
    assert (payment.amount.minor, payment.running.minor, payment.href) == (-100_00, 200_00, "")
    assert payment.note.startswith("Payment: PAY-")
    assert page.closing.minor == 200_00


def test_a_line_says_what_it_is_made_of_and_leads_to_its_reason(busy: Scene) -> None:
    [sale, refund] = page_of(busy, 5).lines
    assert (sale.order, sale.base.minor, sale.rate, sale.amount.minor) == ("may-1", 3_000_00, "10%", 300_00)
    assert (refund.customer, refund.note) == ("Customer •••100", "Refund")
    assert signed_in(busy).get(sale.href).context["why"].found.title == "may-1"


def test_the_file_comes_to_the_balance_of_the_page(busy: Scene) -> None:
    page, client = page_of(busy, 3), signed_in(busy)
    hrefs = {download.label: download.href for download in page.downloads}
    text = client.get(hrefs["CSV"]).content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sum((Decimal(row["amount"]) for row in rows), Decimal(0)) == page.closing.decimal()
    book = client.get(hrefs["XLSX"])
    assert book.content[:2] == b"PK"
    assert book["Content-Disposition"] == 'attachment; filename="HG-2026-00003.xlsx"'


def test_the_payment_is_told_step_by_step(busy: Scene) -> None:
    paid, sent, waiting = page_of(busy, 2), page_of(busy, 3), page_of(busy, 5)
    assert [(step.at, step.what, step.done) for step in paid.steps] == [
        ("2 Mar, 12:00", "Statement issued", True),
        ("13 Mar, 12:00", "Payment sent", True),
        ("16 Mar, 12:00", "Payment confirmed", True),
    ]
    assert [step.what for step in sent.steps] == ["Statement issued", "Payment sent"]
    assert [(step.at, step.done) for step in waiting.steps][-1] == ("14 Jun 2026", False)
    assert (paid.amount_label, sent.amount_label, waiting.amount_label) == (
        "Paid",
        "On its way",
        "To be paid",
    )
    assert ("Pay to", "IBAN ending 5555") in [(fact.label, fact.value) for fact in waiting.facts]


def test_a_balance_below_the_minimum_is_explained(newcomer: Scene) -> None:
    newcomer.house.sale("s", "314.00", "ANA10", on(2, 3))
    newcomer.house.rate(on(2, 4))
    close_months(newcomer.house.program, Month(2026, 1), Month(2026, 2), at=on(3, 2))
    page = page_of(newcomer, 2)
    assert page.status.label == "Carried over"
    [notice] = page.notices
    assert notice.text == "£31.40 of £50.00. It stays yours and moves to the next statement."


def test_a_negative_balance_is_explained(newcomer: Scene) -> None:
    newcomer.house.refund("r", "100.00", "ANA10", on(2, 3))
    newcomer.house.rate(on(2, 4))
    close_months(newcomer.house.program, Month(2026, 1), Month(2026, 2), at=on(3, 2))
    page = page_of(newcomer, 2)
    assert [notice.text for notice in page.notices] == ["£10.00 is taken from your next commissions."]


def test_many_lines_are_shown_page_by_page(newcomer: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_lines, "LINES_SHOWN", 2)
    for number in range(5):
        newcomer.house.sale(f"s{number}", "100.00", "ANA10", on(2, 3 + number))
    newcomer.house.rate(on(2, 10))
    close_months(newcomer.house.program, Month(2026, 1), Month(2026, 2), at=on(3, 2))
    middle, last = page_of(newcomer, 2, after="2"), page_of(newcomer, 2, after="4")
    assert [line.order for line in middle.lines] == ["s2", "s3"]
    assert [line.running.minor for line in middle.lines] == [30_00, 40_00]
    assert middle.opened is None
    assert middle.pages is not None and last.pages is not None
    assert (middle.pages.first, middle.pages.last, middle.pages.total) == (3, 4, 5)
    assert middle.pages.next_url.endswith("?after=4#lines") and not last.pages.next_url
    assert page_of(newcomer, 2, after="²").pages.first == 1  # type: ignore[union-attr]


@pytest.mark.needs_pango
def test_a_document_nobody_asked_for_yet_is_made_and_then_sent(
    busy: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(statements, "ring", lambda name, statement_id: rung.append(statement_id))
    found = busy.statement(Month(2026, 5))
    Statement.objects.filter(pk=found.pk).update(pdf="")
    url = reverse("portal:statement_file", args=[found.public_id, "pdf"])
    client = signed_in(busy)
    waiting = client.get(url)
    assert (waiting.status_code, waiting["Refresh"], rung) == (202, "3", [found.pk])
    render_statement(statement_id=found.pk)
    ready = client.get(url)
    assert ready.status_code == 200
    assert b"".join(ready.streaming_content)[:5] == b"%PDF-"  # type: ignore[attr-defined]


def test_a_document_that_was_changed_is_not_sent(busy: Scene) -> None:
    found = busy.statement(Month(2026, 5))
    name = default_storage.save("statements/changed.pdf", ContentFile(b"%PDF-1.7 another amount"))
    Statement.objects.filter(pk=found.pk).update(pdf=name, pdf_sha256="0" * 64)
    url = reverse("portal:statement_file", args=[found.public_id, "pdf"])
    answer = signed_in(busy).get(url, follow=True)
    assert answer.redirect_chain == [(reverse("portal:statement", args=[found.public_id]), 302)]
    assert b"does not match what was issued" in answer.content


def test_where_no_document_can_be_made_the_page_says_so(busy: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payouts.exports.pdf.is_possible", lambda: False)
    found = busy.statement(Month(2026, 1))
    Statement.objects.filter(pk=found.pk).update(pdf="")
    answer = signed_in(busy).get(reverse("portal:statement_file", args=[found.public_id, "pdf"]))
    assert answer.status_code == 503
    assert b"cannot make PDF files" in answer.content
    assert "Refresh" not in answer


def test_an_unknown_kind_of_file_is_not_found(busy: Scene) -> None:
    found = busy.statement(Month(2026, 5))
    assert signed_in(busy).get(f"/portal/statements/{found.public_id}/exe").status_code == 404


def test_a_settled_statement_stays_paid_on_its_page(busy: Scene) -> None:
    assert busy.statement(Month(2026, 2)).state == StatementState.PAID
    assert page_of(busy, 2).status.label == "Paid 16 Mar 2026"
