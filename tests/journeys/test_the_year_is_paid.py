"""A year of real sales is closed and paid month by month, and every sum has one value wherever it is read: statement, portal, PDF, CSV, XLSX,
the bank's file and the ledger. What it must be is worked out from the data file alone, with exact numbers."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from xml.etree import ElementTree

import openpyxl
import pytest
from django.test import Client, TestCase

from payouts import ledger, reconciliation
from payouts.choices import AccountKind, PayRunState, StatementKind
from payouts.exports import pdf
from payouts.models import Entry, Invoice, PaymentFile, PayRun, Statement
from payouts.results import reconcile
from prm.lib.periods import Month
from tests.desk import words
from tests.journeys import creators
from tests.journeys.creators import (
    CORRECTED,
    FEE,
    IN_EUROS,
    MONTHS,
    PLAIN,
    RETURNED,
    ROWS,
    TAXED,
    WITHHELD,
    Year,
)
from tests.journeys.creators_due import NOTHING, TERMS, cents, due, major, net_of, total
from tests.journeys.test_the_real_year import WHOLE_YEAR

# What is there -------------------------------------------------------------------------------------------------------


class TestTheYearIsPaid(TestCase):
    """The year is lived once, for all of them."""

    year: Year

    @classmethod
    def setUpTestData(cls) -> None:
        cls.year = Year().live()

    def test_every_statement_says_what_the_file_adds_up_to(self) -> None:
        for (code, month), wanted in due().items():
            said = self.year.standing(code, month)
            assert {name: major(getattr(said, f"{name}_minor")) for name in TERMS} == {
                **{name: wanted.terms[name] for name in TERMS},
                "closing": wanted.closing,
            }, (code, str(month))
        assert total("earned") + total("reversed") == WHOLE_YEAR["influencer"]
        assert total("adjusted") == creators.BONUS + creators.ANSWERED
        assert Statement.objects.in_force().count() == len(ROWS) * len(MONTHS) == 52
        last_month = MONTHS[-1]
        for code in ROWS:
            terms = sum((total(name, code) for name in TERMS[1:-1]), NOTHING)
            assert major(self.year.standing(code, last_month).closing_minor) == terms

    def test_the_corrected_statement_was_taken_back_and_its_vat_is_in_june(self) -> None:
        new = self.year.standing(TAXED, CORRECTED)
        old = new.corrects
        assert old is not None
        note = Statement.objects.get(kind=StatementKind.CREDIT_NOTE)
        assert (old.state, note.corrects, new.state) == ("credited", old, "paid")
        for name in TERMS:
            column = f"{name}_minor"
            assert getattr(old, column) == getattr(new, column) == -getattr(note, column)
        vat = cents(net_of(due()[TAXED, CORRECTED]) / 5)
        assert major(new.facts["tax"]["vat_minor"]) == vat > 0
        invoices = Invoice.objects.filter(mandate__partner=new.membership.partner)
        [first, credit, second] = invoices.filter(statement__in=[old, note, new]).order_by("pk")
        assert (credit.credits, first.vat_minor, credit.vat_minor, major(second.vat_minor)) == (
            first,
            0,
            0,
            vat,
        )
        assert first.net_minor == abs(credit.net_minor) == second.net_minor
        billed = sum(major(each.vat_minor) for each in invoices)
        assert billed == total("vat")

    def test_portal_csv_and_xlsx_say_the_same_sums(self) -> None:
        for code in ROWS:
            client = Client()
            client.force_login(self.year.owner(code))
            listed = client.get("/portal/statements/").content.decode()
            for statement in Statement.objects.filter(membership=self.year.members[code]):
                closing = major(statement.closing_minor)
                place = f"/portal/statements/{statement.public_id}/"
                assert _on_page(client.get(place).content.decode()) == closing
                assert _in_list(listed, place) == closing
                assert _csv_sum(client.get(f"{place}csv").content.decode()) == closing
                assert _xlsx_sum(client.get(f"{place}xlsx").content) == closing
                assert _amount_text(closing) in words(
                    client.get(f"/v/{statement.number}/{statement.check_code}/")
                )

    @pytest.mark.needs_pango
    def test_the_printed_documents_say_the_same_sums(self) -> None:
        june, returned_to = Month(2025, 6), RETURNED.next()
        carried = due()[PLAIN, Month(2025, 3)]
        assert carried.sent is None
        for code, month in (
            (TAXED, CORRECTED),
            (TAXED, june),
            (WITHHELD, Month(2025, 5)),
            (IN_EUROS, returned_to),
            (PLAIN, Month(2025, 3)),
            (PLAIN, Month(2025, 5)),
        ):
            statement, wanted = self.year.standing(code, month), due()[code, month]
            text = _printed(statement)
            closing = _amount_text(wanted.closing)
            assert re.search(rf"Closing balance +{re.escape(closing)}$", text, re.MULTILINE), (
                code,
                str(month),
            )
            assert text.count(closing) >= 2  # in large type, and as the last term
            for label, name in (("VAT", "vat"), ("Tax withheld", "withheld"), ("Paid", "paid")):
                if wanted.terms[name]:
                    amount = re.escape(_amount_text(wanted.terms[name]))
                    assert re.search(rf"^ *{label}\b.* {amount}$", text, re.MULTILINE), (code, label)
            if code == IN_EUROS:
                assert f"€{wanted.sent:,.2f}" in text
                assert "computed through the euro" in text
            if (code, month) in ((TAXED, CORRECTED), (TAXED, june)):
                net = due()[code, month]
                vat = _amount_text(cents(net_of(net) / 5))
                assert (
                    f"20% of {_amount_text(Decimal(net_of(net).numerator) / net_of(net).denominator)} is {vat};"
                    in text
                )
            if wanted.kept:
                assert _amount_text(wanted.sent or NOTHING) in text

    def test_payments_files_and_ledger_are_the_statements(self) -> None:
        for month, run in self.year.runs.items():
            wanted = {code: due()[code, month] for code in ROWS if due()[code, month].sent is not None}
            payments = {code: self.year.payment(code, month) for code in wanted}
            assert run.payment_count == len(wanted) == run.payments.count()
            assert major(run.total_minor) == sum(each.closing for each in wanted.values())
            told, sums = _told_the_bank(run)
            for code, payment in payments.items():
                each, currency = wanted[code], "EUR" if code == IN_EUROS else "GBP"
                assert major(payment.amount_minor) == each.closing
                assert major(payment.withheld_minor) == each.kept
                assert told.pop(payment.end_to_end_id) == (each.sent, currency)
                if currency == "GBP":
                    assert each.sent == each.closing - each.kept
            assert told == {}
            for currency, control_sum in sums.items():
                sent = [p for p in payments.values() if p.sent_currency == currency]
                moved = Entry.objects.filter(
                    transaction__key__in=[f"payment_instructed:{payment.public_id}" for payment in sent],
                    credit__kind=AccountKind.IN_PAYMENT,
                )
                assert {entry.currency for entry in moved} == {currency}
                assert control_sum == sum(major(entry.amount_minor) for entry in moved)
            assert reconcile.of(run).agrees

    def test_the_payment_that_came_back_is_paid_again_next_month(self) -> None:
        back, again = self.year.payment(IN_EUROS, RETURNED), self.year.payment(IN_EUROS, RETURNED.next())
        assert (back.state, back.failure_code, again.state) == ("returned", "AC04", "settled")
        assert back.end_to_end_id != again.end_to_end_id
        assert (back.iban[:2], again.iban[:2]) == ("DE", "FR")
        assert again.amount_minor > back.amount_minor
        states = {str(month): run.state for month, run in self.year.runs.items()}
        assert states.pop(str(RETURNED)) == PayRunState.PARTLY_FAILED
        assert set(states.values()) == {PayRunState.RECONCILED}

    def test_the_books_are_in_order_and_hold_what_was_paid(self) -> None:
        assert reconciliation.check() == []
        by_currency: dict[str, int] = defaultdict(int)
        for (_kind, currency), balance in ledger.trial_balance().items():
            by_currency[currency] += balance.minor
        assert by_currency == {"GBP": 0, "EUR": 0}
        sent: dict[str, Decimal] = defaultdict(Decimal)
        kept = left = NOTHING
        for (code, month), each in due().items():
            if each.sent is not None and (code, month) != (IN_EUROS, RETURNED):
                sent["EUR" if code == IN_EUROS else "GBP"] += each.sent
                kept += each.kept
            if month == MONTHS[-1] and each.sent is None:
                left += each.closing
        assert _held(self.year, AccountKind.CASH, "GBP") == sent["GBP"]
        assert _held(self.year, AccountKind.CASH, "EUR") == sent["EUR"] + FEE
        assert _held(self.year, AccountKind.PAYOUT_FEES, "EUR") == -FEE
        assert _held(self.year, AccountKind.TAX_WITHHELD, "GBP") == kept
        assert _held(self.year, AccountKind.INPUT_VAT, "GBP") == -total("vat")
        assert _held(self.year, AccountKind.EXPENSE, "GBP") == -(WHOLE_YEAR["influencer"] + total("adjusted"))
        assert _held(self.year, AccountKind.FX_CLEARING, "EUR") == -sent["EUR"]
        balances = {str(kind): value.minor for (kind, currency), value in ledger.trial_balance().items()}
        assert (balances["pending"], major(balances["payable"]), balances["in_payment"]) == (0, left, 0)


# Where it is read ----------------------------------------------------------------------------------------------------


def _held(year: Year, kind: AccountKind, currency: str) -> Decimal:
    return major(ledger.balance(ledger.program_account(year.program, kind, currency=currency)).minor)


def _amount_text(amount: Decimal) -> str:
    return f"{'−' if amount < 0 else ''}£{abs(amount):,.2f}"


def _read(text: str) -> Decimal:
    plain = text.strip().replace("−", "-").replace("£", "").replace(",", "")
    return Decimal(plain)


def _on_page(page: str) -> Decimal:
    [cell] = re.findall(r"<tfoot>.*?<td>(.*?)</td>", page, re.DOTALL)
    return _read(cell)


def _in_list(page: str, place: str) -> Decimal:
    [cell] = re.findall(rf'<td class="num amount"><a href="{re.escape(place)}"[^>]*>([^<]*)<', page)
    return _read(cell)


def _csv_sum(text: str) -> Decimal:
    rows = list(csv.DictReader(io.StringIO(text)))
    summed = sum((Decimal(row["amount"]) for row in rows), NOTHING)
    assert Decimal(rows[-1]["running_total"]) == summed
    return summed


def _xlsx_sum(content: bytes) -> Decimal:
    bridge, lines = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    rows = list(lines.iter_rows(min_row=2, min_col=10, max_col=10, values_only=True))
    summed = sum((Decimal(str(amount)) for (amount,) in rows), NOTHING)
    *_, (_label, closing) = bridge.iter_rows(max_col=2, values_only=True)
    assert Decimal(str(closing)) == summed
    return summed


def _printed(statement: Statement) -> str:
    program = shutil.which("pdftotext")
    assert program is not None, "pdftotext is missing: install poppler-utils"
    content = pdf.render(statement)
    done = subprocess.run([program, "-layout", "-", "-"], input=content, capture_output=True, check=True)
    return done.stdout.decode().replace("\u202f", " ").replace("\u00a0", " ")


def _told_the_bank(run: PayRun) -> tuple[dict[str, tuple[Decimal, str]], dict[str, Decimal]]:
    """Return what the run's messages tell the bank of each payment, and their control sums by currency."""
    told, sums = {}, {}
    for file in PaymentFile.objects.filter(pay_run=run, format__startswith="pain.001"):
        tree = ElementTree.fromstring(bytes(file.content))
        amounts = []
        for transfer in tree.iter(f"{{{tree.tag[1:].partition('}')[0]}}}CdtTrfTxInf"):
            amount = transfer.find("{*}Amt/{*}InstdAmt")
            assert amount is not None and amount.text is not None
            name = transfer.findtext("{*}PmtId/{*}EndToEndId") or ""
            told[name] = (Decimal(amount.text), amount.attrib["Ccy"])
            amounts.append(Decimal(amount.text))
        sums[file.currency] = Decimal(tree.findtext("*/{*}GrpHdr/{*}CtrlSum") or "")
        assert sums[file.currency] == sum(amounts) == major(file.total_minor)
        assert file.row_count == len(amounts)
    return told, sums
