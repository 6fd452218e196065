"""The invariants of the money model after a year of everything: they hold, each is seen to fail on books broken on purpose, and they hold
again after a hundred refunds in parts. docs/algorithms/invariants.md says where each of the twenty is proven."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import given
from pytest_django import DjangoDbBlocker

from payouts import ledger, reconciliation
from payouts.choices import AccountKind, PaymentState, PayRunState, StatementKind
from payouts.models import Account, Adjustment, Commission, Entry, Invoice, Payment, PayRun, Period, Statement
from prm.audit.models import AuditEvent
from prm.lib.db import suspended_triggers
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.payouts import close_months
from tests.payouts.small_year import CODES, JANUARY, LAST, Year

SEED = 4
REFUNDS = 100

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def year(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Year]:
    """Live the year once; what a test does to it is undone after that test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Year(SEED).live()
        transaction.set_rollback(True)


def rounded(exact: Fraction) -> int:
    """Round half away from zero."""
    return int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)


def by_hand(year: Year, sale: str) -> int:
    """Return what is left of a sale's commission, in cents: 8 % rounded once, less its part that came back rounded once."""
    cents = year.cents[sale]
    line = rounded(Fraction(8 * cents, 100))
    return line - rounded(Fraction(line * year.came_back.get(sale, 0), cents))


def test_the_year_had_one_of_everything_and_every_check_holds(year: Year) -> None:
    payments = Counter(Payment.objects.values_list("state", flat=True))
    assert {PaymentState.SETTLED, PaymentState.FAILED, PaymentState.RETURNED} < set(payments)
    assert (payments[PaymentState.CANCELLED], payments[PaymentState.SENT]) == (1, len(CODES))
    assert Payment.objects.filter(withheld_minor__gt=0).exists()
    assert Payment.objects.filter(currency="EUR", sent_currency="USD").exists()
    assert Statement.objects.filter(closing_minor__lt=0, kind=StatementKind.STATEMENT).exists()
    assert Statement.objects.filter(kind=StatementKind.CREDIT_NOTE).count() == 1
    assert (Statement.objects.count(), Adjustment.objects.count()) == (12 * len(CODES) + 2, 2)
    assert Invoice.objects.count() == 12 + 2
    assert Period.objects.filter(state="closed").count() == 12
    assert reconciliation.check() == []


def test_accounts_added_up_one_entry_at_a_time_are_their_balances_and_come_to_zero(year: Year) -> None:
    balances: Counter[int] = Counter()
    by_currency: Counter[str] = Counter()
    currencies = dict(Account.objects.values_list("pk", "currency"))
    for debit, credit, minor, currency in Entry.objects.values_list(
        "debit", "credit", "amount_minor", "currency"
    ):
        balances[debit] -= minor
        balances[credit] += minor
        assert currencies[debit] == currencies[credit] == currency
    for account in Account.objects.with_balance():
        assert account.balance_minor == balances[account.pk]
        assert ledger.balance(account) == Money(balances[account.pk], account.currency)
        by_currency[account.currency] += account.balance_minor
    assert by_currency == {"EUR": 0, "USD": 0}


FIRST = "(SELECT MIN({column}) FROM payouts_entry WHERE transaction_id IN (SELECT id FROM payouts_transaction WHERE kind = '{kind}'))"


def entry(kind: str) -> str:
    return "UPDATE payouts_entry SET amount_minor = amount_minor + 1 WHERE id = " + FIRST.format(
        column="id", kind=kind
    )


# The number of the invariant, what somebody with the keys of the database does, and the check that finds it.
BROKEN = [
    (1, "UPDATE payouts_entry SET currency = 'GBP' WHERE id = (SELECT MIN(id) FROM payouts_entry)", "entry_currency"),
    (1, "UPDATE payouts_account SET currency = 'GBP' WHERE kind = 'cash' AND currency = 'EUR'", "trial_balance"),
    (1, "UPDATE payouts_account SET currency = 'GBP' WHERE kind = 'expense'", "entry_currency"),
    (2, entry("accrual"), "pending_balance"),
    (2, entry("release"), "payable_balance"),
    (2, entry("payment_settled"), "in_payment_balance"),
    (2, entry("vat"), "statement_movement"),
    (2, entry("release"), "chain"),
    (3, "UPDATE payouts_commission SET amount_minor = amount_minor - 99999999 WHERE reverses_id IS NOT NULL", "reversals"),
    (11, "UPDATE payouts_statement SET opening_minor = opening_minor + 1, earned_minor = earned_minor - 1 WHERE sequence = 20", "statement_chain"),
    (11, "UPDATE payouts_statement SET closing_minor = closing_minor + 1, earned_minor = earned_minor + 1 WHERE sequence = 20", "statement_movement"),
    (11, "UPDATE payouts_statementline SET amount_minor = amount_minor + 1 WHERE id = (SELECT MIN(id) FROM payouts_statementline)", "statement_lines"),
    (11, "DELETE FROM payouts_statementline WHERE id = (SELECT MIN(id) FROM payouts_statementline)", "statement_lines"),
    (11, "UPDATE payouts_statement SET state = 'credited' WHERE sequence = 20", "statement_missing"),
    (11, "UPDATE payouts_statement SET opening_minor = opening_minor + 1, earned_minor = earned_minor - 1 WHERE kind = 'credit_note'", "credit_note"),
    (11, "DELETE FROM payouts_entry WHERE transaction_id = (SELECT MIN(id) FROM payouts_transaction WHERE kind = 'release')", "empty_transaction"),
    (12, "UPDATE payouts_payrun SET total_minor = total_minor + 1 WHERE id = (SELECT MIN(id) FROM payouts_payrun)", "pay_run_total"),
    (12, entry("payment_instructed"), "pay_run_posted"),
    (12, "UPDATE payouts_paymentfile SET total_minor = total_minor + 1 WHERE id = (SELECT MIN(id) FROM payouts_paymentfile)", "payment_file"),
    (12, "UPDATE payouts_paymentfile SET row_count = row_count + 1 WHERE id = (SELECT MIN(id) FROM payouts_paymentfile)", "payment_file"),
    (12, "UPDATE payouts_payment SET state = 'sent' WHERE id = (SELECT MIN(id) FROM payouts_payment)", "in_payment_balance"),
    (13, "UPDATE payouts_payment SET amount_minor = amount_minor + 500000, sent_minor = sent_minor + 500000 WHERE id = (SELECT MIN(id) FROM payouts_payment)", "paid_twice"),
    (13, "UPDATE payouts_payment SET statement_id = {corrected} WHERE id = {october}", "statement_paid_once"),
    (14, "UPDATE payouts_commission SET amount_minor = amount_minor + 1 WHERE id = (SELECT MIN(id) FROM payouts_commission)", "closed_month"),
    (16, "UPDATE payouts_commission SET currency = 'GBP' WHERE id = (SELECT MIN(id) FROM payouts_commission)", "currency"),
    (16, "UPDATE payouts_statement SET currency = 'GBP' WHERE sequence = 20", "currency"),
    (16, "UPDATE payouts_payment SET currency = 'GBP', sent_currency = 'GBP' WHERE id = (SELECT MIN(id) FROM payouts_payment)", "currency"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "spoil", "found"), BROKEN, ids=[f"{n}-{f}" for n, _s, f in BROKEN])
def test_books_that_were_broken_on_purpose_are_found(year: Year, number: int, spoil: str, found: str) -> None:
    vat = year.house.members["VAT"]
    corrected = Statement.objects.in_force().get(membership=vat, period__month=9)
    october = Payment.objects.get(membership=vat, statement__period__month=10)
    with suspended_triggers(), connection.cursor() as cursor:
        cursor.execute(spoil.format(corrected=corrected.pk, october=october.pk))
        assert cursor.rowcount
    assert found in {finding.check for finding in reconciliation.check()}


def test_after_a_hundred_refunds_in_parts_every_check_holds_and_every_line_is_what_is_left_of_its_sale(
    year: Year,
) -> None:
    dice = year.dice
    for _refund in range(REFUNDS):
        sale = dice.choice(
            [name for name, cents in year.cents.items() if year.came_back.get(name, 0) < cents]
        )
        left = year.cents[sale] - year.came_back.get(sale, 0)
        cents = left if dice.random() < 0.2 else dice.randint(1, left)
        year.refund(sale.split("-")[0], sale, cents, JANUARY)
    year.house.rate(JANUARY)
    assert reconciliation.check() == []
    left_of: dict[str, int] = defaultdict(int)
    for event, original, minor in Commission.objects.values_list(
        "conversion__external_id", "conversion__original__external_id", "amount_minor"
    ):
        left_of[original or event] += minor
    assert dict(left_of) == {sale: by_hand(year, sale) for sale in year.cents}
    assert min(left_of.values()) == 0  # some came back whole
    january = close_months(year.house.program, Month(2027, 1), at=LAST)
    assert sum(each.reversed_minor for each in january) < 0
    assert reconciliation.check() == []


def test_taking_back_every_line_of_a_partner_takes_back_exactly_all_of_it(year: Year) -> None:
    mine = Commission.objects.filter(membership=year.house.members["EXTRA"])
    before = mine.aggregate(total=Sum("amount_minor"))["total"]
    for sale in [name for name in year.cents if name.startswith("EXTRA")]:
        year.refund("EXTRA", sale, year.cents[sale], JANUARY)
    year.house.rate(JANUARY)
    [statement] = [
        each
        for each in close_months(year.house.program, Month(2027, 1), at=LAST)
        if each.membership == year.house.members["EXTRA"]
    ]
    assert (statement.reversed_minor, mine.aggregate(total=Sum("amount_minor"))["total"]) == (-before, 0)
    assert reconciliation.check() == []


def test_what_files_say_is_what_payments_say_and_what_is_on_its_way(year: Year) -> None:
    """Read back from the bytes: each currency's sum and count in the bank's file and in the table, beside rows and postings."""
    names: list[str] = []
    for run in PayRun.objects.order_by("pk"):
        payments = run.payments.standing()
        expected = {
            currency: (count, Decimal(minor) / 100)
            for currency in ("EUR", "USD")
            for minor, count in [
                (
                    payments.filter(sent_currency=currency).aggregate(total=Sum("sent_minor"))["total"] or 0,
                    payments.filter(sent_currency=currency).count(),
                )
            ]
            if count
        }
        from_xml, from_table = {}, {}
        for file in run.files.order_by("pk"):
            content = bytes(file.content)
            if file.format.startswith("pain.001"):
                rows = [
                    (each.attrib["Ccy"], Decimal(each.text or ""))
                    for each in ElementTree.fromstring(content).iter()
                    if each.tag.endswith("}InstdAmt")
                ]
                assert {currency for currency, _amount in rows} == {file.currency}
                from_xml[file.currency] = (len(rows), sum(amount for _currency, amount in rows))
                names += [
                    each.text or ""
                    for each in ElementTree.fromstring(content).iter()
                    if each.tag.endswith("}EndToEndId")
                ]
            if file.format == "payments_csv":
                table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
                from_table[file.currency] = (len(table), sum(Decimal(row["amount"]) for row in table))
        keys = [f"payment_instructed:{name}" for name in payments.values_list("public_id", flat=True)]
        legs = Entry.objects.filter(transaction__key__in=keys, credit__kind=AccountKind.IN_PAYMENT)
        booked = {
            currency: (legs.filter(currency=currency).count(), Decimal(minor) / 100)
            for currency, minor in legs.order_by().values_list("currency").annotate(total=Sum("amount_minor"))
        }
        assert from_xml == from_table == booked == expected
    living = Payment.objects.standing().values_list("end_to_end_id", flat=True)
    assert sorted(names) == sorted(living)  # each in exactly one file


def test_every_step_of_the_money_names_who_took_it_and_two_people_took_part(year: Year) -> None:
    runs = PayRun.objects.all()
    assert not runs.filter(approved_by=None).exists()
    assert all(run.approved_by_id != run.prepared_by_id for run in runs)
    assert runs.filter(state=PayRunState.EXPORTED).count() == 1
    for action, times in {
        "period.closed": 12,
        "pay_run.approved": 12,
        "pay_run.exported": 12,
        "pay_run.payment_left_out": 1,
        "statement.corrected": 1,
        "adjustment.posted": 2,
    }.items():
        events = AuditEvent.objects.filter(action=action)
        assert events.count() == times, action
        assert not events.filter(actor=None).exists(), action
    assert all(AuditEvent.objects.filter(action="pay_run.payment_left_out").values_list("note", flat=True))


@given(
    minor=st.integers(-(10**9), 10**9),
    shares=st.lists(st.integers(1, 10**6), min_size=2, max_size=6),
    data=st.data(),
)
def test_who_shares_gets_the_same_in_whatever_order_they_are_named_but_for_equal_remainders(
    minor: int, shares: list[int], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(shares))))
    here = [part.minor for part in Money(minor, "EUR").allocate(shares)]
    there = [part.minor for part in Money(minor, "EUR").allocate([shares[place] for place in order])]
    assert sum(here) == sum(there) == minor
    back = {place: there[position] for position, place in enumerate(order)}
    exact = [Fraction(abs(minor) * share, sum(shares)) for share in shares]
    left_over = [each - int(each) for each in exact]
    for place, part in enumerate(here):
        assert abs(part - back[place]) <= 1
        if left_over.count(left_over[place]) == 1:
            assert part == back[place]
