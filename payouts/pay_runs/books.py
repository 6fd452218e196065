"""Write down what came of payments: states, ledger, lines, statements, the result itself and the word to the partner. Every posting mirrors
the entries by which the payment left, so money comes back exactly as it went, tax and currency included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from payouts import bank_reasons, ledger, notices, statements
from payouts.calendar import Calendar
from payouts.choices import (
    AccountKind,
    CommissionState,
    PaymentState,
    ResultOutcome,
    StatementState,
    TransactionKind,
)
from payouts.events import PaymentSettled
from payouts.models import Account, Commission, Entry, Payment, PaymentResult, ResultFile, Transaction
from payouts.pay_runs import common
from prm import audit
from prm.lib.events import announce
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User

_AT_ONCE = 500
_NOON = time(12)


@dataclass(frozen=True)
class Told:
    """What was said of a payment besides how it ended; `file` is where, None when a person read it somewhere."""

    reference: str = ""
    code: str = ""
    reason: str = ""
    booked_on: date | None = None
    fee: Money | None = None
    file: ResultFile | None = None


class Books:
    """Books results of payments whose memberships and runs the caller holds; `post` writes the ledger at the end."""

    def __init__(self, payments: Sequence[Payment], *, by: User, at: datetime) -> None:
        self._by, self._at = by, at
        self._calendar = Calendar()
        self._entries = _instructed(payments)
        self._cash: dict[tuple[int, AccountKind, str], Account] = {}
        self._postings: list[ledger.Posting] = []

    def settle(self, payment: Payment, told: Told) -> bool:
        """Book a payment on its way as paid; False when it is not on its way any more."""
        moment = self._moment(payment, told)
        moved = Payment.objects.filter(pk=payment.pk, state=PaymentState.SENT).update(
            state=PaymentState.SETTLED, settled_at=moment, bank_reference=told.reference[:60]
        )
        if not moved:
            return False
        moves = [
            ledger.Move(
                debit=entry.credit, credit=self._of_program(entry, AccountKind.CASH), amount=_money(entry)
            )
            for entry in self._entries[payment.pk]
            if entry.credit.kind == AccountKind.IN_PAYMENT
        ]
        self._post(payment, TransactionKind.PAYMENT_SETTLED, moves, moment)
        self._fee(payment, told, moment, ResultOutcome.SETTLED)
        Commission.objects.filter(payment=payment, state=CommissionState.SENT).update(
            state=CommissionState.PAID
        )
        statements.move(payment.statement, to=StatementState.PAID)
        payment.state, payment.settled_at = PaymentState.SETTLED, moment
        payment.bank_reference = told.reference[:60]
        self._keep(payment, ResultOutcome.SETTLED, told)
        audit.record(self._by, "payment.settled", payment, at=self._at, reference=told.reference)
        notices.tell_payment_sent(payment, at=moment)
        announce(PaymentSettled(payment.pk))
        return True

    def fail(self, payment: Payment, told: Told) -> bool:
        """Book a payment that was refused or sent back; False when it is neither on its way nor paid."""
        moment = self._moment(payment, told)
        was_paid = payment.state == PaymentState.SETTLED
        state = PaymentState.RETURNED if was_paid else PaymentState.FAILED
        reason = bank_reasons.stored_words(told.code, told.reason)
        expected = PaymentState.SETTLED if was_paid else PaymentState.SENT
        moved = Payment.objects.filter(pk=payment.pk, state=expected).update(
            state=state, failed_at=moment, failure_code=told.code[:12], failure_reason=reason
        )
        if not moved:
            return False
        self._post(
            payment,
            TransactionKind.PAYMENT_FAILED,
            [self._back(entry, was_paid=was_paid) for entry in self._entries[payment.pk]],
            moment,
            reason=reason,
            # Money that never left undoes the instruction; money that came back is an event of its own.
            reverses=None if was_paid else self._entries[payment.pk][0].transaction,
        )
        outcome = ResultOutcome.RETURNED if was_paid else ResultOutcome.FAILED
        self._fee(payment, told, moment, outcome)
        _reopen(payment)
        payment.state, payment.failed_at = state, moment
        payment.failure_code, payment.failure_reason = told.code[:12], reason
        self._keep(payment, outcome, told)
        audit.record(self._by, "payment.failed", payment, at=self._at, note=reason, code=told.code)
        notices.tell_payment_failed(payment)
        return True

    def post(self) -> None:
        """Write what was gathered to the ledger, all of it."""
        for start in range(0, len(self._postings), _AT_ONCE):
            ledger.post_many(self._postings[start : start + _AT_ONCE], at=self._at, by=self._by)
        self._postings = []

    def _back(self, entry: Entry, *, was_paid: bool) -> ledger.Move:
        """Return an instructed entry the other way round; what was paid comes out of the bank."""
        is_sent = entry.credit.kind == AccountKind.IN_PAYMENT
        source = self._of_program(entry, AccountKind.CASH) if was_paid and is_sent else entry.credit
        return ledger.Move(debit=source, credit=entry.debit, amount=_money(entry))

    def _fee(self, payment: Payment, told: Told, moment: datetime, outcome: ResultOutcome) -> None:
        """Book what the bank took for it; a payment that was paid and sent back can cost twice."""
        if told.fee is None or not told.fee:
            return
        program, currency = payment.membership.program, told.fee.currency
        key = f"payout_fee:{payment.public_id}"
        period = self._calendar.for_posting(program, moment)
        self._postings.append(
            ledger.Posting(
                key=key if outcome == ResultOutcome.SETTLED else f"{key}:{outcome.value}",
                kind=TransactionKind.PAYOUT_FEE,
                period=period,
                effective_at=moment,
                moves=[
                    ledger.Move(
                        debit=ledger.program_account(program, AccountKind.PAYOUT_FEES, currency=currency),
                        credit=ledger.program_account(program, AccountKind.CASH, currency=currency),
                        amount=told.fee,
                    )
                ],
            )
        )

    def _post(
        self,
        payment: Payment,
        kind: TransactionKind,
        moves: list[ledger.Move],
        moment: datetime,
        reason: str = "",
        reverses: Transaction | None = None,
    ) -> None:
        if not moves:
            raise LookupError(f"The ledger does not know that {payment.end_to_end_id} was instructed.")
        self._postings.append(
            ledger.Posting(
                key=f"{kind.value}:{payment.public_id}",
                kind=kind,
                period=self._calendar.for_posting(payment.membership.program, moment),
                effective_at=moment,
                moves=moves,
                reason=reason[:200],
                reverses=reverses,
            )
        )

    def _of_program(self, entry: Entry, kind: AccountKind) -> Account:
        program = entry.credit.program
        key = (program.pk, kind, entry.currency)
        if key not in self._cash:
            self._cash[key] = ledger.program_account(program, kind, currency=entry.currency)
        return self._cash[key]

    def _keep(self, payment: Payment, outcome: ResultOutcome, told: Told) -> None:
        PaymentResult.objects.create(
            file=told.file,
            payment=payment,
            outcome=outcome,
            code=told.code[:12],
            reason=told.reason[:200],
            reference=told.reference[:60],
            fee_minor=told.fee.minor if told.fee is not None else 0,
            fee_currency=told.fee.currency if told.fee is not None else "",
            booked_on=told.booked_on,
            told_at=self._at,
            told_by=self._by,
        )

    def _moment(self, payment: Payment, told: Told) -> datetime:
        """Return when it happened: on the day the bank booked it, never before the payment left or after it was told."""
        if told.booked_on is None:
            return self._at
        booked = datetime.combine(told.booked_on, _NOON, tzinfo=payment.membership.program.zone)
        return min(max(booked, payment.sent_at or booked), self._at)


def _instructed(payments: Sequence[Payment]) -> dict[int, list[Entry]]:
    """Return the entries by which each payment left, in the order they were written."""
    found: dict[int, list[Entry]] = {payment.pk: [] for payment in payments}
    by_key = {f"payment_instructed:{payment.public_id}": payment.pk for payment in payments}
    keys = sorted(by_key)
    for start in range(0, len(keys), _AT_ONCE):
        entries = Entry.objects.filter(transaction__key__in=keys[start : start + _AT_ONCE])
        for entry in entries.select_related("transaction", "debit__program", "credit__program").order_by(
            "pk"
        ):
            found[by_key[entry.transaction.key]].append(entry)
    return found


def _money(entry: Entry) -> Money:
    return Money(entry.amount_minor, entry.currency)


def _reopen(payment: Payment) -> None:
    """Put the lines and the statement back where they were before the payment left."""
    Commission.objects.filter(payment=payment).update(state=CommissionState.ON_STATEMENT, payment=None)
    common.reopen_statement(payment)
