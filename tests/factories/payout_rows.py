"""Single rows of the payouts app, for tests of the database itself. Money that must add up is made by the verbs, in payouts.py."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import factory
from factory.django import DjangoModelFactory

from payouts.models import (
    Account,
    Commission,
    DryRun,
    Entry,
    NumberSeries,
    Payment,
    PaymentFile,
    PaymentMethod,
    PayRun,
    PayRunException,
    Period,
    Statement,
    StatementLine,
    Transaction,
)
from prm.lib.fields import blind_index
from tests.factories.partners import MembershipFactory
from tests.factories.prm import UserFactory
from tests.factories.referrals import CreditFactory
from tests.factories.tiers import LegalEntityFactory, PlanVersionFactory

NOW = datetime(2026, 4, 3, 9, tzinfo=UTC)
IBAN = "GB33BUKB20201555555555"


class PeriodFactory(DjangoModelFactory[Period]):
    """An open month of a program."""

    class Meta:
        model = Period

    program = factory.LazyFunction(lambda: MembershipFactory().program)
    year = 2026
    month = 3


class AccountFactory(DjangoModelFactory[Account]):
    """A member's payable account in the program's currency."""

    class Meta:
        model = Account

    membership = factory.SubFactory(MembershipFactory)
    program = factory.SelfAttribute("membership.program")
    kind = "payable"
    currency = factory.SelfAttribute("program.currency")


class TransactionFactory(DjangoModelFactory[Transaction]):
    """A posting without entries."""

    class Meta:
        model = Transaction

    key = factory.Sequence(lambda number: f"test:{number}")
    kind = "adjustment"
    period = factory.SubFactory(PeriodFactory)
    effective_at = NOW
    posted_at = NOW


class EntryFactory(DjangoModelFactory[Entry]):
    """One amount from a program's expense to a member."""

    class Meta:
        model = Entry

    transaction = factory.SubFactory(TransactionFactory)
    credit = factory.SubFactory(AccountFactory)
    debit = factory.LazyAttribute(
        lambda row: AccountFactory(membership=None, program=row.credit.program, kind="expense")
    )
    amount_minor = 10_00
    currency = factory.SelfAttribute("credit.currency")


class CommissionFactory(DjangoModelFactory[Commission]):
    """A line on hold; the accounts it stands in are not moved."""

    class Meta:
        model = Commission

    key = factory.Sequence(lambda number: f"test:{number}")
    credit = factory.SubFactory(CreditFactory)
    conversion = factory.SelfAttribute("credit.conversion")
    membership = factory.SelfAttribute("credit.membership")
    plan_version = factory.SubFactory(PlanVersionFactory)
    rule_key = "every-order"
    kind = "earned"
    base_minor = 100_00
    rate = 8
    amount_minor = 8_00
    currency = "GBP"
    because = factory.Dict({})
    effective_at = NOW
    period = factory.LazyAttribute(lambda row: PeriodFactory(program=row.membership.program))
    payable_at = NOW
    state = "on_hold"
    accrued_in = factory.LazyAttribute(lambda row: TransactionFactory(period=row.period, kind="accrual"))
    computed_at = NOW


class DryRunFactory(DjangoModelFactory[DryRun]):
    """A trial nobody has worked on yet."""

    class Meta:
        model = DryRun

    program = factory.LazyFunction(lambda: MembershipFactory().program)
    kind = "plan"
    starts_at = NOW
    ends_at = datetime(2026, 5, 3, 9, tzinfo=UTC)
    requested_at = NOW
    requested_by = factory.SubFactory(UserFactory)


class NumberSeriesFactory(DjangoModelFactory[NumberSeries]):
    """A series nobody has drawn from."""

    class Meta:
        model = NumberSeries

    legal_entity = factory.SubFactory(LegalEntityFactory)
    year = 2026


class StatementFactory(DjangoModelFactory[Statement]):
    """A statement that says 80.00 is owed, without lines."""

    class Meta:
        model = Statement

    membership = factory.SubFactory(MembershipFactory)
    legal_entity = factory.SelfAttribute("membership.program.legal_entity")
    period = factory.LazyAttribute(lambda row: PeriodFactory(program=row.membership.program))
    year = 2026
    sequence = factory.Sequence(lambda number: number + 1)
    number = factory.LazyAttribute(lambda row: f"{row.legal_entity.number_prefix}-2026-{row.sequence:05d}")
    currency = "GBP"
    state = "issued"
    opening_minor = 0
    earned_minor = 80_00
    reversed_minor = 0
    paid_minor = 0
    closing_minor = 80_00
    line_count = 1
    issued_at = NOW
    facts = factory.Dict({})
    sha256 = "0" * 64
    check_code = "0" * 12


class StatementLineFactory(DjangoModelFactory[StatementLine]):
    """The one line of a statement."""

    class Meta:
        model = StatementLine

    statement = factory.SubFactory(StatementFactory)
    position = 1
    commission = factory.SubFactory(CommissionFactory)
    occurred_at = NOW
    order_id = "536365"
    kind = "earned"
    base_minor = 1000_00
    rate = 8
    amount_minor = 80_00


class PaymentMethodFactory(DjangoModelFactory[PaymentMethod]):
    """A bank account payments may go to."""

    class Meta:
        model = PaymentMethod

    partner = factory.LazyFunction(lambda: MembershipFactory().partner)
    currency = "GBP"
    payout_currency = factory.SelfAttribute("currency")
    kind = "bank_iban"
    holder = "Studio Prado Ltd"
    iban = IBAN
    ending = IBAN[-4:]
    account_index = factory.LazyAttribute(lambda row: blind_index(row.iban))
    added_at = NOW
    added_by = factory.SubFactory(UserFactory)
    usable_at = NOW


class PayRunFactory(DjangoModelFactory[PayRun]):
    """A run under preparation, without payments."""

    class Meta:
        model = PayRun

    legal_entity = factory.SubFactory(LegalEntityFactory)
    currency = "GBP"
    execute_on = date(2026, 4, 14)
    message_id = factory.Sequence(lambda number: f"PRN-{number}")
    prepared_at = NOW
    prepared_by = factory.SubFactory(UserFactory)


class PayRunExceptionFactory(DjangoModelFactory[PayRunException]):
    """A membership a run leaves out."""

    class Meta:
        model = PayRunException

    pay_run = factory.SubFactory(PayRunFactory)
    membership = factory.SubFactory(MembershipFactory)
    amount_minor = 12_00
    reason = "below_minimum"


class PaymentFactory(DjangoModelFactory[Payment]):
    """A queued payment of a statement."""

    class Meta:
        model = Payment

    pay_run = factory.SubFactory(PayRunFactory)
    statement = factory.SubFactory(StatementFactory)
    membership = factory.SelfAttribute("statement.membership")
    payment_method = factory.LazyAttribute(lambda row: PaymentMethodFactory(partner=row.membership.partner))
    amount_minor = 80_00
    currency = "GBP"
    sent_minor = factory.SelfAttribute("amount_minor")
    sent_currency = factory.SelfAttribute("currency")
    holder = "Studio Prado Ltd"
    iban = IBAN
    ending = IBAN[-4:]
    end_to_end_id = factory.Sequence(lambda number: f"PAY-{number}")


class PaymentFileFactory(DjangoModelFactory[PaymentFile]):
    """A file of a run."""

    class Meta:
        model = PaymentFile

    pay_run = factory.SubFactory(PayRunFactory)
    format = "payments_csv"
    number = factory.Sequence(lambda number: f"HG-F-2026-{number:05d}")
    currency = "GBP"
    name = "run.csv"
    content = b"a,b\r\n"
    sha256 = "0" * 64
    row_count = 1
    total_minor = 80_00
    made_at = NOW
    made_by = factory.SubFactory(UserFactory)


def again(row: Any, **changes: Any) -> None:
    """Insert a copy of a row under new ids, with `changes`."""
    copy = type(row).objects.get(pk=row.pk)
    copy.pk = None
    if hasattr(copy, "public_id"):
        copy.public_id = f"copy_{row.pk}"
    for name, value in changes.items():
        setattr(copy, name, value)
    copy.save(force_insert=True)
