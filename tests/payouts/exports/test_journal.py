"""The journal: two rows for each entry, debits equal to credits in every currency, each booked in the month whose books it is in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from partners.models import Membership
from payouts import bookkeeping, ledger
from payouts.calendar import for_posting
from payouts.choices import AccountKind, TransactionKind
from payouts.exports import journal
from payouts.models import AccountCode, Payment
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories import payout_rows as rows
from tests.factories.money_rows import AccountCodeFactory
from tests.factories.partners import MembershipFactory, PartnerFactory
from tests.factories.tiers import LegalEntityFactory, ProgramFactory
from tests.payouts.exports.sent import is_golden
from tests.payouts.test_constraints import refuse
from tests.people import fiona, mats
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db

MARCH, APRIL = Month(2026, 3), Month(2026, 4)
# In Paris this is already the first of April.
LATE_IN_MARCH = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
IN_MARCH = datetime(2026, 3, 10, 9, tzinfo=UTC)
IN_APRIL = datetime(2026, 4, 14, 9, tzinfo=UTC)
Moves = Sequence[tuple[str, str, int, str]]


@pytest.fixture
def entity() -> LegalEntity:
    made: LegalEntity = LegalEntityFactory.create(name="Halden Cadeaux SARL", number_prefix="HC")
    return made


@pytest.fixture
def membership(entity: LegalEntity) -> Membership:
    program = ProgramFactory.create(
        legal_entity=entity, name="Halden affiliates", currency="EUR", time_zone="Europe/Paris"
    )
    made: Membership = MembershipFactory.create(
        program=program, partner=PartnerFactory.create(name="=Studio Prado")
    )
    return made


def post(membership: Membership, key: str, kind: str, at: datetime, moves: Moves, reason: str = "") -> None:
    """Post moves given as debit, credit, minor units and currency."""
    ledger.post(
        key=key,
        kind=TransactionKind(kind),
        period=for_posting(membership.program, at),
        effective_at=at,
        at=at,
        by=fiona(),
        reason=reason,
        moves=[
            ledger.Move(
                debit=_account(membership, debit, currency),
                credit=_account(membership, credit, currency),
                amount=Money(minor, currency),
            )
            for debit, credit, minor, currency in moves
        ],
    )


def _account(membership: Membership, name: str, currency: str) -> Any:
    kind = AccountKind(name)
    if kind.value in AccountKind.of_partner():
        return ledger.partner_account(membership, kind, currency=currency)
    return ledger.program_account(membership.program, kind, currency=currency)


def told(membership: Membership) -> Payment:
    """Book a year in small: earned, released, and 88.77 instructed of which 8.88 are withheld and the rest sent in dollars."""
    payment: Payment = rows.PaymentFactory.create(
        membership=membership, statement=rows.StatementFactory.create(membership=membership), currency="EUR"
    )
    post(membership, "a", "accrual", IN_MARCH, [("expense", "pending", 88_77, "EUR")])
    post(membership, "b", "release", LATE_IN_MARCH, [("pending", "payable", 88_77, "EUR")])
    moves = [
        ("payable", "fx_clearing", 79_89, "EUR"),
        ("fx_clearing", "in_payment", 93_20, "USD"),
        ("payable", "tax_withheld", 8_88, "EUR"),
    ]
    post(membership, f"payment_instructed:{payment.public_id}", "payment_instructed", IN_APRIL, moves)
    post(
        membership,
        f"payment_settled:{payment.public_id}",
        "payment_settled",
        IN_APRIL,
        [("in_payment", "cash", 93_20, "USD")],
        reason="=BANK",
    )
    return payment


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def sums(found: list[dict[str, str]]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return debits and credits of each currency."""
    both: dict[str, tuple[Decimal, Decimal]] = {}
    for row in found:
        debit, credit = both.get(row["currency"], (Decimal(0), Decimal(0)))
        both[row["currency"]] = (
            debit + Decimal(row["debit"] or 0),
            credit + Decimal(row["credit"] or 0),
        )
    return both


def test_a_month_holds_what_was_booked_in_it_and_debits_equal_credits(
    entity: LegalEntity, membership: Membership
) -> None:
    told(membership)
    march = read(journal.render(journal.of_month(entity, MARCH)))
    assert [(row["kind"], row["account"], row["debit"], row["credit"]) for row in march] == [
        ("accrual", "expense", "88.77", ""),
        ("accrual", "pending", "", "88.77"),
    ]
    april = read(journal.render(journal.of_month(entity, APRIL)))
    # The release of 00:30 in Paris; 88.77 out of payable; 93.20 dollars on their way and then at the bank.
    assert sums(april) == {
        "EUR": (Decimal("177.54"), Decimal("177.54")),
        "USD": (Decimal("186.40"), Decimal("186.40")),
    }
    assert april[0]["date"] == "2026-04-01"
    assert {row["partner"] for row in march} == {"'=Studio Prado"}


def test_a_run_has_what_was_booked_for_its_payments(entity: LegalEntity, membership: Membership) -> None:
    payment, other = told(membership), rows.PaymentFactory.create()
    found = list(journal.of_run(entity, [payment, other]))
    assert {row.payment for row in found} == {payment.public_id}
    assert [row.kind for row in found] == ["payment_instructed"] * 6 + ["payment_settled"] * 2
    # 79.89 + 8.88 = 88.77, what left the balance.
    assert journal.totals(found) == {
        "EUR": (Money(88_77, "EUR"), Money(88_77, "EUR")),
        "USD": (Money(186_40, "USD"), Money(186_40, "USD")),
    }


def test_accounts_go_by_the_codes_of_the_books_and_by_their_own_names_without(
    entity: LegalEntity, membership: Membership
) -> None:
    told(membership)
    by, at = fiona(), IN_APRIL
    codes = {AccountKind.EXPENSE: ("6222", "Commissions"), AccountKind.PENDING: ("408.1", "")}
    assert bookkeeping.set_codes(entity, codes, by=by, at=at) == 2
    march = read(journal.render(journal.of_month(entity, MARCH)))
    assert [(row["account"], row["account_name"]) for row in march] == [
        ("6222", "Commissions"),
        ("408.1", "On hold"),
    ]
    assert bookkeeping.set_codes(entity, codes, by=by, at=at) == 0
    assert bookkeeping.set_codes(entity, {AccountKind.PENDING: ("", "")}, by=by, at=at) == 1
    assert journal.codes_of(entity)["pending"] == ("pending", "On hold")
    [event, _later] = AuditEvent.objects.filter(action="account_codes.set").order_by("pk")
    assert event.details["codes"] == {"expense": ["", "6222"], "pending": ["", "408.1"]}


@pytest.mark.parametrize("code", ["=1+1", "-1", "62\n22", "6" * 21, "6é"])
def test_a_code_no_spreadsheet_should_see_is_refused(entity: LegalEntity, code: str) -> None:
    wanted = {AccountKind.CASH: ("512", ""), AccountKind.EXPENSE: (code, "")}
    with pytest.raises(bookkeeping.BadAccountCode) as refusal:
        bookkeeping.set_codes(entity, wanted, by=fiona(), at=IN_MARCH)
    assert refusal.value.field == "code_expense"
    assert not AccountCode.objects.exists()


def test_account_managers_neither_set_codes_nor_take_journals(entity: LegalEntity) -> None:
    with pytest.raises(policy.Forbidden):
        bookkeeping.set_codes(entity, {AccountKind.CASH: ("512", "")}, by=mats(), at=IN_MARCH)
    with pytest.raises(policy.Forbidden):
        bookkeeping.take_journal(entity, MARCH, by=mats(), at=IN_MARCH)
    assert not AccountCode.objects.exists()


def test_an_account_has_one_code_in_an_entity() -> None:
    there = AccountCodeFactory.create()
    shared = {"legal_entity": there.legal_entity, "account_kind": there.account_kind}
    refuse("payouts_accountcode_one_per_account", AccountCodeFactory, shared)
    AccountCodeFactory.create(**{**shared, "account_kind": "cash"})
    AccountCodeFactory.create(account_kind=there.account_kind)
    assert AccountCode.objects.count() == 3


def test_only_accounts_of_the_ledger_have_a_code() -> None:
    refuse("payouts_accountcode_account_kind", AccountCodeFactory, {"account_kind": "petty cash"})


def test_the_journal_is_the_golden_file(entity: LegalEntity, membership: Membership) -> None:
    payment = told(membership)
    content = journal.render(journal.of_month(entity, APRIL)).decode()
    named: dict[str, str] = {}
    for row in read(content.encode()):
        named.setdefault(row["transaction"], f"txn_{len(named) + 1}")
    for drawn, fixed in [*named.items(), (payment.public_id, "pay_1")]:
        content = content.replace(drawn, fixed)
    assert is_golden(content.encode(), "journal.csv")


def test_the_command_writes_a_month_or_a_run_and_says_what_is_in_it(
    entity: LegalEntity, membership: Membership, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = told(membership)
    target = tmp_path / "march.csv"
    call_command("export_journal", "2026-03", entity="HC", output=str(target), json=True)
    facts = json.loads(capsys.readouterr().out)
    assert facts["rows"] == 2
    assert facts["sums"] == {"EUR": {"debit_minor": 88_77, "credit_minor": 88_77}}
    assert target.read_bytes() == journal.render(journal.of_month(entity, MARCH))
    call_command("export_journal", pay_run=payment.pay_run.public_id, dry_run=True, json=True)
    assert json.loads(capsys.readouterr().out)["rows"] == 8


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"pay_run": "prn_nothing", "output": "x"},
        {"month": "2026-13", "output": "x"},
        {"month": "2026-03"},
    ],
)
def test_the_command_says_what_it_needs(entity: LegalEntity, arguments: dict[str, str]) -> None:
    month = [arguments.pop("month")] if "month" in arguments else []
    with pytest.raises(CommandError) as error:
        call_command("export_journal", *month, **arguments)
    assert error.value.returncode == 2
