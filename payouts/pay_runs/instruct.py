"""Book the payments of a run as instructed: each leaves the balance once, what the bank is told is on its way, tax is kept back, and what
is paid in another currency passes through the clearing accounts of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q

from payouts import ledger
from payouts.calendar import Calendar
from payouts.choices import AccountKind, CommissionState, PaymentState, TransactionKind
from payouts.events import PaymentSent
from payouts.models import Account, Commission, Payment
from prm.lib.events import announce

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import Program


def instruct(payments: Sequence[Payment], *, by: User, at: datetime) -> None:
    """Post one transaction for each payment and mark the payment and its lines as on their way; the caller holds the memberships."""
    accounts, calendar = _Accounts(payments), Calendar()
    ledger.post_many(
        [
            ledger.Posting(
                key=f"payment_instructed:{payment.public_id}",
                kind=TransactionKind.PAYMENT_INSTRUCTED,
                period=calendar.for_posting(payment.membership.program, at),
                effective_at=at,
                moves=list(_moves(payment, accounts)),
            )
            for payment in payments
        ],
        at=at,
        by=by,
    )
    for payment in payments:
        _send(payment, at=at)


def _moves(payment: Payment, accounts: _Accounts) -> Iterator[ledger.Move]:
    payable, program = accounts.payable(payment), payment.membership.program
    net = payment.amount - payment.withheld
    if payment.sent_currency == payment.currency:
        yield ledger.Move(debit=payable, credit=accounts.in_payment(payment), amount=net)
    else:
        clearing = AccountKind.FX_CLEARING
        yield ledger.Move(
            debit=payable, credit=accounts.of_program(program, clearing, payment.currency), amount=net
        )
        yield ledger.Move(
            debit=accounts.of_program(program, clearing, payment.sent_currency),
            credit=accounts.in_payment(payment),
            amount=payment.sent,
        )
    if payment.withheld:
        kept = accounts.of_program(program, AccountKind.TAX_WITHHELD, payment.currency)
        yield ledger.Move(debit=payable, credit=kept, amount=payment.withheld)


class _Accounts:
    """The accounts of many payments, read or opened at once."""

    def __init__(self, payments: Sequence[Payment]) -> None:
        kinds = [AccountKind.PAYABLE, AccountKind.IN_PAYMENT]
        self._own = ledger.accounts_of([payment.membership for payment in payments], kinds)
        abroad = [payment for payment in payments if payment.sent_currency != payment.currency]
        self._abroad = _open_abroad(abroad)
        self._programs: dict[tuple[int, AccountKind, str], Account] = {}

    def payable(self, payment: Payment) -> Account:
        """Return the account the payment is taken from."""
        return self._own[payment.membership_id, AccountKind.PAYABLE]

    def in_payment(self, payment: Payment) -> Account:
        """Return the account of what is on its way, in the currency the bank is told."""
        if payment.sent_currency == payment.currency:
            return self._own[payment.membership_id, AccountKind.IN_PAYMENT]
        return self._abroad[payment.membership_id, payment.sent_currency]

    def of_program(self, program: Program, kind: AccountKind, currency: str) -> Account:
        """Return an account of the program itself."""
        key = (program.pk, kind, currency)
        if key not in self._programs:
            self._programs[key] = ledger.program_account(program, kind, currency=currency)
        return self._programs[key]


def _open_abroad(payments: Sequence[Payment]) -> dict[tuple[int, str], Account]:
    """Return what is on its way in other currencies than the balance, by membership and currency; missing ones are opened."""
    wanted = {(each.membership_id, each.sent_currency): each.membership for each in payments}
    found = _read_abroad(wanted)
    missing = [
        Account(program=member.program, membership=member, kind=AccountKind.IN_PAYMENT, currency=currency)
        for (_pk, currency), member in sorted(wanted.items(), key=lambda item: item[0])
        if (member.pk, currency) not in found
    ]
    if missing:
        Account.objects.bulk_create(missing, ignore_conflicts=True)
        found = _read_abroad(wanted)
    return found


def _read_abroad(wanted: Mapping[tuple[int, str], object]) -> dict[tuple[int, str], Account]:
    if not wanted:
        return {}
    rows = Account.objects.filter(
        membership__in={member for member, _currency in wanted},
        kind=AccountKind.IN_PAYMENT,
        currency__in={currency for _member, currency in wanted},
    )
    return {(row.membership_id, row.currency): row for row in rows if row.membership_id is not None}


def _send(payment: Payment, *, at: datetime) -> None:
    """Mark the payment and every line its statement's balance holds as on their way."""
    Payment.objects.filter(pk=payment.pk, state=PaymentState.QUEUED).update(
        state=PaymentState.SENT, sent_at=at
    )
    # The balance carries everything stated until then, hence the lines of earlier statements too.
    month = payment.statement.period
    until = Q(statement__period__year__lt=month.year) | Q(
        statement__period__year=month.year, statement__period__month__lte=month.month
    )
    Commission.objects.filter(
        until,
        membership=payment.membership,
        currency=payment.currency,
        state=CommissionState.ON_STATEMENT,
    ).update(state=CommissionState.SENT, payment=payment)
    announce(PaymentSent(payment.pk))
