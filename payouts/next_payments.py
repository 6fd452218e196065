"""Say what a membership is paid next: the amount a pay run would find, what will be withheld and sent, and what stands against it.
What moved the balance without a commission counts too, and nothing here changes a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import models
from django.db.models.functions import Coalesce

from partners.choices import MembershipState
from partners.models import Membership
from payouts.choices import AccountKind, PaymentState, StatementState, TransactionKind
from payouts.models import Entry, Payment, PaymentMethod, Period, Statement, Withholding
from payouts.overview import payment_date
from payouts.statement_families import chain
from payouts.withheld import base_of, vat_within
from prm.lib.money import Money
from prm.lib.periods import Month, local_day

_PAYMENTS = (TransactionKind.PAYMENT_INSTRUCTED, TransactionKind.PAYMENT_FAILED)
_GONE = (MembershipState.ENDED, MembershipState.TERMINATED)
_NONE = models.Value(0, output_field=models.BigIntegerField())


@dataclass(frozen=True)
class Stop:
    """Why payments are paused, and the day by which somebody looks again."""

    reason: str
    review_on: date


@dataclass(frozen=True)
class Beside:
    """What moved the balance without a commission since the beginning."""

    adjustments: Money
    vat: Money

    @property
    def total(self) -> Money:
        return self.adjustments + self.vat


@dataclass(frozen=True)
class NextPayment:
    """What is expected to be paid next, when, to which account, and what stands against it.

    `amount` leaves the balance, `withheld` of it goes to the tax office, and `sent` is what the bank is told; it is None while
    the rate of another currency is not known. Money that has left for the bank is no longer next.
    """

    amount: Money
    withheld: Money
    sent: Money | None
    minimum: Money
    due_on: date
    closes_on: date
    statement: Statement | None
    method: PaymentMethod | None
    is_method_usable: bool
    is_late: bool
    failure: Payment | None
    stops: tuple[Stop, ...]
    beside: Beside

    @property
    def is_above_minimum(self) -> bool:
        return self.amount.minor > 0 and self.amount >= self.minimum

    @property
    def net(self) -> Money:
        return self.amount - self.withheld


def next_payment(membership: Membership, payments: Sequence[Payment], *, at: datetime) -> NextPayment:
    """Return what is paid next: the latest statement until its payment leaves, else what the books owe now.

    `payments` are those of the membership, oldest first.
    """
    program = membership.program
    latest = (
        Statement.objects.in_force()
        .filter(membership=membership, currency=program.currency)
        .select_related("period")
        .latest_first()
        .first()
    )
    mine = [payment for payment in payments if latest is not None and payment.statement_id in chain(latest)]
    has_left = any(payment.state in (PaymentState.SENT, PaymentState.SETTLED) for payment in mine)
    is_waiting = latest is not None and latest.state == StatementState.ISSUED and not has_left
    waiting = latest if is_waiting else None
    today, this_month = local_day(at, program.zone), Month.of(at, program.zone)
    due_on = waiting.due_on if waiting and waiting.due_on else payment_date(this_month, program.payment_day)
    method = (
        PaymentMethod.objects.current()
        .filter(partner_id=membership.partner_id, currency=program.currency)
        .first()
    )
    books = _Books.of(membership, waiting, due_on=due_on)
    in_run = next((payment for payment in mine if payment.state == PaymentState.QUEUED), None)
    amount, withheld, sent = (
        _in_run(in_run) if in_run else _expected(membership, books, waiting, method, this_month)
    )
    return NextPayment(
        amount=amount,
        withheld=withheld,
        sent=sent,
        minimum=_minimum(membership, waiting),
        due_on=due_on,
        closes_on=this_month.last_on,
        statement=waiting,
        method=method,
        is_method_usable=method is not None and method.is_usable(at=at),
        is_late=waiting is not None and due_on < today,
        failure=_last_failure(mine) if waiting else None,
        stops=books.stops,
        beside=books.beside,
    )


@dataclass(frozen=True)
class _Books:
    """What the ledger, pauses and tax say of one membership."""

    amount: Money
    share: Decimal | None
    stops: tuple[Stop, ...]
    beside: Beside

    @classmethod
    def of(cls, membership: Membership, waiting: Statement | None, *, due_on: date) -> _Books:
        """Read everything in one query: a row for each pause, or one without."""
        currency = membership.program.currency
        rules = Withholding.objects.on(due_on).filter(partner=models.OuterRef("partner"))
        rows = list(
            Membership.objects.filter(pk=membership.pk)
            .annotate(
                stop=models.FilteredRelation(
                    "pauses", condition=models.Q(pauses__ended_at=None, pauses__commission=None)
                ),
                moved=_moved(currency, _since(waiting)),
                adjusted=_moved(
                    currency,
                    models.Q(transaction__kind__in=[TransactionKind.ADJUSTMENT, TransactionKind.WRITE_OFF]),
                ),
                vat=_moved(currency, models.Q(transaction__kind=TransactionKind.VAT)),
                share=models.Subquery(rules.order_by("starts_on", "pk").reverse().values("rate")[:1]),
            )
            .order_by("stop__pk")
            .values_list("moved", "adjusted", "vat", "share", "stop__reason", "stop__review_on")
        )
        moved, adjusted, vat, share, _reason, _review_on = rows[0]
        opened = waiting.closing if waiting is not None else Money(0, currency)
        return cls(
            amount=opened + Money(moved, currency),
            share=share,
            stops=tuple(Stop(row[4], row[5]) for row in rows if row[5] is not None),
            beside=Beside(Money(adjusted, currency), Money(vat, currency)),
        )


def _since(waiting: Statement | None) -> models.Q:
    """Narrow entries to what counts beside a statement: payments of later months; without one to everything."""
    if waiting is None:
        return models.Q()
    month = waiting.period
    later = models.Q(transaction__period__year__gt=month.year) | models.Q(
        transaction__period__year=month.year, transaction__period__month__gt=month.month
    )
    return later & models.Q(transaction__kind__in=_PAYMENTS)


def _moved(currency: str, which: models.Q) -> models.expressions.Combinable:
    """Return what entries have added to the payable account of each membership, less what they took."""

    def side(name: str) -> Coalesce:
        found = Entry.objects.filter(
            which,
            **{
                f"{name}__membership": models.OuterRef("pk"),
                f"{name}__kind": AccountKind.PAYABLE,
                f"{name}__currency": currency,
            },
        )
        total = found.order_by().values(f"{name}__membership").annotate(total=models.Sum("amount_minor"))
        return Coalesce(models.Subquery(total.values("total")), _NONE)

    return side("credit") - side("debit")


def _in_run(payment: Payment) -> tuple[Money, Money, Money | None]:
    """Return the figures of a payment that is prepared already."""
    return payment.amount, payment.withheld, payment.sent


def _expected(
    membership: Membership, books: _Books, waiting: Statement | None, method: PaymentMethod | None, now: Month
) -> tuple[Money, Money, Money | None]:
    """Return amount, tax and what will be sent, as far as it is known before the run."""
    amount, facts = books.amount, {}
    if waiting is not None and amount == waiting.closing:
        facts = waiting.facts  # which say what was expected when it was issued
    expected, frozen = facts.get("expected") or {}, facts.get("fx")
    if books.share is None or amount.minor <= 0:
        withheld = Money(0, amount.currency)
    elif expected and Decimal(expected["rate"]) == books.share:
        withheld = Money(expected["withheld_minor"], amount.currency)
    else:
        until = waiting.period if waiting is not None else Period(year=now.year, month=now.month)
        vat_minor = vat_within({membership.pk: until}).get(membership.pk, 0)
        withheld = base_of(amount, vat_minor).portion(books.share / 100)
    net = amount - withheld
    if method is None or method.payout_currency == net.currency:
        return amount, withheld, net
    if not frozen or frozen["currency"] != method.payout_currency or expected["sent_minor"] != net.minor:
        return amount, withheld, None
    return amount, withheld, Money(frozen["amount_minor"], frozen["currency"])


def _minimum(membership: Membership, waiting: Statement | None) -> Money:
    """Return the least that is paid: who has left gets the rest, however little it is."""
    program = membership.program
    if membership.state in _GONE:
        return Money(0, program.currency)
    if waiting is None:
        return program.minimum_payout
    return Money(waiting.facts.get("minimum_minor", program.minimum_payout_minor), program.currency)


def _last_failure(payments: Sequence[Payment]) -> Payment | None:
    failed = [
        payment for payment in payments if payment.state in (PaymentState.FAILED, PaymentState.RETURNED)
    ]
    return failed[-1] if failed else None
